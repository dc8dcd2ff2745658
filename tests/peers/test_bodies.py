"""The same calls make the same bodies, field by field, but for the differences on the table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser

from build_tools.paths import ROOT, npm_version, tracker_version
from build_tools.peers import PACKAGE
from tests.browser.conftest import Collector, Tab, wait_for
from tests.peers.calls import CALLS
from tests.peers.differences import Difference, Found, compare, normalised, table
from tests.peers.pages import OURS, THEIRS, Peer, visit

Json = dict[str, Any]

START = "await tracker.reset(); await tracker.setAnonymousId('anon-1');"
DONE = "Call done"  # an event behind each call shows which bodies are the call's
LOAD = {"integrations": {"Tool": {"key": 1}, "Off": False}}


@dataclass(frozen=True)
class Comparison:
    """The bodies of both, by call, and where they differ."""

    theirs: dict[str, list[Json]]
    ours: dict[str, list[Json]]
    found: list[Found]
    table: list[Difference]

    def times(self, row: Difference, call: str) -> int:
        """How often a known difference was found in the bodies of a call."""
        return sum(found.call == call and row.explains(found) for found in self.found)

    def least(self, row: Difference, call: str) -> int:
        """How often it must be found: once in a call that it names, else in every body."""
        return 1 if row.calls else min(len(self.theirs[call]), len(self.ours[call]))


@pytest.fixture(scope="module")
def comparison(chromium: Browser, running_collector: Collector) -> Comparison:
    theirs, ours = (bodies_of(peer, chromium, running_collector) for peer in (THEIRS, OURS))
    found = [each for call in CALLS for each in compare(call, theirs[call], ours[call])]
    rows = table(running_collector.url, tracker_version(), npm_version(PACKAGE))
    return Comparison(theirs, ours, found, rows)


def bodies_of(peer: Peer, chromium: Browser, collector: Collector) -> dict[str, list[Json]]:
    """What the collector gets from a tracker for every call."""
    collector.reset()
    begin = datetime.now(UTC)
    with chromium.new_context() as visitor:
        page = visit(
            Tab(visitor, collector.url),
            peer,
            path="/page.html?utm_source=news#top",
            options=LOAD,
            referrer=f"{collector.url}/before.html",
        )
        for statements in CALLS.values():
            page.run(f"{START} {statements}; await tracker.track({DONE!r})")
        wait_for(
            lambda: count_done(collector) == len(CALLS), f"the bodies of all calls from {peer.name}"
        )
        assert page.tab.errors == []
    bodies: list[list[Json]] = [[]]
    for record in collector.records():
        if record["payload"].get("event") == DONE:
            bodies.append([])
        else:
            bodies[-1].append(normalised(record["payload"], begin, datetime.now(UTC)))
    assert bodies.pop() == [], "something came after the last call"
    return dict(zip(CALLS, bodies, strict=True))


def count_done(collector: Collector) -> int:
    return sum(record["payload"].get("event") == DONE for record in collector.records())


def test_bodies_differ_only_where_the_table_says_so(comparison: Comparison) -> None:
    unexplained = [
        str(found)
        for found in comparison.found
        if not any(row.explains(found) for row in comparison.table)
    ]
    assert not unexplained, "\n".join(unexplained)


def test_every_difference_on_the_table_occurs_wherever_it_says(comparison: Comparison) -> None:
    missing = [
        f"{call}: {row.path} ({row.why})"
        for row in comparison.table
        for call in CALLS
        if row.expected_in(call) and comparison.times(row, call) < comparison.least(row, call)
    ]
    assert not missing, "\n".join(missing)


def test_the_table_names_only_calls_that_are_made(comparison: Comparison) -> None:
    named = {call for row in comparison.table for call in (*row.calls, *row.but)}
    assert named - CALLS.keys() == set()


def test_sites_are_told_of_every_difference(comparison: Comparison) -> None:
    text = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?:\W )?(.*)", text, re.MULTILINE)  # a dash stands for no decision
    told = {each.row: sum(row.startswith(each.row) for row in rows) for each in comparison.table}
    assert {row: number for row, number in told.items() if number != 1} == {}


def test_calls_without_an_event_name_make_no_body(comparison: Comparison) -> None:
    assert comparison.theirs["track: no name"] == comparison.ours["track: no name"] == []


def test_enough_was_compared(comparison: Comparison) -> None:
    assert sum(len(bodies) for bodies in comparison.theirs.values()) > 100
    types = {body["type"] for bodies in comparison.theirs.values() for body in bodies}
    assert types == {"track", "page", "screen", "identify", "group", "alias"}
