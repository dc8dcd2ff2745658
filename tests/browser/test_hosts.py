"""Where the core runs: the choice of a host, and what happens when one fails or ends."""

from __future__ import annotations

import random
import re
import time
from itertools import repeat

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright

from tests.browser.conftest import ATTRIBUTES, HOST, ROOT, Collector, Tab, wait_for
from tests.browser.engines import ENGINE, launch, memory_of_pages, only_chromium

pytestmark = pytest.mark.skipif(HOST != "shared", reason="these choose the host themselves")

TWO_MINUTES = 120  # s
SETTLED_MS = 5000  # after a first page; what the visit keeps is kept
LET_GO_MS = 35_000  # after the last page is gone, the worker has let go of it
HOSTS = ("shared", "worker", "page")
ERRORS = "<script>errors = []</script>"
LISTEN = "<script>cioanalytics.on('error', (error) => errors.push(error.message))</script>"
POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
    "connect-src 'self'; require-trusted-types-for 'script'"
)
BLOCK = "window.{} = class {{ constructor() {{ throw new Error('blocked') }} }};"


def with_host(host: str, **more: str) -> str:
    """The script tag with a host."""
    given = "".join(f' data-{name.replace("_", "-")}="{value}"' for name, value in more.items())
    return ATTRIBUTES.replace("></script>", f' data-host="{host}"{given}></script>')


def warnings(tab: Tab) -> list[str]:
    return [text for kind, text in tab.console if kind == "warning" and "cioanalytics" in text]


def shared_workers(browser: Browser) -> list[str]:
    """The addresses of all shared workers in the browser."""
    session = browser.new_browser_cdp_session()
    targets = session.send("Target.getTargets")["targetInfos"]
    session.detach()
    return [target["url"] for target in targets if target["type"] == "shared_worker"]


def host_script() -> str:
    return (ROOT / "dist" / "host.js").read_text(encoding="utf-8")


@pytest.fixture
def tab(open_visitor: BrowserContext, collector: Collector) -> Tab:
    return Tab(open_visitor, collector.url)


@pytest.mark.parametrize("host", HOSTS)
def test_a_site_can_choose_the_host(
    tab: Tab, collector: Collector, browser: Browser, host: str
) -> None:
    tab.open(with_host(host))
    assert len(collector.events(1)) == 1
    tab.ready()
    in_page = tab.run(
        "() => performance.getEntriesByType('resource').some((e) => /asm.wasm/.test(e.name))"
    )
    assert in_page == (host == "page")
    if ENGINE == "chromium":
        mine = [url for url in shared_workers(browser) if url.startswith(tab.origin)]
        expected = {"shared": (1, 0), "worker": (0, 1), "page": (0, 0)}
        assert (len(mine), len(tab.page.workers)) == expected[host]
    assert warnings(tab) == []


@pytest.mark.parametrize(
    ("blocked", "used"), [(("SharedWorker",), "worker"), (("SharedWorker", "Worker"), "page")]
)
def test_a_host_that_is_blocked_is_one_warning_and_the_next_one_is_used(
    tab: Tab, collector: Collector, blocked: tuple[str, ...], used: str
) -> None:
    tab.context.add_init_script("".join(BLOCK.format(name) for name in blocked))
    tab.open(ERRORS + ATTRIBUTES.replace("async ", "") + LISTEN)
    assert len(collector.events(1)) == 1
    tab.ready()
    tab.wait_for(lambda: warnings(tab), "a warning")
    (warning,) = warnings(tab)
    assert "blocked" in warning
    assert f"host {used} is used" in warning
    assert tab.run("() => errors") == ["Host failed"]
    assert tab.errors == []


@pytest.mark.parametrize("host", HOSTS)
def test_it_runs_under_the_policy_of_the_documents(
    tab: Tab, collector: Collector, host: str
) -> None:
    tab.open(with_host(host), csp=POLICY)
    assert len(collector.events(1)) == 1
    tab.ready()
    assert [text for kind, text in tab.console if kind in ("error", "warning")] == []


