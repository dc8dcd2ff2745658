from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest

from tests.unit.site import Site
from tracker.browser import Page
from tracker.calls import Call
from tracker.events import campaign, page_facts
from tracker.testing import FakeBrowser, FakeProfile

BROWSER = FakeBrowser("https://www.site.example/")


@pytest.mark.parametrize(
    ("href", "canonical", "path", "url"),
    [
        ("https://s.example/a?x=1#h", "", "/a", "https://s.example/a?x=1"),
        ("https://s.example/a?x=1#h", "https://c.example/b", "/b", "https://c.example/b?x=1"),
        ("https://s.example/a?x=1", "https://c.example/b?y=2", "/b", "https://c.example/b?y=2"),
        ("https://s.example/a/?x=1", "../b", "/b", "https://s.example/b?x=1"),
        ("https://s.example/a?x=1", "/b#part", "/b", "https://s.example/b?x=1"),
        ("https://s.example/a", "http://[", "/a", "https://s.example/a"),
        ("about:srcdoc", "", "srcdoc", "about:srcdoc"),
    ],
)
def test_page_facts_come_from_the_canonical_link_or_the_address(
    href: str, canonical: str, path: str, url: str
) -> None:
    facts = page_facts(BROWSER, Page(href, "T", "https://ref.example/", canonical))
    assert (facts["title"], facts["referrer"]) == ("T", "https://ref.example/")
    if href.startswith("https:"):
        assert (facts["path"], facts["url"]) == (path, url)


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("?utm_source=a&utm_campaign=b+c", {"source": "a", "name": "b c"}),
        ("?utm_medium", {"medium": ""}),
        ("?utm_x=1=2", {"x": "1"}),
        ("?a=1?utm_source=b", {"source": "b"}),
        ("?utm_=1&xutm_foo=9", {}),
        ("?utm_term=%zz", {"term": "%zz"}),
        ("?x=1", {}),
    ],
)
def test_the_campaign_is_read_from_the_query(search: str, expected: dict[str, str]) -> None:
    assert campaign(search, BROWSER) == expected


def event(site: Site, *call: Any, **more: Any) -> dict[str, Any]:
    site.post(*call, **more)
    site.settle()
    return site.sent[-1]


def test_time_and_page_are_those_of_the_call(site: Site) -> None:
    page = {"href": "https://www.site.example/one?utm_source=s", "title": "One", "referrer": "r"}
    site.post("page", at=1_700_000_000_000, page=page)
    site.browser.push_state("/two", "Two")
    site.load()
    site.settle()
    body = site.sent[0]
    assert body["timestamp"] == "2023-11-14T22:13:20.000Z"
    assert body["properties"]["path"] == "/one"
    assert body["context"]["page"]["title"] == "One"
    assert body["context"]["campaign"] == {"source": "s"}


def test_the_context_tells_about_the_browser() -> None:
    hints = {"brands": [], "mobile": False, "platform": "Linux"}
    site = Site.of(FakeProfile(client_hints=hints))
    site.load()
    context = event(site, "track", "T")["context"]
    assert context["timezone"] == "Europe/London"
    assert context["locale"] == "en-GB"
    assert context["screen"] == {"width": 1920, "height": 1080, "density": 1}
    assert context["userAgentData"] == hints
    assert context["library"]["name"] == "analytics.js"
    assert "campaign" not in context


def test_options_go_to_the_event_or_into_its_context(site: Site) -> None:
    site.load()
    options = {
        "timestamp": "2020-01-01",
        "userId": "once",
        "context": {"ip": "0.0.0.0", "page": {"title": "Given"}, "deep": {"kept": 1}},
        "deep.added": 2,
        "traits": {"plan": "x"},
        "integrations": {"Foo": False},
    }
    body = event(site, "track", "T", {}, options)
    assert body["timestamp"] == "2020-01-01"
    assert body["userId"] == "once"
    assert body["integrations"] == {"Foo": False}
    assert body["context"]["ip"] == "0.0.0.0"
    assert body["context"]["page"]["title"] == "Given"
    assert body["context"]["deep"] == {"kept": 1, "added": 2}
    assert body["context"]["traits"] == {"plan": "x"}
    assert site.ask("user.id") is None


