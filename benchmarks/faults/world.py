"""A site, a collector, and the browser of one visitor, all of which can be made to fail."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import BrowserContext, Error, Page, Playwright

from benchmarks.faults.proxy import REFUSES, Gate, gate
from build_tools.browsers import CHROMIUM_FLAGS, find_chromium
from build_tools.paths import DIST, ROOT
from build_tools.peers import PEERS
from collector.server import running
from collector.settings import Mount, Settings

QUIET = 25  # s without a new event: nothing comes any more
AFTER = 12  # the same, when the visitor has come back
NAME = re.compile(r"fault-(\d+)\b")


@dataclass(frozen=True)
class Contender:
    """A tracker: its markup for a collector's address, what tracks `name`, what it sends to."""

    name: str
    markup: Callable[[str], str]
    track: str
    ready: str
    destinations: tuple[str, ...]


def _ours(collector: str) -> str:
    options = {"apiHost": f"{collector}/v1", "snowplow": {"collectorUrl": collector}}
    return (
        '<script src="/tracker/loader.js" data-write-key="wk" data-initial-pageview="false" '
        f"data-options='{json.dumps(options)}'></script>"
    )


def _customerio(collector: str) -> str:
    destination = {"apiKey": "wk", "apiHost": collector.split("//")[1] + "/v1", "protocol": "http"}
    integrations = {"integrations": {"Customer.io Data Pipelines": destination}}
    settings = json.dumps({"writeKey": "wk", "cdnSettings": integrations})
    return (
        '<script src="/peers/incumbent.js"></script>'
        f"<script>tracker = incumbent.AnalyticsBrowser.load({settings})</script>"
    )


def _snowplow(collector: str) -> str:
    return (
        '<script src="/peers/snowplow.js"></script><script>tracker = incumbentSnowplow;'
        f"tracker.newTracker('sp', '{collector}', {{cookieSecure: false, appId: 'a'}})</script>"
    )


