"""JavaScript values in calls: what the tokens of a case stand for, and what of it is sent.

`read` turns tokens into values, `to_wire` does what the page's `JSON.stringify` does with them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

Json = dict[str, Any]


class _Undefined:
    def __repr__(self) -> str:
        return "undefined"


UNDEFINED: Final = _Undefined()


@dataclass(eq=False, slots=True)
class Function:
    """A function of the page."""

    call: Callable[..., Any]


@dataclass(eq=False, slots=True)
class Plugin:
    """A plugin object: its facts, and what the tokens say that its hooks do."""

    name: str
    type: str
    spec: Json = field(default_factory=dict)

    @property
    def description(self) -> Json:
        """What the core is told of it."""
        hooks = ["load", *self.spec.get("hooks", {})]
        if self.spec.get("readyHang") or self.spec.get("readyReject"):
            hooks.append("ready")
        facts: Json = {
            key: self.spec[key] for key in ("version", "alternativeNames") if key in self.spec
        }
        return {"name": self.name, "type": self.type, "hooks": hooks, **facts}


class Makers(Protocol):
    """Where the functions that tokens name come from."""

    def function(self, name: str) -> Function:
        """A function that records how it is called."""

    def middleware(self, spec: Json) -> Function:
        """A source middleware function."""


def read(value: Any, makers: Makers) -> Any:
    """The value that a case writes down with tokens."""
    if isinstance(value, list):
        return [read(item, makers) for item in value]
    if not isinstance(value, dict):
        return value
    if "$fn" in value:
        return makers.function(value["$fn"])
    if "$middleware" in value:
        return makers.middleware(value["$middleware"])
    if "$plugin" in value:
        spec = value["$plugin"]
        return Plugin(spec.get("name", ""), spec.get("type", ""), spec)
    if "$undefined" in value:
        return UNDEFINED
    if "$nan" in value:
        return float("nan")
    if "$date" in value:
        return date_text(value["$date"])
    if "$regex" in value:
        return {"$regex": value["$regex"], "$flags": value.get("$flags", "")}
    return {key: read(item, makers) for key, item in value.items()}


def to_wire(args: list[Any]) -> tuple[list[Any], int | None]:
    """Arguments as they are sent, and the position of the first function among them."""
    while args and args[-1] is UNDEFINED:
        args = args[:-1]
    positions = [index for index, value in enumerate(args) if isinstance(value, Function)]
    return [_jsonable(value) for value in args], positions[0] if positions else None


def date_text(value: Any) -> str | None:
    """`new Date(value)` as JSON has it; None for an invalid date."""
    try:
        if isinstance(value, int | float):
            moment = datetime.fromtimestamp(value / 1000, UTC)
        else:
            moment = datetime.fromisoformat(value)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def _jsonable(value: Any) -> Any:
    if isinstance(value, list):
        return [_jsonable(item) for item in value]
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if not _vanishes(item)}
        return {key: _jsonable(item) for key, item in kept.items()}
    if isinstance(value, Plugin):
        return value.description
    if _vanishes(value) or (isinstance(value, float) and value != value):
        return None
    return value


def _vanishes(value: Any) -> bool:
    return value is UNDEFINED or isinstance(value, Function)
