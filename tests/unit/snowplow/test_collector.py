"""The collector's options that concern requests, and what other clients left unsent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.site import Site
from tests.unit.snowplow.site import SnowplowSite, page_of
from tracker.testing import FakeProfile

ID = "11111111-1111-4111-8111-{:012d}"
ORIGIN = "https://www.site.example"
FORMER = "snowplowOutQueue_sp"
SERVICE = "https://id.site.example/set"
CALLBACKS = {"onRequestSuccess": {"$fn": "done"}, "onRequestFailure": {"$fn": "failed"}}


def visited(*outcomes: Any, **snowplow: Any) -> SnowplowSite:
    """A page whose collector gives these answers."""
    page = page_of(FakeProfile())
    page.browser.network.answer(*(outcomes or (200,)))
    page.load(snowplow=snowplow)
    page.settle(10)
    return page


def collector_requests(page: SnowplowSite) -> list[str]:
    exchanges = page.browser.network.exchanges
    return [e.url for e in exchanges if "collector" in e.url or "id." in e.url]


def left(*numbers: int, **more: Any) -> str:
    """What version 4 of Snowplow's tracker leaves in storage."""
    payloads = [{"e": "pv", "eid": ID.format(number), "cd": 24} for number in numbers]
    return json.dumps([{"payload": payload, "svrAnon": False, **more} for payload in payloads])


def test_callbacks_hear_of_requests_that_were_accepted() -> None:
    page = visited(**CALLBACKS)
    page.post("track", "A")
    page.settle(100)
    ((name, (events, answer)),) = page.ran
    assert (name, [event["se_ac"] for event in events]) == ("done", ["A"])
    assert answer == {"status": 200}


@pytest.mark.parametrize(
    ("outcome", "options", "told"),
    [
        (500, {}, {"status": 500, "message": "HTTP 500", "willRetry": True}),
        (404, {}, {"status": 404, "message": "HTTP 404", "willRetry": False}),
        ("fail", {}, {"willRetry": True}),
        ("fail", {"retryFailedRequests": False}, {"willRetry": False}),
    ],
)
def test_callbacks_hear_of_requests_that_failed(
    outcome: Any, options: dict[str, Any], told: dict[str, Any]
) -> None:
    page = visited(outcome, **CALLBACKS, **options)
    page.post("track", "A")
    page.settle(100)
    name, (failure,) = page.ran[0]
    assert name == "failed"
    assert told.items() <= failure.items()
    assert failure["message"]
    assert ("status" in failure) == ("status" in told)
    assert [event["se_ac"] for event in failure["events"]] == ["A"]


def test_the_cookie_service_is_asked_once_before_the_first_request() -> None:
    page = visited(cookieExtensionService=SERVICE)
    page.post("track", "A")
    page.post("track", "B")
    page.settle(100)
    asked = collector_requests(page)
    assert asked[0] == SERVICE
    assert asked.count(SERVICE) == 1
    assert len(page.events) == 2


@pytest.mark.parametrize("outcome", ["fail", 500, "hang"])
def test_events_go_out_whatever_the_cookie_service_answers(outcome: Any) -> None:
    page = visited(outcome, 200, idService=SERVICE)
    page.post("track", "A")
    page.settle(6000)
    assert [event["se_ac"] for event in page.events] == ["A"]


def test_the_cookie_service_is_not_asked_where_no_cookie_may_be() -> None:
    page = page_of(FakeProfile())
    page.load(anonymousTracking=True, snowplow={"cookieExtensionService": SERVICE})
    page.post("track", "A")
    page.settle(100)
    assert len(page.events) == 1
    assert SERVICE not in collector_requests(page)


def test_the_queue_can_be_shorter() -> None:
    page = visited(500, maxLocalStorageQueueSize=2)
    for name in "ABC":
        page.post("track", name)
    page.settle(300)
    items = json.loads(page.local["snowplowOutQueue_sp_post2"])
    assert [item["evt"]["se_ac"] for item in items] == ["B", "C"]
    (dropped,) = page.emitted("dropped")
    assert "more than 2 events" in dropped[0]["reason"]


def profile_with(**items: str) -> FakeProfile:
    profile = FakeProfile()
    for key, text in items.items():
        profile.local_storage(ORIGIN).set(key, text)
    return profile


@pytest.mark.sends_flaws
def test_what_snowplows_tracker_left_is_sent_once_and_first() -> None:
    profile = profile_with(**{FORMER: left(1, 2)})
    page = page_of(profile)
    page.load()
    page.post("track", "A")
    page.settle(100)
    assert [event["eid"] for event in page.events][:2] == [ID.format(1), ID.format(2)]
    assert page.events[0]["cd"] == "24"
    assert page.events[2]["se_ac"] == "A"
    assert FORMER not in page.local
    again = page_of(profile)
    again.load()
    again.settle(5000)
    assert len(again.events) == 3  # of both pages


@pytest.mark.sends_flaws
def test_anonymity_of_a_left_event_is_kept() -> None:
    page = page_of(profile_with(**{FORMER: left(1, svrAnon=True)}))
    page.load()
    page.settle(100)
    headers = [e.request.headers for e in page.browser.network.exchanges if e.request.body]
    assert [h.get("SP-Anonymous") for h in headers] == ["*"]


@pytest.mark.parametrize("text", ["{", "[1]", "[{}]", '[{"payload": {"e": "pv"}}]', "null"])
def test_what_is_no_queue_of_snowplow_is_left_out(text: str) -> None:
    page = page_of(profile_with(**{FORMER: text}))
    page.load()
    page.post("track", "A")
    page.settle(100)
    assert [event.get("se_ac") for event in page.events] == ["A"]
    assert page.local.get(FORMER + ".corrupt") == (text if text in ("{", "null") else None)
    assert FORMER not in page.local


def test_nothing_is_taken_over_where_nothing_may_be_kept() -> None:
    page = page_of(profile_with(**{FORMER: left(1)}))
    page.load(stateStorageStrategy="cookie")
    page.settle(100)
    assert page.events == []
    assert FORMER in page.local


@pytest.mark.parametrize("queue", ["dest-Customer.io-Data-Pipelines", "event-queue"])
def test_what_customerios_client_left_is_sent_once(queue: str) -> None:
    event = {"type": "track", "event": "Left", "messageId": "ajs-next-1", "anonymousId": "a"}
    items = [{"id": "ajs-next-1", "event": event, "logs": []}, {"id": "x", "event": {"type": "?"}}]
    key = f"persisted-queue:v1:{queue}:items"
    page = Site.of(profile_with(**{key: json.dumps(items)}))
    page.load()
    page.settle(100)
    assert [(body["event"], body["messageId"]) for body in page.sent] == [("Left", "ajs-next-1")]
    assert key not in page.local
