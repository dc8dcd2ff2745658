from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.site import SETTINGS, WRITE_KEY, Site
from tracker.browser import Request
from tracker.delivery.customerio import MOST_WHEN_LEAVING
from tracker.delivery.lease import LEASE_MS
from tracker.delivery.owner import LOOK_MS
from tracker.delivery.queue import MAX_AGE_MS, MAX_EVENTS
from tracker.delivery.retry import DELIVERED, REJECTED, RETRY, backoff_ms, judge, retry_after_ms
from tracker.delivery.sender import LEFTOVER_DELAY_MS
from tracker.tasks import Future
from tracker.testing import FakeBrowser, FakeProfile, Reply

KEY = f"cioOutQueue_{WRITE_KEY}_post"


@pytest.mark.parametrize(
    ("outcome", "statuses"),
    [
        (DELIVERED, [200, 201, 204, 304]),
        (RETRY, [408, 425, 429, 500, 502, 503, 504, 507, 599]),
        (REJECTED, [400, 401, 403, 404, 410, 413, 422, 501, 505, 511]),
    ],
)
def test_the_status_says_whether_an_event_is_tried_again(outcome: str, statuses: list[int]) -> None:
    assert {judge(status) for status in statuses} == {outcome}


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_backoff_stays_below_a_minute(failures: int, random: float) -> None:
    assert 0 <= backoff_ms(failures, random) < 60_000


def test_requests_that_fail_together_count_once() -> None:
    site = loaded(503)
    for number in range(8):
        site.post("track", f"E{number}")
    site.browser.hide()
    site.settle(20)
    assert len(posts(site)) == MOST_WHEN_LEAVING
    assert max(args[0]["waitMs"] for args in site.emitted("retry")) < 1000


def test_backoff_doubles() -> None:
    assert [backoff_ms(n, 0.999999) for n in range(4)] == pytest.approx([500, 1000, 2000, 4000])


@pytest.mark.parametrize(
    ("header", "wait"), [("7", 7000), ("900", 300_000), ("Tue, 1 Jan", None), ("-1", None)]
)
def test_retry_after_is_honoured_up_to_300_seconds(header: str, wait: float | None) -> None:
    assert retry_after_ms({"retry-after": header}) == wait


def loaded(*outcomes: Any, profile: FakeProfile | None = None, **options: Any) -> Site:
    site = Site.of(profile or FakeProfile())
    if outcomes:
        site.browser.network.answer(*outcomes)
    site.load(**options)
    site.settle(10)
    return site


def posts(site: Site) -> list[Request]:
    return [e.request for e in site.browser.network.exchanges if e.request.body]


def stored(site: Site) -> list[Any]:
    """What waits in local storage, oldest first."""
    keys = [key for key in site.local if re.fullmatch(re.escape(KEY) + r"(\.\d+)?", key)]
    keys.sort(key=lambda key: int(key[len(KEY) + 1 :] or 0))
    return [item for key in keys for item in json.loads(site.local[key])]


def names(site: Site) -> list[str]:
    return [body["event"] for body in site.sent]


def test_an_event_is_stored_until_the_server_answered() -> None:
    site = loaded("defer")
    site.post("track", "A")
    site.settle()
    stored = json.loads(site.local[KEY])
    assert [item["evt"]["event"] for item in stored] == ["A"]
    assert stored[0]["bytes"] > 100
    assert int(site.local[KEY + ".expires"]) > site.browser.now()
    site.browser.network.release()
    site.settle()
    assert KEY not in site.local
    assert KEY + ".expires" not in site.local
    assert len(site.emitted("delivered")) == 1


@pytest.mark.parametrize("failure", [500, 503, 429, 408, "fail", "hang"])
def test_a_failing_event_is_sent_again_with_the_same_id(failure: Any) -> None:
    site = loaded(failure, failure, "ok")
    site.post("track", "A")
    site.settle(90_000)
    assert names(site) == ["A", "A", "A"]
    assert len({body["messageId"] for body in site.sent}) == 1
    assert len({body["timestamp"] for body in site.sent}) == 1
    assert len({body["sentAt"] for body in site.sent}) > 1
    assert len(site.emitted("retry")) == 2
    assert len(site.emitted("delivered")) == 1


