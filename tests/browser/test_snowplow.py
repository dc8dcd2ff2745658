"""Snowplow trackers in a real page: events at the collector, and what the browser keeps."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.conftest import HOST, Collector, Tab, snippet

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


def sessions(collector: Collector) -> list[dict[str, Any]]:
    """The `client_session` entity of each event."""
    entities = [event["contexts"]["data"] for event in fields(collector)]
    return [each["data"] for listed in entities for each in listed if "sessionId" in each["data"]]


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
    tab.ready()
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
    tab.page.hover("#link")
    tab.page.wait_for_timeout(100)  # a core in a worker answers after a message's way
    tab.page.click("#link")
    href = tab.run("() => document.getElementById('link').href")
    assert href.startswith(f"https://other.example/p?_sp={event['domain_userid']}.")
    assert not [name for name in tab.cookies if name.startswith("ajs_")]
    assert tab.errors == []


def test_calls_of_the_tag_are_of_the_moment_and_the_page_where_they_were_made(
    tab: Tab, collector: Collector
) -> None:
    calls = """<script>
    ran = [];
    rejected = [];
    addEventListener('unhandledrejection', (event) => rejected.push(String(event.reason)));
    snowplow(function () { ran.push(Object.keys(this)); });
    snowplow('newTracker', 'sp', location.origin, {cookieSecure: false});
    snowplow('addPlugin', '/missing.js', ['nothing', 'There'], [], false);
    snowplow(function () { ran.push(Object.keys(this)); });
    </script>"""
    tab.open(TAG + calls)
    tab.wait_for(lambda: tab.run("() => ran.length") == 2, "both functions")
    tab.run(
        """() => {
            pushed = Date.now();
            snowplow('addPlugin', '/missing-too.js', ['nothing', 'There']); // the queue waits
            snowplow('trackPageView');
            history.pushState({}, '', '/second.html');
            snowplow('trackPageView');
        }"""
    )
    tab.wait_for(lambda: len(fields(collector)) == 2, "both page views")
    first, second = fields(collector)
    assert first["page_url"].endswith("/page.html")
    assert second["page_url"].endswith("/second.html")
    assert second["page_referrer"] == first["page_url"]
    made = [int(record["payload"]["dtm"]) for record in collector.records(protocol="snowplow")]
    assert all(abs(time - tab.run("() => pushed")) < 1000 for time in made)
    assert tab.run("() => [ran, rejected]") == [[[], ["sp"]], []]


def test_functions_are_known_again_and_tell_the_reason_of_a_link(
    tab: Tab, collector: Collector
) -> None:
    calls = """<script>
    const add = () => ({schema: 'iglu:com.acme/thing/jsonschema/1-0-0', data: {}});
    snowplow('newTracker', 'sp', location.origin, {
        cookieSecure: false,
        crossDomainLinker: () => true,
        useExtendedCrossDomainLinker: {reason: (link) => 'to ' + link.id},
    });
    snowplow('addGlobalContexts', [add]);
    snowplow('trackPageView', {title: 'with'});
    snowplow('removeGlobalContexts', [add]);
    snowplow('trackPageView', {title: 'without'});
    </script>"""
    tab.open(TAG + calls)
    tab.wait_for(lambda: len(collector.records(protocol="snowplow")) == 2, "both page views")
    kinds = {event["page_title"]: str(event["contexts"]) for event in fields(collector)}
    assert {title: "thing" in kind for title, kind in kinds.items()} == {
        "with": True,
        "without": False,
    }
    tab.run("() => document.addEventListener('click', (event) => event.preventDefault())")
    tab.page.hover("#link")
    tab.page.wait_for_timeout(100)  # a core in a worker answers after a message's way
    tab.page.click("#link")
    reason = tab.run("() => document.getElementById('link').href").partition("_sp=")[2]
    encoded = reason.partition("&")[0].split(".")[-1]
    assert base64.urlsafe_b64decode(encoded + "==").decode() == "to link"


def test_a_visitor_who_scrolls_is_seen_by_page_pings(tab: Tab, collector: Collector) -> None:
    call = "cioanalytics.enableActivityTracking({minimumVisitLength: 1, heartbeatDelay: 1});"
    options = BOTH.replace("apiHost", "initialPageview: false, apiHost")
    tab.open(
        "<div style='height: 5000px'>x</div>"
        + snippet(call + "cioanalytics.trackPageView()", options=options)
    )
    tab.wait_for(lambda: len(fields(collector)) >= 2, "the page views")

    def pings() -> list[dict[str, Any]]:
        tab.page.mouse.wheel(0, 50)  # a visitor goes on scrolling
        return [event for event in fields(collector) if event["event"] == "page_ping"]

    tab.wait_for(pings, "a page ping")
    ping = pings()[0]
    assert ping["pp_yoffset_max"] > 0


FRAMES = 15
TOO_LATE = "cores of their own see each other's cookies too late"


@pytest.mark.skipif(HOST == "worker", reason=TOO_LATE)
@pytest.mark.parametrize("strategy", ["cookieAndLocalStorage", "localStorage"])
def test_frames_that_open_at_once_share_one_session(
    tab: Tab, collector: Collector, strategy: str
) -> None:
    options = BOTH.replace("apiHost", f"stateStorageStrategy: '{strategy}', apiHost", 1)
    tab.serve("/frame.html", snippet(options=options))
    tab.open('<iframe src="/frame.html"></iframe>' * FRAMES)
    tab.wait_for(lambda: len(fields(collector)) == FRAMES, "a page view of each frame")
    events = fields(collector)
    assert len({event["domain_sessionid"] for event in events}) == 1
    assert len({event["domain_userid"] for event in events}) == 1
    assert {event["domain_sessionidx"] for event in events} == {1}
    assert {event["eventIndex"] for event in sessions(collector)} == {*range(1, FRAMES + 1)}
    tab.wait_for(lambda: len(collector.records()) == 2 * FRAMES, "the same for Customer.io")
    bodies = [record["payload"] for record in collector.records(protocol="customerio")]
    assert len({body["anonymousId"] for body in bodies}) == 1


@pytest.mark.skipif(HOST != "shared", reason=TOO_LATE)  # tabs have processes of their own
def test_tabs_that_open_at_once_share_one_session(
    visitor: BrowserContext, collector: Collector
) -> None:
    tabs = [Tab(visitor, collector.url) for _ in range(FRAMES)]
    for tab in tabs:
        tab.serve("/page.html", snippet(options=BOTH))
        tab.page.evaluate(f"() => void setTimeout(() => {{ location = '{tab.origin}/page.html' }})")
    for number in range(1, FRAMES + 1):  # each tab starts a Python of its own, which takes time
        tabs[0].wait_for(lambda n=number: len(fields(collector)) >= n, f"{number} page views")
    events = fields(collector)
    assert len({event["domain_sessionid"] for event in events}) == 1
    assert len({event["domain_userid"] for event in events}) == 1
    assert {event["domain_sessionidx"] for event in events} == {1}


def test_a_gap_longer_than_the_session_starts_the_second_visit(
    tab: Tab, collector: Collector
) -> None:
    options = BOTH.replace("cookieSecure", "sessionCookieTimeout: 2, cookieSecure")
    html = snippet(options=options)
    assert "cio.page();" in html
    tab.open(html.replace("cio.page();", ""))
    tab.ready()
    # The page's own timer: how long an event takes to the collector is no part of the gap.
    tab.run("""() => new Promise((done) => {
        cioanalytics.track('First');
        setTimeout(() => done(cioanalytics.track('In time')), 1000);
    })""")
    tab.wait_for(lambda: len(fields(collector)) == 2, "the first event and one in time")
    tab.page.wait_for_timeout(2500)
    tab.run("() => cioanalytics.track('Too late')")
    tab.wait_for(lambda: len(fields(collector)) == 3, "an event too late")
    tab.page.wait_for_timeout(2500)
    tab.open(html)
    tab.wait_for(lambda: len(fields(collector)) == 4, "the next page")
    ids = [event["domain_sessionid"] for event in fields(collector)]
    assert [event["domain_sessionidx"] for event in fields(collector)] == [1, 1, 2, 3]
    assert ids[0] == ids[1] and len(set(ids)) == 3
    told = sessions(collector)
    assert [each["previousSessionId"] for each in told] == [None, None, ids[0], ids[2]]
    assert [each["eventIndex"] for each in told] == [1, 2, 1, 1]
    first = [event["event_id"] for event in fields(collector)]
    assert [each["firstEventId"] for each in told] == [first[0], first[0], first[2], first[3]]


def test_cleared_stores_make_somebody_new(tab: Tab, collector: Collector) -> None:
    tab.open(snippet(options=BOTH))
    tab.wait_for(lambda: len(collector.records()) == 2, "the first page view")
    tab.open("<title>No tracker</title>", path="/nothing.html")
    tab.context.clear_cookies()
    tab.run("() => localStorage.clear()")
    tab.open(snippet(options=BOTH))
    tab.wait_for(lambda: len(collector.records()) == 4, "the second page view")
    first, second = fields(collector)
    for name in ("domain_userid", "domain_sessionid", "network_userid"):
        assert first[name] != second[name], name
    assert (first["domain_sessionidx"], second["domain_sessionidx"]) == (1, 1)
    bodies = [record["payload"] for record in collector.records(protocol="customerio")]
    assert len({body["anonymousId"] for body in bodies}) == 2
    assert sessions(collector)[1]["previousSessionId"] is None
