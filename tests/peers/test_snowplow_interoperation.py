"""Visitor and session go on when a site switches between Snowplow's tracker and ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.conftest import Collector, Tab
from tests.peers.pages import Peer, Visit, visit
from tests.peers.snowplow_differences import opened
from tests.peers.snowplow_pages import DESTINATION, TAG, THEIRS

Json = dict[str, Any]

TIMEOUT_S = 2
IDLE_MS = 2500
STRATEGIES = ("cookieAndLocalStorage", "cookie", "localStorage")
SESSION = "/client_session/"
PARTS = (
    *("user", "created", "visits", "now", "last", "session", "previous"),
    *("firstEvent", "firstTime", "index"),
)


@dataclass
class Site:
    """A site in a visitor's browser, with the collector it sends to."""

    tab: Tab
    collector: Collector
    strategy: str
    options: Json

    def go_on(self, peer: Peer, origin: str = "") -> Visit:
        """Go on to a page with one of the trackers."""
        options = {"stateStorageStrategy": self.strategy, **self.options}
        return visit(self.tab, peer, origin=origin, options=options)

    def track(self, page: Visit, call: str = "tracker('trackPageView')") -> Json:
        """An event as the collector got it: its parameters and the data of its session."""
        before = len(self.events)
        page.run(f"{call};")
        self.tab.wait_for(lambda: len(self.events) > before, "the event")
        payload = opened(self.events[-1])
        (session,) = (each["data"] for each in payload["co"]["data"] if SESSION in each["schema"])
        # the browser hears of a page's cookies a moment later
        self.tab.wait_for(
            lambda: self.visitor["index"] == str(session["eventIndex"]), "the event's number"
        )
        return {**payload, "session": session}

    @property
    def events(self) -> list[Json]:
        return [record["payload"] for record in self.collector.records(protocol="snowplow")]

    @property
    def values(self) -> dict[str, str]:
        """The values of `_sp_id` and `_sp_ses` where the strategy keeps them."""
        local = self.strategy == "localStorage"
        cookies = {name: cookie["value"] for name, cookie in self.tab.cookies.items()}
        values = self.tab.local if local else cookies
        return {
            name: value
            for name, value in sorted(values.items())
            if name.startswith(("_sp_id.", "_sp_ses.")) and not name.endswith(".expires")
        }

    @property
    def visitor(self) -> dict[str, str]:
        """The parts of `_sp_id`, by name."""
        return dict(zip(PARTS, next(iter(self.values.values())).split("."), strict=True))

    @property
    def lifetimes(self) -> Json:
        """How long the values are kept, in seconds and rounded, and the attributes of cookies."""
        now = self.tab.run("() => Date.now()")
        if self.strategy == "localStorage":
            return {
                name: round((float(value) - now) / 60000)
                for name, value in self.tab.local.items()
                if name.startswith("_sp_") and name.endswith(".expires")
            }
        return {
            name: {
                **cookie,
                "value": "",
                "expires": round((cookie["expires"] * 1000 - now) / 60000),
            }
            for name, cookie in self.tab.cookies.items()
            if name.startswith("_sp_")
        }

    @property
    def elsewhere(self) -> list[str]:
        """What is kept of the session where the strategy does not keep it."""
        others = self.tab.cookies if self.strategy == "localStorage" else self.tab.local
        return [name for name in others if name.startswith(("_sp_id.", "_sp_ses."))]


def site_of(
    visitor: BrowserContext,
    collector: Collector,
    strategy: str,
    host: str = "127.0.0.1",
    **options: Any,
) -> Site:
    port = collector.url.rpartition(":")[2]
    return Site(Tab(visitor, f"http://{host}:{port}"), collector, strategy, options)


def in_turn(first: str, ours: Peer) -> tuple[Peer, Peer]:
    """The tracker of the pages A and C, and the one of the pages B and D."""
    return (THEIRS, ours) if first == "theirs" else (ours, THEIRS)