OURS = Contender(
    "ours",
    _ours,
    "cioanalytics.track(name)",
    "cioanalytics.ready()",
    ("customerio", "snowplow"),
)
PEERS_BY_NAME = {
    "customerio": Contender(
        "Customer.io", _customerio, "tracker.track(name)", "tracker", ("customerio",)
    ),
    "snowplow": Contender(
        "Snowplow",
        _snowplow,
        "tracker.trackStructEvent({category: 'fault', action: name})",
        "Promise.resolve()",
        ("snowplow",),
    ),
}


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class CollectorProcess:
    """The collector as an operator runs it."""

    def __init__(self, database: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = database
        self.start()

    def start(self) -> None:
        """Start it, on the same database."""
        command = [sys.executable, "-m", "collector", f"--port={self.port}"]
        self.process = subprocess.Popen(
            [*command, f"--database={self.database}"], cwd=ROOT, stdout=subprocess.DEVNULL
        )
        while True:
            with suppress(httpx.HTTPError):
                httpx.get(self.url + "/api/stats")
                return
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.wait()

    def stored(self) -> tuple[Counter[tuple[str, int]], int]:
        """How often each event is stored, by destination and number; and what came again."""
        counts: Counter[tuple[str, int]] = Counter()
        again, after = 0, 0
        while True:
            query: dict[str, str | int] = {"limit": 1000, "order": "asc", "after": after}
            events = httpx.get(self.url + "/api/events", params=query, timeout=60).json()["events"]
            for event in events:
                for number in {*NAME.findall(json.dumps(event))}:
                    counts[event["protocol"], int(number)] += 1
                    again += event["duplicates"]
                after = event["seq"]
            if len(events) < 1000:
                return counts, again


@dataclass
class World:
    """What a scenario plays in."""

    playwright: Playwright
    contender: Contender
    site: str
    gate: Gate
    collector: CollectorProcess
    folder: Path
    events: int
    context: BrowserContext = field(init=False)
    tracked: dict[int, float] = field(default_factory=dict)  # number -> when, s since the epoch
    ended: float = 0.0  # when a browser or renderer was killed
    init: list[str] = field(default_factory=list)
    crashed: list[Page] = field(default_factory=list)

    def start(self) -> None:
        """Start the visitor's browser, on the profile that is there."""
        self.context = self.playwright.chromium.launch_persistent_context(
            self.folder / "profile",
            executable_path=find_chromium(),
            args=CHROMIUM_FLAGS,
            ignore_default_args=["--disable-back-forward-cache"],
        )
        for script in self.init:
            self.context.add_init_script(script)

    def open(self, *, wait: bool = True) -> Page:
        """Open a page in a tab of its own."""
        page = self.context.new_page()
        self.go(page, wait=wait)
        return page

    def go(self, page: Page, *, wait: bool = True) -> None:
        """Go to the page with the tracker."""
        page.goto(self.site)
        if wait:
            try:
                page.evaluate(f"async () => void await {self.contender.ready}")
            except Error:  # a tracker that cannot be loaded loses what is tracked then
                if self.contender is OURS:
                    raise

    def track(self, page: Page, number: int) -> None:
        """Track so many events in a row."""
        names = range(len(self.tracked), len(self.tracked) + number)
        times = page.evaluate(
            "(all) => all.map((each) => { const name = 'fault-' + each; "
            f"{self.contender.track}; return Date.now() / 1000 }})",
            [*names],
        )
        self.tracked |= dict(zip(names, times, strict=True))

    def part(self, of: int) -> int:
        """The events of one of so many equal parts."""
        return self.events // of

    @contextmanager
    def fault(self, kind: int | str, **headers: str) -> Iterator[None]:
        """Fail so while the block lasts."""
        proxy = self.gate.proxy
        if kind == REFUSES:
            self.gate.close()
        proxy.fault, proxy.headers = kind, headers
        yield
        proxy.fault, proxy.headers = None, {}
        if kind == REFUSES:
            self.gate.open()

    def crash(self, page: Page) -> None:
        """Kill the processes of all pages and workers. To close such a page can take for ever."""
        self.crashed.append(page)
        with suppress(Error), page.expect_event("crash", timeout=10_000):
            self._end("--type=renderer")

    def kill(self) -> None:
        """End the whole browser as a power cut does."""
        self._end("")
        with suppress(Error):
            self.context.close()
        time.sleep(0.5)
        for lock in (self.folder / "profile").glob("Singleton*"):
            lock.unlink()

    def _end(self, kind: str) -> None:
        """Kill the browser's processes whose command line has this text."""
        marks = (str(self.folder / "profile").encode(), kind.encode())
        self.ended = time.time()
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                command = (process / "cmdline").read_bytes()
                if all(mark in command for mark in marks):
                    os.kill(int(process.name), signal.SIGKILL)

    def wait(self, seconds: float) -> None:
        """Let the pages go on."""
        pages = [page for page in self.context.pages if page not in self.crashed]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with suppress(Error):
                pages[0].wait_for_timeout(100)
            if not pages:
                time.sleep(0.1)

    def missing(self) -> set[tuple[str, int]]:
        """What was tracked and is not stored, by destination and number."""
        counts, _ = self.collector.stored()
        return {
            (destination, number)
            for destination in self.contender.destinations
            for number in self.tracked
            if (destination, number) not in counts
        }

    def settle(self) -> None:
        """Wait until everything has arrived, or nothing comes any more; then come back once."""
        for quiet in (QUIET, AFTER):
            last, since = -1, time.monotonic()
            while missing := self.missing():
                if len(missing) != last:
                    last, since = len(missing), time.monotonic()
                elif time.monotonic() - since > quiet:
                    break
                self.wait(0.5)
            if not missing:
                break
            if quiet == QUIET:
                self.open()
        self.wait(1)  # what comes again comes now


@contextmanager
def world(playwright: Playwright, contender: Contender, events: int) -> Iterator[World]:
    """A fresh visitor, site and collector."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "site").mkdir()
        collector = CollectorProcess(folder / "events.sqlite")
        mounts = (
            Mount("/tracker", DIST),
            Mount("/peers", PEERS),
            Mount("/", folder / "site"),
        )
        settings = Settings(folder / "unused.sqlite", mounts=mounts)
        with running(settings) as site, gate(free_port(), collector.url) as door:
            address = f"http://127.0.0.1:{door.proxy.port}"
            markup = "<!doctype html><link rel=icon href=data:,><title>Page</title>"
            page = folder / "site" / "page.html"
            page.write_text(markup + contender.markup(address), encoding="utf-8")
            (folder / "site" / "other.html").write_text("<!doctype html>Other", encoding="utf-8")
            it = World(
                *(playwright, contender, f"{site.url}/page.html", door),
                *(collector, folder, events),
            )
            try:
                yield it
            finally:
                with suppress(Error, AttributeError):
                    it.context.close()
                collector.kill()


def facts(it: World, lag: float) -> dict[str, Any]:
    """What became of the events of a scenario; `lag` (s) is what no page can save."""
    counts, again = it.collector.stored()
    missing = it.missing()
    young = {each for each in missing if it.ended and it.tracked[each[1]] > it.ended - lag}
    known = [counts[key] for key in counts if key[1] in it.tracked]
    return {
        "tracked": len(it.tracked) * len(it.contender.destinations),
        "stored": len(known),
        "lost": len(missing - young),
        "unavoidable": len(young),
        "duplicates": sum(known) - len(known),
        "again": again,
    }