def test_there_is_no_limit_of_attempts() -> None:
    site = loaded(503)
    site.post("track", "A")
    site.settle(3_600_000)
    assert len(site.sent) > 20
    site.browser.network.answer("ok")
    site.settle(60_000)
    assert len(site.emitted("delivered")) == 1


def test_retry_after_delays_the_next_attempt() -> None:
    site = loaded(Reply(429, headers={"retry-after": "30"}), "ok")
    site.post("track", "A")
    site.settle(29_000)
    assert len(site.sent) == 1
    site.settle(2_000)
    assert len(site.sent) == 2


@pytest.mark.parametrize("status", [400, 403, 413, 501])
def test_a_refused_event_is_dropped_once_and_reported(status: int) -> None:
    site = loaded(status)
    site.post("track", "A")
    site.settle(120_000)
    assert len(site.sent) == 1
    assert len(site.emitted("dropped")) == 1
    errors = site.emitted("error")
    assert len(errors) == 1
    assert f"HTTP {status}" in errors[0][0]["detail"]
    assert KEY not in site.local


def test_without_retries_a_failing_event_is_dropped() -> None:
    site = loaded(503, retryQueue=False)
    site.post("track", "A")
    site.settle(120_000)
    assert len(site.sent) == 1
    assert site.emitted("dropped")[0][0]["reason"] == "HTTP 503"


def test_offline_events_wait_and_leave_at_once_when_the_network_is_back() -> None:
    site = loaded()
    site.browser.profile.go_offline()
    site.post("track", "A")
    site.settle(600_000)
    assert site.sent == []
    site.browser.profile.go_online()
    site.settle(0)
    assert names(site) == ["A"]


def test_back_online_ends_a_backoff() -> None:
    site = loaded(Reply(503, headers={"retry-after": "200"}), "ok")
    site.post("track", "A")
    site.settle()
    site.browser.profile.go_online()
    site.settle(0)
    assert len(site.sent) == 2


def test_events_leave_in_the_order_of_their_calls() -> None:
    site = loaded()
    for number in range(30):
        site.post("track", f"E{number}")
    site.settle()
    assert names(site) == [f"E{number}" for number in range(30)]


def test_no_event_overtakes_another_one_until_the_page_goes() -> None:
    site = loaded("defer")
    for number in range(6):
        site.post("track", f"E{number}")
    site.settle(50)
    assert names(site) == ["E0"]
    site.browser.network.release(200)
    site.settle(50)
    assert names(site) == ["E0", "E1"]
    site.browser.hide()
    site.settle(10)
    assert names(site) == ["E0", "E1", "E2", "E3", "E4"]


def test_what_a_page_leaves_behind_is_sent_by_the_next_one() -> None:
    site = loaded("hang")
    site.post("track", "A")
    site.settle(1)
    first_id = site.sent[0]["messageId"]
    site.browser.network.answer("ok")
    next_page = Site(site.browser.navigate("https://www.site.example/next"))
    next_page.load()
    next_page.post("track", "B")
    next_page.settle(LEFTOVER_DELAY_MS + 100)
    again = [body for body in next_page.sent if body["event"] == "A"]
    assert [body["messageId"] for body in again] == [first_id, first_id]
    assert KEY not in next_page.local


def test_leftovers_older_than_seven_days_are_dropped_and_reported() -> None:
    site = loaded("hang")
    site.post("track", "A")
    site.browser.network.answer("ok")
    site.browser.clock.shift(MAX_AGE_MS + 1)
    next_page = Site(site.browser.navigate("https://www.site.example/next"))
    next_page.load()
    next_page.settle(LEFTOVER_DELAY_MS + 100)
    assert len(next_page.sent) == 1
    assert "7 days" in next_page.emitted("dropped")[0][0]["reason"]


def kept(profile: FakeProfile) -> list[list[str]]:
    """The names of the stored events, segment by segment."""
    local = profile.local_storage("https://www.site.example")
    ends = (".expires", ".lease")
    keys = sorted(key for key in local.keys() if key.startswith(KEY) and not key.endswith(ends))
    return [[item["evt"]["event"] for item in json.loads(local.get(key) or "")] for key in keys]