each_way = pytest.mark.parametrize("first", ["theirs", "ours"])
each_strategy = pytest.mark.parametrize("strategy", STRATEGIES)
each_kept = pytest.mark.parametrize(
    ("strategy", "ours"),
    [*((strategy, TAG) for strategy in STRATEGIES), ("cookieAndLocalStorage", DESTINATION)],
    ids=[*STRATEGIES, "destination"],
)
each_of_ours = pytest.mark.parametrize("ours", [TAG, DESTINATION], ids=["tag", "destination"])


@each_kept
@each_way
def test_a_session_goes_on_from_page_to_page(
    visitor: BrowserContext, collector: Collector, strategy: str, first: str, ours: Peer
) -> None:
    site = site_of(visitor, collector, strategy)
    one, other = in_turn(first, ours)
    sent: list[Json] = []
    kept: list[Json] = []
    for peer in (one, other, one, other):
        page = site.go_on(peer)
        sent.append(site.track(page))
        sent.append(site.track(page, "tracker('trackStructEvent', {category: 'c', action: 'a'})"))
        visitor_kept = site.visitor
        kept.append({"names": list(site.values), "ses": [*site.values.values()][1:]})
        kept[-1]["lifetimes"] = site.lifetimes
        assert visitor_kept["index"] == str(len(sent))
        assert site.elsewhere == []
        for name in ("created", "firstEvent", "firstTime"):
            kept[-1][name] = visitor_kept[name]
    assert kept[1:] == kept[:1] * 3
    assert kept[0]["ses"] == ["*"]
    for name in ("duid", "sid", "vid"):
        assert {event[name] for event in sent} == {sent[0][name]}, name
    assert sent[0]["vid"] == "1"
    assert [event["session"]["eventIndex"] for event in sent] == [1, 2, 3, 4, 5, 6, 7, 8]
    where = "LOCAL_STORAGE" if strategy == "localStorage" else "COOKIE_1"
    for event in sent:
        session = event["session"]
        assert session["userId"] == sent[0]["duid"]
        assert (session["sessionId"], session["sessionIndex"]) == (sent[0]["sid"], 1)
        assert session["firstEventId"] == sent[0]["eid"] == kept[0]["firstEvent"]
        assert session["firstEventTimestamp"] == sent[0]["session"]["firstEventTimestamp"]
        assert session["previousSessionId"] is None
        assert session["storageMechanism"] == where
    assert kept[0]["firstTime"] == sent[0]["dtm"]


@each_kept
@each_way
def test_the_other_tracker_starts_the_visit_after_a_session(
    visitor: BrowserContext, collector: Collector, strategy: str, first: str, ours: Peer
) -> None:
    site = site_of(visitor, collector, strategy, sessionCookieTimeout=TIMEOUT_S)
    one, other = in_turn(first, ours)
    before = site.track(site.go_on(one))
    last = site.visitor["now"]
    for number, peer in enumerate((other, one), start=2):
        site.tab.page.wait_for_timeout(IDLE_MS)
        page = site.go_on(peer)
        event = site.track(page)
        assert event["duid"] == before["duid"]
        assert event["vid"] == str(number)
        assert event["sid"] != before["sid"]
        session = event["session"]
        assert session["previousSessionId"] == before["sid"]
        assert (session["eventIndex"], session["sessionIndex"]) == (1, number)
        assert session["firstEventId"] == event["eid"]
        kept = site.visitor
        assert (kept["visits"], kept["previous"]) == (str(number), before["sid"])
        assert kept["last"] == last
        before, last = event, kept["now"]


@each_strategy
@each_way
def test_a_visit_that_one_starts_within_a_page_goes_on_in_the_other(
    visitor: BrowserContext, collector: Collector, strategy: str, first: str
) -> None:
    site = site_of(visitor, collector, strategy)
    one, other = in_turn(first, TAG)
    page = site.go_on(one)
    before = site.track(page)
    page.run("tracker('newSession')")
    started = site.track(page)
    assert (started["vid"], started["session"]["previousSessionId"]) == ("2", before["sid"])
    page = site.go_on(other)
    event = site.track(page)
    assert (event["vid"], event["sid"]) == ("2", started["sid"])
    assert event["session"]["previousSessionId"] == before["sid"]
    assert event["session"]["firstEventId"] == started["eid"]
    page.run("tracker('newSession')")
    third = site.track(page)
    assert (third["vid"], third["session"]["previousSessionId"]) == ("3", started["sid"])
    assert site.track(site.go_on(one))["sid"] == third["sid"]


