"""Decides whether an event is the one that a test expects, and says how it differs if it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from collector.json_text import shown

Predicate = Callable[[Any], Any]


def differences(expected: Any, actual: Any, place: str = "") -> Iterator[str]:
    """Say how a value differs from what is expected, a line for each difference.

    Of an object only the members that are named count; a list has to have as many items. A
    function is called with the value, which is right if the answer is true.
    """
    if isinstance(expected, Mapping):
        if not isinstance(actual, Mapping):
            yield _line(place, expected, actual)
            return
        for name, value in expected.items():
            inner = f"{place}.{name}" if place else str(name)
            if name not in actual:
                yield f"{inner}: is missing, expected {_told(value)}"
            else:
                yield from differences(value, actual[name], inner)
    elif callable(expected):
        if not expected(actual):
            yield f"{place}: is {shown(actual)}, expected {_told(expected)}"
    elif _is_list(expected) and _is_list(actual) and len(expected) == len(actual):
        for index, (one, other) in enumerate(zip(expected, actual, strict=True)):
            yield from differences(one, other, f"{place}[{index}]")
    elif expected != actual or isinstance(expected, bool) != isinstance(actual, bool):
        yield _line(place, expected, actual)


def nearest(expected: Any, events: Sequence[Any]) -> tuple[int, list[str]] | None:
    """The place of the event with the fewest differences, and these; None if there is no event."""
    found = [(list(differences(expected, event)), index) for index, event in enumerate(events)]
    if not found:
        return None
    lines, index = min(found, key=lambda each: (len(each[0]), each[1]))
    return index, lines


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _line(place: str, expected: Any, actual: Any) -> str:
    return f"{place or 'the event'}: is {shown(actual)}, expected {_told(expected)}"


def _told(value: Any) -> str:
    if callable(value):
        return f"what {getattr(value, '__name__', 'a function')} accepts"
    return shown(value)
