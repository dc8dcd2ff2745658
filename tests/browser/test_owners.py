"""One owner of a queue (decision D6), in hosts where each tab has its own core."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from build_tools.paths import ROOT
from tests.browser.conftest import HOST, Collector, Tab, prepared, snippet
from tests.browser.engines import launch, only_chromium
from tests.browser.origins import World, world

pytestmark = pytest.mark.skipif(HOST == "shared", reason="all tabs share one core")

QUEUE = "cioOutQueue_wk_post"
PAGE = snippet(options="{ apiHost: '/v1', initialPageview: false }")
NOT_EVENTS = (".expires", ".lease")

Open = Callable[[], Tab]


@pytest.fixture
def plain_http(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, ROOT / "dist", {"page.html": f"<!doctype html>{PAGE}"}) as served:
        yield served


def check(open_tab: Open, collector: Collector) -> None:
    """Events of two tabs stand apart; those of a dead one are sent within seconds."""
    one, two = open_tab(), open_tab()
    for tab in (one, two):
        tab.ready()
    collector.between.answer("/v1/", [503] * 1000)
    for name, tab in (("one", one), ("two", two)):
        tab.run(f"() => cioanalytics.track('of {name}') && undefined")

    def kept() -> list[str]:
        items = sorted(one.local.items())
        return [text for key, text in items if QUEUE in key and not key.endswith(NOT_EVENTS)]

    def segments(name: str) -> list[int]:
        return [number for number, text in enumerate(kept()) if f"of {name}" in text]

    one.wait_for(lambda: segments("one") and segments("two"), "both events")
    assert [len(segments("one")), len(segments("two"))] == [1, 1]
    assert segments("one") != segments("two")
    two.page.close()
    collector.between.reset()
    one.wait_for(lambda: len(collector.records()) >= 4, "all events")
    names = sorted(record["payload"].get("event", "page") for record in collector.records())
    assert names == ["of one", "of two", "page", "page"]
    one.wait_for(lambda: not [key for key in one.local if QUEUE in key], "an empty queue")


def test_by_web_locks(tab: Tab, collector: Collector) -> None:
    def open_tab() -> Tab:
        other = Tab(tab.context, collector.url)
        other.open(PAGE)
        return other

    check(open_tab, collector)


@only_chromium("it is told that a host is here by a flag")
def test_by_leases_on_a_site_without_https(playwright: Playwright, plain_http: World) -> None:
    browser = launch(playwright, plain_http.flags)
    context = prepared(browser.new_context())

    def open_tab() -> Tab:
        other = Tab(context, "http://www.site.example")
        other.page.goto(other.origin + "/page.html")
        assert other.run("() => navigator.locks === undefined")
        return other

    check(open_tab, Collector(plain_http.url, plain_http.between))
    browser.close()
