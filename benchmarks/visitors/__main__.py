"""Measures, prints the table, and writes it down. Run by `python3 build.py bench`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import brotli
from playwright.sync_api import sync_playwright

from benchmarks.visitors.contenders import CONTENDERS, NONE, PAGE, TRACKERS
from benchmarks.visitors.plot import plot
from benchmarks.visitors.table import Samples, facts, markdown, table, text
from benchmarks.visitors.visits import LEAVE_AFTER, Bench
from benchmarks.visitors.wire import Wire
from build_tools.browsers import CHROMIUM_FLAGS, find_chromium
from build_tools.paths import DIST, ROOT
from build_tools.peers import INCUMBENT, SNOWPLOW
from collector.server import running
from collector.settings import Mount, Settings

PAGE_OF_COSTS = ROOT / "docs" / "costs.md"
MARKS = ("<!-- bench -->", "<!-- /bench -->")
ENOUGH = 9  # rounds, for a table in the documents


def measure(rounds: int) -> tuple[Samples, str]:
    """All samples, and which browser it was."""
    wire = Wire()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        (site := folder / "site").mkdir()
        (peers := folder / "peers").mkdir()
        for bundle in (INCUMBENT, SNOWPLOW):
            (peers / bundle.name).write_bytes(bundle.read_bytes())
            (peers / f"{bundle.name}.br").write_bytes(brotli.compress(bundle.read_bytes()))
        mounts = (Mount("/tracker", DIST), Mount("/peers", peers), Mount("/", site))
        settings = Settings(folder / "events.sqlite", mounts=mounts)
        with running(settings, wire.around) as collector:
            for contender in CONTENDERS:
                (site / contender.file).write_text(contender.page(collector.url), encoding="utf-8")
            how = {"executable_path": find_chromium(), "args": CHROMIUM_FLAGS}
            bench = Bench(playwright.chromium, how, collector.url, wire)
            for number in range(rounds):
                say(f"round {number + 1} of {rounds}")
                one_round(bench)
            for contender in TRACKERS:
                say(f"later visits: {contender.name}")
                bench.later_visits(contender, rounds, folder / contender.name)
            version = bench.browser.version
            bench.browser.close()
    return dict(bench.samples), f"Chromium {version}"


def one_round(bench: Bench) -> None:
    """Everything once, the trackers in turn."""
    for contender in CONTENDERS:
        bench.visit(contender)
        bench.slow_visit(contender)
        bench.whole_browser(contender)
        for seconds in LEAVE_AFTER:
            if contender not in (NONE, PAGE):
                bench.leave(contender, seconds)


def say(what: str) -> None:
    """Tell how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def main() -> None:
    """Measure, print the table, and write it down."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ENOUGH, help="visits of each tracker")
    rounds = parser.parse_args().rounds
    samples, browser = measure(rounds)
    lines = table(samples)
    print(f"{text(lines)}\n\n{browser}; medians of {rounds} rounds")
    written = {"browser": browser, "rounds": rounds, "rows": facts(samples)}
    (DIST / "benchmarks.json").write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    if rounds >= ENOUGH:
        before, _, rest = PAGE_OF_COSTS.read_text(encoding="utf-8").partition(MARKS[0])
        after = rest.partition(MARKS[1])[2]
        told = f"{markdown(lines)}\n\nMedians of {rounds} rounds in one run, {browser}."
        PAGE_OF_COSTS.write_text(f"{before}{MARKS[0]}\n{told}\n{MARKS[1]}{after}", encoding="utf-8")
        PAGE_OF_COSTS.with_suffix(".svg").write_text(plot(samples), encoding="utf-8")


if __name__ == "__main__":
    main()
