"""A visitor stays the same when a site switches between the two trackers, in both directions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.conftest import Collector, Tab
from tests.peers.pages import OURS, PASTED, THEIRS, Peer, Visit, visit

Json = dict[str, Any]

FIRST = {
    "user": 'Zoë O\'Hara "z" 100%',
    "anonymous": "anonyme Nº 1; 匿名",
    "group": "007",
    "traits": {"plan": "free", "name": "Zoë 😀", "inside": {"list": [1, None, "2"]}},
    "groupTraits": {"staff": 3},
}
SECOND = {
    "user": "a+b@example.com",
    "anonymous": "39ee7ea5-b6d8-4174-b612-04e1ef3fa952",
    "group": "Söhne & Co, 1/2",
    "traits": {"plan": "paid", "since": "2024-01-02T03:04:05.000Z"},
    "groupTraits": {"city": "Oslo", "ok": True},
}
NO_TRAITS: Json = {"traits": {}, "groupTraits": {}}

CUSTOM = {
    "user": {"cookie": {"key": "crm:user"}, "localStorage": {"key": "crm traits"}},
    "group": {"cookie": {"key": "crm.account"}, "localStorage": {"key": "crm.account.traits"}},
    "cookie": {
        "domain": "peers.localhost",
        "path": "/shop",
        "sameSite": "Strict",
        "secure": True,
        "maxage": 30,
    },
}

TRICKY = (
    "two words",
    "Zoë Müller 你好 😀",
    'it\'s "quoted"',
    '"quoted"',
    "007",
    "12345",
    "1-2",
    "a+b@example.com",
    "a;b,c=d%20e\\f",
    "<b>&amp;</b>",
    "null and void",
    "x" * 500,
)


@pytest.fixture
def tab(visitor: BrowserContext, collector: Collector) -> Tab:
    return Tab(visitor, collector.url)


def cookies(tab: Tab) -> dict[str, Json]:
    """The visitor's cookies by name, with lifetimes in days."""
    now = tab.run("() => Date.now() / 1000")
    return {
        name: {**cookie, "expires": round((cookie["expires"] - now) / 86400)}
        for name, cookie in tab.cookies.items()
    }


def stored(tab: Tab) -> Json:
    """What local storage holds for the identity, read as JSON; empty traits are none."""
    keys = {
        *("ajs_user_id", "ajs_anonymous_id", "ajs_group_id", "ajs_user_traits"),
        *("ajs_group_properties", "crm:user", "crm traits", "crm.account", "crm.account.traits"),
    }
    found = {key: json.loads(text) for key, text in tab.local.items() if key in keys}
    return {key: value for key, value in found.items() if value != {}}


def clear(tab: Tab, what: str) -> None:
    """Clear cookies, local storage or nothing on a page without a tracker."""
    tab.open("<title>No tracker</title>", path="/nothing.html")
    if what == "cookies":
        tab.context.clear_cookies()
    if what == "local storage":
        tab.run("() => localStorage.clear()")


def sent_identity(page: Visit, collector: Collector) -> Json:
    """Who an event belongs to that the tracker of a page sends now."""
    collector.reset()
    page.run("await tracker.track('Sent')")
    (body,) = collector.events(1, name="Sent")
    return {"user": body["userId"], "anonymous": body["anonymousId"]}


def ids(who: Json) -> Json:
    return {"user": who["user"], "anonymous": who["anonymous"]}


@dataclass(frozen=True)
class Site:
    """How a site uses both trackers."""

    host: str
    path: str
    options: Json
    ours: Peer

    def pages(self, first: str) -> tuple[Peer, Peer]:
        """The tracker of the pages A and C, and the one of the pages B and D."""
        return (THEIRS, self.ours) if first == "theirs" else (self.ours, THEIRS)


DEFAULT_SITE = Site("127.0.0.1", "/page.html", {}, PASTED)
CUSTOM_SITE = Site("shop.peers.localhost", "/shop/page.html", CUSTOM, OURS)
TRAIT_KEYS = {"ajs_user_traits", "ajs_group_properties", "crm traits", "crm.account.traits"}


