"""A visitor stays the same when a site switches between the two trackers, in both directions."""

from __future__ import annotations

import json
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
    "cookie": {"path": "/shop", "sameSite": "Strict", "secure": True, "maxage": 30},
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
    """What local storage holds for the identity, read as JSON."""
    keys = {
        *("ajs_user_id", "ajs_anonymous_id", "ajs_group_id", "ajs_user_traits"),
        *("ajs_group_properties", "crm:user", "crm traits", "crm.account", "crm.account.traits"),
    }
    return {key: json.loads(text) for key, text in tab.local.items() if key in keys}


def clear(tab: Tab, what: str) -> None:
    """Clear cookies or local storage on a page without a tracker."""
    tab.open("<title>No tracker</title>", path="/nothing.html")
    if what == "cookies":
        tab.context.clear_cookies()
    else:
        tab.run("() => localStorage.clear()")


def sent_identity(page: Visit, collector: Collector, event: str) -> Json:
    """Who an event belongs to that the tracker of a page sends now."""
    page.run(f"await tracker.track({event!r})")
    (body,) = collector.events(1, name=event)
    return {"user": body["userId"], "anonymous": body["anonymousId"]}


def ids(who: Json) -> Json:
    return {"user": who["user"], "anonymous": who["anonymous"]}


@pytest.mark.parametrize(
    ("ours", "options", "path"),
    [(PASTED, {}, "/page.html"), (OURS, CUSTOM, "/shop/page.html")],
    ids=["default options", "custom options"],
)
def test_a_visitor_passes_from_theirs_to_ours_and_back(
    tab: Tab, collector: Collector, ours: Peer, options: Json, path: str
) -> None:
    page = visit(tab, THEIRS, options=options, path=path)
    page.become(FIRST)
    assert page.identity() == FIRST
    their_cookies, their_storage = cookies(tab), stored(tab)

    page = visit(tab, ours, options=options, path=path)
    assert page.identity() == FIRST
    assert sent_identity(page, collector, "Ours") == ids(FIRST)
    assert cookies(tab) == their_cookies
    assert stored(tab) == their_storage
    page.become(SECOND)
    our_cookies, our_storage = cookies(tab), stored(tab)

    page = visit(tab, THEIRS, options=options, path=path)
    assert page.identity() == SECOND
    assert sent_identity(page, collector, "Theirs") == ids(SECOND)
    assert cookies(tab) == our_cookies
    assert stored(tab) == our_storage


@pytest.mark.parametrize(
    ("cleared", "lost"),
    [("cookies", {}), ("local storage", NO_TRAITS)],
    ids=["without cookies", "without local storage"],
)
def test_what_one_store_still_holds_survives_the_switch(tab: Tab, cleared: str, lost: Json) -> None:
    visit(tab, THEIRS).become(FIRST)
    clear(tab, cleared)
    page = visit(tab, OURS)
    assert page.identity() == {**FIRST, **lost}
    page.become(SECOND)
    clear(tab, cleared)
    assert visit(tab, THEIRS).identity() == {**SECOND, **lost}


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
