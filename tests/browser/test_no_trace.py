"""A visitor who says no: a whole visit of the demo shop, watched from its first to its last write.

The shop sends to both destinations. What it keeps itself (`shop.…` in session storage) is its own.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Playwright, Route

from tests.browser.conftest import ROOT, Collector, Tab, prepared
from tests.browser.engines import profile

SHOP = ROOT / "examples" / "shop"
LOAD = 'cio.load("demo", { apiHost: "/v1" });'
ATTRIBUTE = 'data-api-host="/v1"'

# Tells the console of every write, and of what there is before the page writes anything.
WATCH = """
(() => {
    if (!location.host) return; // the document before the first page
    const tell = (...what) => console.debug('TRACE ' + what.join(' '));
    const wrap = (object, name, label) => {
        const method = object?.[name];
        if (method) object[name] = function (...args) {
            if (!(this === sessionStorage && String(args[0]).startsWith('shop.')))
                tell(label, args[0]);
            return method.apply(this, args);
        };
    };
    const cookie = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie');
    Object.defineProperty(Document.prototype, 'cookie', {...cookie, set(text) {
        tell('cookie', text);
        cookie.set.call(this, text);
    }});
    wrap(Storage.prototype, 'setItem', 'storage');
    wrap(globalThis.CookieStore?.prototype, 'set', 'cookieStore');
    wrap(IDBFactory.prototype, 'open', 'indexedDB');
    wrap(globalThis.CacheStorage?.prototype, 'open', 'caches');
    wrap(Navigator.prototype, 'sendBeacon', 'beacon');
    for (const key of Object.keys(localStorage)) tell('found in local storage', key);
})();
"""

LEFT = """async () => ({
    local: Object.keys(localStorage),
    session: Object.keys(sessionStorage).filter((key) => !key.startsWith('shop.')),
    databases: (await indexedDB.databases()).map((each) => each.name),
    caches: await caches.keys(),
})"""
NOTHING: dict[str, list[str]] = {"local": [], "session": [], "databases": [], "caches": []}


@dataclass(frozen=True)
class No:
    """How a visitor, or the site for him, says no."""

    name: str
    options: dict[str, Any]
    signal: str | None = None
    cookie: bool = False
    call: str = ""  # in the snippet, right behind `load`
    sends: bool = False


WAYS = (
    No("Do Not Track", {"respectDoNotTrack": True}, signal="doNotTrack"),
    No(
        "Global Privacy Control",
        {"respectGlobalPrivacyControl": True},
        signal="globalPrivacyControl",
    ),
    No("opt-out cookie", {"optOutCookie": "optout"}, cookie=True),
    No(
        "opt-out cookie, set by a call",
        {},
        cookie=True,
        call='cio.setOptOutCookie("optout");',
    ),
    No("strategy none", {"stateStorageStrategy": "none"}, sends=True),
    No("anonymous", {"anonymousTracking": True}, sends=True),
)


def name_of(value: object) -> str:
    return value.name.replace(" ", "-") if isinstance(value, No) else str(value)


def serve_shop(context: BrowserContext, collector: Collector, way: No) -> None:
    """The shop's own pages, with the options of this way in their script tags."""
    snowplow = {
        "collectorUrl": collector.url,
        "cookieSecure": False,
        "contexts": {"session": True, "browser": True},
    }
    given = {"apiHost": "/v1", "snowplow": snowplow, **way.options}
    by_attribute = {**given, **({"optOutCookie": "optout"} if way.cookie else {})}

    def answer(route: Route) -> None:
        path = route.request.url.partition("?")[0].rpartition("/")[2]
        text = (SHOP / path).read_text(encoding="utf-8")
        assert (LOAD in text) != (ATTRIBUTE in text)
        text = text.replace(LOAD, f'cio.load("demo", {json.dumps(given)});{way.call}')
        attribute = html.escape(json.dumps(by_attribute))
        text = text.replace(ATTRIBUTE, f'data-options="{attribute}"')
        route.fulfill(body=text, content_type="text/html; charset=utf-8")

    context.route(re.compile(r"/(index|product|account)\.html(\?.*)?$"), answer)


