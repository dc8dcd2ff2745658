import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from collector import schema
from collector.customerio import take_single
from collector.records import RequestFacts
from collector.store import Store, StoreBusyError

FACTS = RequestFacts("POST", "/v1/t", "", "", (), "", "key", 1)


def test_many_clients_at_once_have_every_event_stored_exactly_once(
    client: httpx.Client, event: Callable
) -> None:
    clients, events = 8, [event() for _ in range(60)]

    def send(number: int) -> list[int]:
        # Every client sends every event, each in an order of its own.
        shift = number * len(events) // clients
        with httpx.Client(base_url=client.base_url, timeout=60) as own:
            ordered = events[shift:] + events[:shift]
            return [own.post("/v1/t", json=one).status_code for one in ordered]

    with ThreadPoolExecutor(clients) as pool:
        statuses = [status for one in pool.map(send, range(clients)) for status in one]
    assert set(statuses) == {200}
    rows = client.get("/api/events?limit=1000").json()["events"]
    assert sorted(row["messageId"] for row in rows) == sorted(one["messageId"] for one in events)
    assert sum(row["duplicates"] for row in rows) == len(events) * (clients - 1)


def test_an_event_that_comes_again_is_counted_and_not_stored_twice(
    client: httpx.Client, event: Callable
) -> None:
    one = event()
    for _ in range(2):
        assert client.post("/v1/t", json=one).json() == {"success": True}
    client.post("/v1/b", json={"batch": [one, one]})
    stats = client.get("/api/stats").json()
    assert (stats["total"], stats["duplicates"]) == (1, 3)


def test_a_corrected_event_is_stored_although_its_bad_form_was(
    client: httpx.Client, event: Callable
) -> None:
    one = event()
    client.post("/v1/t", json=one | {"event": None})
    client.post("/v1/t", json=one)
    stats = client.get("/api/stats").json()
    assert (stats["good"], stats["bad"]) == (1, 1)


def test_events_without_a_message_id_are_all_stored(client: httpx.Client, event: Callable) -> None:
    for _ in range(2):
        client.post("/v1/t", json=event(messageId=None))
    assert client.get("/api/stats").json()["total"] == 2


def test_numbers_go_on_after_a_reset(client: httpx.Client, event: Callable) -> None:
    def newest() -> int:
        client.post("/v1/t", json=event())
        return client.get("/api/events?order=desc&limit=1").json()["events"][0]["seq"]

    before = newest()
    client.post("/api/reset")
    assert client.get("/api/events").json()["events"] == []
    assert newest() == before + 1


def test_a_database_of_the_first_layout_is_brought_up_to_date(
    start: Callable, tmp_path: Path, event: Callable
) -> None:
    newer = ("session_id", "network_id", "notes", "events_session", "events_network")
    lines = [line for line in schema.TABLES.splitlines() if not any(n in line for n in newer)]
    with sqlite3.connect(tmp_path / "old.db") as connection:
        connection.executescript("\n".join(lines))
        connection.execute("PRAGMA user_version = 1")
        connection.execute(
            "INSERT INTO events (protocol, received_ms, valid, reasons, payload, request) "
            "VALUES ('customerio', 1, 1, '[]', '{}', '{}')"
        )
    for total in (2, 3):  # the second time there is nothing to do
        collector = start(database=tmp_path / "old.db")
        httpx.post(f"{collector.url}/v1/t", json=event())
        events = httpx.get(f"{collector.url}/api/events").json()["events"]
        assert [one["sessionId"] for one in events] == [None] * total
        assert events[0]["notes"] == []
        collector.store.close()


def test_what_was_answered_survives_a_killed_process(tmp_path: Path, event: Callable) -> None:
    database = tmp_path / "events.db"
    command = [sys.executable, "-m", "collector", "--port", "0", "--database", str(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().split()[-1]
            one = event()
            assert httpx.post(f"{url}/v1/t", json=one, timeout=20).status_code == 200
        finally:
            process.kill()
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT message_id FROM events").fetchall() == [
            (one["messageId"],)
        ]


def test_events_are_there_for_the_next_collector(
    start: Callable, tmp_path: Path, event: Callable
) -> None:
    database = tmp_path / "kept.db"
    httpx.post(f"{start(database=database).url}/v1/t", json=event())
    assert httpx.get(f"{start(database=database).url}/api/stats").json()["total"] == 1


def test_closing_writes_what_was_taken_and_then_takes_no_more(tmp_path: Path) -> None:
    store = Store(tmp_path / "events.db", capacity=1000)
    store.open()
    events = take_single(b"{", FACTS, "{}", expected="track").events
    promises = [store.submit(events) for _ in range(100)]
    store.close()
    assert all(promise.done() and promise.exception() is None for promise in promises)
    with pytest.raises(StoreBusyError):
        store.submit(events)
    with sqlite3.connect(store.path) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (100,)


def test_the_database_is_in_wal_mode_and_each_filter_has_an_index(
    start: Callable,
) -> None:
    connection = sqlite3.connect(start().store.path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    for column in ("user_id", "anonymous_id", "group_id", "message_id", "type", "name"):
        query = f"EXPLAIN QUERY PLAN SELECT * FROM events WHERE {column} = 'x'"
        assert "USING INDEX" in connection.execute(query).fetchone()[3]
    connection.close()