@pytest.mark.parametrize("lock_delay_ms", [None, 3])
def test_each_of_two_tabs_sends_its_own_events_only(lock_delay_ms: int | None) -> None:
    profile = FakeProfile()
    profile.lock_delay_ms = lock_delay_ms
    profile.go_offline()
    one, two = loaded(profile=profile), loaded(profile=profile)
    one.post("track", "one")
    two.post("track", "two")
    one.settle(100)
    assert kept(profile) == [["one"], ["two"]]
    two.post("track", "three")
    one.settle(60_000)
    assert kept(profile) == [["one"], ["two", "three"]]
    profile.go_online()
    one.settle()
    assert sorted(names(one)) == ["one", "three", "two"]
    assert kept(profile) == []


def test_the_events_of_a_dead_tab_are_taken_over_within_seconds() -> None:
    profile = FakeProfile()
    one, two = loaded(profile=profile), loaded(profile=profile)
    two.post("track", "of two")
    one.settle(LEFTOVER_DELAY_MS + LOOK_MS)
    profile.go_offline()
    two.post("track", "left")
    one.settle(60_000)
    two.browser.crash()
    profile.network.online = True
    one.settle(LOOK_MS + 1000)
    assert names(one) == ["of two", "left"]
    assert kept(profile) == []


def test_a_tab_that_lived_between_two_looks_is_found_after_the_next_event() -> None:
    profile = FakeProfile()
    one = loaded(profile=profile)
    one.post("track", "first")
    one.settle(LEFTOVER_DELAY_MS + 100)
    profile.go_offline()
    two = loaded(profile=profile)
    two.post("track", "left")
    one.settle(100)
    two.browser.crash()
    profile.network.online = True
    one.post("track", "next")
    one.settle(2 * LOOK_MS + 1000)
    assert names(one) == ["first", "next", "left"]
    assert kept(profile) == []


def test_a_tab_that_dies_while_another_one_looks_is_not_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    profile = FakeProfile()
    profile.go_offline()
    one, two = loaded(profile=profile), loaded(profile=profile)
    two.post("track", "left")
    claimed = FakeBrowser.claimed

    def dies_after_the_first_look(self: FakeBrowser) -> Future[frozenset[str]]:
        answer = claimed(self)
        if self is one.browser and two.browser in profile.pages:
            two.browser.crash()
        return answer

    monkeypatch.setattr(FakeBrowser, "claimed", dies_after_the_first_look)
    profile.network.online = True
    one.settle(LEFTOVER_DELAY_MS + LOOK_MS + 1000)
    assert names(one) == ["left"]
    assert kept(profile) == []


def leases(profile: FakeProfile) -> list[str]:
    """The keys of all leases."""
    keys = profile.local_storage("https://www.site.example").keys()
    return [key for key in keys if key.endswith(".lease")]


@pytest.fixture
def no_locks() -> FakeProfile:
    """A visitor of a site without HTTPS."""
    profile = FakeProfile()
    profile.has_locks = False
    return profile


def test_without_locks_each_tab_has_a_lease_while_it_stores_events(no_locks: FakeProfile) -> None:
    no_locks.go_offline()
    one, two = loaded(profile=no_locks), loaded(profile=no_locks)
    assert leases(no_locks) == []
    one.post("track", "one")
    two.post("track", "two")
    one.settle(60_000)
    assert sorted(kept(no_locks)) == [["one"], ["two"]]
    assert len(leases(no_locks)) == 2
    no_locks.go_online()
    one.settle(60_000)
    assert sorted(names(one)) == ["one", "two"]
    assert kept(no_locks) == []
    assert leases(no_locks) == []


def test_without_locks_the_events_of_a_dead_tab_are_taken_over(no_locks: FakeProfile) -> None:
    one, two = loaded(profile=no_locks), loaded(profile=no_locks)
    no_locks.go_offline()
    two.post("track", "left")
    one.settle(60_000)
    two.browser.crash()
    no_locks.network.online = True
    one.post("track", "mine")
    one.settle(LEASE_MS + 2 * LOOK_MS + 1000)
    assert names(one) == ["mine", "left"]
    assert leases(no_locks) == []