def test_a_property_named_like_a_page_fact_changes_the_page_of_page_events_only(
    site: Site,
) -> None:
    site.browser.title = "Real"
    site.load()
    assert event(site, "track", "T", {"title": "Song"})["context"]["page"]["title"] == "Real"
    body = event(site, "page", {"title": "Song"})
    assert body["properties"]["title"] == "Song"
    assert body["context"]["page"]["title"] == "Song"


def test_a_screen_has_page_facts_in_its_context(site: Site) -> None:
    site.load()
    body = event(site, "screen", "cat", "Home", {"p": 1})
    assert (body["category"], body["name"], body["properties"]) == ("cat", "Home", {"p": 1})
    assert body["context"]["page"]["path"] == "/"


def test_ids_of_events_are_unique(site: Site) -> None:
    site.load()
    for _ in range(50):
        site.post("track", "T")
    site.settle()
    assert len({body["messageId"] for body in site.sent}) == 50
    assert all(len(body["messageId"]) == len("ajs-next-") + 32 for body in site.sent)


def test_initial_pageview_comes_before_other_calls(site: Site) -> None:
    site.post("track", "Early")
    site.load(initialPageview=True)
    site.settle()
    assert [body["type"] for body in site.sent] == ["page", "track"]


def test_the_referrer_of_a_page_view_is_the_address_before_it() -> None:
    site = Site(FakeBrowser("https://www.site.example/one", referrer="https://ref.example/"))
    site.load()
    site.post("page")
    site.post("track", "T")
    site.browser.push_state("/two#part")
    site.post("page")
    site.browser.push_state("/two#other")
    site.post("track", "T")
    site.browser.push_state("/one")
    site.post("page")
    site.settle()
    assert [body["context"]["page"]["referrer"] for body in site.sent] == [
        "https://ref.example/",
        "https://ref.example/",
        "https://www.site.example/one",
        "https://www.site.example/one",
        "https://www.site.example/two",
    ]


CALL = "c0.12345678901234560.6543210987654321-"


def call(id_: str) -> Call:
    return Call(id_, "track", [], 0, FakeBrowser("https://www.site.example/").page())


def test_whoever_handles_a_call_makes_the_same_event_of_it() -> None:
    browser = FakeBrowser("https://www.site.example/")
    more = ("", "-page", "-identify")  # of the calls that one call brings about
    calls = [f"{CALL}{n}{rest}" for n in range(500) for rest in more]
    ids = [call(id_).event_id(browser, maker) for id_ in calls for maker in ("", "sp")]
    assert len(set(ids)) == len(ids)
    assert all(uuid.UUID(each).version == 4 for each in ids)
    assert {uuid.UUID(each).variant for each in ids} == {uuid.RFC_4122}
    other = FakeBrowser("https://www.site.example/")
    assert call(calls[7]).event_id(other, "sp") == ids[15]


def test_ids_of_calls_that_are_not_unlike_all_others_do_not_count() -> None:
    browser = FakeBrowser("https://www.site.example/")
    assert call("c1").event_id(browser) != call("c1").event_id(browser)


def test_a_call_that_two_runtimes_handle_is_one_event() -> None:
    profile = FakeProfile()
    sites = [Site.of(profile), Site.of(profile)]
    for site in sites:
        site.load(snowplow={"collectorUrl": "https://c.example"})
        site.post("track", "A", id=f"{CALL}1")
        site.post("trackPageView", id=f"{CALL}2")
        site.settle()
    first, second = ([json.dumps(body) for body in site.sent] for site in sites)
    ids = {*re.findall(r'"(?:eid|messageId)": "([^"]*)"', "".join(first))}
    assert len(ids) == 3
    assert ids == {*re.findall(r'"(?:eid|messageId)": "([^"]*)"', "".join(second))}
