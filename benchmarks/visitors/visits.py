"""What is measured: samples by measure and contender. Times are in ms, sizes in KB or MB."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, BrowserType, Page

from benchmarks.visitors import trace
from benchmarks.visitors.contenders import NONE, Contender
from benchmarks.visitors.trace import Json
from benchmarks.visitors.wire import Wire
from tests.browser.engines import memory_of_pages

BURST = 200
SLOW = 4
PAGES = 10
LINE = 10e6 / 8  # bytes per second
LEAVE_AFTER = (0.3, 1, 3)  # s
GONE = 2.5  # s without a request: nothing comes any more
ACKNOWLEDGED = 0.4  # s without a request: all events are there

SAMPLE = """async ([call, waits]) => {
    const run = new Function('return ' + call), means = [], single = [];
    for (let block = 0; block < 24; block++) {
        const waiting = [];
        const begin = performance.now();
        for (let n = 0; n < 20; n++) {
            const before = performance.now();
            waiting.push(run());
            single.push((performance.now() - before) * 1000);
        }
        means.push((performance.now() - begin) * 1000 / 20);
        await Promise.all(waits ? waiting : []);
        await new Promise((done) => setTimeout(done, 10));
    }
    return [means, single];
}"""


@dataclass
class Bench:
    """A browser, a site with the contenders' pages, and what was measured."""

    kind: BrowserType
    how: Json
    origin: str
    wire: Wire
    samples: defaultdict[tuple[str, str], list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def __post_init__(self) -> None:
        self.browser = self.launch()

    def launch(self) -> Browser:
        """Another browser."""
        return self.kind.launch(**self.how)

    def note(self, measure: str, contender: Contender, *values: float) -> None:
        """Keep samples."""
        self.samples[measure, contender.name] += values

    # ---- a visit, and a visit with a slow processor ----------------------------------------------

    def visit(self, contender: Contender) -> None:
        """A fresh visitor: two pages, calls, and a burst."""
        with self.fresh() as page:
            before = self.wire.sent
            with self.traced(page) as events:
                begin = self.open(page, contender)
            self.note_tasks(contender, events, "")
            if contender is NONE:
                return
            self.note("first page", contender, self.wire.event(begin))
            self.wire.silence(ACKNOWLEDGED)
            self.note("bytes", contender, (self.wire.sent - before) / 1000)
            begin = self.open(page, contender)
            self.note("second page", contender, self.wire.event(begin))
            self.wire.silence(ACKNOWLEDGED)
            means, single = page.evaluate(SAMPLE, [contender.track, True])
            self.note("track", contender, *means)
            self.note("track single", contender, *single)
            if contender.id:
                self.note("id", contender, *page.evaluate(SAMPLE, [contender.id, False])[0])
            self.wire.silence(ACKNOWLEDGED)
            self.note("burst", contender, self.burst(page, contender))

    def slow_visit(self, contender: Contender) -> None:
        """The first page of a fresh visitor. The page is slow, a shared worker is not."""
        with self.fresh() as page:
            session = page.context.new_cdp_session(page)
            session.send("Emulation.setCPUThrottlingRate", {"rate": SLOW})
            with self.traced(page) as events:
                self.open(page, contender)
            self.note_tasks(contender, events, ", slow")

    @contextmanager
    def fresh(self) -> Iterator[Page]:
        """A page of a visitor who was never here."""
        context = self.browser.new_context()
        yield context.new_page()
        context.close()
        self.wire.silence(ACKNOWLEDGED)

    def open(self, page: Page, contender: Contender) -> float:
        """Go to the contender's page and wait until it is ready; when that began."""
        begin = time.monotonic()
        page.goto(f"{self.origin}/{contender.file}")
        self.wire.ready(begin)
        return begin

    @contextmanager
    def traced(self, page: Page) -> Iterator[list[Json]]:
        """The events of a trace, there when the block has ended."""
        events: list[Json] = []
        self.browser.start_tracing(page=page, categories=trace.CATEGORIES)
        yield events
        events += json.loads(self.browser.stop_tracing())["traceEvents"]

    def note_tasks(self, contender: Contender, events: list[Json], kind: str) -> None:
        """Note the tasks from the tag on until the tracker is ready."""
        ready = trace.mark(events, "ready")["ts"]
        times = trace.tasks(events, trace.mark(events, "tag"), ready)
        self.note("until ready" + kind, contender, sum(times))
        self.note("longest" + kind, contender, times[0])

    def burst(self, page: Page, contender: Contender) -> float:
        """How long many events in a row keep the page's thread busy, until the last is sent."""
        script = f"for (let n = 0; n < {BURST}; n++) {contender.track};"
        with self.traced(page) as events:
            page.evaluate(f"() => {{ performance.mark('burst'); {script} }}")
            self.wire.silence(0.7)
        return sum(trace.tasks(events, trace.mark(events, "burst"), float("inf")))

    # ---- processor time and memory of all processes ----------------------------------------------

    def whole_browser(self, contender: Contender) -> None:
        """A browser for one visitor: ten pages, then events."""
        browser = self.launch()
        page = browser.new_page()
        page.goto("about:blank")
        time.sleep(0.3)
        session = browser.new_browser_cdp_session()

        def spent() -> float:
            processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
            return sum(float(process["cpuTime"]) for process in processes) * 1000

        begin = spent()
        self.open(page, contender)
        self.wire.silence(ACKNOWLEDGED)
        started = spent() - begin
        self.note("memory", contender, memory_of_pages(browser))
        for _ in range(PAGES - 1):
            self.open(page, contender)
        self.wire.silence(ACKNOWLEDGED)
        self.note("ten pages", contender, spent() - begin)
        if contender is not NONE:
            for number in (10, 1000):
                before = spent()
                page.evaluate(f"() => {{ for (let n = 0; n < {number}; n++) {contender.track} }}")
                self.wire.silence(0.7)
                self.note(f"of {number}", contender, (started + spent() - before) / number)
        browser.close()

    # ---- a visitor who leaves --------------------------------------------------------------------

    def leave(self, contender: Contender, seconds: float) -> None:
        """Whether the view of a visitor counts who goes elsewhere before everything is loaded."""
        self.wire.silence(ACKNOWLEDGED)
        context = self.browser.new_context()
        page = context.new_page()
        self.wire.rate = LINE
        begin = time.monotonic()
        page.goto(f"{self.origin}/{contender.file}", wait_until="commit")
        time.sleep(max(0.0, begin + seconds - time.monotonic()))
        page.goto("about:blank")
        self.wire.silence(GONE, at_most=25)
        self.wire.rate = 0
        came = [each for each in self.wire.events if each >= begin]
        self.note(f"left after {seconds}", contender, 100.0 if came else 0.0)
        context.close()

    # ---- a visitor who was here before -----------------------------------------------------------

    def later_visits(self, contender: Contender, rounds: int, folder: Path) -> None:
        """Visits of a visitor who was here before, each in a browser that has just started."""
        with self.same_visitor(folder) as context:
            self.open(context.new_page(), contender)
            time.sleep(5)  # what a visit keeps for the next one, it keeps by now
        for _ in range(rounds):
            with self.same_visitor(folder) as context:
                page = context.new_page()
                page.wait_for_timeout(500)
                sent = self.wire.sent
                begin = self.open(page, contender)
                self.note("later visit", contender, self.wire.event(begin))
                self.wire.silence(ACKNOWLEDGED)
                self.note("later bytes", contender, (self.wire.sent - sent) / 1000)
                took = page.evaluate(
                    "() => performance.getEntriesByName('ready')[0].startTime"
                    " - performance.getEntriesByType('navigation')[0].loadEventEnd"
                )
                self.note("later start", contender, took)

    @contextmanager
    def same_visitor(self, folder: Path) -> Iterator[BrowserContext]:
        """A browser that starts with what it kept in this folder."""
        context = self.kind.launch_persistent_context(folder, **self.how)
        yield context
        context.close()