def test_of_two_that_want_a_lease_one_gets_it(no_locks: FakeProfile) -> None:
    no_locks.go_offline()
    left = loaded(profile=no_locks)
    left.post("track", "left")
    left.settle(100)
    left.browser.crash()
    left.browser.clock.advance(LEASE_MS)
    no_locks.network.online = True
    tabs = [loaded(profile=no_locks) for _ in range(3)]
    tabs[0].settle(60_000)
    assert names(tabs[0]) == ["left"]


def test_a_lease_that_ends_too_late_was_written_by_another_clock(no_locks: FakeProfile) -> None:
    no_locks.go_offline()
    left = loaded(profile=no_locks)
    left.post("track", "left")
    left.settle(100)
    left.browser.crash()
    left.browser.clock.shift(-86_400_000)
    no_locks.network.online = True
    one = loaded(profile=no_locks)
    one.settle(LEFTOVER_DELAY_MS + 100)
    assert names(one) == ["left"]


def test_who_opts_out_keeps_no_lease(no_locks: FakeProfile) -> None:
    no_locks.go_offline()
    one = loaded(profile=no_locks, optOutCookie="optout")
    one.post("track", "one")
    one.settle(100)
    assert len(leases(no_locks)) == 1
    one.browser.set_cookie("optout=1; Path=/")
    one.post("track", "two")
    one.settle(60_000)
    assert one.local == {}


@pytest.mark.parametrize("options", [{"stateStorageStrategy": "none"}, {"anonymousTracking": True}])
def test_without_persistence_the_queue_is_memory_only(options: dict[str, Any]) -> None:
    site = loaded(503, **options)
    site.post("track", "A")
    site.settle()
    assert site.browser.local_storage.writes == []


@pytest.mark.parametrize("text", ["{", "[1]", '{"a":1}', '[{"evt":{}}]', '[{"evt":5,"bytes":1}]'])
def test_a_damaged_queue_is_set_aside_and_new_events_flow(text: str) -> None:
    profile = FakeProfile()
    profile.local_storage("https://www.site.example").set(KEY, text)
    site = loaded(profile=profile)
    site.post("track", "A")
    site.settle()
    assert names(site) == ["A"]
    assert site.local[KEY + ".corrupt"] == text


HTML = Reply(200, "<!doctype html>", {"Content-Type": "text/html; charset=utf-8"})
ELSEWHERE = Reply(200, "", {}, redirect="https://www.example/login")


@pytest.mark.parametrize(
    ("answers", "message", "named"),
    [
        ((HTML, HTML, HTML), "Wrong answer", "HTML"),
        ((ELSEWHERE, ELSEWHERE), "Wrong answer", "https://www.example/login"),
        (("fail", "fail", "fail"), "No answer", "Access-Control-Allow-Origin"),
    ],
    ids=["HTML", "redirects", "no answer"],
)
def test_a_server_that_is_no_collector_is_named_once_and_nothing_is_lost(
    answers: tuple[Any, ...], message: str, named: str
) -> None:
    site = loaded(*answers, "ok")
    site.post("track", "A")
    site.settle(60_000)
    [[error]] = site.emitted("error")
    assert error["message"] == message
    assert named in error["detail"]
    assert "https://cdp.customer.io/v1/t" in error["detail"]
    assert len([text for level, text in site.console if level == "error"]) == 1
    assert [e["event"] for args in site.emitted("delivered") for e in args[0]["events"]] == ["A"]


@pytest.mark.parametrize("answers", [("fail", "ok"), ("ok", "fail", "fail", "fail", "ok")])
def test_a_network_that_fails_now_and_then_is_no_error(answers: tuple[Any, ...]) -> None:
    site = loaded(*answers)
    for name in "AB":
        site.post("track", name)
        site.settle(60_000)
    assert site.emitted("error") == []


def test_full_storage_does_not_stop_events() -> None:
    profile = FakeProfile()
    profile.local_rules.full = True
    site = loaded(503, 503, "ok", profile=profile)
    site.post("track", "A")
    site.settle(60_000)
    assert len(site.emitted("delivered")) == 1