def test_a_core_of_another_version_is_not_used(tab: Tab, collector: Collector) -> None:
    loader = (ROOT / "dist" / "loader.js").read_text(encoding="utf-8")
    (build,) = {*re.findall(r'"([0-9a-f]{8})"', loader)} & {
        *re.findall(r'"([0-9a-f]{8})"', host_script())
    }
    collector.between.serve("host.js", host_script().replace(build, "0" * 12))
    tab.open(ERRORS + ATTRIBUTES.replace("async ", "") + LISTEN)
    assert len(collector.events(1)) == 1
    tab.wait_for(lambda: warnings(tab), "a warning")
    (warning,) = warnings(tab)
    assert "another version" in warning
    assert tab.run("() => errors") == ["Host failed"]


@pytest.mark.parametrize(
    ("file", "content", "kind"),
    [
        ("host.js", "<!doctype html>", "text/html"),
        ("host.js", "nonsense(", "text/javascript"),
        ("host.js", "", "text/plain"),
        ("asm.wasm", "<!doctype html>", "text/html"),
        ("asm.wasm", "<!doctype html>", "application/wasm"),
        ("python_stdlib.zip", "<!doctype html>", "application/zip"),
        ("core.zip", "<!doctype html>", "application/zip"),
    ],
)
def test_a_file_that_is_something_else_is_one_warning_and_harms_nothing(
    tab: Tab, collector: Collector, file: str, content: str, kind: str
) -> None:
    collector.between.serve(file, content, kind)
    tab.open(ERRORS + ATTRIBUTES.replace("async ", "") + LISTEN)
    tab.wait_for(lambda: warnings(tab), "a warning")
    (warning,) = warnings(tab)
    assert "calls wait" in warning
    assert tab.run("() => errors") == ["Start failed"]
    assert tab.errors == []
    collector.between.reset()
    tab.open(ATTRIBUTES, path="/second.html")
    assert len(collector.events(2)) == 2


@pytest.mark.parametrize("host", ["shared", "worker"])
def test_a_worker_that_ends_is_started_again_and_loses_nothing(
    tab: Tab, collector: Collector, host: str
) -> None:
    deadly = "\nnew BroadcastChannel('end').onmessage = () => self.close();"
    collector.between.serve("host.js", host_script() + deadly)
    tab.open(with_host(host, initial_pageview="false"))
    tab.ready()
    tab.run("() => { cioanalytics.identify('u1'); cioanalytics.track('Before') }")
    collector.events(2)
    tab.run(
        """() => {
            new BroadcastChannel('end').postMessage(0);
            for (let i = 0; i < 20; i++) cioanalytics.track('Meanwhile ' + i);
        }"""
    )
    tab.wait_for(lambda: warnings(tab), "a warning")
    assert "started again" in warnings(tab)[0]
    tab.run("() => cioanalytics.track('After')")
    names = [event.get("event") for event in collector.events(23)]
    assert names[:2] == [None, "Before"]
    assert sorted(names[2:]) == sorted(["After", *(f"Meanwhile {i}" for i in range(20))])
    assert tab.run("() => cioanalytics.user().id()") == "u1"


@only_chromium("Playwright says of no other engine which workers there are")
def test_two_versions_of_the_script_share_no_worker(
    open_visitor: BrowserContext, collector: Collector, browser: Browser
) -> None:
    first, second = Tab(open_visitor, collector.url), Tab(open_visitor, collector.url)
    first.open()
    first.ready()
    loader = (ROOT / "dist" / "loader.js").read_text(encoding="utf-8")
    collector.between.serve("loader.js", loader.replace("host.js?v=", "host.js?v=new"))
    second.open()
    second.ready()
    mine = [url for url in shared_workers(browser) if url.startswith(first.origin)]
    assert len(set(mine)) == len(mine) == 2
    assert len(collector.events(2)) == 2


