"""What test suites of sites get: the fixture `tracked`, and its answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from collector.server import running
from collector.settings import Settings
from collector.testing import PlanError, Tracked, WaitedInVainError

ORDER = {"type": "track", "event": "Order", "anonymousId": "a", "properties": {"total": 5, "n": 1}}


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracked]:
    with running(Settings(tmp_path_factory.mktemp("tracked") / "events.sqlite")) as it:
        yield Tracked(it.url)


@pytest.fixture
def tracked(collector: Tracked) -> Tracked:
    collector.reset()
    return collector


def send(tracked: Tracked, *events: dict[str, Any]) -> None:
    for number, event in enumerate(events):
        body = {"messageId": f"m{number}-{json.dumps(event)}", "writeKey": "wk", **event}
        httpx.post(f"{tracked.url}/v1/{event['type'][0]}", json=body)


def test_events_are_found_by_type_name_and_protocol(tracked: Tracked) -> None:
    send(tracked, ORDER, {"type": "page", "name": "Home", "anonymousId": "a"})
    assert [event["type"] for event in tracked.events()] == ["track", "page"]
    assert tracked.events(type="track")[0]["properties"] == {"total": 5, "n": 1}
    assert tracked.events(name="Home", protocol="customerio")[0]["type"] == "page"
    assert tracked.events(protocol="snowplow") == []
    tracked.reset()
    assert tracked.events() == []


def test_events_wait_for_the_first_one(tracked: Tracked) -> None:
    threading.Timer(0.2, send, [tracked, ORDER]).start()
    assert len(tracked.events(name="Order", timeout=5)) == 1
    assert tracked.events(name="Other", timeout=0.1) == []


def test_an_expected_event_is_found_by_the_members_that_are_named(tracked: Tracked) -> None:
    threading.Timer(0.2, send, [tracked, ORDER]).start()
    found = tracked.expect({"event": "Order", "properties": {"total": lambda total: total > 4}})
    assert found["properties"]["n"] == 1
    assert tracked.expect(name="Order", count=1) == found


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"properties": {"total": 6}}, "properties.total: is 5, expected 6"),
        ({"properties": {"tax": 1}}, "properties.tax: is missing, expected 1"),
        ({"properties": {"n": True}}, "properties.n: is 1, expected true"),
        ({"properties": [1]}, 'properties: is {"total":5,"n":1}, expected [1]'),
    ],
)
def test_what_differs_is_told_of_the_nearest_event(
    tracked: Tracked, wanted: dict[str, Any], told: str
) -> None:
    send(tracked, {**ORDER, "event": "Other", "properties": {}}, ORDER)
    with pytest.raises(WaitedInVainError) as error:
        tracked.expect({"event": "Order", **wanted}, type="track", timeout=0.1)
    assert "the nearest is number 2 of 2:" in str(error.value)
    assert told in str(error.value).replace('": ', '":').replace(', "', ',"')


def test_what_is_there_and_what_was_refused_is_told(tracked: Tracked) -> None:
    send(tracked, {"type": "page", "name": "Home", "anonymousId": "a"}, {"type": "track"})
    with pytest.raises(WaitedInVainError) as error:
        tracked.expect(name="Order", timeout=0)
    assert "stored are: page Home" in str(error.value)
    assert "refused: track: " in str(error.value)
    with pytest.raises(WaitedInVainError, match="expected 2 that match, found 1"):
        tracked.expect(name="Home", count=2, timeout=0)


def test_identities_are_told(tracked: Tracked) -> None:
    send(tracked, {"type": "identify", "anonymousId": "a", "userId": "u1"})
    assert [one["userId"] for one in tracked.identities("a")] == ["u1"]


PLAN = {
    "Order": {"type": "object", "required": ["total"], "properties": {"total": {"type": "number"}}},
    "identify": {"type": "object", "properties": {"age": {"type": "integer"}}},
}


def test_a_tracking_plan_is_kept_or_each_event_that_breaks_it_is_named(
    tracked: Tracked, tmp_path: Path
) -> None:
    send(tracked, ORDER, {"type": "identify", "userId": "u", "traits": {"age": 5}})
    tracked.validate(PLAN)
    (tmp_path / "plan.json").write_text(json.dumps(PLAN))
    tracked.validate(tmp_path / "plan.json")
    send(
        tracked,
        {**ORDER, "properties": {"total": "5"}},
        {**ORDER, "event": "Else"},
        {"type": "identify", "userId": "u", "traits": {"age": "old"}},
    )
    with pytest.raises(AssertionError) as error:
        tracked.validate(PLAN)
    assert "Order: total: '5' is not of type 'number'" in str(error.value)
    assert "Else: stands in no plan; planned are Order, identify" in str(error.value)
    assert "identify: age: 'old' is not of type 'integer'" in str(error.value)


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        ("absent.json", "absent.json cannot be read"),
        ([1], r"plan is \[1\]; allowed: an object"),
        ({"Order": {"type": "texts"}}, "Order is no JSON Schema: 'texts'"),
        ({"Order": 5}, "Order is no JSON Schema"),
    ],
)
def test_what_is_no_plan_is_named(tracked: Tracked, plan: Any, told: str) -> None:
    with pytest.raises(PlanError, match=told):
        tracked.validate(plan)


def test_a_collector_that_is_gone_is_named() -> None:
    with pytest.raises(ConnectionError, match=r"no collector answers at http://127\.0\.0\.1:9"):
        Tracked("http://127.0.0.1:9").events()


def test_wrong_filters_are_named(tracked: Tracked) -> None:
    with pytest.raises(ValueError, match="protocol"):
        tracked.events(protocol="other")


pytest_plugins = ("pytester",)


def test_the_plugin_gives_each_test_an_empty_collector(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import json, urllib.request

        def send(tracked):
            body = {"type": "track", "event": "A", "userId": "u", "writeKey": "wk"}
            head = {"Content-Type": "text/plain"}
            request = urllib.request.Request(tracked.url + "/v1/t", json.dumps(body).encode(), head)
            urllib.request.urlopen(request).close()

        def test_one(tracked):
            send(tracked)
            tracked.expect(name="A")

        def test_two(tracked):
            assert tracked.events() == []
            send(tracked)
            tracked.expect({"event": "B"}, timeout=0)
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:pyodide")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(['*event: is "A", expected "B"*'])


class AsyncPage:
    url = "https://site.example/"

    async def evaluate(self, script: str, given: object) -> str:
        return ""


@pytest.mark.parametrize("driven", [5, "https://site.example", AsyncPage()])
def test_settled_says_what_it_can_ask(tracked: Tracked, driven: Any) -> None:
    with pytest.raises(TypeError, match=r"allowed: pages, contexts.*cioanalytics\.flush\(\)"):
        tracked.settled(driven)


def test_settled_without_pages_waits_until_nothing_has_arrived_for_a_while(
    tracked: Tracked,
) -> None:
    for number in range(3):
        event = {**ORDER, "event": f"E{number}"}
        threading.Timer(0.3 * number, send, [tracked, event]).start()
    tracked.settled(quiet=1)
    assert len(tracked.events()) == 3


def test_settled_ends_although_events_still_arrive(tracked: Tracked) -> None:
    over = threading.Event()

    def go_on() -> None:
        number = 0
        while not over.is_set():
            send(tracked, {**ORDER, "properties": {"n": (number := number + 1)}})

    thread = threading.Thread(target=go_on)
    thread.start()
    with pytest.raises(WaitedInVainError, match="still arrive after 1 s"):
        tracked.settled(quiet=1, timeout=1)
    over.set()
    thread.join()
