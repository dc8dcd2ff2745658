"""The fixture `tracked` as browser test suites of sites use it."""

from __future__ import annotations

import re

import pytest

from collector.testing import Tracked, WaitedInVainError
from tests.browser.conftest import Collector, Tab, snippet

CALLS = "for (let i = 0; i < 30; i++) cioanalytics.track('T' + i)"


def options(tracked: Tracked, more: str = "") -> str:
    return f"{{ apiHost: '{tracked.url}/v1', snowplow: {{ collectorUrl: '{tracked.url}' }}{more} }}"


def test_settled_waits_for_the_events_of_a_page_that_is_just_opened(
    tab: Tab, tracked: Tracked
) -> None:
    tab.open(snippet(CALLS, options=options(tracked)))
    tracked.settled(tab.page)
    names = [event["event"] for event in tracked.events(type="track", protocol="customerio")]
    assert names == [f"T{number}" for number in range(30)]
    assert len(tracked.events(protocol="snowplow")) == 31


def test_settled_takes_contexts_and_browsers_with_their_pages(
    tab: Tab, collector: Collector, tracked: Tracked
) -> None:
    tab.open(snippet(CALLS, options=options(tracked)))
    other = Tab(tab.context, collector.url)
    other.open(snippet(CALLS, options=options(tracked)), "/other.html")
    tracked.settled(tab.context)
    assert len(tracked.events(type="track", protocol="customerio")) == 60
    other.page.close()
    tab.run("() => cioanalytics.track('Last') && undefined")
    tracked.settled(tab.context.browser)
    assert len(tracked.events(name="Last", protocol="customerio")) == 1


def test_settled_without_a_page_waits_until_it_is_quiet(tab: Tab, tracked: Tracked) -> None:
    tab.open(snippet(CALLS, options=options(tracked)))
    tab.ready()
    tracked.settled()
    assert len(tracked.events(protocol="customerio")) == 31


def test_settled_names_a_page_without_a_tracker(tab: Tab, tracked: Tracked) -> None:
    tab.open("<p>nothing")
    with pytest.raises(WaitedInVainError, match=re.escape("there is no global cioanalytics")) as it:
        tracked.settled(tab.page)
    assert tab.page.url in str(it.value)


def test_settled_names_what_waits(tab: Tab, tracked: Tracked) -> None:
    nobody = "http://127.0.0.1:9/v1"
    tab.open(snippet("cioanalytics.track('A')", options=f"{{ apiHost: '{nobody}' }}"))
    with pytest.raises(WaitedInVainError, match=re.escape("2 event(s) wait")):
        tracked.settled(tab.page, timeout=10)


def test_golden_ids_and_times_are_the_same_for_every_visitor(
    tab: Tab, open_visitor: object, collector: Collector, tracked: Tracked
) -> None:
    html = snippet("cioanalytics.track('A')", "cioanalytics.identify('u1')")
    html = html.replace(
        '{ apiHost: "/v1" }', options(tracked, ", testing: { seed: 7, now: 1700000000000 }")
    )
    runs = []
    for each in (tab, Tab(open_visitor, collector.url)):  # type: ignore[arg-type]
        tracked.reset()
        each.open(html)
        tracked.settled(each.page)
        events, cookies = tracked.events(), each.cookies
        for event in events:
            event.pop("network_userid", None)  # this one is the collector's
        cookies.pop("sp")
        for cookie in cookies.values():
            cookie.pop("expires")
        runs.append([sorted(events, key=str), cookies])
    assert runs[0] == runs[1]
    own = tracked.events(name="A", protocol="customerio")
    assert [event["timestamp"] for event in own] == ["2023-11-14T22:13:20.000Z"]