def test_the_oldest_events_are_dropped_when_too_many_wait() -> None:
    site = loaded()
    site.browser.profile.go_offline()
    for number in range(MAX_EVENTS + 5):
        site.post("track", f"E{number}")
    site.settle()
    dropped = [e["event"] for args in site.emitted("dropped") for e in args[0]["events"]]
    assert dropped == [f"E{number}" for number in range(5)]
    assert len(stored(site)) == MAX_EVENTS


def test_a_batch_leaves_when_it_is_full_or_old() -> None:
    site = loaded(customerio={"batch": {"size": 3, "timeout": 2000}})
    for number in range(4):
        site.post("track", f"E{number}")
    site.settle(10)
    assert [len(body["batch"]) for body in site.sent] == [3]
    site.settle(2_000)
    assert [len(body["batch"]) for body in site.sent] == [3, 1]
    assert len({event["sentAt"] for event in site.sent[0]["batch"]}) == 1
    assert posts(site)[0].url == "https://cdp.customer.io/v1/b"


def test_a_batch_stays_below_what_the_server_takes() -> None:
    site = loaded(customerio={"batch": {"size": 10, "timeout": 100}})
    for number in range(4):
        site.post("track", f"E{number}", {"text": "x" * 200_000})
    site.settle(2_000)
    assert [len(body["batch"]) for body in site.sent] == [2, 2]


def test_one_refused_event_does_not_take_its_batch_with_it() -> None:
    def answer(request: Request) -> int:
        return 400 if '"poison"' in (request.body or "") else 200

    site = loaded(answer, customerio={"batch": {"size": 8, "timeout": 100}})
    for number in range(8):
        site.post("track", "poison" if number == 5 else f"E{number}")
    site.settle(5_000)
    delivered = [e["event"] for args in site.emitted("delivered") for e in args[0]["events"]]
    dropped = [e["event"] for args in site.emitted("dropped") for e in args[0]["events"]]
    assert sorted(delivered) == sorted(f"E{number}" for number in range(8) if number != 5)
    assert dropped == ["poison"]


def test_a_page_that_goes_sends_its_batch_with_keepalive_and_only_once() -> None:
    site = loaded(customerio={"batch": True})
    site.post("track", "A")
    site.settle(10)
    site.browser.hide()
    site.settle(10)
    site.browser.show()
    site.settle(20_000)
    assert [request.keepalive for request in posts(site)] == [True]


def test_keepalive_stays_within_the_browsers_budget() -> None:
    site = loaded("defer", customerio={"batch": {"size": 1, "timeout": 0}})
    site.browser.profile.go_offline()
    for _ in range(3):
        site.post("track", "A", {"text": "x" * 25_000})
    site.browser.network.online = True
    site.browser.hide()
    site.settle(10)
    assert [request.keepalive for request in posts(site)] == [True, True, False]


def test_a_browser_that_takes_no_more_keepalive_gets_the_request_without_it() -> None:
    site = loaded()
    site.browser.network.keepalive_limit = 10
    site.browser.hide()
    site.post("track", "A")
    site.settle(10)
    assert [request.keepalive for request in posts(site)] == [True, False]
    assert len(site.emitted("delivered")) == 1
    assert site.emitted("retry") == []


def test_the_budget_is_one_for_all_destinations() -> None:
    collector = {"collectorUrl": "https://sp.example"}
    site = loaded("defer", snowplow=collector, customerio={"batch": {"size": 1, "timeout": 0}})
    site.browser.profile.go_offline()
    for _ in range(2):
        site.post("track", "A", {"label": "x" * 25_000})
    site.browser.network.online = True
    site.browser.hide()
    site.settle(10)
    kept = [request for request in site.browser.network.requests if request.keepalive]
    assert sum(len(request.body or "") for request in kept) < 64 * 1024
    assert not any(e.outcome == "failed" for e in site.browser.network.exchanges if e.request.body)