@pytest.mark.parametrize("first", ["theirs", "ours"])
@pytest.mark.parametrize("cleared", ["nothing", "cookies", "local storage"])
@pytest.mark.parametrize("site", [DEFAULT_SITE, CUSTOM_SITE], ids=["default", "custom"])
def test_a_visitor_passes_from_page_to_page(
    visitor: BrowserContext, collector: Collector, site: Site, cleared: str, first: str
) -> None:
    """Page A makes the identity, B and C read it, C changes it, D reads that.

    Between two pages one of the stores may be cleared; the page behind repairs it, so that it
    holds the same again. Traits are in local storage only.
    """
    tab = Tab(visitor, f"http://{site.host}:{collector.url.rpartition(':')[2]}")
    one, other = site.pages(first)
    lost = NO_TRAITS if cleared == "local storage" else {}
    gone = TRAIT_KEYS if cleared == "local storage" else set()

    def go_on(peer: Peer) -> Visit:
        return visit(tab, peer, path=site.path, options=site.options)

    def passes_to(peer: Peer, who: Json) -> Visit:
        before = cookies(tab), {k: v for k, v in stored(tab).items() if k not in gone}
        assert before[0] and before[1], "both stores hold the visitor"
        clear(tab, cleared)
        page = go_on(peer)
        assert page.identity() == {**who, **lost}
        assert sent_identity(page, collector) == ids(who)
        assert (cookies(tab), stored(tab)) == before
        return page

    go_on(one).become(FIRST)
    passes_to(other, FIRST)
    passes_to(one, FIRST).become(SECOND)
    passes_to(other, SECOND)


def test_a_visitor_passes_between_subdomains_in_cookies(tab: Tab, collector: Collector) -> None:
    port = collector.url.rpartition(":")[2]
    shop, blog, news = (
        f"http://{name}.peers.localhost:{port}" for name in ("shop", "blog", "news")
    )
    visit(tab, THEIRS, origin=shop).become(FIRST)
    page = visit(tab, OURS, origin=blog)
    assert page.identity() == {**FIRST, **NO_TRAITS}
    page.become(SECOND)
    assert visit(tab, THEIRS, origin=news).identity() == {**SECOND, **NO_TRAITS}


@pytest.fixture
def both(visitor: BrowserContext, collector: Collector) -> tuple[Visit, Visit]:
    """Two pages of one visitor that are open at the same time."""
    theirs, ours = Tab(visitor, collector.url), Tab(visitor, collector.url)
    return visit(theirs, THEIRS), visit(ours, OURS)


def test_in_pages_open_at_once_each_reads_what_the_other_wrote(both: tuple[Visit, Visit]) -> None:
    wrong = []
    for writer, reader in (both, both[::-1]):
        for id_ in TRICKY:
            who = {**FIRST, "user": id_, "anonymous": f"{id_} a", "group": f"{id_} g"}
            writer.become(who)
            if reader.identity() != who:
                wrong.append((who, reader.identity()))
    assert wrong == []


def test_an_id_in_quotes_that_ours_wrote_keeps_them(both: tuple[Visit, Visit]) -> None:
    who = {**FIRST, "user": '"quoted"', "anonymous": '"a"', "group": '"g"'}
    theirs, ours = both
    ours.become(who)
    assert theirs.identity() == who
    assert ours.identity() == who


def test_in_pages_open_at_once_a_reset_holds_for_both(both: tuple[Visit, Visit]) -> None:
    for one, other in (both, both[::-1]):
        one.become(FIRST)
        one.run("await tracker.reset()")
        one.be_heard()
        new = one.identity()
        assert {**new, "anonymous": None} == {
            "user": None,
            "anonymous": None,
            "group": None,
            "traits": {},
            "groupTraits": {},
        }
        assert new["anonymous"] not in (None, FIRST["anonymous"])
        assert other.identity()["anonymous"] == new["anonymous"]
        assert other.identity()["user"] is None
