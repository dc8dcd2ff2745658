"""What both trackers send for the same calls, compared field by field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class _Mark:
    name: str

    def __repr__(self) -> str:
        return self.name


ABSENT = _Mark("absent")
PRESENT = _Mark("present")

BODY = "the whole body"


@dataclass(frozen=True)
class Found:
    """One place where two bodies of the same call differ."""

    call: str
    path: str
    theirs: Any
    ours: Any

    def __str__(self) -> str:
        return f"{self.call}: {self.path} is {self.theirs!r} in theirs, {self.ours!r} in ours"


@dataclass(frozen=True)
class Difference:
    """A known difference; without `calls` it is in every body but those of `but`."""

    path: str
    theirs: Any
    ours: Any
    why: str
    row: str  # how the row of docs/compatibility.md begins
    calls: tuple[str, ...] = ()
    but: tuple[str, ...] = ()

    def explains(self, found: Found) -> bool:
        """Whether this is the reason for a difference that was found."""
        return (
            self.path == found.path
            and (found.call in self.calls if self.calls else found.call not in self.but)
            and _is(found.theirs, self.theirs)
            and _is(found.ours, self.ours)
        )

    def expected_in(self, call: str) -> bool:
        """Whether the bodies of a call must show it."""
        return call in self.calls if self.calls else call not in self.but


def _is(value: Any, expected: Any) -> bool:
    return value is not ABSENT if expected is PRESENT else bool(value == expected)


def compare(
    call: str, theirs: list[Json], ours: list[Json], kind: Callable[[Json], Any]
) -> Iterator[Found]:
    """Where the bodies of a call differ; those of the same kind are paired, in order."""
    for their, our in _pairs(theirs, ours, kind):
        if their is ABSENT or our is ABSENT:
            yield Found(call, BODY, their, our)
        else:
            yield from _differences(call, "", their, our)


def _pairs(
    theirs: list[Json], ours: list[Json], kind: Callable[[Json], Any]
) -> Iterator[tuple[Any, Any]]:
    waiting = list(ours)
    for body in theirs:
        kinds = [kind(other) for other in waiting]
        pair = waiting.pop(kinds.index(kind(body))) if kind(body) in kinds else ABSENT
        yield body, pair
    yield from ((ABSENT, body) for body in waiting)


def _differences(call: str, path: str, theirs: Any, ours: Any) -> Iterator[Found]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in {**theirs, **ours}:
            inside = f"{path}.{name}" if path else name
            yield from _differences(call, inside, theirs.get(name, ABSENT), ours.get(name, ABSENT))
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for index, (their, our) in enumerate(zip(theirs, ours, strict=True)):
            yield from _differences(call, f"{path}.{index}", their, our)
    elif type(theirs) is not type(ours) or theirs != ours:
        yield Found(call, path, theirs, ours)


@dataclass(frozen=True)
class Comparison:
    """The bodies of both, by call, where they differ, and where they are known to."""

    theirs: dict[str, list[Json]]
    ours: dict[str, list[Json]]
    table: list[Difference]
    kind: Callable[[Json], Any]

    @property
    def found(self) -> list[Found]:
        """Where they differ."""
        return [
            found
            for call, bodies in self.theirs.items()
            for found in compare(call, bodies, self.ours[call], self.kind)
        ]

    @property
    def unexplained(self) -> list[Found]:
        """Differences that are not on the table."""
        return [found for found in self.found if not any(row.explains(found) for row in self.table)]

    @property
    def missing(self) -> list[str]:
        """Rows of the table without a difference where they expect one.

        A row must be found once in a call that it names, else in every body.
        """
        return [
            f"{call}: {row.path} ({row.why})"
            for row in self.table
            for call in self.theirs
            if row.expected_in(call) and self._times(row, call) < self._least(row, call)
        ]

    @property
    def unknown_calls(self) -> set[str]:
        """Calls that the table names and nobody makes."""
        named = {call for row in self.table for call in (*row.calls, *row.but)}
        return named - self.theirs.keys()

    def untold(self, rows: list[str]) -> dict[str, int]:
        """Rows of the documentation that the table names and that are not there just once."""
        told = {each.row: sum(row.startswith(each.row) for row in rows) for each in self.table}
        return {row: number for row, number in told.items() if number != 1}

    def _times(self, row: Difference, call: str) -> int:
        return sum(found.call == call and row.explains(found) for found in self.found)

    def _least(self, row: Difference, call: str) -> int:
        return 1 if row.calls else min(len(self.theirs[call]), len(self.ours[call]))


def documented(text: str) -> list[str]:
    """The rows of the tables of a document; a dash stands for no decision."""
    return re.findall(r"^\| (?:\W )?(.*)", text, re.MULTILINE)
