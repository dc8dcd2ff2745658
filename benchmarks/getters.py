"""Measures how long calls keep a page busy, with our tracker and with the one that it replaces.

    python3 build.py test peers     (once: it builds both)
    python benchmarks/getters.py [--blocks N] [--samples N] [--calls N]

Both run in one browser, each in a page of its own with the same visitor, and take turns in blocks,
so that noise of the machine hits both. A sample is the mean of some calls in a row, because
browsers round their clocks. Prints the median of all samples in microseconds, and how many times
longer ours takes. `track` is measured until it returns, not until the event is sent.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from build_tools.browsers import CHROMIUM_FLAGS, find_chromium
from build_tools.paths import DIST, npm_version, tracker_version
from build_tools.peers import INCUMBENT, PACKAGE, PEERS
from collector.server import running
from collector.settings import Mount, Settings
from tests.browser.conftest import Tab
from tests.peers.pages import OURS, THEIRS, Visit, visit

CALLS = {
    "user().id()": "tracker.user().id()",
    "user().anonymousId()": "tracker.user().anonymousId()",
    "track() until it returns": "tracker.track('Product Viewed', {sku: 'A-1', price: 17.5})",
}

VISITOR = {
    "user": "user-1",
    "anonymous": "39ee7ea5-b6d8-4174-b612-04e1ef3fa952",
    "group": "group-1",
    "traits": {"plan": "free"},
    "groupTraits": {},
}

# the promises are awaited outside of the time, so that no sample pays for another's events
SAMPLE = """
const means = [];
for (let sample = 0; sample < %(samples)d; sample++) {
    const results = [];
    const begin = performance.now();
    for (let call = 0; call < %(calls)d; call++) results.push(%(call)s);
    means.push((performance.now() - begin) / %(calls)d * 1000);
    await Promise.all(results);
}
return means;
"""


def main() -> None:
    """Measure both and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=10, help="turns of each tracker")
    parser.add_argument("--samples", type=int, default=10, help="samples in a block")
    parser.add_argument("--calls", type=int, default=100, help="calls in a sample")
    options = parser.parse_args()
    missing = [str(path) for path in (DIST / "loader.js", INCUMBENT) if not path.exists()]
    if missing:
        parser.exit(1, f"missing: {', '.join(missing)}\n  to do: python3 build.py test peers\n")
    medians, browser = measure(options.blocks, options.samples, options.calls)
    total = options.blocks * options.samples
    print(f"{browser}; medians of {total} samples of {options.calls} calls each, microseconds")
    print(f"theirs: {PACKAGE} {npm_version(PACKAGE)}; ours: {tracker_version()}")
    print(f"\n{'call':26}{'theirs':>10}{'ours':>10}{'ours/theirs':>13}")
    for call, (theirs, ours) in medians.items():
        ratio = f"{ours / theirs:.2f}" if theirs else "-"
        print(f"{call:26}{theirs:>10.1f}{ours:>10.1f}{ratio:>13}")


def measure(blocks: int, samples: int, calls: int) -> tuple[dict[str, list[float]], str]:
    """The medians of each call, first theirs, then ours; and which browser it was."""
    mounts = (Mount("/tracker", DIST), Mount("/peers", PEERS))
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Settings(Path(folder) / "events.sqlite", mounts=mounts)) as collector,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        pages = [visit(Tab(browser.new_context(), collector.url), peer) for peer in (THEIRS, OURS)]
        times: dict[str, list[list[float]]] = {call: [[], []] for call in CALLS}
        for page in pages:
            page.become(VISITOR)
            if (told := page.identity()) != VISITOR:
                sys.exit(f"a tracker takes the visitor for {told}")
        for _ in range(blocks):
            for call, code in CALLS.items():
                for page, measured in zip(pages, times[call], strict=True):
                    measured += block(page, code, samples, calls)
        version = f"Chromium {browser.version}"
        browser.close()
    return {call: [median(each) for each in both] for call, both in times.items()}, version


def block(page: Visit, code: str, samples: int, calls: int) -> list[float]:
    """The samples of one turn; one before them is dropped, it may be slower."""
    page.tab.page.bring_to_front()
    statements = SAMPLE % {"samples": samples + 1, "calls": calls, "call": code}
    times: list[float] = page.run(statements)
    return times[1:]


if __name__ == "__main__":
    main()