@only_chromium("elsewhere the worker ends with the page")
def test_a_page_uses_a_worker_that_is_there_before_it_has_loaded(
    tab: Tab, collector: Collector
) -> None:
    tab.open(with_host("shared"))
    tab.ready()
    tab.page.route("**/slow.png", lambda route: None)  # never answered
    tab.serve("/second.html", with_host("shared") + "<img src='/slow.png'>")
    tab.page.goto(tab.origin + "/second.html", wait_until="commit")
    tab.wait_for(lambda: len(collector.records()) == 2, "the event of the second page")
    assert tab.run("() => document.readyState") == "interactive"


@only_chromium("there is no `extendedLifetime` elsewhere")
def test_a_visitor_who_leaves_before_python_is_there_is_counted(
    tab: Tab, collector: Collector
) -> None:
    """With `extendedLifetime` the worker goes on, although no page of the site follows."""
    tab.open(with_host("shared"))
    tab.wait_for(lambda: collector.asked_for("core.zip"), "the start of the worker")
    tab.page.wait_for_timeout(300)
    tab.page.goto("about:blank")
    assert [event["type"] for event in collector.events(1)] == ["page"]


@only_chromium("Playwright says of no other engine which workers there are")
def test_ten_tabs_for_two_minutes_share_one_worker_and_every_event_is_stored_once(
    playwright: Playwright, collector: Collector
) -> None:
    """Opened, used and closed in random order; what they took is given back."""
    browser = launch(playwright)
    visitor = browser.new_context()
    chance = random.Random(5)
    expected: list[str] = []

    def opened() -> Tab:
        tab = Tab(visitor, collector.url)
        tab.serve("/page.html", with_host("shared", initial_pageview="false"))
        tab.page.goto(tab.origin + "/page.html")
        return tab

    def close(tab: Tab) -> None:
        tab.page.evaluate("() => void setTimeout(() => location = 'about:blank')")
        tab.page.wait_for_url("about:blank")
        tab.page.close()

    tabs = [opened()]
    tabs[0].ready()
    tabs[0].page.wait_for_timeout(SETTLED_MS)
    one = memory_of_pages(browser)
    end = time.monotonic() + TWO_MINUTES
    while time.monotonic() < end:
        if len(tabs) < 10 and (len(tabs) < 3 or chance.random() < 0.4):
            tabs.append(opened())
        tab = chance.choice(tabs)
        names = [f"{len(expected) + number}" for number in range(chance.randint(1, 3))]
        expected += names
        tab.run(f"() => {{ for (const name of {names}) cioanalytics?.track(name) }}")
        tab.page.wait_for_timeout(chance.randint(0, 300))
        if len(tabs) > 3 and chance.random() < 0.3:
            tabs.remove(tab)
            close(tab)
    while len(tabs) < 10:
        tabs.append(opened())
    mine = [url for url in shared_workers(browser) if url.startswith(collector.url)]
    assert len(mine) == 1
    for tab in tabs[1:]:
        close(tab)
    last = tabs[0]
    last.ready()

    def missing() -> set[str]:
        return {*expected} - {record["payload"]["event"] for record in collector.records()}

    wait_for(lambda: not missing(), f"{len(expected)} events")
    records = collector.records()
    assert sorted(record["payload"]["event"] for record in records) == sorted(expected)
    assert sum(record["duplicates"] for record in records) == 0
    wait_for(lambda: not [key for key in last.local if "OutQueue" in key], "an empty queue")
    last.page.wait_for_timeout(LET_GO_MS)
    assert memory_of_pages(browser) < one * 1.2
    browser.close()


def test_a_missing_worker_script_is_named(tab: Tab, collector: Collector) -> None:
    collector.between.answer("host.js", repeat(404))
    tab.open()
    tab.wait_for(lambda: warnings(tab), "a warning")
    assert "host.js" in warnings(tab)[0]