@each_way
def test_a_page_without_events_counts_the_visit(
    visitor: BrowserContext, collector: Collector, first: str
) -> None:
    site = site_of(visitor, collector, "cookie")
    one, other = in_turn(first, TAG)
    site.go_on(one)
    site.tab.wait_for(lambda: len(site.values) == 2, "the values")
    assert site.visitor["index"] == "0"
    user, session = site.visitor["user"], site.visitor["session"]
    event = site.track(site.go_on(other))
    assert (event["duid"], event["sid"], event["vid"]) == (user, session, "1")
    assert event["session"]["firstEventId"] == event["eid"]


@pytest.mark.parametrize("strategy", ["cookieAndLocalStorage", "cookie"])
@each_way
def test_a_visitor_passes_between_subdomains(
    visitor: BrowserContext, collector: Collector, strategy: str, first: str
) -> None:
    site = site_of(visitor, collector, strategy)
    port = collector.url.rpartition(":")[2]
    one, other = in_turn(first, TAG)
    origins = (f"http://{name}.peers.localhost:{port}" for name in ("shop", "blog", "news"))
    sent = []
    for origin, peer in zip(origins, (one, other, one), strict=True):
        site.tab.origin = origin
        sent.append(site.track(site.go_on(peer, origin)))
    for name in ("duid", "sid", "vid"):
        assert {event[name] for event in sent} == {sent[0][name]}, name
    assert [event["session"]["eventIndex"] for event in sent] == [1, 2, 3]


@each_of_ours
@each_way
def test_a_user_id_is_of_its_page_and_leaves_the_visitor_alone(
    visitor: BrowserContext, collector: Collector, first: str, ours: Peer
) -> None:
    site = site_of(visitor, collector, "cookieAndLocalStorage")
    one, other = in_turn(first, ours)
    sent = []
    for number, peer in enumerate((one, other, one)):
        page = site.go_on(peer)
        sent.append(site.track(page))
        page.run(f"tracker('setUserId', 'Zoë {number}')")
        sent.append(site.track(page))
        assert page.run("return await ask('sp', 'getUserId')") == f"Zoë {number}"
    ids = [event.get("uid") for event in sent]
    assert ids == [None, "Zoë 0", None, "Zoë 1", None, "Zoë 2"]
    assert {event["duid"] for event in sent} == {sent[0]["duid"]}
    assert {event["sid"] for event in sent} == {sent[0]["sid"]}


def test_a_user_of_cioanalytics_is_one_for_ours_only(
    visitor: BrowserContext, collector: Collector
) -> None:
    site = site_of(visitor, collector, "cookieAndLocalStorage")
    page = site.go_on(DESTINATION)
    page.run("await cioanalytics.identify('u1')")
    site.tab.wait_for(lambda: len(site.events) == 1, "the identify event")
    event = site.track(page)
    theirs = site.track(site.go_on(THEIRS))
    assert (event["uid"], theirs.get("uid")) == ("u1", None)
    assert theirs["duid"] == event["duid"]
    assert site.track(site.go_on(DESTINATION))["uid"] == "u1"


@each_strategy
@each_way
def test_both_say_the_same_of_the_visitor(
    visitor: BrowserContext, collector: Collector, strategy: str, first: str
) -> None:
    site = site_of(visitor, collector, strategy)
    getters = (
        *("getDomainUserId", "getDomainSessionId", "getDomainSessionIndex"),
        *("getDomainUserInfo", "getTabId"),
    )
    asked = ", ".join(f"await ask('sp', {name!r})" for name in getters)
    one, other = in_turn(first, TAG)
    page = site.go_on(one)
    site.track(page)
    before = page.run(f"return [{asked}]")
    page = site.go_on(other)
    after = page.run(f"return [{asked}]")
    for answer in (before, after):
        answer[3][4] = "now"
    assert after == before
