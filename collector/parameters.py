"""Decides which query parameters an address of the API takes and what their values may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

MAX_SEQ = 2**63 - 1
MAX_LIMIT = 1000
MAX_TEXT = 512


class ParameterError(ValueError):
    """A parameter is not allowed; the message names it, its value and what is allowed."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """How one parameter is read: `read` gives its value or raises `ValueError`."""

    allowed: str
    read: Callable[[str], Any]


def choice(values: dict[str, Any]) -> Parameter:
    """A parameter that is one of a few words, each of which means a value."""
    return Parameter(" or ".join(values), lambda word: values[word])


def integer(lowest: int, highest: int) -> Parameter:
    """A parameter that is a whole number in a range."""

    def read(text: str) -> int:
        # int() takes spaces, underscores and digits of all scripts.
        if not (text.isascii() and text.isdigit() and len(text) <= 20):
            raise ValueError
        number = int(text)
        if not lowest <= number <= highest:
            raise ValueError
        return number

    return Parameter(f"a whole number from {lowest} to {highest}", read)


def text() -> Parameter:
    """A parameter that is any text of bounded length."""

    def read(text: str) -> str:
        if not 0 < len(text) <= MAX_TEXT:
            raise ValueError
        return text

    return Parameter(f"text of 1 to {MAX_TEXT} characters", read)


FILTERS = {
    "protocol": choice({name: name for name in ("customerio", "snowplow")}),
    "type": text(),
    "name": text(),
    "id": text(),
    "text": text(),
    "valid": choice({"true": True, "false": False}),
}
CURSOR = {"after": integer(0, MAX_SEQ)}
PAGING = {
    "limit": integer(1, MAX_LIMIT),
    "order": choice({"asc": False, "desc": True}),
}


def read_parameters(request: Request, known: dict[str, Parameter]) -> dict[str, Any]:
    """Give the values of the parameters that a request has. Raises `ParameterError`."""
    return {
        name: read_parameter(name, value, known)
        for name, value in request.query_params.multi_items()
    }


def read_parameter(name: str, value: str, known: dict[str, Parameter]) -> Any:
    """Give the value of one parameter. Raises `ParameterError`."""
    if name not in known:
        allowed = ", ".join(known) or "none"
        raise ParameterError(f"parameter {name[:80]!r} is not known here, allowed are: {allowed}")
    try:
        return known[name].read(value)
    except (ValueError, KeyError):
        shown = value if len(value) <= 80 else f"{value[:77]}..."
        raise ParameterError(f"{name} is {shown!r}, must be {known[name].allowed}") from None
