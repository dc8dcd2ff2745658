"""Snowplow trackers in a real page: events at the collector, and what the browser keeps."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import Collector, Tab, snippet

# http on loopback: cookies that demand HTTPS would not be kept in every engine
COLLECTOR = "collectorUrl: location.origin, cookieSecure: false"
BOTH = f"{{apiHost: '/v1', snowplow: {{{COLLECTOR}, contexts: {{session: true}}}}}}"

TAG = """<script>
window.GlobalSnowplowNamespace = ['snowplow'];
window.snowplow = function () { (window.snowplow.q = window.snowplow.q || []).push(arguments); };
</script><script async src="/tracker/loader.js"></script>
<a id="link" href="https://other.example/p?x=1">Other</a>
"""


def good(collector: Collector) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = [item["event"] for item in collector.get("/micro/good")]
    return [event for event in reversed(events) if event["name_tracker"]]


def fields(collector: Collector) -> list[dict[str, Any]]:
    return [record["fields"] for record in collector.records(protocol="snowplow")]


def test_events_of_cioanalytics_reach_both_destinations(tab: Tab, collector: Collector) -> None:
    tab.open(
        snippet("cioanalytics.identify('u1', {age: 3}); cioanalytics.track('A')", options=BOTH)
    )
    tab.wait_for(lambda: len(collector.records()) == 6, "three events, twice")
    assert collector.get("/micro/bad") == []
    events = fields(collector)
    assert [event["event"] for event in events] == ["page_view", "unstruct", "struct"]
    assert len({event["domain_sessionid"] for event in events}) == 1
    assert {event["user_id"] for event in events[1:]} == {"u1"}
    assert any(name.startswith("_sp_id.") for name in tab.cookies)
    assert tab.run("() => cioanalytics.getDomainUserId()") == events[0]["domain_userid"]
    assert tab.errors == []


def test_the_next_page_continues_the_session(tab: Tab, collector: Collector) -> None:
    tab.open(snippet(options=BOTH))
    tab.wait_for(lambda: len(fields(collector)) == 1, "the first page view")
    tab.page.reload()
    tab.wait_for(lambda: len(fields(collector)) == 2, "the second page view")
    first, second = fields(collector)
    for name in ("domain_userid", "domain_sessionid", "domain_sessionidx"):
        assert first[name] == second[name], name


def test_a_site_with_snowplows_tag_changes_the_scripts_address_only(
    tab: Tab, collector: Collector
) -> None:
    calls = """<script>
    snowplow('newTracker', 'sp', location.origin, {appId: 'shop', cookieSecure: false,
        onSessionUpdateCallback: (session) => { window.session = session; }});
    snowplow('trackPageView:sp', {title: 'Given'});
    snowplow('crossDomainLinker', (link) => link.hostname === 'other.example');
    snowplow(function () { window.known = this.sp.getDomainUserId(); });
    </script>"""
    tab.open(TAG + calls)
    tab.wait_for(lambda: len(fields(collector)) == 1, "the page view")
    event = fields(collector)[0]
    assert (event["event"], event["page_title"], event["app_id"]) == ("page_view", "Given", "shop")
    tab.wait_for(lambda: tab.run("() => !!window.session && !!window.known"), "the callbacks")
    assert tab.run("() => window.session.eventIndex") == 1
    assert tab.run("() => window.known") == event["domain_userid"]
    tab.run("() => document.addEventListener('click', (event) => event.preventDefault())")
    tab.page.click("#link")
    href = tab.run("() => document.getElementById('link').href")
    assert href.startswith(f"https://other.example/p?_sp={event['domain_userid']}.")
    assert not [name for name in tab.cookies if name.startswith("ajs_")]
    assert tab.errors == []


def test_a_visitor_who_scrolls_is_seen_by_page_pings(tab: Tab, collector: Collector) -> None:
    call = "cioanalytics.enableActivityTracking({minimumVisitLength: 1, heartbeatDelay: 1});"
    options = BOTH.replace("apiHost", "initialPageview: false, apiHost")
    tab.open(
        "<div style='height: 5000px'>x</div>"
        + snippet(call + "cioanalytics.trackPageView()", options=options)
    )
    tab.wait_for(lambda: len(fields(collector)) >= 2, "the page views")
    tab.page.mouse.wheel(0, 700)
    tab.wait_for(lambda: [e for e in fields(collector) if e["event"] == "page_ping"], "a page ping")
    ping = next(e for e in fields(collector) if e["event"] == "page_ping")
    assert ping["pp_yoffset_max"] > 0


@pytest.mark.parametrize(
    ("options", "then", "events"),
    [
        ("stateStorageStrategy: 'none'", "", True),
        ("anonymousTracking: true", "", True),
        ("", "cioanalytics.setOptOutCookie('optout')", False),
        ("optOutCookie: 'optout'", "", False),
    ],
)
def test_a_visitor_who_says_no_leaves_no_trace(
    tab: Tab, collector: Collector, options: str, then: str, events: bool
) -> None:
    if not events:
        tab.context.add_cookies([{"name": "optout", "value": "1", "url": tab.origin}])
    given = f"{{apiHost: '/v1', {options}, snowplow: {{{COLLECTOR}}}}}".replace(", ,", ",")
    tab.open(snippet(then or "0", "cioanalytics.identify('u1', {a: 1})", options=given))
    if events:
        tab.wait_for(lambda: len(fields(collector)) >= 1, "the page view")
    tab.page.wait_for_timeout(500)
    # `sp` is the collector's own cookie, which a site switches off there
    assert set(tab.cookies) <= {"optout", *(["sp"] if events else [])}
    assert tab.local == {}
    assert tab.run("() => sessionStorage.length") == 0
    if not events:
        asked = {url.rpartition("/")[2] for url in tab.asked_for("/")}
        assert asked <= {"page.html", "start.js", "favicon.ico"}
        assert collector.records() == []
