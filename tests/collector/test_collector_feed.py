import threading
from collections.abc import Callable, Iterator
from itertools import islice

import httpx
import pytest

from collector.server import Collector


def post(collector: Collector, *events: dict) -> None:
    answer = httpx.post(f"{collector.url}/v1/b", json={"batch": events}, timeout=20)
    assert answer.status_code == 200


def message_ids(messages: Iterator[dict], count: int) -> list[str]:
    events = (message for message in messages if "event" not in message)
    return [message["data"]["messageId"] for message in islice(events, count)]


@pytest.mark.usefixtures("client")
def test_a_stream_shows_events_as_they_come(
    collector: Collector, event: Callable, listen: Callable
) -> None:
    post(collector, event())
    with listen(collector.url) as messages:
        assert next(messages)["event"] == "start"
        one = event()
        post(collector, one)
        message = next(messages)
        assert message["data"]["messageId"] == one["messageId"]
        assert message["id"] == str(message["data"]["seq"])


@pytest.mark.usefixtures("client")
def test_a_stream_filters(collector: Collector, event: Callable, listen: Callable) -> None:
    with listen(collector.url, "/api/stream?type=page&valid=true&id=u") as messages:
        next(messages)
        wanted = event("page", userId="u")
        post(collector, event("page"), event(userId="u"), wanted)
        assert message_ids(messages, 1) == [wanted["messageId"]]


@pytest.mark.usefixtures("client")
def test_after_an_interruption_no_event_is_missed_or_shown_twice(
    collector: Collector, event: Callable, listen: Callable
) -> None:
    events = [event() for _ in range(350)]
    expected = [one["messageId"] for one in events]

    def send() -> None:
        for start in range(0, len(events), 10):
            post(collector, *events[start : start + 10])

    sender = threading.Thread(target=send)
    seen: list[str] = []
    with listen(collector.url) as messages:
        last = next(messages)["id"]
        sender.start()
    # Each connection reads a while and breaks off wherever it happens to be.
    for count in (1, 7, 120, 60, 162):
        with listen(collector.url, **{"Last-Event-ID": last}) as messages:
            assert next(messages)["event"] == "start"
            for message in islice(messages, count):
                seen.append(message["data"]["messageId"])
                last = message["id"]
    sender.join()
    assert seen == expected


@pytest.mark.usefixtures("client")
def test_the_first_message_has_an_id_so_that_a_quiet_stream_can_be_resumed(
    collector: Collector, event: Callable, listen: Callable
) -> None:
    with listen(collector.url) as messages:
        last = next(messages)["id"]
    one = event()
    post(collector, one)
    with listen(collector.url, **{"Last-Event-ID": last}) as messages:
        next(messages)
        assert message_ids(messages, 1) == [one["messageId"]]


@pytest.mark.usefixtures("client")
def test_the_last_event_id_of_a_reconnection_wins_over_the_address(
    collector: Collector, event: Callable, listen: Callable
) -> None:
    first, second = event(), event()
    post(collector, first, second)
    with listen(collector.url, "/api/stream?after=0") as messages:
        next(messages)
        seq = next(messages)["id"]
    with listen(collector.url, "/api/stream?after=0", **{"Last-Event-ID": seq}) as messages:
        next(messages)
        assert message_ids(messages, 1) == [second["messageId"]]


def test_a_reset_is_told_with_the_first_number_that_can_still_come(
    client: httpx.Client, collector: Collector, event: Callable, listen: Callable
) -> None:
    post(collector, event())
    with listen(collector.url) as messages:
        last = int(next(messages)["id"])
        client.post("/api/reset")
        message = next(messages)
        assert message["event"] == "reset"
        assert message["data"]["first"] == last + 1
        post(collector, event())
        assert next(messages)["id"] == str(last + 1)


def test_a_number_of_another_database_begins_at_the_beginning(
    start: Callable, event: Callable, listen: Callable
) -> None:
    first, second = start(), start()
    names = []
    for collector in (first, second):
        one = event()
        post(collector, one)
        with listen(collector.url, "/api/stream?after=12345") as messages:
            names.append(next(messages)["data"]["database"])
            assert message_ids(messages, 1) == [one["messageId"]]
    assert names[0] != names[1]


def test_silence_is_broken_by_comments(start: Callable) -> None:
    url = start(heartbeat=0.05).url
    with httpx.stream("GET", f"{url}/api/stream", timeout=20) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert any(line.startswith(":") for line in response.iter_lines())


@pytest.mark.parametrize(
    ("query", "headers", "name"),
    [
        ("after=x", {}, "after is 'x'"),
        ("limit=5", {}, "parameter 'limit'"),
        ("", {"Last-Event-ID": "x"}, "Last-Event-ID is 'x'"),
    ],
)
def test_a_bad_parameter_of_a_stream_is_told(
    client: httpx.Client, query: str, headers: dict, name: str
) -> None:
    answer = client.get(f"/api/stream?{query}", headers=headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0].startswith(name)
