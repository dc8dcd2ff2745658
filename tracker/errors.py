"""What a site owner gets to see when something is wrong."""

from __future__ import annotations

import json
from typing import Any


class TrackerError(Exception):
    """An error of a call or an option.

    `message` is short and stable, for programs. `detail` is for people: it names the call or
    option, the value, what is allowed and where to read on.
    """

    def __init__(self, message: str, detail: str) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail

    def to_json(self) -> dict[str, str]:
        """The error as it travels to the page."""
        return {"message": self.message, "detail": self.detail}


def shown(value: Any, limit: int = 60) -> str:
    """A value as an error message shows it: short, with its JavaScript kind."""
    kinds: list[tuple[type, str]] = [
        (bool, "boolean"),
        (str, "text"),
        (int, "number"),
        (float, "number"),
        (dict, "object"),
        (list, "array"),
    ]
    if value is None:
        return "null"
    kind = next((name for type_, name in kinds if isinstance(value, type_)), None)
    if kind is None:
        return str(value)
    text = f"'{value}'" if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return f"{text} ({kind})"