@pytest.mark.parametrize(
    ("page", "options", "url"),
    [
        ("https://s.example/", {}, "https://cdp.customer.io/v1/t"),
        ("https://s.example/", {"apiHost": "h.example/v1/"}, "https://h.example/v1/t"),
        ("https://s.example/", {"apiHost": "http://h.example/x"}, "http://h.example/x/t"),
        ("https://s.example/", {"apiHost": "h.example", "protocol": "http"}, "http://h.example/t"),
        ("http://s.example/", {"apiHost": "h.example/v1"}, "https://h.example/v1/t"),
        ("http://127.0.0.1:1/", {"apiHost": "127.0.0.1:2/v1"}, "http://127.0.0.1:2/v1/t"),
        ("http://localhost/", {"apiHost": "localhost:8/v1"}, "http://localhost:8/v1/t"),
        ("https://s.example/", {"apiHost": "/v1"}, "https://s.example/v1/t"),
    ],
)
def test_the_address_follows_the_api_host(page: str, options: dict[str, Any], url: str) -> None:
    site = Site(url=page)
    site.load(**options)
    site.post("track", "A")
    site.settle()
    assert posts(site)[0].url == url


@pytest.mark.parametrize("host", ["http://", "ht tp://x", "a b", "https://x:99999/", "ftp://x"])
def test_a_host_that_is_none_is_named_at_load_and_events_are_kept(host: str) -> None:
    site = Site()
    site.load(apiHost=host)
    site.post("track", "A")
    flushed = site.post("flush")
    site.settle(60_000)
    [[error]] = site.emitted("error")
    assert error["message"] == "Invalid collector"
    assert host.rstrip("/") in error["detail"]
    assert site.browser.network.exchanges == []
    assert [item["evt"]["event"] for item in stored(site)] == ["A"]
    assert any(m["type"] == "result" and m["id"] == flushed for m in site.messages)


def settings_requests(site: Site) -> list[str]:
    return [e.request.url for e in site.browser.network.exchanges if SETTINGS in e.request.url]


def test_the_projects_settings_are_read_and_used() -> None:
    site = Site()
    project = {
        "integrations": {
            "Customer.io Data Pipelines": {"apiKey": "key", "apiHost": "eu.example/v1"},
            "Extra": {"bundlingStatus": "bundled"},
            "Other": {"bundlingStatus": "unbundled"},
        }
    }
    site.browser.network.route(lambda r: SETTINGS in r.url, Reply(200, json.dumps(project)))
    site.call("load", "wk:a b", {})
    site.post("track", "A")
    site.settle()
    assert settings_requests(site) == ["https://cdp.customer.io/v1/projects/wk:a%20b/settings"]
    assert posts(site)[0].url == "https://eu.example/v1/t"
    body = site.sent[0]
    assert body["writeKey"] == "key"
    assert body["_metadata"] == {
        "bundled": ["Customer.io Data Pipelines", "Extra"],
        "unbundled": ["Other"],
        "bundledIds": [],
    }


@pytest.mark.parametrize("value", [5, "text", [5, None], {"a": 1}, None, True])
def test_strange_settings_do_not_stop_events(value: Any) -> None:
    site = Site()
    names_ = ["maybeBundledConfigIds", "unbundledIntegrations", "deliveryStrategy", "protocol"]
    own = {**dict.fromkeys(names_, value), "apiKey": value}
    own["maybeBundledConfigIds"] = {"Customer.io Data Pipelines": value}
    project = {"integrations": {"Customer.io Data Pipelines": own, "Other": value}}
    site.browser.network.route(lambda r: SETTINGS in r.url, Reply(200, json.dumps(project)))
    site.load()
    site.post("track", "A")
    site.settle(6_000)
    assert names(site) == ["A"]
    assert posts(site)[0].url == "https://cdp.customer.io/v1/t"


@pytest.mark.parametrize("answer", [404, 500, "fail", "hang", Reply(200, "no json")])
def test_tracking_works_without_settings_and_they_are_tried_again(answer: Any) -> None:
    site = Site()
    site.browser.network.route(lambda request: SETTINGS in request.url, answer)
    site.load()
    site.post("track", "A")
    site.settle(6_000)
    assert names(site) == ["A"]
    assert site.sent[0]["writeKey"] == WRITE_KEY
    site.settle(120_000)
    assert len(settings_requests(site)) > 1


