"""Measures what one more event costs while many wait, and what one costs that is sent at last.

    python3 build.py test peers     (once: it builds both trackers)
    python benchmarks/queue_cost.py [--rounds N]

One run in one browser, real collector; Python runs on the page's own thread, so that all its work
is seen. A page without a network fills its queue, then tracks ten more events, one at a time; then
the network comes back. Prints the time of the page's thread for one event (ms, medians, less that
of a page that does nothing), and how much it differs between the sizes of the queue.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.visitors.contenders import CUSTOMERIO, PAGE, SNOWPLOW, Contender
from benchmarks.visitors.wire import Wire
from build_tools.browsers import CHROMIUM_FLAGS, find_chromium
from build_tools.paths import DIST
from build_tools.peers import PEERS
from collector.server import running
from collector.settings import Mount, Settings

SIZES = (10, 300, 1000)
ADDED = 10
WARM = 500  # events before, so that each size is measured of code that has run as often
WINDOW_MS = 300  # in which the work for one event is done
IDLE_MS = 8  # of work in half a second
MOST_LOOKS = 60
KINDS = ("one more event", "one event sent")


def busy(session: CDPSession) -> float:
    """How long the page's thread has worked until now (ms)."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return 1000 * float(next(m["value"] for m in metrics if m["name"] == "TaskDuration"))


def track(page: Page, session: CDPSession, contender: Contender, number: int) -> None:
    """Track so many events, and let the page do what follows from it."""
    page.evaluate(f"() => {{ for (let n = 0; n < {number}; n++) {contender.track} }}")
    before = -1000.0
    for _ in range(MOST_LOOKS):
        if (now := busy(session)) - before <= IDLE_MS:
            return
        before = now
        page.wait_for_timeout(500)


def cost(page: Page, session: CDPSession, script: str) -> float:
    """The time for a script and what follows from it (ms)."""
    before = busy(session)
    page.evaluate(f"() => {{ {script} }}")
    page.wait_for_timeout(WINDOW_MS)
    return busy(session) - before


def stored(origin: str) -> int:
    """How many events the collector has."""
    with urllib.request.urlopen(origin + "/api/stats") as answer:
        return int(json.load(answer)["total"])


def measure(
    browser: Browser, origin: str, wire: Wire, contender: Contender, sizes: Sequence[int]
) -> dict[int, list[float]]:
    """By the size of the queue: the time for one event (ms), added to it, and sent from it."""
    found = {}
    context = browser.new_context()
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Performance.enable")
    begin = time.monotonic()
    page.goto(f"{origin}/{contender.file}")
    wire.ready(begin)
    wire.silence(1)
    track(page, session, contender, WARM)  # code that has just started is slower
    for size in sizes:
        wire.silence(1)
        context.set_offline(True)
        track(page, session, contender, size - ADDED)
        added, nothing = [], []
        for _ in range(ADDED):
            added.append(cost(page, session, contender.track))
            nothing.append(cost(page, session, ""))
        idle = median(nothing)
        before, seen, begin = busy(session), stored(origin), time.monotonic()
        context.set_offline(False)
        track(page, session, contender, 1)  # theirs try again with the next event
        wire.silence(3)
        elapsed = 1000 * (time.monotonic() - begin)
        sent = busy(session) - before - idle * elapsed / WINDOW_MS
        found[size] = [median(added) - idle, sent / max(1, stored(origin) - seen)]
    context.close()
    return found


def main() -> None:
    """Measure in turn, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=4)
    rounds = parser.parse_args().rounds
    samples: dict[tuple[str, str, int], list[float]] = defaultdict(list)
    wire = Wire()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        (site := Path(name) / "site").mkdir()
        mounts = (Mount("/tracker", DIST), Mount("/peers", PEERS), Mount("/", site))
        settings = Settings(Path(name) / "events.sqlite", mounts=mounts)
        with running(settings, wire.around) as collector:
            contenders = (PAGE, CUSTOMERIO, SNOWPLOW)
            for contender in contenders:
                (site / contender.file).write_text(contender.page(collector.url), encoding="utf-8")
            browser = playwright.chromium.launch(
                executable_path=find_chromium(), args=CHROMIUM_FLAGS
            )
            for number in range(rounds):
                sizes = SIZES if number % 2 else SIZES[::-1]
                for each in contenders:
                    found = measure(browser, collector.url, wire, each, sizes)
                    for size, values in found.items():
                        for kind, value in zip(KINDS, values, strict=True):
                            samples[each.name, kind, size].append(value)
            browser.close()
    print(f"{rounds} rounds")
    print(f"{'':14}{'ms for':16}" + "".join(f"{size:>8}" for size in SIZES) + "   most : least")
    for each in contenders:
        for kind in KINDS:
            medians = [median(samples[each.name, kind, size]) for size in SIZES]
            numbers = "".join(f"{value:8.2f}" for value in medians)
            title = "ours" if each is PAGE else each.name
            print(f"{title:14}{kind:16}{numbers}{max(medians) / min(medians):15.2f}")


if __name__ == "__main__":
    main()
