"""Plays the scenarios, and prints what became of the events. Run by `python3 build.py faults`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from playwright.sync_api import Playwright, sync_playwright

from benchmarks.faults.scenarios import SCENARIOS
from benchmarks.faults.world import OURS, PEERS_BY_NAME, Contender, facts, world
from build_tools.paths import DIST, ROOT

COLUMNS = ("tracked", "stored", "lost", "unavoidable", "duplicates", "again", "seconds")
PAGE_OF_FAULTS = ROOT / "docs" / "faults.md"
MARKS = ("<!-- faults -->", "<!-- /faults -->")
ENOUGH = 1000  # events of a scenario, for a table in the documents
COUNTING = """() => {
    const begin = Date.now();
    setInterval(() => { localStorage.count = Date.now() - begin; }, 5);
    return begin;
}"""


def lags(playwright: Playwright) -> dict[str, float]:
    """How old (s) the newest change of local storage is that survives each kind of end."""

    def measure(end: str) -> float:
        with world(playwright, OURS, 0) as it:
            it.start()
            page = it.context.new_page()
            other = it.site.replace("page.html", "other.html")
            page.goto(other)
            begin = page.evaluate(COUNTING) / 1000
            page.wait_for_timeout(9000)
            before = time.time()
            if end == "renderer killed":
                it.crash(page)
            else:
                it.kill()
                it.start()
            page = it.context.new_page()
            page.goto(other)
            kept = float(page.evaluate("() => localStorage.count || 0")) / 1000
            return max(0.0, before - begin - kept)

    return {
        end: max(measure(end) for _ in range(3)) for end in ("renderer killed", "browser killed")
    }


def play(
    playwright: Playwright, contender: Contender, name: str, events: int, lag: float
) -> dict[str, Any]:
    """One scenario."""
    begin = time.monotonic()
    with world(playwright, contender, events) as it:
        it.start()
        SCENARIOS[name](it)
        it.settle()
        return {**facts(it, lag), "seconds": round(time.monotonic() - begin, 1)}


def table(rows: dict[str, dict[str, Any]]) -> str:
    """The table of one tracker, its last line the sum."""
    lines = [f"{'scenario':22}" + "".join(f"{name:>12}" for name in COLUMNS)]
    lines += [
        f"{scenario:22}" + "".join(f"{row[name]:>12}" for name in COLUMNS)
        for scenario, row in rows.items()
    ]
    lost, twice = (sum(row[name] for row in rows.values()) for name in ("lost", "duplicates"))
    return "\n".join([*lines, "", f"{len(rows)} scenarios, {lost} lost, {twice} duplicates"])


def markdown(tables: dict[str, dict[str, dict[str, Any]]], told: str) -> str:
    """The tables for the documents: lost, duplicates and unavoidable of each tracker."""
    names = list(tables)
    head = " | ".join(f"{name}: lost | duplicates" for name in names)
    lines = [f"| scenario | {head} | unavoidable (ours) | sent again (ours) | seconds (ours) |"]
    lines.append("|---|" + "--:|" * (2 * len(names) + 3))
    for scenario in tables[OURS.name]:
        rows = [tables[name][scenario] for name in names]
        cells = [str(row[key]) for row in rows for key in ("lost", "duplicates")]
        mine = tables[OURS.name][scenario]
        cells += [str(mine[key]) for key in ("unavoidable", "again", "seconds")]
        lines.append(f"| {scenario} | " + " | ".join(cells) + " |")
    sums = [
        str(sum(row[key] for row in tables[name].values()))
        for name in names
        for key in ("lost", "duplicates")
    ]
    lines.append("| **all** | " + " | ".join(sums) + " | | | |")
    return "\n".join([*lines, "", told])


def main() -> None:
    """Play them all, for each tracker in turn."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peer", action="append", choices=[*PEERS_BY_NAME], default=[])
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--only", action="append", choices=[*SCENARIOS], default=[])
    options = parser.parse_args()
    contenders = [*(PEERS_BY_NAME[name] for name in options.peer), OURS]
    tables: dict[str, dict[str, dict[str, Any]]] = {each.name: {} for each in contenders}
    with sync_playwright() as playwright:
        lag = lags(playwright)
        for end, seconds in lag.items():
            print(f"{end}: what was written in the last {seconds * 1000:.0f} ms is gone")
        for name in options.only or SCENARIOS:
            for each in contenders:
                row = play(playwright, each, name, options.events, lag.get(name, 0.0))
                tables[each.name][name] = row
                print(
                    f"{time.strftime('%H:%M:%S')} {each.name}: {name} {row}",
                    file=sys.stderr,
                    flush=True,
                )
    for contender, rows in tables.items():
        print(f"\n{contender}, {options.events} events each\n\n{table(rows)}")
    written = {"lag": lag, "events": options.events, "trackers": tables}
    (DIST / "faults.json").write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    whole = not options.only and options.events >= ENOUGH and len(contenders) == 3
    if whole:
        measured = "; ".join(f"{end} {seconds * 1000:.0f} ms" for end, seconds in lag.items())
        told = (
            f"{options.events} events in each scenario. Lost with the end of storage: {measured}."
        )
        before, _, rest = PAGE_OF_FAULTS.read_text(encoding="utf-8").partition(MARKS[0])
        after = rest.partition(MARKS[1])[2]
        text = f"{before}{MARKS[0]}\n{markdown(tables, told)}\n{MARKS[1]}{after}"
        PAGE_OF_FAULTS.write_text(text, encoding="utf-8")
    if any(row["lost"] or row["duplicates"] for row in tables[OURS.name].values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
