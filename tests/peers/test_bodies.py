"""The same calls make the same bodies, field by field, but for the differences on the table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser

from build_tools.paths import ROOT, npm_version, tracker_version
from build_tools.peers import PACKAGE
from tests.browser.conftest import Collector, Tab, wait_for
from tests.peers.calls import CALLS
from tests.peers.comparing import Comparison, documented
from tests.peers.differences import kind, normalised, table
from tests.peers.pages import OURS, THEIRS, Peer, visit

Json = dict[str, Any]

START = "await tracker.reset(); await tracker.setAnonymousId('anon-1');"
DONE = "Call done"  # an event behind each call shows which bodies are the call's
LOAD = {"integrations": {"Tool": {"key": 1}, "Off": False}}


@pytest.fixture(scope="module")
def comparison(browser: Browser, running_collector: Collector) -> Comparison:
    theirs, ours = (bodies_of(peer, browser, running_collector) for peer in (THEIRS, OURS))
    rows = table(running_collector.url, tracker_version(), npm_version(PACKAGE))
    return Comparison(theirs, ours, rows, kind)


def bodies_of(peer: Peer, browser: Browser, collector: Collector) -> dict[str, list[Json]]:
    """What the collector gets from a tracker for every call."""
    collector.reset()
    begin = datetime.now(UTC)
    with browser.new_context() as visitor:
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
    assert not comparison.unexplained, "\n".join(map(str, comparison.unexplained))


def test_every_difference_on_the_table_occurs_wherever_it_says(comparison: Comparison) -> None:
    assert not comparison.missing, "\n".join(comparison.missing)


def test_the_table_names_only_calls_that_are_made(comparison: Comparison) -> None:
    assert comparison.unknown_calls == set()


def test_sites_are_told_of_every_difference(comparison: Comparison) -> None:
    text = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")
    assert comparison.untold(documented(text.partition("\n## Snowplow")[0])) == {}


def test_calls_without_an_event_name_make_no_body(comparison: Comparison) -> None:
    assert comparison.theirs["track: no name"] == comparison.ours["track: no name"] == []


def test_enough_was_compared(comparison: Comparison) -> None:
    assert sum(len(bodies) for bodies in comparison.theirs.values()) > 100
    types = {body["type"] for bodies in comparison.theirs.values() for body in bodies}
    assert types == {"track", "page", "screen", "identify", "group", "alias"}
