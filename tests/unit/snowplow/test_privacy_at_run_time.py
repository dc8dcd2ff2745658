"""Privacy that begins or ends while a page is open: decisions S3 to S6, S15 and D9."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.snowplow.site import COLLECTOR, SnowplowSite, page_of, validate_all
from tracker.testing import FakeProfile

SESSION = {"contexts": {"session": True}}
NIL = "00000000-0000-0000-0000-000000000000"
DNT = {"doNotTrack": "1"}
GPC = {"globalPrivacyControl": True}
WITH_SESSION = {"options": {"withSessionTracking": True}}


def track(page: SnowplowSite) -> dict[str, Any]:
    """Track, and return the event."""
    page.post("track", "A")
    page.settle()
    for event in page.events:
        validate_all(event)
    return page.events[-1]


def loaded(profile: FakeProfile | None = None, **options: Any) -> SnowplowSite:
    page = page_of(profile or FakeProfile())
    page.load(**options, snowplow=SESSION)
    return page


def traces(page: SnowplowSite) -> list[Any]:
    """All that was written to the browser."""
    browser = page.browser
    stores = (browser.local_storage, browser.session_storage)
    return [*browser.jar.assignments, *(write for store in stores for write in store.writes)]


def requested(page: SnowplowSite) -> str:
    """All that was sent."""
    exchanges = page.browser.network.exchanges
    return json.dumps([[e.request.url, e.request.body, e.request.headers] for e in exchanges])


# D9: early privacy calls hold before anything is written


@pytest.mark.parametrize("creating", ["load", "newTracker"])
@pytest.mark.parametrize("queued_after", [False, True])
def test_an_early_opt_out_cookie_holds_before_the_first_write(
    creating: str, queued_after: bool
) -> None:
    page = page_of(FakeProfile())
    page.browser.set_cookie("optout=1; Path=/")
    page.browser.jar.assignments.clear()
    calls = [["setOptOutCookie", "optout"], ["track", "A"], ["trackPageView"]]
    _create(page, creating, calls, queued_after=queued_after)
    assert traces(page) == []
    assert page.browser.network.exchanges == []


@pytest.mark.parametrize("creating", ["load", "newTracker"])
@pytest.mark.parametrize("queued_after", [False, True])
def test_early_anonymity_holds_before_the_first_write(creating: str, queued_after: bool) -> None:
    page = page_of(FakeProfile())
    calls = [["enableAnonymousTracking"], ["trackPageView"]]
    _create(page, creating, calls, queued_after=queued_after)
    assert traces(page) == []
    event = page.events[0]
    assert not {"duid", "sid", "vid", "uid"} & event.keys()


def _create(
    page: SnowplowSite, creating: str, calls: list[list[Any]], *, queued_after: bool
) -> None:
    """Make the calls together with the one that creates the tracker, as a snippet does."""
    args = ["wk", {"snowplow": {"collectorUrl": COLLECTOR}}]
    create = [creating, *(args if creating == "load" else ["sp", COLLECTOR, {}])]
    calls = [call for call in calls if creating == "load" or call[0] != "track"]
    batch = [create, *calls] if queued_after else [*calls, create]
    facts = {"href": page.browser.url, "title": "", "referrer": "", "canonical": ""}
    at = page.browser.now()
    messages = [
        {"id": f"early-{number}", "method": name, "args": rest, "at": at, "page": facts}
        for number, (name, *rest) in enumerate(batch)
    ]
    page.bridge.post(json.dumps({"calls": messages}))
    page.settle()


# S15: zero trace


@pytest.mark.parametrize(
    ("profile", "options", "sends"),
    [
        ({"navigator": DNT}, {"respectDoNotTrack": True}, False),
        ({"navigator": GPC}, {"respectGlobalPrivacyControl": True}, False),
        ({}, {"optOutCookie": "optout"}, False),
        ({}, {"stateStorageStrategy": "none"}, True),
        ({}, {"disableClientPersistence": True}, True),
        ({}, {"anonymousTracking": True}, True),
        ({}, {"anonymousTracking": {}}, True),
        ({}, {"anonymousTracking": {"withServerAnonymisation": True}}, True),
    ],
)
def test_a_visit_to_a_page_with_both_destinations_leaves_no_trace(
    profile: dict[str, Any], options: dict[str, Any], sends: bool
) -> None:
    page = page_of(FakeProfile(**profile))
    if "optOutCookie" in options:
        page.browser.set_cookie("optout=1; Path=/")
        page.browser.jar.assignments.clear()
    page.post("page")
    page.load(
        **options,
        snowplow={
            "contexts": {"session": True, "browser": True},
            "crossDomainLinker": {"$fn": "l"},
        },
    )
    page.post("identify", "u1", {"email": "a@b.example"})
    page.post("group", "g1", {"size": 3})
    page.post("track", "A")
    page.post("alias", "u2")
    page.post("trackPageView")
    page.post("trackStructEvent", {"category": "c", "action": "a"})
    page.post("setUserId", "u3")
    page.post("newSession")
    page.post("setSessionCookieTimeout", 60)
    page.post("setCookiePath", "/")
    if not sends:  # else the site itself asks for traces
        page.post("enableAnonymousTracking", WITH_SESSION)
        page.post("disableAnonymousTracking", {"stateStorageStrategy": "cookie"})
    for getter in ("user.id", "user.anonymousId", "user.traits", "group.id", "getDomainUserId"):
        page.ask(getter)
    for getter in ("getDomainUserInfo", "getDomainSessionId", "getTabId", "getPageViewId"):
        page.ask(getter)
    page.ask("getDecoratedLink", "https://other.example/", "")
    page.browser.network.answer(503)
    page.post("track", "Waits")
    page.settle(60_000)
    page.post("reset")
    page.post("clearUserData")
    page.browser.hide()
    page.settle(60_000)
    assert traces(page) == []
    assert bool(page.browser.network.exchanges) == sends
    assert page.browser.cookies() in ("", "optout=1")


# withdrawal


def test_an_opt_out_in_the_middle_of_a_page_removes_state_and_drops_events() -> None:
    page = loaded(optOutCookie="optout")
    page.post("identify", "u1", {"a": 1})
    track(page)
    page.browser.network.answer(503)
    page.post("track", "Waits")
    page.settle(100)
    assert [key for key in page.local if "OutQueue" in key]
    page.browser.network.answer("ok")
    sent = len(page.events)
    page.browser.set_cookie("optout=1; Path=/")
    page.post("track", "Dropped")
    page.settle(60_000)
    assert page.cookies == {"optout": "1"}
    assert page.local == {}
    assert page.ask("getDomainUserId") is None
    assert page.ask("getDomainUserInfo") is None
    assert page.ask("user.id") is None
    assert len(page.events) == sent


def test_tracking_resumes_with_new_ids_after_the_opt_out_cookie_is_gone() -> None:
    page = loaded(optOutCookie="optout")
    first = track(page)
    page.browser.set_cookie("optout=1; Path=/")
    page.post("track", "Dropped")
    page.settle()
    page.browser.set_cookie("optout=; Path=/; Max-Age=0")
    second = track(page)
    assert second["eid"] != first["eid"]
    assert not {first["duid"], first["sid"]} & {second["duid"], second["sid"]}
    assert second["vid"] == "1"
    assert page.customerio[-1]["anonymousId"] != page.customerio[0]["anonymousId"]


def test_set_opt_out_cookie_in_the_middle_of_a_page_holds_at_once() -> None:
    page = loaded()
    track(page)
    page.browser.set_cookie("optout=1; Path=/")
    page.post("setOptOutCookie", "optout")
    assert page.cookies == {"optout": "1"}
    assert page.local == {}
    sent = len(page.events)
    page.post("track", "Dropped")
    page.settle()
    assert len(page.events) == sent


def test_withdrawn_consent_removes_all_state() -> None:
    page = loaded()
    page.post("identify", "u1", {"a": 1})
    page.post("group", "g1")
    track(page)
    page.post("enableAnonymousTracking")
    page.post("clearUserData")
    assert page.cookies == {}
    assert page.local == {}
    event = track(page)
    assert not {"duid", "uid", "sid", "vid"} & event.keys()
    assert page.cookies == {}
    assert page.local == {}


# consent


@pytest.mark.parametrize("strategy", ["cookieAndLocalStorage", "cookie", "localStorage"])
def test_consent_after_none_keeps_session_and_ids_and_stores_them(strategy: str) -> None:
    profile = FakeProfile()
    page = loaded(profile, stateStorageStrategy="none")
    page.post("identify", "u1", {"a": 1})
    before = track(page)
    assert traces(page) == []
    page.post("disableAnonymousTracking", {"stateStorageStrategy": strategy})
    after = track(page)
    for name in ("duid", "sid", "vid", "uid"):
        assert after[name] == before[name]
    assert page.customerio[-1]["anonymousId"] == page.customerio[0]["anonymousId"]
    following = loaded(profile, stateStorageStrategy=strategy)
    event = track(following)
    for name in ("duid", "sid", "vid", "uid"):
        assert event[name] == before[name]
    assert following.ask("user.anonymousId") == page.ask("user.anonymousId")
    assert following.ask("user.traits") == {"a": 1}


@pytest.mark.parametrize("strategy", [None, "cookie", "localStorage"])
def test_consent_after_an_anonymous_session_keeps_the_session(strategy: str | None) -> None:
    profile = FakeProfile()
    page = loaded(profile, anonymousTracking={"withSessionTracking": True})
    before = track(page)
    page.post("disableAnonymousTracking", *([{"stateStorageStrategy": strategy}] * bool(strategy)))
    after = track(page)
    assert after["sid"] == before["sid"]
    assert "duid" in after and "duid" not in before
    stored = [*page.cookies, *page.local]
    assert any(name.startswith("_sp_id") for name in stored)
    assert "ajs_anonymous_id" in stored
    following = loaded(profile, **({"stateStorageStrategy": strategy} if strategy else {}))
    assert track(following)["sid"] == before["sid"]


def test_consent_after_full_anonymity_begins_to_keep_ids() -> None:
    page = loaded(anonymousTracking=True)
    track(page)
    page.post("disableAnonymousTracking")
    event = track(page)
    assert {"duid", "sid", "vid"} <= event.keys()
    assert set(page.cookies) == {"_sp_id.7715", "_sp_ses.7715", "ajs_anonymous_id"}


# S4 and S5


@pytest.mark.parametrize("at_load", [True, False])
def test_the_salt_of_an_anonymous_session_is_never_sent(at_load: bool) -> None:
    profile = FakeProfile()
    if at_load:
        page = loaded(profile, anonymousTracking={"withSessionTracking": True})
    else:
        page = loaded(profile)
        page.post("enableAnonymousTracking", WITH_SESSION)
    first, second = track(page), track(page)
    salt = page.cookies["_sp_ses.7715"]
    assert len(salt) == 36
    assert salt not in requested(page)
    assert salt != first["sid"] == second["sid"]
    parts = page.cookies["_sp_id.7715"].split(".")
    assert (parts[0], parts[4], parts[6]) == ("", "", "")
    following = loaded(profile, anonymousTracking={"withSessionTracking": True})
    assert track(following)["sid"] == first["sid"]
    assert not {"duid", "uid"} & first.keys()
    assert NIL in first["co"]


def test_anonymity_with_sessions_starts_a_session_unrelated_to_the_visitor() -> None:
    page = loaded()
    track(page)
    page.post("newSession")
    before = track(page)
    page.post("enableAnonymousTracking", WITH_SESSION)
    after = track(page)
    assert after["sid"] != before["sid"]
    assert after["vid"] == "1"
    assert before["duid"] not in json.dumps(after)
    assert before["sid"] not in json.dumps(after)


def test_identified_tracking_keeps_no_salt() -> None:
    page = loaded()
    track(page)
    assert page.cookies["_sp_ses.7715"] == "*"
    page.post("enableAnonymousTracking", WITH_SESSION)
    track(page)
    page.post("disableAnonymousTracking")
    track(page)
    assert page.cookies["_sp_ses.7715"] == "*"


def test_customer_io_events_of_an_anonymous_session_share_an_id_that_is_never_stored() -> None:
    profile = FakeProfile()
    option = {"withSessionTracking": True}
    one, two = loaded(profile, anonymousTracking=option), None
    track(one)
    two = loaded(profile, anonymousTracking=option)
    track(two)
    ids = {body["anonymousId"] for body in [*one.customerio, *two.customerio]}
    assert len(ids) == 1
    assert {body["userId"] for body in one.customerio} == {None}
    kept = json.dumps([two.cookies, two.local])
    assert ids.pop() not in kept


def test_full_anonymity_at_run_time_hides_ids_from_every_event_and_getter() -> None:
    page = loaded()
    page.post("identify", "u1", {"a": 1})
    page.post("setUserId", "u9")
    before = track(page)
    page.post("enableAnonymousTracking")
    page.post("identify", "u2", {"b": 1})
    event = track(page)
    assert not {"duid", "uid", "sid", "vid"} & event.keys()
    assert before["duid"] not in json.dumps(event)
    last = page.customerio[-1]
    assert (last["event"], last["userId"]) == ("A", None)
    assert last["anonymousId"] != page.customerio[0]["anonymousId"]
    assert page.ask("user.id") is None
    assert page.ask("user.traits") == {}
    for getter in ("getDomainUserId", "getDomainUserInfo", "getUserId", "getDomainSessionId"):
        assert page.ask(getter) is None
    href = "https://other.example/"
    assert page.ask("getDecoratedLink", href, "") == href


# S6


def test_ids_come_back_when_anonymity_ends() -> None:
    page = loaded()
    page.post("identify", "u1", {"a": 1})
    before = track(page)
    anonymous = page.ask("user.anonymousId")
    written = dict(page.cookies)
    page.post("enableAnonymousTracking")
    track(page)
    assert page.cookies == written
    page.post("disableAnonymousTracking")
    after = track(page)
    assert (after["duid"], after["uid"]) == (before["duid"], "u1")
    assert page.ask("user.anonymousId") == anonymous
    assert page.ask("user.traits") == {"a": 1}


@pytest.mark.parametrize("preserve", ["preserveUser", "preserveSession", ""])
def test_clear_user_data_keeps_what_it_is_told_to(preserve: str) -> None:
    page = loaded()
    page.post("identify", "u1", {"a": 1})
    before = track(page)
    anonymous = page.ask("user.anonymousId")
    page.post("clearUserData", {preserve: True} if preserve else {})
    after = track(page)
    assert (after["duid"] == before["duid"]) == (preserve == "preserveUser")
    assert (after.get("uid") == "u1") == (preserve == "preserveUser")
    assert (page.ask("user.anonymousId") == anonymous) == (preserve == "preserveUser")
    assert (after["sid"] == before["sid"]) == (preserve == "preserveSession")


def test_clear_user_data_removes_former_sessions_where_tracking_was_anonymous_from_the_start() -> (
    None
):
    profile = FakeProfile()
    before = SnowplowSite.of(profile)
    before.load()
    before.post("page")
    before.settle()
    assert any(name.startswith("_sp_id.") for name in before.cookies)
    after = SnowplowSite.of(profile)
    after.load(anonymousTracking=True)
    after.post("clearUserData")
    after.settle()
    assert after.cookies == {}


def test_server_anonymisation_is_asked_for_in_a_header() -> None:
    page = loaded()
    track(page)
    page.post("enableAnonymousTracking", {"options": {"withServerAnonymisation": True}})
    track(page)
    headers = [
        {name.lower(): value for name, value in exchange.request.headers.items()}
        for exchange in page.browser.network.exchanges
        if COLLECTOR in exchange.request.url
    ]
    assert [each.get("sp-anonymous") for each in headers] == [None, "*"]


@pytest.mark.parametrize(
    ("options", "snowplow", "expected"),
    [
        ({}, {}, "include"),
        ({"stateStorageStrategy": "cookie"}, {}, "include"),
        ({"stateStorageStrategy": "none"}, {}, "omit"),
        ({"disableClientPersistence": True}, {}, "omit"),
        ({"anonymousTracking": True}, {}, "omit"),
        ({"anonymousTracking": {"withSessionTracking": True}}, {}, "include"),
        ({"anonymousTracking": {"withServerAnonymisation": True}}, {}, "include"),
        ({"stateStorageStrategy": "none"}, {"credentials": "include"}, "include"),
        ({}, {"credentials": "same-origin"}, "same-origin"),
    ],
)
def test_the_collector_can_set_no_cookie_where_nothing_may_be_kept(
    options: dict[str, Any], snowplow: dict[str, Any], expected: str
) -> None:
    page = page_of(FakeProfile())
    page.load(**options, snowplow=snowplow)
    track(page)
    asked = [exchange.request for exchange in page.browser.network.exchanges]
    assert {each.credentials for each in asked if COLLECTOR in each.url} == {expected}


def test_consent_lets_the_collector_set_its_cookie_from_then_on() -> None:
    page = loaded(stateStorageStrategy="none")
    track(page)
    page.post("disableAnonymousTracking", {"stateStorageStrategy": "cookie"})
    track(page)
    asked = [exchange.request for exchange in page.browser.network.exchanges]
    assert [each.credentials for each in asked if COLLECTOR in each.url] == ["omit", "include"]


def test_a_tracker_of_its_own_keeps_no_identity_of_cioanalytics() -> None:
    page = page_of(FakeProfile())
    page.call("newTracker", "sp", COLLECTOR, {})
    page.post("trackPageView")
    page.settle()
    assert set(page.cookies) == {"_sp_id.7715", "_sp_ses.7715"}
    assert "ajs" not in json.dumps(page.local)


# what is left of earlier state


@pytest.mark.parametrize("strategy", ["cookieAndLocalStorage", "cookie", "localStorage"])
def test_a_mid_page_refusal_removes_state_under_every_strategy(strategy: str) -> None:
    page = page_of(FakeProfile(), "https://www.site.example/shop/a")
    names = {"cookieName": "_own_", "cookiePath": "/shop"}
    page.load(optOutCookie="optout", stateStorageStrategy=strategy, snowplow=names)
    page.post("identify", "u1", {"a": 1})
    track(page)
    page.browser.set_cookie("optout=1; Path=/")
    page.post("track", "Dropped")
    page.settle()
    assert page.cookies == {"optout": "1"}
    assert page.local == {}
    assert page.ask("getDomainSessionId") is None


@pytest.mark.parametrize("refusal", ["optOutCookie", "respectDoNotTrack"])
@pytest.mark.parametrize("strategy", ["none", "cookie", "localStorage"])
def test_a_refusal_removes_what_another_strategy_kept(strategy: str, refusal: str) -> None:
    profile = FakeProfile()
    before = loaded(profile)
    before.post("identify", "u1", {"a": 1})
    track(before)
    profile.navigator["doNotTrack"] = "1"
    before.browser.set_cookie("optout=1; Path=/")
    value = "optout" if refusal == "optOutCookie" else True
    after = loaded(profile, **{refusal: value}, stateStorageStrategy=strategy)
    assert after.cookies == {"optout": "1"}
    assert after.local == {}


@pytest.mark.parametrize("option", [True, {"withSessionTracking": True}])
def test_withdrawal_with_strategy_none_removes_what_was_kept(option: Any) -> None:
    page = loaded()
    page.post("identify", "u1", {"a": 1})
    track(page)
    given = {"options": option, "stateStorageStrategy": "none"}
    page.post("enableAnonymousTracking", given)
    page.post("clearUserData")
    track(page)
    assert page.cookies == {}
    assert page.local == {}
    assert page.browser.session_storage.items == {}


def test_an_anonymous_tracker_beside_an_identified_one_keeps_apart() -> None:
    page = loaded()
    before = track(page)
    page.call("newTracker", "two", COLLECTOR, {"anonymousTracking": True})
    page.post("trackPageView:two")
    after = track(page)
    (view,) = [event for event in page.events if event["e"] == "pv"]
    assert not {"duid", "sid", "vid", "uid"} & view.keys()
    assert (after["duid"], after["sid"]) == (before["duid"], before["sid"])


@pytest.mark.parametrize("getter", ["getDomainUserId", "getDomainSessionId", "user.id"])
def test_a_getter_notices_a_refusal(getter: str) -> None:
    page = loaded(optOutCookie="optout")
    track(page)
    page.browser.set_cookie("optout=1; Path=/")
    assert page.ask(getter) is None
    assert page.cookies == {"optout": "1"}
    assert page.local == {}
