"""Decides which JSON is read: strict, bounded in depth, and free of what cannot be written again.

Python's reader accepts more than JSON (NaN), turns large numbers into infinity, lets half a
surrogate pair pass and recurses as deep as the text asks it to. None of that may reach the
database or the readers of the API.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

MAX_DEPTH = 200
RAW_LIMIT = 4096


class JsonError(ValueError):
    """A body is not JSON that can be kept; the message says why."""


def read_json(body: bytes) -> Any:
    """Give the value of a JSON text in UTF-8. Raises `JsonError`."""
    if not body.strip():
        raise JsonError("the body is empty, must be JSON")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise JsonError(f"the body is not UTF-8 (byte {error.start})") from None
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise JsonError(
            f"the body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        ) from None
    except RecursionError:
        raise JsonError(f"the body is nested deeper than {MAX_DEPTH} levels") from None
    except JsonError:
        raise
    except ValueError:  # Python's own limit on the digits of an integer
        raise JsonError("the body is not usable JSON: a number has too many digits") from None
    # Counting brackets is cheap, so only texts that might be too deep are walked.
    if text.count("[") + text.count("{") > MAX_DEPTH and _deeper_than(value, MAX_DEPTH):
        raise JsonError(f"the body is nested deeper than {MAX_DEPTH} levels")
    if "\\ud" in text.lower() and not _encodable(value):
        return json.loads(well_formed(write_json(value)))
    return value


def write_json(value: Any) -> str:
    """Give compact JSON text that keeps characters outside ASCII readable and searchable."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def well_formed(text: str) -> str:
    """Replace halves of surrogate pairs by U+FFFD, as browsers do (`String.toWellFormed`)."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def shown(value: Any) -> str:
    """Give a value for an error message, cut to what can be read."""
    text = write_json(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def raw_payload(body: bytes) -> str:
    """Give the beginning of an unreadable body as a JSON string."""
    return write_json(body[:RAW_LIMIT].decode("utf-8", "replace"))


def _refuse_constant(name: str) -> NoReturn:
    raise JsonError(f"the body is not JSON: {name} is not a JSON value")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise JsonError(f"the body is not usable JSON: the number {text[:40]} is out of range")
    return number


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _encodable(value: Any) -> bool:
    try:
        write_json(value).encode()
    except UnicodeEncodeError:
        return False
    return True