def test_settings_can_be_given_inline() -> None:
    project = {"integrations": {"Customer.io Data Pipelines": {"apiKey": "inline"}}}
    site = loaded(customerio={"settings": project})
    site.post("track", "A")
    site.settle()
    assert settings_requests(site) == []
    assert site.sent[0]["writeKey"] == "inline"


def test_settings_need_not_be_read() -> None:
    site = loaded(customerio={"settingsUrl": False})
    site.post("track", "A")
    site.settle()
    assert settings_requests(site) == []
    assert names(site) == ["A"]


@pytest.mark.parametrize(
    ("options", "number"),
    [
        ({"customerio": False}, 0),
        ({"integrations": {"All": False}}, 0),
        ({"integrations": {"All": False, "Customer.io Data Pipelines": True}}, 1),
        ({"integrations": {"Customer.io Data Pipelines": False}}, 0),
    ],
)
def test_the_destination_can_be_switched_off(options: dict[str, Any], number: int) -> None:
    site = loaded(**options)
    site.post("track", "A")
    site.settle()
    assert len(site.sent) == number
    assert site.ask("user.anonymousId")


def test_the_queue_can_be_asked() -> None:
    site = loaded(503)
    assert site.call("queue")["value"] == {"pending": 0, "oldest": None, "bytes": 0, "dropped": 0}
    site.post("track", "A")
    site.settle(5)
    facts = site.call("queue")["value"]
    assert facts["pending"] == 1
    assert facts["bytes"] == stored(site)[0]["bytes"]
    assert facts["oldest"] == stored(site)[0]["evt"]["timestamp"]


def test_the_queue_counts_both_destinations_and_what_was_dropped() -> None:
    site = loaded(404, snowplow={"collectorUrl": "collector.example"})
    site.post("track", "A")
    site.settle()
    site.browser.network.answer("hang")
    site.post("track", "B")
    site.settle(5)
    facts = site.call("queue")["value"]
    assert (facts["pending"], facts["dropped"]) == (2, 2)


def test_flush_skips_the_wait_for_the_next_attempt_and_answers_when_all_was_tried() -> None:
    site = loaded(503)
    for name in "ABC":
        site.post("track", name)
    site.settle(5)
    attempts = len(site.sent)
    site.browser.network.answer(Reply(200, delay_ms=50))
    id_ = site.post("flush")
    assert not [m for m in site.messages if m["type"] == "result" and m["id"] == id_]
    site.settle(400)
    (answer,) = [m for m in site.messages if m["type"] == "result" and m["id"] == id_]
    assert answer["value"]["pending"] == 0
    assert len(site.sent) > attempts
    assert stored(site) == []


def test_flush_answers_when_the_network_is_down() -> None:
    site = loaded("fail")
    site.post("track", "A")
    site.settle(5)
    site.post("flush")
    site.settle(100)
    assert site.messages[-1]["value"]["pending"] == 1
    site.browser.profile.go_offline()
    assert site.call("flush")["value"]["pending"] == 1


def test_flush_waits_for_the_settings_of_the_project() -> None:
    site = Site.of(FakeProfile())
    site.browser.network.route(lambda request: SETTINGS in request.url, Reply(404, delay_ms=900))
    site.post("load", WRITE_KEY, {})
    site.post("track", "A")
    id_ = site.post("flush")
    site.settle(500)
    assert not [m for m in site.messages if m["type"] == "result" and m["id"] == id_]
    site.settle(1000)
    assert [m["value"]["pending"] for m in site.messages if m.get("id") == id_] == [0]


def test_the_pages_of_a_runtime_read_the_projects_settings_once_in_five_minutes() -> None:
    profile = FakeProfile()
    first, second = Site.of(profile), Site.of(profile)
    second.browser.runtime = first.browser.runtime
    project = {"integrations": {"Customer.io Data Pipelines": {"apiKey": "key"}}}
    profile.network.route(lambda r: SETTINGS in r.url, Reply(200, json.dumps(project)))
    first.load()
    first.settle()
    second.load()
    second.post("track", "A")
    second.settle()
    assert len(settings_requests(first)) == 1
    assert second.sent[-1]["writeKey"] == "key"
    third = Site.of(profile)
    third.browser.runtime = first.browser.runtime
    third.settle(300_000)
    third.load()
    assert len(settings_requests(first)) == 2
