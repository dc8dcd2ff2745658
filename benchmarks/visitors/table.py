"""The table: what is told of the samples, the ratios, and whether they are what they must be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import Any

from benchmarks.visitors.contenders import CONTENDERS, CUSTOMERIO, NONE, SHARED, SNOWPLOW
from benchmarks.visitors.visits import BURST, LEAVE_AFTER, PAGES, SLOW

Samples = Mapping[tuple[str, str], Sequence[float]]
NAMES = [contender.name for contender in CONTENDERS]


@dataclass(frozen=True)
class Row:
    """A line: what it tells, of which samples, in which unit, and its bars.

    `of_customerio` and `of_snowplow` are the highest ratios that are allowed, `at_most` the highest
    value. `added` takes the page without a tracker from all others. `share` is a mean, and more of
    it is better.
    """

    title: str
    measure: str
    unit: str
    of_customerio: float | None = None
    of_snowplow: float | None = None
    at_most: float | None = None
    added: bool = False
    share: bool = False
    percentile: int = 50

    def cells(self, samples: Samples) -> dict[str, float | None]:
        """A value for each contender, None if it was not measured."""
        cells = {name: self._value(samples.get((self.measure, name))) for name in NAMES}
        without = cells[NONE.name]
        if self.added and without is not None:
            return {n: None if v is None else max(0.0, v - without) for n, v in cells.items()}
        return cells

    def ratios(self, cells: Mapping[str, float | None]) -> list[float | None]:
        """Host `shared` to Customer.io's and to Snowplow's."""
        mine = cells[SHARED.name]
        theirs = [cells[CUSTOMERIO.name], cells[SNOWPLOW.name]]
        return [mine / each if mine and mine > 0 and each and each > 0 else None for each in theirs]

    def verdict(self, cells: Mapping[str, float | None]) -> str:
        """`ok` or `short`, nothing for a row without a bar."""
        bars = (self.of_customerio, self.of_snowplow)
        reached = [
            ratio is not None and ratio <= bar
            for ratio, bar in zip(self.ratios(cells), bars, strict=True)
            if bar is not None
        ]
        mine = cells[SHARED.name]
        if self.at_most is not None:
            reached.append(mine is not None and mine <= self.at_most)
        return "" if not reached else "ok" if all(reached) else "short"

    @property
    def bar(self) -> str:
        """The bars as they are told."""
        bars = (self.of_customerio, self.of_snowplow)
        told = " / ".join("-" if bar is None else f"≤ {bar:g}" for bar in bars if any(bars))
        return told or (f"≤ {self.at_most:g} {self.unit}" if self.at_most is not None else "")

    def _value(self, own: Sequence[float] | None) -> float | None:
        if not own:
            return None
        if self.share:
            return mean(own)
        if self.percentile == 50:
            return median(own)
        return sorted(own)[min(len(own) - 1, len(own) * self.percentile // 100)]


ROWS = (
    Row("first visit", "bytes", "KB", at_most=4500),
    Row("later visit", "later bytes", "KB"),
    Row("page's thread until ready", "until ready", "ms", 0.25, 0.7, added=True),
    Row(f"page's thread until ready, {SLOW}x slower", "until ready, slow", "ms", added=True),
    Row("longest task", "longest", "ms", at_most=20),
    Row(f"longest task, {SLOW}x slower", "longest, slow", "ms", at_most=50),
    Row("track() returns after", "track", "µs", 0.02, 0.3),
    Row("track() returns after, 99th percentile", "track single", "µs", percentile=99),
    Row("user().id()", "id", "µs"),
    Row(f"page's thread for {BURST} events", "burst", "ms", 0.05, 0.3),
    Row("first page, first event stored after", "first page", "ms"),
    Row("second page, first event stored after", "second page", "ms", 1.0),
    Row("later visit, first event stored after", "later visit", "ms"),
    Row("later visit, ready after the load event", "later start", "ms", at_most=500),
    Row(f"processors for {PAGES} pages", "ten pages", "ms", added=True),
    Row("processors per event, of 10", "of 10", "ms"),
    Row("processors per event, of 1,000", "of 1000", "ms"),
    Row("memory of page and worker", "memory", "MB", added=True),
    *(
        Row(f"stored of who leaves after {seconds:g} s", f"left after {seconds}", "%", share=True)
        for seconds in LEAVE_AFTER
    ),
)


def table(samples: Samples) -> list[list[str]]:
    """The lines of the table, the first one its head."""
    against = [f"{SHARED.name} : {other.name}" for other in (CUSTOMERIO, SNOWPLOW)]
    lines = [["what", "unit", *NAMES, *against, "bar", ""]]
    for row in ROWS:
        cells = row.cells(samples)
        shown = ["" if cell is None else number(cell) for cell in cells.values()]
        if row.added:
            shown[NAMES.index(NONE.name)] = ""
        told = ["" if ratio is None else f"{ratio:.2g}" for ratio in row.ratios(cells)]
        lines.append([row.title, row.unit, *shown, *told, row.bar, row.verdict(cells)])
    return lines


def number(value: float) -> str:
    """Three digits, without an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def text(lines: list[list[str]]) -> str:
    """The table for a terminal."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ([c.ljust(w) for c, w in zip(line, widths, strict=True)] for line in lines)
    return "\n".join("  ".join(line).rstrip() for line in padded)


def markdown(lines: list[list[str]]) -> str:
    """The table for the documents."""
    rows = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([rows[0], "|---|---|" + "--:|" * (len(lines[0]) - 3) + "---|", *rows[1:]])


def facts(samples: Samples) -> list[dict[str, Any]]:
    """The table for programs."""
    result = []
    for row in ROWS:
        cells = row.cells(samples)
        ratios = dict(zip((CUSTOMERIO.name, SNOWPLOW.name), row.ratios(cells), strict=True))
        one = {"what": row.title, "unit": row.unit, "values": cells, "ratios": ratios}
        result.append({**one, "bar": row.bar, "verdict": row.verdict(cells)})
    return result
