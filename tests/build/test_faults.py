"""The proxy that fails on purpose, before a real collector, and the table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from benchmarks.faults.__main__ import markdown, table
from benchmarks.faults.proxy import HANGS, LOSES_ANSWERS, RESETS, Gate, gate
from benchmarks.faults.world import free_port
from collector.server import running
from collector.settings import Settings

EVENT = {"type": "track", "event": "fault-1", "anonymousId": "a", "timestamp": "2026-01-01"}


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    settings = Settings(tmp_path_factory.mktemp("faults") / "events.sqlite")
    with running(settings) as collector, gate(free_port(), collector.url) as it:
        yield it


def send(door: Gate, id_: str) -> httpx.Response:
    address = f"http://127.0.0.1:{door.proxy.port}/v1/t"
    body = {**EVENT, "messageId": id_, "writeKey": "wk"}
    return httpx.post(address, json=body, headers={"Origin": "https://s.example"}, timeout=1)


def stored(door: Gate, id_: str) -> bool:
    events = httpx.get(f"{door.proxy.target}/api/events").json()["events"]
    return any(event["payload"].get("messageId") == id_ for event in events)


def test_without_a_fault_events_pass(door: Gate) -> None:
    answer = send(door, "passes")
    assert answer.status_code == 200
    assert "access-control-allow-origin" in answer.headers
    assert stored(door, "passes")


def test_an_answer_with_a_status_is_one_that_pages_may_read(door: Gate) -> None:
    door.proxy.fault, door.proxy.headers = 503, {"retry-after": "3"}
    answer = send(door, "refused")
    door.proxy.fault, door.proxy.headers = None, {}
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert answer.headers["access-control-allow-origin"] == "https://s.example"
    assert not stored(door, "refused")


@pytest.mark.parametrize(("fault", "arrives"), [(HANGS, 0), (RESETS, 0), (LOSES_ANSWERS, 1)])
def test_a_fault_breaks_requests_off(door: Gate, fault: str, arrives: bool) -> None:
    door.proxy.fault = fault
    with pytest.raises(httpx.HTTPError):
        send(door, fault)
    door.proxy.fault = None
    assert stored(door, fault) == arrives


def test_one_event_can_be_refused(door: Gate) -> None:
    door.proxy.poison = "poison"
    assert send(door, "poison").status_code == 413
    assert send(door, "harmless").status_code == 200
    door.proxy.poison = ""


def test_a_closed_door_refuses_connections(door: Gate) -> None:
    door.close()
    with pytest.raises(httpx.ConnectError):
        send(door, "closed")
    door.open()
    assert send(door, "open").status_code == 200


def test_the_last_line_of_a_table_is_the_sum() -> None:
    row: dict[str, Any] = {"tracked": 4, "stored": 3, "lost": 1, "unavoidable": 0}
    row |= {"duplicates": 2, "again": 0, "seconds": 1.5}
    lines = table({"500": row, "429": row}).splitlines()
    assert lines[1].split() == ["500", "4", "3", "1", "0", "2", "0", "1.5"]
    assert lines[-1] == "2 scenarios, 2 lost, 4 duplicates"


def test_the_table_of_the_documents_has_a_column_for_each_tracker() -> None:
    row: dict[str, Any] = {"tracked": 4, "stored": 3, "lost": 1, "unavoidable": 5}
    row |= {"duplicates": 2, "again": 7, "seconds": 1.5}
    text = markdown({"Theirs": {"500": row}, "ours": {"500": {**row, "lost": 0}}}, "told")
    assert "| 500 | 1 | 2 | 0 | 2 | 5 | 7 | 1.5 |" in text
    assert "| **all** | 1 | 2 | 0 | 2 | | | |" in text
