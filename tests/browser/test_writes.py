"""What is written into the visitor's browser, and how often: writes are slow and can be seen."""

from __future__ import annotations

from collections import Counter

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.conftest import ATTRIBUTES, Collector, Tab, snippet

IDS = {"ajs_user_id", "ajs_anonymous_id", "ajs_group_id"}
PROBE = "__pyodide_tracker_probe"

# before any script of the page: notes the name of each cookie that is written
WATCH = """
written = [];
const cookie = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie');
Object.defineProperty(Document.prototype, 'cookie', {
    ...cookie,
    set(text) {
        written.push(text.split('=')[0]);
        cookie.set.call(this, text);
    },
});
"""


def site(collector: Collector, host: str) -> str:
    """The collector's origin under another name."""
    return f"http://{host}:{collector.url.rpartition(':')[2]}"


def written(tab: Tab) -> Counter[str]:
    """How often each cookie was written on this page."""
    return Counter(tab.run("() => written"))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "shop.site.localhost"])
@pytest.mark.parametrize("form", ["attributes", "snippet"])
def test_a_first_page_with_a_page_view_writes_each_cookie_at_most_once(
    visitor: BrowserContext, collector: Collector, host: str, form: str
) -> None:
    tab = Tab(visitor, site(collector, host))
    visitor.add_init_script(WATCH)
    tab.open(ATTRIBUTES if form == "attributes" else snippet())
    collector.events(1, type="page")
    tab.ready()
    cookies = written(tab)
    probes = cookies.pop(PROBE, 0)
    assert cookies == {"ajs_anonymous_id": 1}
    # one probe for each candidate, which is removed again; an address has no candidates
    assert probes <= {"127.0.0.1": 0, "localhost": 2, "shop.site.localhost": 6}[host]
    assert PROBE not in tab.cookies


def test_a_first_page_that_names_the_visitor_writes_each_cookie_at_most_once(
    tab: Tab, collector: Collector
) -> None:
    tab.context.add_init_script(WATCH)
    tab.open(snippet("cioanalytics.identify('u1', {a: 1}); cioanalytics.group('g1', {b: 2})"))
    collector.events(3)
    tab.ready()
    assert written(tab) == dict.fromkeys(IDS, 1)


def test_a_page_that_follows_renews_each_cookie_at_most_once(
    tab: Tab, collector: Collector
) -> None:
    tab.context.add_init_script(WATCH)
    tab.open(snippet("cioanalytics.identify('u1'); cioanalytics.group('g1')"))
    collector.events(3)
    tab.ready()
    tab.open(snippet("cioanalytics.track('Seen')"))
    collector.events(1, name="Seen")
    tab.run("() => [cioanalytics.user().id(), cioanalytics.group().id()]")
    assert written(tab) == dict.fromkeys(IDS, 1)


@pytest.mark.parametrize(
    "change",
    [
        "document.cookie = 'ajs_user_id=new; path=/'",
        "await cookieStore.set('ajs_user_id', 'new')",
        "await fetch('/cookie')",
    ],
    ids=["document.cookie", "cookieStore", "a response"],
)
def test_a_cookie_that_changes_between_two_getters_is_seen_by_the_second(
    tab: Tab, collector: Collector, change: str
) -> None:
    tab.page.route(
        tab.origin + "/cookie",
        lambda route: route.fulfill(headers={"Set-Cookie": "ajs_user_id=new; Path=/"}),
    )
    tab.open()
    tab.ready()
    assert tab.run(
        f"""async () => {{
            await cioanalytics.identify('old');
            const before = cioanalytics.user().id();
            {change};
            // the browser may show a response's cookie a moment after the response
            for (let n = 0; n < 100 && !document.cookie.includes('=new'); n++)
                await new Promise((done) => setTimeout(done, 10));
            return [before, cioanalytics.user().id()];
        }}"""
    ) == ["old", "new"]
