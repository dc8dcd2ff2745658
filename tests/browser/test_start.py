"""How Python starts: from its files, and then from the memory that the first visit kept."""

from __future__ import annotations

from itertools import repeat

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.conftest import ATTRIBUTES, Collector, Tab
from tests.browser.engines import only_chromium

NO_CACHE = only_chromium("no other engine can be told to forget its cache")
KEPT = "async () => (await caches.keys()).includes('cioanalytics')"
DAMAGE = """async () => {
    const cache = await caches.open('cioanalytics');
    for (const request of await cache.keys())
        await cache.put(request, new Response(new Uint8Array(5000).fill(7)));
}"""


def markup(**options: str) -> str:
    given = "".join(f' data-{name.replace("_", "-")}="{value}"' for name, value in options.items())
    return ATTRIBUTES.replace("></script>", f' data-host="worker"{given}></script>')


@pytest.fixture
def kept(open_visitor: BrowserContext, collector: Collector) -> Tab:
    """A page of a visitor whose browser keeps the memory of the first visit, and nothing else."""
    tab = Tab(open_visitor, collector.url)
    tab.open(markup())
    collector.events(1)
    tab.wait_for(lambda: tab.run(KEPT), "the kept memory")
    tab.open("<title>No tracker</title>", path="/nothing.html")
    session = open_visitor.new_cdp_session(tab.page)
    session.send("Network.clearBrowserCache")
    return tab


@NO_CACHE
def test_the_next_visit_starts_without_the_files_of_the_core(
    kept: Tab, collector: Collector
) -> None:
    collector.between.answer("core.zip", repeat(404))
    kept.open(markup())
    assert len(collector.events(2)) == 2
    first, second = collector.events(2)
    assert first["messageId"] != second["messageId"]
    assert first["anonymousId"] == second["anonymousId"]
    assert [text for kind, text in kept.console if kind == "warning"] == []


@NO_CACHE
def test_a_memory_that_is_damaged_is_replaced(kept: Tab, collector: Collector) -> None:
    kept.run(DAMAGE)
    kept.open(markup())
    assert len(collector.events(2)) == 2
    assert [text for kind, text in kept.console if kind == "warning"] == []
    size = "async () => (await (await caches.open('cioanalytics')).matchAll())[0]?.arrayBuffer()"
    kept.wait_for(
        lambda: kept.run(f"async () => (await ({size})())?.byteLength > 1e6"), "another memory"
    )


@pytest.mark.parametrize(
    "options", [{"state_storage_strategy": "none"}, {"anonymous_tracking": "true"}]
)
def test_nothing_is_kept_where_state_may_not_be(
    open_visitor: BrowserContext, collector: Collector, options: dict[str, str]
) -> None:
    tab = Tab(open_visitor, collector.url)
    tab.open(markup(**options))
    collector.events(1)
    tab.page.wait_for_timeout(4500)
    assert tab.run("() => caches.keys()") == []