def visit_shop(tab: Tab, collector: Collector, way: No) -> Iterator[str]:
    """Everything that one can do in the shop; a name after each step."""

    def sent(number: int, step: str) -> str:
        if way.sends:
            tab.wait_for(lambda: len(collector.records()) >= number, f"{number} events at {step}")
        else:
            tab.page.wait_for_timeout(400)
        return step

    tab.page.goto(collector.url + "/index.html?ajs_uid=link-1&utm_source=news")
    yield sent(2, "home")
    tab.page.click('a[data-tea="assam"]')
    tab.page.wait_for_url("**/product.html?id=assam")
    yield sent(6, "product")
    tab.fill("#quantity", "3")
    tab.page.click("#add-to-cart")
    tab.page.click("#buy")
    yield sent(10, "order")
    tab.page.goto(collector.url + "/account.html")
    yield sent(12, "account")
    tab.page.click("#sign-in")
    tab.page.click("#choose-group")
    tab.page.click("#panel-burst")
    yield sent(32, "signed in")
    tab.page.click("#sign-out")
    tab.page.click("#panel-reset")
    yield sent(32, "signed out")
    tab.page.goto(collector.url + "/index.html")
    yield sent(34, "home again")
    tab.fill("#newsletter-email", "reader@example.com")
    tab.page.click("#newsletter")
    tab.page.wait_for_timeout(300)
    yield sent(34, "newsletter")
    tab.page.goto(collector.url + "/account.html")
    yield sent(36, "the last page")


@pytest.mark.parametrize("way", WAYS, ids=name_of)
def test_a_whole_visit_leaves_no_trace(
    playwright: Playwright, collector: Collector, tmp_path: Path, way: No
) -> None:
    with profile(playwright, tmp_path / "profile", way.signal) as context:
        prepared(context)
        optout = {"optout": "yes"} if way.cookie else {}
        if way.cookie:
            context.add_cookies([{"name": "optout", "value": "yes", "url": collector.url}])
        context.add_init_script(WATCH)
        serve_shop(context, collector, way)
        tab = Tab(context, collector.url)
        for step in visit_shop(tab, collector, way):
            kept = {name: cookie["value"] for name, cookie in tab.cookies.items()}
            assert kept == optout, step
            assert tab.run(LEFT) == NOTHING, step
        assert [text for _, text in tab.console if text.startswith("TRACE")] == []
        assert tab.errors == []
        own = {path.name for path in SHOP.iterdir()} | {"start.js", "loader.js", "favicon.ico"}
        others = [
            address
            for address in collector.between.asked
            if address.partition("?")[0].rpartition("/")[2] not in own
        ]
        if not way.sends:
            assert others == []
            assert collector.records() == []
        else:
            assert any("pyodide.asm" in url for url in others)
        if way.name == "anonymous":
            for told in ("customer-1042", "mina@example.com", "reader@example.com", "link-1"):
                assert told not in str(collector.records())


def test_a_visitor_who_says_no_later_loses_what_was_kept(
    playwright: Playwright, collector: Collector, tmp_path: Path
) -> None:
    way = No("later", {"optOutCookie": "optout"}, sends=True)
    with profile(playwright, tmp_path / "profile") as context:
        prepared(context)
        serve_shop(context, collector, way)
        tab = Tab(context, collector.url)
        steps = visit_shop(tab, collector, way)
        while next(steps) != "signed in":
            pass
        assert {"ajs_user_id", "ajs_group_id", "ajs_anonymous_id", "sp"} < set(tab.cookies)
        assert any(name.startswith("_sp_id.") for name in tab.cookies)
        assert "ajs_user_traits" in tab.local
        context.add_cookies([{"name": "optout", "value": "yes", "url": collector.url}])
        tab.page.goto(collector.url + "/index.html")
        tab.page.wait_for_timeout(400)
        assert set(tab.cookies) == {"optout", "sp"}  # the collector's own, of before
        assert tab.run(LEFT) == NOTHING
