"""Real pages in a real browser against a real collector."""

from __future__ import annotations

import json
import os
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    Route,
    sync_playwright,
)

from collector.server import running
from collector.settings import Mount, Settings
from tests.browser.between import Between
from tests.browser.engines import ENGINE, launch

ROOT = Path(__file__).parents[2]
PATIENCE = 60  # seconds; a loaded machine is slow, and no test needs to fail fast

# Where the core runs in this run of the tests. The option `host` stays `auto`: what a page lacks
# decides, as it does in browsers that lack it.
HOST = os.environ.get("TRACKER_HOST", "shared")
LACKS = {"shared": (), "worker": ("SharedWorker",), "page": ("SharedWorker", "Worker")}[HOST]

# Through Playwright, what Firefox itself has to say of a page looks like an error of the page.
FIREFOX_SAYS = re.compile("^(Loading|Cookie|The page.s settings) .*[\u201c\u2019]")

ATTRIBUTES = (
    '<script async src="/tracker/loader.js" data-write-key="wk" data-api-host="/v1"></script>'
)
# what the tracker needs, and nothing else
CSP = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"


HEARD = 0.2  # s; a page hears of its events a moment after the collector has them


class Collector:
    """The running collector, asked through its own API as anybody can."""

    def __init__(self, url: str, between: Between | None = None) -> None:
        self.url = url
        self.between = between or Between()

    def get(self, path: str) -> Any:
        """The JSON answer of a GET request."""
        with urllib.request.urlopen(self.url + path) as response:
            return json.load(response)

    def records(self, **filters: Any) -> list[dict[str, Any]]:
        """What is stored, oldest first."""
        records: list[dict[str, Any]] = []
        while True:
            after = records[-1]["seq"] if records else 0
            query = urlencode({"limit": 1000, "order": "asc", "after": after, **filters})
            more = self.get(f"/api/events?{query}")["events"]
            records += more
            if len(more) < 1000:
                return records

    def events(self, number: int, **filters: Any) -> list[dict[str, Any]]:
        """The stored events, once there are at least `number` of them."""
        wait_for(lambda: len(self.records(**filters)) >= number, f"{number} events {filters}")
        time.sleep(HEARD)
        return [record["payload"] for record in self.records(**filters)]

    def asked_for(self, part: str) -> list[str]:
        """The addresses with `part` in them that were requested, by pages or by workers."""
        return [address for address in self.between.asked if part in address]

    def reset(self) -> None:
        """Forget everything, and answer everything."""
        self.between.reset()
        request = urllib.request.Request(self.url + "/api/reset", method="POST")
        urllib.request.urlopen(request).close()


def wait_for(
    done: Callable[[], Any], what: str, pause: Callable[[float], None] = time.sleep
) -> None:
    """Wait until `done` answers true. Fails after a minute, naming what was waited for."""
    end = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > end:
            pytest.fail(f"waited {PATIENCE} s in vain for {what}")
        pause(0.05)


class Tab:
    """A page of a fresh visitor, and what it did: console messages, errors."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.context = context
        self.origin = origin
        self.console: list[tuple[str, str]] = []
        self.errors: list[str] = []
        context.set_default_timeout(PATIENCE * 1000)  # of the pages that it opens, too
        self.page: Page = context.new_page()
        self.page.on("console", lambda message: self.console.append((message.type, message.text)))
        self.page.on("pageerror", lambda error: self._note_error(str(error)))

    def _note_error(self, text: str) -> None:
        if not FIREFOX_SAYS.search(text):
            self.errors.append(text)

    def serve(self, path: str, html: str, csp: str = "") -> None:
        """Make the origin answer `path`, with any query, with a page of our own."""
        headers = {"Content-Type": "text/html", **({"Content-Security-Policy": csp} if csp else {})}

        def answer(route: Route) -> None:
            route.fulfill(body="<!doctype html>" + html, headers=headers)

        address = re.compile(re.escape(self.origin + path) + r"(\?.*)?$")
        self.page.unroute(address)
        self.page.route(address, answer)

    def open(self, html: str = ATTRIBUTES, path: str = "/page.html", csp: str = "") -> None:
        """Open a page of our own with this markup."""
        self.serve(path, html, csp)
        self.page.goto(self.origin + path)

    def wait_for(self, done: Callable[[], Any], what: str) -> None:
        """Wait while routes and messages of this page are served."""
        wait_for(done, what, lambda seconds: self.page.wait_for_timeout(seconds * 1000))

    def run(self, script: str) -> Any:
        """Run a JavaScript function in the page."""
        return self.page.evaluate(script)

    def fill(self, selector: str, text: str) -> None:
        """Type into a field, instead of what is in it: not every engine's driver clears it."""
        self.page.eval_on_selector(selector, "(field) => void (field.value = '')")
        self.page.fill(selector, text)

    def ready(self) -> None:
        """Wait until the core is there and has answered."""
        self.run("() => new Promise((done) => cioanalytics.ready(done))")

    @property
    def local(self) -> dict[str, str]:
        """The page's local storage."""
        items: dict[str, str] = self.run("() => ({...localStorage})")
        return items

    @property
    def kept(self) -> str:
        """The calls that are kept for the next page, as text."""
        calls = [text for key, text in self.local.items() if key.startswith("cioCalls")]
        return "".join(calls).replace("\\", "")

    @property
    def cookies(self) -> dict[str, dict[str, Any]]:
        """The visitor's cookies with their attributes, by name."""
        return {str(c.get("name")): dict(c) for c in self.context.cookies()}


def prepared(context: BrowserContext) -> BrowserContext:
    """A visitor whose browser makes the tracker choose the host of this run."""
    if LACKS:
        context.add_init_script("".join(f"delete window.{name};" for name in LACKS))
    if ENGINE == "chromium":  # pages that a test serves itself are of no address space
        context.grant_permissions(["local-network-access"])
    return context


def snippet(*calls: str, options: str = '{ apiHost: "/v1" }') -> str:
    """The built snippet as a site owner pastes it, with calls behind it."""
    pasted = (ROOT / "dist" / "snippet.html").read_text()
    pasted = pasted.replace('load("YOUR_WRITE_KEY")', f'load("wk", {options})')
    return pasted + "".join(f"<script>{call}</script>" for call in calls)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:  # one at a time is all that it allows
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def running_collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    mounts = (Mount("/tracker", ROOT / "dist"), Mount("/", ROOT / "examples" / "shop"))
    settings = Settings(tmp_path_factory.mktemp("collector") / "events.sqlite", mounts=mounts)
    between = Between()
    with running(settings, between.around) as collector:
        yield Collector(collector.url, between)


@pytest.fixture
def collector(running_collector: Collector, request: pytest.FixtureRequest) -> Iterator[Collector]:
    """The collector, empty. All that a test sends has to be good, unless it `sends_flaws`."""
    running_collector.between.wait_for_silence()  # workers outlive the pages of the test before
    running_collector.reset()
    yield running_collector
    if request.node.get_closest_marker("sends_flaws") is None:
        bad = running_collector.records(valid="false")
        assert not bad, [(record["name"], record["reasons"]) for record in bad]


@pytest.fixture
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    context = prepared(browser.new_context())
    yield context
    context.close()


@pytest.fixture
def open_visitor(browser: Browser) -> Iterator[BrowserContext]:
    """A visitor whose browser lacks nothing, whatever host this run is for."""
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture
def tab(visitor: BrowserContext, collector: Collector) -> Tab:
    return Tab(visitor, collector.url)
