"""The same calls make the same Snowplow payloads, but for the differences on the table."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from playwright.sync_api import Browser

from build_tools.paths import ROOT
from tests.browser.conftest import Collector, Tab, wait_for
from tests.peers.comparing import Comparison, documented
from tests.peers.pages import Peer, visit
from tests.peers.snowplow_calls import CALLS, OPTIONS
from tests.peers.snowplow_differences import Marks, kind, table
from tests.peers.snowplow_pages import OPTIONS as COMMON
from tests.peers.snowplow_pages import TAG, THEIRS

Json = dict[str, Any]

DONE = "Call done"  # an event behind each call shows that all of the call's are there

# `settled`: the tracker has taken over the calls before.
START = """
const settled = () => ask('sp', 'getDomainSessionIndex');
for (const cookie of document.cookie.split('; '))
    document.cookie = `${cookie.split('=')[0]}=; Max-Age=0; path=/`;
tracker('newTracker', 'NS', location.origin, %s);
await settled();
"""
END = "await settled(); tracker('trackStructEvent:NS', {category: 'c', action: %r});"
END += "tracker('flushBuffer:NS'); await settled();"


@pytest.fixture(scope="module")
def comparison(browser: Browser, running_collector: Collector) -> Comparison:
    theirs, ours = (payloads_of(peer, browser, running_collector) for peer in (THEIRS, TAG))
    return Comparison(theirs, ours, table(running_collector.url), kind)


def payloads_of(peer: Peer, browser: Browser, collector: Collector) -> dict[str, list[Json]]:
    """What the collector gets from a tracker for every call."""
    collector.reset()
    names = {f"call{number}": call for number, call in enumerate(CALLS)}
    begin = time.time() * 1000 - 1
    with browser.new_context() as visitor:
        page = visit(
            Tab(visitor, collector.url),
            peer,
            path="/page.html?utm_source=news#top",
            referrer=f"{collector.url}/before.html?ref=r+1",
        )
        for name, call in names.items():
            given = {"appId": "shop", "cookieName": f"_{name}_", **OPTIONS.get(call, {})}
            options = json.dumps({**COMMON, **given})
            statements = START % options + CALLS[call] + END % DONE
            page.run(statements.replace("NS", name))
        wait_for(
            lambda: len(done(collector)) == len(CALLS), f"the payloads of all calls: {peer.name}"
        )
        assert page.tab.errors == []
    end = time.time() * 1000 + 1
    payloads: dict[str, list[Json]] = {call: [] for call in CALLS}
    marks = {call: Marks(begin, end) for call in CALLS}
    for record in records(collector):
        payload = record["payload"]
        if payload["tna"] in names and payload.get("se_ac") != DONE:
            call = names[payload["tna"]]
            payloads[call].append(marks[call].marked(payload))
    return payloads


def records(collector: Collector) -> list[Json]:
    return collector.records(protocol="snowplow")


def done(collector: Collector) -> list[Json]:
    return [record for record in records(collector) if record["payload"].get("se_ac") == DONE]


@pytest.mark.parametrize("call", CALLS)
def test_payloads_differ_only_where_the_table_says_so(comparison: Comparison, call: str) -> None:
    unexplained = [str(found) for found in comparison.unexplained if found.call == call]
    assert not unexplained, "\n".join(unexplained)


def test_every_difference_on_the_table_occurs_wherever_it_says(comparison: Comparison) -> None:
    assert not comparison.missing, "\n".join(comparison.missing)


def test_the_table_names_only_calls_that_are_made(comparison: Comparison) -> None:
    assert comparison.unknown_calls == set()


def test_sites_are_told_of_every_difference(comparison: Comparison) -> None:
    text = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")
    assert comparison.untold(documented(text.partition("\n## Snowplow")[2])) == {}


def test_enough_was_compared(comparison: Comparison) -> None:
    assert len(comparison.theirs) >= 40
    assert sum(len(payloads) for payloads in comparison.theirs.values()) > 100
    kinds = {body["e"] for bodies in comparison.theirs.values() for body in bodies}
    assert kinds == {"pv", "pp", "se", "ue"}
