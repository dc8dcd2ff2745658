"""Reads what a trace of Chromium says of the page's own thread."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

# The short name is that of long tasks, too; "toplevel" alone leaves some of them out.
CATEGORIES = ["blink.user_timing", "disabled-by-default-devtools.timeline"]


def mark(trace: list[Json], name: str) -> Json:
    """The last mark of that name that a page made with `performance.mark`."""
    return [each for each in trace if each["name"] == name and each["ph"] in "RIi"][-1]


def tasks(trace: list[Json], start: Json, end: float) -> list[float]:
    """How long the thread of the mark `start` was busy with each task (ms), longest first.

    Tasks count that end after the mark and begin before `end` (in µs, as in the trace); of the one
    in which the mark was made, what comes after it. Tasks inside of others are part of them.
    """
    spans = sorted(
        (each["ts"], -each["dur"])
        for each in trace
        if each["ph"] == "X"
        and "RunTask" in each["name"]
        and (each["pid"], each["tid"]) == (start["pid"], start["tid"])
    )
    times = []
    done = start["ts"]
    for begin, negative in spans:
        over = begin - negative
        if over > done and begin < end:
            times.append((over - max(begin, done)) / 1000)
            done = over
    return sorted(times, reverse=True)
