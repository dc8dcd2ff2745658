"""Rules of Snowplow's tracker that are easily missed, each in a page of its own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.snowplow.site import SnowplowSite, page_of
from tracker.snowplow.visitor import parse_int
from tracker.testing import FakeProfile

SESSION = {"contexts": {"session": True}}
SHOP = "https://www.site.example/home"


def loaded(
    profile: FakeProfile | None = None, url: str = SHOP, snowplow: Any = None, **options: Any
) -> SnowplowSite:
    page = page_of(profile or FakeProfile(), url)
    page.load(**options, snowplow={**SESSION, **(snowplow or {})})
    return page


def view(page: SnowplowSite, **given: Any) -> dict[str, Any]:
    page.post("trackPageView", given)
    page.settle()
    return page.events[-1]


# privacy


def test_enabling_anonymity_with_false_brings_the_visitor_back() -> None:
    page = loaded()
    before = view(page)
    page.post("enableAnonymousTracking")
    assert "duid" not in view(page)
    page.post("enableAnonymousTracking", {"options": False})
    after = view(page)
    assert [after[name] for name in ("duid", "sid", "vid")] == [
        before[name] for name in ("duid", "sid", "vid")
    ]


def test_another_server_flag_does_not_end_an_anonymous_session() -> None:
    page = loaded(anonymousTracking={"withSessionTracking": True})
    before = view(page)
    both = {"withSessionTracking": True, "withServerAnonymisation": True}
    page.post("enableAnonymousTracking", {"options": both})
    assert view(page)["sid"] == before["sid"]


def test_clear_user_data_can_preserve_an_anonymous_session() -> None:
    page = loaded(anonymousTracking={"withSessionTracking": True})
    before = view(page)
    page.post("clearUserData", {"preserveSession": True})
    assert view(page)["sid"] == before["sid"]
    page.post("clearUserData")
    assert view(page)["sid"] != before["sid"]


def test_after_clear_user_data_getters_tell_the_visitor_of_the_next_event() -> None:
    page = loaded()
    before = view(page)
    page.post("clearUserData")
    told = page.ask("getDomainUserId")
    assert told == page.ask("getDomainUserId") != before["duid"]
    assert view(page)["duid"] == told


def test_early_clear_user_data_holds_before_the_first_page_view() -> None:
    profile = FakeProfile()
    former = loaded(profile)
    former.post("identify", "u1", {"plan": "free"})
    old = view(former)
    anonymous = former.ask("user.anonymousId")
    seen, bodies = len(former.events), len(former.customerio)
    page = page_of(profile, SHOP)
    page.post("clearUserData")
    page.post("setAnonymousId", "early")
    page.load(initialPageview=True, snowplow=SESSION)
    page.settle()
    first = page.events[seen]
    assert first["e"] == "pv"
    assert first["duid"] != old["duid"]
    assert first["vid"] == "1"
    body = page.customerio[bodies]
    assert (body["userId"], body["anonymousId"]) == (None, "early")
    assert all("u1" not in str(told) for told in page.emitted("identity"))
    assert anonymous not in str(page.cookies)


def test_clear_user_data_covers_former_cookie_paths() -> None:
    profile = FakeProfile()
    page = loaded(profile)
    before = view(page)
    page.post("setCookiePath", "/home")
    view(page)
    page.post("clearUserData")
    assert view(loaded(profile))["duid"] != before["duid"]


# page views


@pytest.mark.parametrize("mode", [True, "pathname", "pathnameAndSearch"])
@pytest.mark.parametrize("by", ["option", "method"])
def test_a_second_view_of_one_address_is_another_view(mode: Any, by: str) -> None:
    page = loaded(snowplow={"preservePageViewIdForUrl": mode} if by == "option" else None)
    if by == "method":
        page.post("preservePageViewIdForUrl", mode)
    view(page)
    first = page.ask("getPageViewId")
    view(page)
    assert page.ask("getPageViewId") != first
    second = page.ask("getPageViewId")
    page.post("trackStructEvent", {"category": "c", "action": "a"})
    assert page.ask("getPageViewId") == second


def test_the_first_referrer_is_the_address_where_the_tracker_was_made() -> None:
    page = loaded()
    page.browser.push_state("/b")
    assert view(page)["refr"] == SHOP


def test_a_custom_address_notes_the_address_on_the_way() -> None:
    page = loaded()
    view(page)
    page.browser.push_state("/b")
    page.post("setCustomUrl", "/z")
    page.browser.push_state("/c")
    assert view(page)["refr"] == "https://www.site.example/b"


def test_a_custom_address_does_not_see_a_discarded_fragment() -> None:
    page = loaded(url="https://www.site.example/a#x/y")
    page.post("discardHashTag", True)
    page.post("setCustomUrl", "y")
    assert view(page)["url"] == "https://www.site.example/y"


@pytest.mark.parametrize("given", ["view", "setDocumentTitle"])
def test_a_ping_tells_a_changed_title(given: str) -> None:
    page = loaded()
    page.browser.title = "Document"
    activity = {"minimumVisitLength": 1, "heartbeatDelay": 1}
    page.post("enableActivityTracking", activity)
    if given == "setDocumentTitle":
        page.post("setDocumentTitle", "Set")
        view(page)
    else:
        view(page, title="Given")
    for title in ("Document", "New"):
        page.browser.title = title
        page.settle(500)
        page.post("updatePageActivity")
        page.settle(700)
    pings = [event["page"] for event in page.events if event["e"] == "pp"]
    assert pings[:1] == ["Set" if given == "setDocumentTitle" else "Given"]
    assert pings[-1] == "New"


def test_activity_tracking_enabled_after_a_view_starts_with_the_next_one() -> None:
    page = loaded(snowplow={"resetActivityTrackingOnPageView": False})
    view(page)
    page.post("enableActivityTracking", {"minimumVisitLength": 5, "heartbeatDelay": 5})
    view(page)
    page.settle(3000)
    page.post("updatePageActivity")
    page.settle(3000)
    assert [event["e"] for event in page.events].count("pp") == 1


# stored values


@pytest.mark.parametrize(
    ("text", "number"),
    [("0" * 25 + "1600000000", 1600000000), ("007", 7), ("0", 0), ("00", 0), ("-012", -12)],
)
def test_zeros_in_front_of_a_number_do_not_count(text: str, number: int) -> None:
    assert parse_int(text) == number


@pytest.mark.parametrize(
    "end", ["1_800_000_000_000", "inf", "infinity", "nan", "0x1fffffffffff", ""]
)
def test_an_end_that_is_no_number_is_over(end: str) -> None:
    profile = FakeProfile()
    page = loaded(profile, stateStorageStrategy="localStorage")
    before = view(page)
    page.browser.local_storage.set(page.ask("getCookieName", "id") + ".expires", end)
    assert view(loaded(profile, stateStorageStrategy="localStorage"))["duid"] != before["duid"]


def test_a_store_that_takes_nothing_newer_does_not_stop_the_count() -> None:
    profile = FakeProfile()
    page = loaded(profile, stateStorageStrategy="localStorage")
    view(page)
    profile.local_rules.full = True
    indexes = [page.ask("getDomainUserInfo")[10]]
    for _ in range(3):
        view(page)
        indexes.append(page.ask("getDomainUserInfo")[10])
    assert indexes == [1, 2, 3, 4]


# namespaces


def test_a_list_of_namespaces_at_the_end_names_trackers() -> None:
    page = loaded()
    page.post("newTracker", "two", "collector.example/two", {})
    page.post("setUserId", "someone", ["two"])
    assert page.ask("getUserId") is None
    page.post("trackPageView", {"title": "only two"}, ["two"])
    page.settle()
    assert [event["tna"] for event in page.events if event.get("page") == "only two"] == ["two"]


def test_the_argument_of_get_domain_session_id_names_a_tracker() -> None:
    page = loaded()
    page.post("newTracker", "two", "collector.example", {"cookieName": "other_"})
    first, second = page.ask("getDomainSessionId"), page.ask("getDomainSessionId", "two")
    assert first == page.ask("getDomainSessionId", "sp")
    assert second not in (None, first)
    assert page.ask("getDomainSessionId", "nobody") is None


def test_a_list_of_namespaces_counts_for_early_privacy_calls() -> None:
    page = page_of(FakeProfile(), SHOP)
    page.post("enableAnonymousTracking", {}, ["two"])
    page.load(snowplow=SESSION)
    assert "duid" in view(page)


def test_a_reason_that_is_no_function_does_no_harm() -> None:
    page = loaded(
        snowplow={
            "useExtendedCrossDomainLinker": {"reason": {"text": "x"}},
            "crossDomainLinker": {"$fn": "accepts"},
        }
    )
    assert page.ask("getDecoratedLink", "https://other.example/", " Buy ").count("_sp=") == 1
    assert "duid" in view(page)
