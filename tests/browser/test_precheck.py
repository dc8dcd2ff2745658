"""A visitor who says no: nothing is downloaded, requested, stored or sent."""

from __future__ import annotations

from itertools import repeat

import pytest

from tests.browser.conftest import Collector, Tab, snippet

DNT = "Object.defineProperty(Navigator.prototype, 'doNotTrack', {get: () => '1'})"
GPC = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})"
OPT_OUT = "document.cookie = 'optout=1; path=/'"


@pytest.mark.parametrize(
    ("signal", "option"),
    [
        (DNT, "respectDoNotTrack: true"),
        (GPC, "respectGlobalPrivacyControl: true"),
        (GPC, "respectDoNotTrack: true"),
        (OPT_OUT, "optOutCookie: 'optout'"),
    ],
)
def test_a_visitor_who_refuses_leaves_no_trace(
    tab: Tab, collector: Collector, signal: str, option: str
) -> None:
    tab.page.add_init_script(signal)
    tab.open(
        snippet("cioanalytics.identify('u1', {a: 1})", options=f"{{apiHost: '/v1', {option}}}")
    )
    tab.wait_for(
        lambda: [1 for kind, text in tab.console if "nothing is tracked" in text], "the message"
    )
    answers = tab.run(
        """async () => {
            const user = cioanalytics.user();
            return [await cioanalytics.track('A'), user.id(), user.id('x'), user.traits(),
                await cioanalytics.ready()];
        }"""
    )
    assert answers[1:4] == [None, "x", {}]
    tab.page.wait_for_timeout(300)
    loaded = {url.rpartition("/")[2] for url in collector.asked_for("/")}
    assert loaded <= {"page.html", "start.js", "favicon.ico"}
    assert set(tab.cookies) <= {"optout"}
    assert tab.local == {}
    tab.page.goto(tab.origin + "/page.html")
    assert tab.local == {}
    assert collector.records() == []


def test_what_earlier_visits_kept_is_removed(tab: Tab, collector: Collector) -> None:
    kept = {"name": "ajs_user_id", "value": "u1"}
    tab.context.add_cookies(
        [{**kept, "url": tab.origin}, {**kept, "name": "me", "url": tab.origin}]
    )
    tab.context.add_cookies([{"name": "optout", "value": "1", "url": tab.origin}])
    before = "for (const key of ['ajs_user_traits', 'cioCalls', 'cioOutQueue_wk_post', 'theirs'])"
    options = "{apiHost: '/v1', optOutCookie: 'optout', user: {cookie: {key: 'me'}}}"
    tab.open(f"<script>{before} localStorage[key] = '{{}}'</script>" + snippet(options=options))
    tab.wait_for(
        lambda: [1 for kind, text in tab.console if "nothing is tracked" in text], "the message"
    )
    assert set(tab.cookies) == {"optout"}
    assert set(tab.local) == {"theirs"}
    assert tab.errors == []


@pytest.mark.parametrize(
    ("signal", "option"),
    [
        (DNT, ""),
        (GPC, ""),
        (GPC, "respectDoNotTrack: true, respectGlobalPrivacyControl: false"),
        (OPT_OUT.replace("=1", "="), "optOutCookie: 'optout'"),
    ],
)
def test_a_signal_that_the_site_does_not_respect_changes_nothing(
    tab: Tab, collector: Collector, signal: str, option: str
) -> None:
    tab.page.add_init_script(signal)
    tab.open(snippet(options=f"{{apiHost: '/v1', {option}}}"))
    assert len(collector.events(1)) == 1


@pytest.mark.parametrize(
    "option",
    ["stateStorageStrategy: 'none'", "disableClientPersistence: true", "anonymousTracking: true"],
)
def test_without_persistence_events_are_sent_and_nothing_is_ever_written(
    tab: Tab, collector: Collector, option: str
) -> None:
    tab.page.add_init_script(
        """
        writes = [];
        const set = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie').set;
        const get = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie').get;
        Object.defineProperty(document, 'cookie', {get: get.bind(document), set(text) {
            writes.push(text);
            set.call(document, text);
        }});
        const setItem = Storage.prototype.setItem;
        Storage.prototype.setItem = function (key, value) {
            writes.push(key);
            setItem.call(this, key, value);
        };
        """
    )
    tab.open(snippet("cioanalytics.track('A')", options=f"{{apiHost: '/v1', {option}}}"))
    collector.events(2)
    tab.ready()
    assert tab.run("() => writes") == []
    assert tab.cookies == {}
    assert tab.local == {}


def test_calls_are_kept_between_pages_only_where_state_may_be(
    tab: Tab, collector: Collector
) -> None:
    collector.between.answer("core.zip", repeat(0))
    tab.open(snippet("cioanalytics.track('A')", options="{stateStorageStrategy: 'none'}"))
    tab.page.goto(tab.origin + "/account.html")
    assert '"A"' not in tab.kept
    tab.open(snippet("cioanalytics.track('A')"), path="/other.html")
    tab.page.wait_for_function("() => cioanalytics.initialize")
    tab.page.goto(tab.origin + "/account.html")
    assert '"A"' in tab.kept
