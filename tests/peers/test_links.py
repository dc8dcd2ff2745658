"""A link that names the visitor (`ajs_uid`, `ajs_aid`, `ajs_event`) does the same in both."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Collector, Tab
from tests.peers.pages import OURS, THEIRS, Peer, visit

Json = dict[str, Any]

LINK = (
    "/page.html?utm_source=mail&ajs_uid=u%201&ajs_aid=anon%2B1&ajs_trait_email=z%40example.com"
    "&ajs_trait_plan=a+b&ajs_event=Opened&ajs_prop_mail=7"
)


def follow(peer: Peer, browser: Browser, collector: Collector) -> tuple[Json, list[Json]]:
    """Whom a tracker takes the visitor for, and what it sends, with a track call at the end."""
    collector.reset()
    with browser.new_context() as visitor:
        tab = Tab(visitor, collector.url)
        page = visit(tab, peer, path=LINK, referrer=f"{collector.url}/before.html")
        page.run("await tracker.track('Later')")
        events = {event.get("event", event["type"]): event for event in collector.events(3)}
        return page.identity(), [events[name] for name in ("identify", "Opened", "Later")]


@pytest.fixture(scope="module")
def followed(browser: Browser, running_collector: Collector) -> list[tuple[Json, list[Json]]]:
    return [follow(peer, browser, running_collector) for peer in (THEIRS, OURS)]


def test_a_link_names_the_same_visitor(followed: list[tuple[Json, list[Json]]]) -> None:
    (theirs, _), (ours, _) = followed
    assert ours == theirs
    assert (ours["user"], ours["anonymous"]) == ("u 1", "anon+1")
    assert ours["traits"] == {"email": "z@example.com", "plan": "a b"}


@pytest.mark.parametrize("path", ["userId", "anonymousId", "traits", "event", "properties"])
def test_events_of_a_link_are_the_same(followed: list[tuple[Json, list[Json]]], path: str) -> None:
    (_, theirs), (_, ours) = followed
    assert [event.get(path) for event in ours] == [event.get(path) for event in theirs]


@pytest.mark.parametrize("fact", ["path", "referrer", "title"])
def test_pages_reached_by_a_link_are_the_same(
    followed: list[tuple[Json, list[Json]]], fact: str
) -> None:
    (_, theirs), (_, ours) = (
        (who, [event["context"]["page"][fact] for event in events]) for who, events in followed
    )
    assert ours == theirs


def test_only_theirs_sends_the_link_with_every_event(
    followed: list[tuple[Json, list[Json]]],
) -> None:
    (_, theirs), (_, ours) = followed
    assert all("ajs_uid" in event["context"]["page"]["search"] for event in theirs)
    assert [event["context"]["page"]["search"] for event in ours] == ["?utm_source=mail"] * 3
    assert not any("ajs_" in str(event["context"]) for event in ours)
