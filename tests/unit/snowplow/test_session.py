"""Sessions over pages, tabs and time, and with damaged state."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.unit.snowplow.site import SnowplowSite, page_of, session_entity, validate_all
from tracker.testing import FakeProfile

SESSION = {"contexts": {"session": True}}
ID = "_sp_id.7715"
SES = "_sp_ses.7715"
USER = "11111111-1111-4111-8111-111111111111"
SID = "22222222-2222-4222-8222-222222222222"
BEFORE = "33333333-3333-4333-8333-333333333333"
FIRST = "44444444-4444-4444-8444-444444444444"
NEW_SESSION = {"onSessionUpdateCallback": {"$fn": "session"}}
HALF_HOUR = 1_800_000


def visit(profile: FakeProfile, events: int = 1, **options: Any) -> SnowplowSite:
    """A page with some events."""
    snowplow = {**SESSION, **options.pop("snowplow", {})}
    page = page_of(profile)
    page.load(**options, snowplow=snowplow)
    track(page, events)
    return page


def track(page: SnowplowSite, events: int = 1) -> dict[str, Any]:
    """Track, and return the last event."""
    for _ in range(events):
        page.post("track", "A")
    page.settle(100)
    for event in page.events:
        validate_all(event)
    return page.events[-1] if events else {}


@pytest.mark.parametrize("strategy", ["cookieAndLocalStorage", "cookie", "localStorage"])
def test_a_reload_continues_the_session(strategy: str) -> None:
    profile = FakeProfile()
    first = visit(profile, 2, stateStorageStrategy=strategy).events[-1]
    second = visit(profile, 1, stateStorageStrategy=strategy).events[-1]
    for name in ("duid", "sid", "vid"):
        assert second[name] == first[name]
    entity = session_entity(second)
    assert (entity["eventIndex"], entity["sessionIndex"]) == (3, 1)
    assert entity["firstEventId"] == session_entity(first)["firstEventId"]
    assert entity["previousSessionId"] is None


@pytest.mark.parametrize("strategy", ["cookieAndLocalStorage", "cookie", "localStorage"])
@pytest.mark.parametrize("same_page", [True, False])
def test_after_the_timeout_visit_2_knows_the_previous_session(
    strategy: str, same_page: bool
) -> None:
    profile = FakeProfile()
    page = visit(profile, stateStorageStrategy=strategy)
    first = page.events[-1]
    profile.clock.advance(HALF_HOUR + 1)
    second = track(page) if same_page else visit(profile, stateStorageStrategy=strategy).events[-1]
    assert second["duid"] == first["duid"]
    assert (first["vid"], second["vid"]) == ("1", "2")
    entity = session_entity(second)
    assert entity["previousSessionId"] == first["sid"] != entity["sessionId"] == second["sid"]
    assert (entity["eventIndex"], entity["sessionIndex"]) == (1, 2)
    assert entity["firstEventId"] == second["eid"]


def test_without_persistence_a_session_ends_in_memory_too() -> None:
    profile = FakeProfile()
    page = visit(profile, stateStorageStrategy="none")
    first = page.events[-1]
    profile.clock.advance(HALF_HOUR - 1000)
    assert track(page)["sid"] == first["sid"]
    profile.clock.advance(HALF_HOUR + 1)
    second = track(page)
    assert second["duid"] == first["duid"]
    assert session_entity(second)["previousSessionId"] == first["sid"]
    assert second["vid"] == "2"


def test_events_keep_a_session_alive() -> None:
    profile = FakeProfile()
    page = visit(profile)
    for _ in range(4):
        profile.clock.advance(HALF_HOUR - 1000)
        track(page)
    assert len({event["sid"] for event in page.events}) == 1


def test_new_session_starts_the_next_visit_at_once() -> None:
    page = visit(FakeProfile())
    first = page.events[-1]
    page.post("newSession")
    second = track(page)
    assert second["duid"] == first["duid"]
    assert (second["vid"], second["sid"] != first["sid"]) == ("2", True)
    assert session_entity(second)["previousSessionId"] == first["sid"]
    assert page.ask("getDomainSessionIndex") == 2
    assert page.ask("getDomainSessionId") == second["sid"]


def test_two_tabs_share_one_session_and_count_on() -> None:
    profile = FakeProfile()
    one, two = page_of(profile), page_of(profile)
    one.load(snowplow=SESSION)
    two.load(snowplow=SESSION)
    events = [track(one), track(two), track(one), track(two)]
    assert len({event["sid"] for event in events}) == len({e["duid"] for e in events}) == 1
    assert [session_entity(event)["eventIndex"] for event in events] == [1, 2, 3, 4]


def test_a_new_session_in_one_tab_is_that_of_the_other() -> None:
    profile = FakeProfile()
    one, two = visit(profile), visit(profile)
    one.post("newSession")
    assert track(two)["sid"] == track(one)["sid"] == one.ask("getDomainSessionId")


def test_fifteen_pages_at_once_share_a_session() -> None:
    profile = FakeProfile()
    pages = [visit(profile) for _ in range(15)]
    assert len({page.ask("getDomainSessionId") for page in pages}) == 1
    assert len({page.ask("getDomainUserId") for page in pages}) == 1


def test_set_session_cookie_timeout_counts_from_the_next_write() -> None:
    profile = FakeProfile()
    page = visit(profile)
    page.post("setSessionCookieTimeout", 2)
    first = track(page)
    assert profile.jar[SES].expires_ms == pytest.approx(profile.clock.now + 1900, abs=1000)
    profile.clock.advance(2100)
    assert track(page)["sid"] != first["sid"]


def test_set_visitor_cookie_timeout_counts_from_the_next_write() -> None:
    profile = FakeProfile()
    page = visit(profile)
    page.post("setVisitorCookieTimeout", 86_400)
    track(page)
    assert profile.jar[ID].days == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("call", "name"), [("setSessionCookieTimeout", SES), ("setVisitorCookieTimeout", ID)]
)
def test_a_timeout_of_0_makes_a_browser_session_cookie(call: str, name: str) -> None:
    profile = FakeProfile()
    page = visit(profile)
    page.post(call, 0)
    first = track(page)
    assert profile.jar[name].expires_ms is None
    assert track(page)["sid"] == first["sid"]


def test_set_cookie_path_moves_state_to_another_name() -> None:
    profile = FakeProfile()
    page = page_of(profile, "https://www.site.example/shop/a")
    page.load(snowplow=SESSION)
    track(page)
    before = page.ask("getCookieName", "id")
    page.post("setCookiePath", "/shop")
    track(page)
    after = page.ask("getCookieName", "id")
    assert (before, after != before) == (ID, True)
    assert profile.jar[after].path == "/shop"


@pytest.mark.parametrize("missing", ["", "cookies", "storage", "all"])
@pytest.mark.parametrize("strategy", ["cookieAndLocalStorage", "cookie", "localStorage", "none"])
def test_the_session_callback_runs_once_per_new_session(strategy: str, missing: str) -> None:
    profile = FakeProfile()
    profile.jar.access = "blocked" if missing in ("cookies", "all") else "normal"
    profile.local_rules.denied = missing in ("storage", "all")
    page = visit(profile, 3, stateStorageStrategy=strategy, snowplow=NEW_SESSION)
    page.post("newSession")
    track(page, 3)
    profile.clock.advance(HALF_HOUR + 1)
    track(page, 3)
    told = [args[0]["sessionId"] for name, args in page.ran if name == "session"]
    sessions = list(dict.fromkeys(event["sid"] for event in page.events))
    assert told == sessions
    assert len(told) == 3


def test_a_page_that_continues_a_session_does_not_announce_it() -> None:
    profile = FakeProfile()
    visit(profile, snowplow=NEW_SESSION)
    assert visit(profile, 2, snowplow=NEW_SESSION).ran == []


def test_after_cookies_and_storage_are_cleared_the_next_page_has_new_ids() -> None:
    profile = FakeProfile()
    first = visit(profile)
    old = first.events[-1], first.ask("user.anonymousId")
    profile.jar.clear()
    first.browser.local_storage.clear()
    page = visit(profile)
    event = page.events[-1]
    assert not {event["duid"], event["sid"], page.ask("user.anonymousId")} & {
        old[0]["duid"],
        old[0]["sid"],
        old[1],
    }
    assert event["vid"] == "1"


PARTS = [USER, "1768000000", "3", "1768000001", "1767000000", SID, BEFORE, FIRST]
PARTS += ["1768000000123", "7"]
DAMAGE = ["", "x", "-1", "NaN", "0x1F", "007", "99999999999999999999", "undefined", "%E2%82", "a b"]


@pytest.mark.sends_flaws  # a session id in a cookie is sent as it is, as recorded
@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("part", range(10))
def test_a_damaged_part_never_stops_tracking(part: int, damage: str) -> None:
    profile = FakeProfile()
    parts = [*PARTS[:part], damage, *PARTS[part + 1 :]]
    page = page_of(profile)
    page.browser.set_cookie(f"{ID}={'.'.join(parts)}; Path=/; Domain=site.example; Secure")
    page.browser.set_cookie(f"{SES}=*; Path=/; Domain=site.example; Secure")
    page.load(snowplow={**SESSION, **NEW_SESSION})
    event = track(page)
    assert page.console == []
    assert event["duid"] and event["sid"]
    if "%" not in damage and part != 5:
        assert event["sid"] == SID
    if "%" not in damage and part != 0:
        assert event["duid"] == USER
    assert visit(profile).events[-1]["sid"] == event["sid"]


@pytest.mark.parametrize("text", ["", "%", "%zz", ".", "..........", "a" * 3000, "\x7f", "=;", '"'])
@pytest.mark.parametrize("name", [ID, SES])
def test_a_cookie_that_means_nothing_heals(name: str, text: str) -> None:
    profile = FakeProfile()
    page = page_of(profile)
    page.browser.set_cookie(f"{name}={text}; Path=/; Domain=site.example; Secure")
    page.load(snowplow=SESSION)
    first = track(page)
    assert first["duid"] and first["sid"]
    assert visit(profile).events[-1]["sid"] == first["sid"]
    assert page.console == []


def test_older_values_of_six_and_five_parts_continue() -> None:
    for parts in (PARTS[:6], PARTS[:5]):
        profile = FakeProfile()
        page = page_of(profile)
        page.browser.set_cookie(f"{ID}={'.'.join(parts)}; Path=/; Domain=site.example; Secure")
        page.load(snowplow=SESSION)
        event = track(page)
        assert (event["duid"], event["vid"]) == (USER, "4")


def test_a_64_kb_cookie_header_changes_nothing() -> None:
    profile = FakeProfile()
    page = page_of(profile)
    for number in range(17):
        page.browser.set_cookie(f"other{number}={'v' * 3900}; Path=/")
    assert len(page.browser.cookies()) > 64_000
    page.load(snowplow=SESSION)
    first = track(page)
    assert visit(profile).events[-1]["sid"] == first["sid"]


@pytest.mark.parametrize("jump", [-86_400_000 * 400, -3_600_000, -1, 3_600_000, 86_400_000 * 30])
@pytest.mark.parametrize("strategy", ["cookieAndLocalStorage", "localStorage", "none"])
def test_clock_jumps_leave_valid_events(strategy: str, jump: int) -> None:
    profile = FakeProfile()
    page = visit(profile, stateStorageStrategy=strategy)
    first = page.events[-1]
    profile.clock.shift(jump)
    page.post("track", "A")
    page.settle(60_000)
    second = page.events[-1]
    validate_all(second)
    assert second["eid"] != first["eid"]
    assert second["duid"] == first["duid"]
    assert (second["sid"] == first["sid"]) == (jump < HALF_HOUR)


def test_the_stored_value_has_ten_parts_with_units() -> None:
    profile = FakeProfile()
    page = visit(profile, 2)
    parts = profile.jar[ID].value.split(".")
    assert len(parts) == 10
    assert [bool(re.fullmatch(r"\d{10}", parts[i])) for i in (1, 3)] == [True, True]
    assert re.fullmatch(r"\d{13}", parts[8])
    assert (parts[2], parts[4], parts[9]) == ("1", "", "2")
    assert page.ask("getDomainUserInfo")[1:3] == [parts[0], int(parts[1])]


def test_a_state_is_written_once_per_event() -> None:
    profile = FakeProfile()
    page = visit(profile)
    profile.jar.assignments.clear()
    track(page)
    names = [each.text.partition("=")[0] for each in profile.jar.assignments]
    assert sorted(names) == [ID, SES]


def test_reset_starts_a_session_of_the_same_visitor() -> None:
    page = visit(FakeProfile())
    page.post("identify", "u1")
    page.settle()
    first = page.events[-1]
    page.post("reset")
    second = track(page)
    assert second["duid"] == first["duid"]
    assert second["sid"] != first["sid"]
    assert ("uid" in first, "uid" in second) == (True, False)
