"""What an option of `load` is: its default, what is allowed, and how that is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tracker.errors import TrackerError, shown


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its value when not given, what is allowed, and what it does."""

    default: Any
    allowed: str
    accepts: Callable[[Any], bool]
    help: str
    # what is used instead of a wrong value; privacy options take the stricter side (decision C1)
    instead: Any = field(default=...)


def is_text(value: Any) -> bool:
    """Text that is not empty."""
    return isinstance(value, str) and value != ""


def is_boolean(value: Any) -> bool:
    """True or false."""
    return isinstance(value, bool)


def is_number(value: Any) -> bool:
    """A number from 0 on."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def is_object(value: Any) -> bool:
    """An object."""
    return isinstance(value, dict)


def is_function(value: Any) -> bool:
    """A function of the page; it arrives as a mark (`tracker.bridge`)."""
    return isinstance(value, dict) and set(value) == {"$fn"}


def yes_no(default: bool, help_: str, instead: Any = ...) -> Option:
    """An option that is true or false."""
    return Option(default, "true or false", is_boolean, help_, instead)


def named(default: str | None, help_: str) -> Option:
    """An option that is text."""
    return Option(default, "text that is not empty", is_text, help_)


def choice(default: str | None, values: tuple[str, ...], help_: str, instead: Any = ...) -> Option:
    """An option that is one of some texts."""
    allowed = ", ".join(f"'{value}'" for value in values)
    return Option(default, allowed, lambda value: value in values, help_, instead)


def amount(default: float | None, unit: str, help_: str) -> Option:
    """An option that is a number of something."""
    return Option(default, f"{unit}, 0 or more", is_number, help_)


def function(help_: str) -> Option:
    """An option that is a function of the page."""
    return Option(None, "a function", is_function, help_)


def wrong(call: str, name: str, value: Any, allowed: str, used: str) -> TrackerError:
    """The error of an option with a wrong value."""
    return TrackerError(
        f"Invalid option {name}",
        f"{call}: option {name} is {shown(value)}; allowed: {allowed}. Used instead: {used}. "
        f"See docs/options.md#{name.partition('.')[0].lower()}",
    )
