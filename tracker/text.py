"""How values become text and back: JSON as the wire and the stores want it."""

from __future__ import annotations

import json
from typing import Any

from tracker.browser import LONE_SURROGATE


def to_json(value: Any) -> str:
    """JSON without spaces and with text unescaped, as `JSON.stringify` writes it.

    Lone surrogates are escaped, NaN and infinities become null. Raises ValueError or TypeError for
    what JSON cannot hold.
    """
    try:
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(value), separators=(",", ":"), ensure_ascii=False)
    return LONE_SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def from_json(text: str | None) -> Any:
    """The value of a JSON text, None for what is no JSON (or is null)."""
    if not text:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def byte_length(text: str) -> int:
    """The number of bytes of a text in UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


def _finite(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
