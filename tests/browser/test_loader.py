"""What the loader promises a page: order, values, getters, and no harm when something is wrong."""

from __future__ import annotations

import json
import re
from itertools import repeat
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.conftest import ATTRIBUTES, CSP, HOST, Collector, Tab, snippet

ERRORS = "errors = []; cioanalytics.on('error', (error) => errors.push(error.message));"


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event.get("event", event["type"]) for event in events]


def attributes(**more: str) -> str:
    """The attribute form with more attributes."""
    given = "".join(f" data-{name.replace('_', '-')}='{value}'" for name, value in more.items())
    return ATTRIBUTES.replace("></script>", f"{given}></script>")


# ---- both ways to include it --------------------------------------------------------------------


def test_calls_behind_the_snippet_are_kept_as_they_were_made(
    tab: Tab, collector: Collector
) -> None:
    tab.open(
        "<title>First</title>"
        + snippet(
            """
            const props = {n: 1};
            cioanalytics.track('A', props);
            props.n = 2;
            cioanalytics.identify('u1');
            cioanalytics.track('B', props);
            madeAt = Date.now();
            history.pushState({}, '', '/second?utm_source=s');
            document.title = 'Second';
            cioanalytics.track('C');
            """
        )
    )
    events = collector.events(5)  # requests travel side by side, and may overtake one another
    made = ["page", "A", "identify", "B", "C"]
    page, a, identify, b, c = sorted(events, key=lambda event: made.index(*names([event])))
    times = [event["timestamp"] for event in (page, a, identify, b, c)]
    assert times == sorted(times)
    assert [a["userId"], b["userId"]] == [None, "u1"]
    assert [a["properties"]["n"], b["properties"]["n"]] == [1, 2]
    assert [a["context"]["page"]["title"], c["context"]["page"]["title"]] == ["First", "Second"]
    assert [b["context"]["page"]["path"], c["context"]["page"]["path"]] == ["/page.html", "/second"]
    assert c["context"]["campaign"] == {"source": "s"}
    late = tab.run("() => madeAt") - tab.run(f"() => Date.parse('{a['timestamp']}')")
    assert 0 <= late < 1000


def test_the_attribute_form_tracks_the_page_view(tab: Tab, collector: Collector) -> None:
    tab.open()
    tab.ready()
    assert names(collector.events(1)) == ["page"]


def test_the_attribute_form_takes_options(tab: Tab, collector: Collector) -> None:
    tab.open(
        attributes(
            initial_pageview="false",
            state_storage_strategy="localStorage",
            options='{"user": {"cookie": {"key": "me"}}}',
        )
    )
    tab.ready()
    tab.run("() => { cioanalytics.identify('u1') }")
    assert names(collector.events(1)) == ["identify"]
    assert tab.cookies == {}
    assert tab.local["me"] == '"u1"'


def test_data_options_that_are_no_json_are_reported_and_tracking_works(
    tab: Tab, collector: Collector
) -> None:
    tab.open(attributes(options="{cookie: 1}"))
    assert names(collector.events(1)) == ["page"]
    tab.ready()
    assert any("data-options" in text and "JSON" in text for _, text in tab.console)


def test_including_everything_twice_is_harmless(tab: Tab, collector: Collector) -> None:
    tab.open(snippet() + snippet() + ATTRIBUTES + snippet("cioanalytics.track('Last')"))
    assert names(collector.events(2)) == ["page", "Last"]
    tab.ready()
    assert names(collector.events(2)) == ["page", "Last"]
    assert ("error", "Snippet included twice.") in tab.console
    assert tab.errors == []


def test_the_global_may_have_another_name_and_an_alias(tab: Tab, collector: Collector) -> None:
    tab.open(
        attributes(global_analytics_key="mine", alias="true") + "<script>window.taken = 1</script>"
    )
    assert names(collector.events(1)) == ["page"]
    kinds = tab.run("() => [typeof mine.track, analytics === mine, typeof window.cioanalytics]")
    assert kinds == ["function", True, "undefined"]


def test_an_alias_never_takes_a_name_that_is_in_use(tab: Tab, collector: Collector) -> None:
    tab.open("<script>analytics = 'taken'</script>" + attributes(alias="true"))
    collector.events(1)
    assert tab.run("() => analytics") == "taken"


def test_it_runs_under_a_strict_content_security_policy(tab: Tab, collector: Collector) -> None:
    csp = CSP + "; require-trusted-types-for 'script'"
    tab.open(csp=csp)
    assert names(collector.events(1)) == ["page"]
    assert [text for kind, text in tab.console if kind == "error"] == []


# ---- when it loads ------------------------------------------------------------------------------


def test_nothing_heavy_is_requested_before_the_pages_load_event(
    tab: Tab, collector: Collector
) -> None:
    tab.open("<script>addEventListener('load', () => fetch('/loaded'))</script>" + ATTRIBUTES)
    collector.events(1)
    asked = collector.between.asked
    heavy = [place for place, address in enumerate(asked) if re.search("pyodide|zip", address)]
    assert len(heavy) >= 5
    assert asked.index("/loaded") < min(heavy)


def test_each_file_is_downloaded_once(tab: Tab, collector: Collector) -> None:
    tab.page.goto(collector.url + "/account.html")  # no route of ours: those switch the cache off
    collector.events(1)
    asked = collector.asked_for("/tracker/")
    assert len(asked) >= 7
    assert len(asked) == len(set(asked)), asked


def test_calls_are_kept_until_the_core_has_answered(tab: Tab, collector: Collector) -> None:
    """A page may end at any moment, without a word."""
    tab.open(snippet())
    tab.ready()
    collector.events(1)
    seen = tab.run(
        """async () => {
            const kept = () => Object.keys(localStorage).filter((key) => /^cioCalls/.test(key));
            const texts = [];
            let answered = false;
            const calls = [...Array(30).keys()].map((n) => cioanalytics.track('C' + n));
            Promise.all(calls).then(() => (answered = true));
            while (!answered || kept().length) {
                texts.push(...kept().map((key) => localStorage[key]));
                await new Promise((done) => setTimeout(done));
            }
            return texts;
        }"""
    )
    assert HOST == "page" or '"C29"' in "".join(seen)
    collector.events(31)
    assert not tab.kept


@pytest.mark.parametrize(
    "call", ["enableAnonymousTracking()", "setOptOutCookie('no')"], ids=["anonymous", "refused"]
)
def test_no_call_is_kept_once_the_visitor_may_not_be_followed(tab: Tab, call: str) -> None:
    tab.context.add_cookies([{"name": "no", "value": "1", "url": tab.origin}])
    tab.open(snippet())
    tab.ready()
    tab.wait_for(lambda: not tab.kept, "nothing kept")
    seen = tab.run(
        f"""async () => {{
            cioanalytics.{call};
            cioanalytics.track('A');
            let seen = '';
            for (const end = Date.now() + 500; Date.now() < end; ) {{
                seen += Object.keys(localStorage).filter((key) => /^cioCalls/.test(key));
                await new Promise((done) => setTimeout(done));
            }}
            return seen;
        }}"""
    )
    assert seen == ""


def test_the_next_page_makes_the_calls_of_pages_that_are_gone_and_no_others(
    tab: Tab, collector: Collector
) -> None:
    tab.page.goto(tab.origin + "/nothing")
    tab.run(
        """() => {
            const page = { href: location.href, title: '', referrer: '', canonical: '' };
            for (const name of ['There', 'Gone']) {
                const call = { id: name, method: 'track', at: Date.now(), page, args: [name] };
                localStorage['cioCalls' + name] = JSON.stringify([{ ...call, kept: true }]);
            }
        }"""
    )
    there = tab.context.new_page()
    there.goto(tab.origin + "/nothing")
    there.evaluate(
        "() => void navigator.locks.request('cioPageThere0.1', () => new Promise(Object))"
    )
    tab.open(snippet("cioanalytics.track('After')"))
    assert sorted(names(collector.events(3))) == ["After", "Gone", "page"]
    assert '"There"' in tab.kept


# ---- getters ------------------------------------------------------------------------------------


def test_getters_before_the_core_answer_from_storage_and_write_nothing(
    tab: Tab, collector: Collector
) -> None:
    tab.context.add_cookies(
        [
            {"name": "ajs_user_id", "value": "%22quoted%20id%22", "url": tab.origin},
            {"name": "ajs_group_id", "value": "g1", "url": tab.origin},
        ]
    )
    tab.open(
        """<script>
            localStorage.ajs_user_traits = '{"a":1}';
            localStorage.ajs_anonymous_id = 'bare';
        </script>"""
        + snippet(
            """
            const user = cioanalytics.user(), group = cioanalytics.group();
            answers = [user.id(), user.anonymousId(), user.traits(), group.id(), group.traits()];
            before = [document.cookie, JSON.stringify(localStorage)];
            """
        )
    )
    assert tab.run("() => answers") == ["quoted id", "bare", {"a": 1}, "g1", {}]
    cookie, local = tab.run("() => before")
    assert cookie == "ajs_user_id=%22quoted%20id%22; ajs_group_id=g1"
    assert json.loads(local) == {"ajs_user_traits": '{"a":1}', "ajs_anonymous_id": "bare"}
    tab.ready()
    assert tab.run("() => cioanalytics.user().id()") == "quoted id"


def test_getters_of_a_new_visitor_know_nothing_and_setters_wait(
    tab: Tab, collector: Collector
) -> None:
    tab.open(
        snippet(
            """
            const user = cioanalytics.user();
            answers = [user.id(), user.traits(), cioanalytics.group().id()];
            user.id('u1');
            cioanalytics.setAnonymousId('mine');
            """
        )
    )
    assert tab.run("() => answers") == [None, {}, None]
    tab.ready()
    assert tab.run("() => [cioanalytics.user().id(), cioanalytics.user().anonymousId()]") == [
        "u1",
        "mine",
    ]
    (page,) = collector.events(1)
    assert page["anonymousId"] == "mine", "an early setAnonymousId comes first"


def test_getters_see_the_calls_before_them(tab: Tab, collector: Collector) -> None:
    tab.open()
    tab.ready()
    assert tab.run(
        """() => {
            const user = cioanalytics.user(), seen = [];
            cioanalytics.identify('u1', {a: 1});
            seen.push(user.id(), user.traits());
            cioanalytics.group('g1', {b: 2});
            seen.push(cioanalytics.group().id(), cioanalytics.group().traits());
            seen.push(user.id('u2'), user.id(), user.traits({c: 3}));
            cioanalytics.reset();
            seen.push(user.id(), user.traits(), user.anonymousId('x'));
            seen.push(cioanalytics.setAnonymousId('y'));
            return seen;
        }"""
    ) == ["u1", {"a": 1}, "g1", {"b": 2}, "u2", "u2", {"c": 3}, None, {}, "x", "y"]


def test_getters_see_what_others_change(tab: Tab, collector: Collector) -> None:
    """Answers are remembered, but never longer than they are true."""
    tab.open()
    tab.ready()
    assert tab.run(
        """async () => {
            const user = cioanalytics.user(), seen = [];
            await cioanalytics.identify('u1', {a: 1});
            seen.push(user.id(), user.id(), user.traits());
            document.cookie = 'ajs_user_id=server; path=/';
            seen.push(user.id());
            localStorage.ajs_user_traits = '{"b":2}';
            seen.push(user.traits());
            user.traits().changed = true;
            seen.push(user.traits());
            document.cookie = 'ajs_user_id=; path=/; max-age=0';
            localStorage.removeItem('ajs_user_id');
            seen.push(user.id());
            return seen;
        }"""
    ) == ["u1", "u1", {"a": 1}, "server", {"b": 2}, {"b": 2}, None]


# ---- values -------------------------------------------------------------------------------------


def test_every_value_has_a_defined_result(tab: Tab, collector: Collector) -> None:
    tab.open("<p id=node>" + attributes(initial_pageview="false"))
    tab.ready()
    tab.run(
        """() => {
            const cycle = {name: 'c'};
            cycle.self = cycle;
            const shared = {s: 1};
            cioanalytics.track('Odd', {
                big: 2n ** 80n, nan: NaN, infinite: -Infinity, negativeZero: -0, small: 1e-7,
                huge: 1e21,
                date: new Date(Date.UTC(2020, 0, 2)), invalidDate: new Date(NaN),
                fn() {}, arrow: [() => 1, 2], symbol: Symbol('x'), undef: undefined,
                nothing: null,
                node: document.querySelector('#node'), nodes: [document.body],
                cycle, twice: [shared, shared], map: new Map([[1, 2]]), regex: /a+/gi,
                surrogate: '\\ud800', emoji: '😀', own: {toJSON: () => 'own'},
            });
        }"""
    )
    (odd,) = collector.events(1)
    assert odd["properties"] == {
        "big": str(2**80),
        "nan": None,
        "infinite": None,
        "negativeZero": 0,
        "small": 1e-7,
        "huge": 1e21,
        "date": "2020-01-02T00:00:00.000Z",
        "invalidDate": None,
        "arrow": [None, 2],
        "nothing": None,
        "nodes": [None],
        "cycle": {"name": "c", "self": "[Circular]"},
        "twice": [{"s": 1}, {"s": 1}],
        "map": {},
        "regex": {"$regex": "a+", "$flags": "gi"},
        "surrogate": "\ufffd",
        "emoji": "😀",
        "own": "own",
    }


def test_arguments_that_cannot_be_read_are_reported_and_the_event_keeps_its_name(
    tab: Tab, collector: Collector
) -> None:
    tab.open(attributes(initial_pageview="false") + "<script>errors = []</script>")
    tab.ready()
    tab.run(
        """() => {
            cioanalytics.on('error', (error) => errors.push(error.message));
            cioanalytics.track('Unreadable', {get bad() { throw new Error('no'); }});
            let deep = {};
            for (let i = 0; i < 50000; i++) deep = {deep};
            cioanalytics.track('Deep', deep);
            cioanalytics.track('Huge', {text: 'x'.repeat(600000)});
            cioanalytics.track('After');
        }"""
    )
    assert names(collector.events(3)) == ["Unreadable", "Deep", "After"]
    tab.wait_for(lambda: tab.run("() => errors.length") == 3, "the core's error, too")
    assert tab.run("() => errors") == [
        "Unreadable arguments",
        "Unreadable arguments",
        "Event too large",
    ]
    assert tab.errors == []


def test_a_refused_call_rejects_its_promise_and_raises_nothing(
    tab: Tab, collector: Collector
) -> None:
    tab.open(ATTRIBUTES)
    tab.ready()
    tab.run("() => { cioanalytics.track(); cioanalytics.track('Good') }")
    reasons = tab.run(
        """() => cioanalytics.track(5)
            .then(() => 'resolved', (error) => [error.message, error.detail])"""
    )
    assert reasons[0] == "Event missing"
    assert "allowed: text that is not empty" in reasons[1]
    assert "Good" in names(collector.events(2))
    assert tab.errors == []
    assert sum("Event missing" in text or "event name" in text for _, text in tab.console) == 2


def test_a_wrong_option_rejects_load_with_one_error_and_tracking_works(
    tab: Tab, collector: Collector
) -> None:
    tab.open(snippet(options='{ apiHost: "/v1", cookie: { sameSite: "lax" }, useCookies: 1 }'))
    assert names(collector.events(1)) == ["page"]
    tab.ready()
    errors = [text for kind, text in tab.console if kind == "error"]
    assert len(errors) == 1
    assert "cookie.sameSite is 'lax' (text); allowed: 'Lax', 'Strict', 'None'" in errors[0]
    assert any("useCookies is not known" in text for kind, text in tab.console if kind == "warning")
    assert tab.errors == []


def test_load_without_a_key_is_refused_with_a_reason(tab: Tab, collector: Collector) -> None:
    tab.open(snippet().replace('load("wk"', 'load(""'))
    tab.wait_for(lambda: [1 for kind, _ in tab.console if kind == "error"], "an error")
    assert any("write key" in text for kind, text in tab.console if kind == "error")
    assert tab.errors == []


# ---- functions ----------------------------------------------------------------------------------


def test_callbacks_promises_and_listeners_are_told(tab: Tab, collector: Collector) -> None:
    tab.open(
        snippet(
            """
            told = [];
            cioanalytics.on('initialize', () => told.push('initialize'))
                .once('track', (name, props) => told.push('once ' + name + props.n))
                .on('track', () => { throw new Error('a listener') })
                .on('track', (name) => told.push('track ' + name));
            const removed = () => told.push('removed');
            cioanalytics.on('track', removed).off('track', removed);
            cioanalytics.ready(() => told.push('ready'));
            """
        )
    )
    tab.ready()
    event = tab.run(
        """async () => {
            await cioanalytics.track('A', {n: 1});
            const {event, attempts} = await cioanalytics.track('B');
            await new Promise((done) => cioanalytics.track('C', {}, ({event}) => {
                told.push('callback ' + event.event);
                done();
            }));
            return [event.event, attempts];
        }"""
    )
    assert event == ["B", 1]
    tab.wait_for(lambda: "track C" in tab.run("() => told"), "track C")
    assert tab.run("() => told") == [
        "initialize",
        "ready",
        "once A1",
        "track A",
        "track B",
        "callback C",
        "track C",
    ]
    assert tab.errors == []


def test_middleware_of_the_page_changes_and_drops_events(tab: Tab, collector: Collector) -> None:
    tab.open(
        snippet(
            """
            cioanalytics.track('Secret');
            cioanalytics.track('Fails');
            cioanalytics.addSourceMiddleware(async ({payload, next, integrations}) => {
                await new Promise((done) => setTimeout(done, 20));
                if (payload.obj.event === 'Secret') return next(null);
                if (payload.obj.event === 'Fails') throw new Error('boom');
                payload.obj.context.scrubbed = Object.keys(integrations)[0];
                next(payload);
            });
            cioanalytics.track('Open');
            """
        )
    )
    page, opened = collector.events(2)
    assert names([page, opened]) == ["page", "Open"]
    assert opened["context"]["scrubbed"] == "Customer.io Data Pipelines"
    tab.ready()
    assert any("boom" in text for kind, text in tab.console if kind == "error")
    assert len(collector.records()) == 2


# ---- what goes wrong ----------------------------------------------------------------------------


def warnings(tab: Tab) -> list[str]:
    return [text for kind, text in tab.console if kind == "warning" and "cioanalytics" in text]


@pytest.mark.parametrize(
    ("missing", "status"),
    [
        ("pyodide.mjs", 0),
        ("pyodide.asm.mjs", 404),
        ("pyodide.asm.wasm", 0),
        ("pyodide.asm.wasm", 404),
        ("python_stdlib.zip", 0),
        ("core.zip", 500),
    ],
)
def test_a_failed_download_keeps_the_calls_for_the_next_page(
    tab: Tab, collector: Collector, missing: str, status: int
) -> None:
    collector.between.answer(missing, repeat(status))
    tab.open(snippet(ERRORS, "cioanalytics.track('Kept')"))
    tab.wait_for(lambda: warnings(tab), "a warning")
    assert len(warnings(tab)) == 1
    assert missing in warnings(tab)[0]
    assert tab.run("() => errors") == ["Start failed"]
    assert tab.run("() => cioanalytics.user().id()") is None
    collector.between.reset()
    tab.open(ATTRIBUTES, path="/second.html")
    first, kept, second = collector.events(3)
    assert names([first, kept, second]) == ["page", "Kept", "page"]
    assert first["properties"]["path"] == "/page.html"
    assert second["properties"]["path"] == "/second.html"
    assert tab.errors == []


def test_without_wasm_unsafe_eval_the_page_works_on(tab: Tab, collector: Collector) -> None:
    tab.open(ATTRIBUTES, csp=CSP.replace(" 'wasm-unsafe-eval'", ""))
    tab.wait_for(lambda: warnings(tab), "a warning")
    assert "wasm-unsafe-eval" in warnings(tab)[0]
    assert collector.asked_for("pyodide") == [], "nothing is downloaded in vain"
    tab.run("() => { cioanalytics.identify('u1') }")
    tab.open(ATTRIBUTES, path="/second.html", csp=CSP)
    assert names(collector.events(3)) == ["page", "identify", "page"]
    assert tab.errors == []


def test_calls_that_wait_in_vain_are_bounded(tab: Tab, collector: Collector) -> None:
    tab.open(ATTRIBUTES, csp=CSP.replace(" 'wasm-unsafe-eval'", ""))
    tab.wait_for(lambda: warnings(tab), "a warning")
    errors = tab.run(
        """() => {
            const errors = [];
            cioanalytics.on('error', (error) => errors.push(error.message));
            for (let i = 0; i < 1200; i++) cioanalytics.track('E' + i);
            return errors;
        }"""
    )
    assert set(errors) == {"Too many calls"}
    assert len(errors) == 1200 - (1000 - 2), "load and the page view wait too"


@pytest.mark.parametrize(("option", "runs"), [("skip", False), ("load", True)])
def test_visitors_who_save_data_download_no_runtime_unless_the_site_says_so(
    tab: Tab, collector: Collector, option: str, runs: bool
) -> None:
    tab.page.add_init_script(
        "Object.defineProperty(navigator, 'connection', {get: () => ({saveData: true})})"
    )
    tab.open(attributes(save_data=option))
    if runs:
        collector.events(1)
    else:
        tab.wait_for(lambda: warnings(tab), "a message")
        assert "saves data" in warnings(tab)[0]
    assert bool(collector.asked_for("pyodide")) == runs


def test_a_server_that_fails_gets_the_event_again_and_stores_it_once(
    tab: Tab, collector: Collector
) -> None:
    collector.between.answer("/v1/p", [503, 500, 429])
    tab.open()
    tab.wait_for(lambda: collector.records(), "the event")
    asked = collector.asked_for("/v1/p")
    assert len(asked) == 4, asked
    assert len(collector.records()) == 1
    assert collector.records()[0]["duplicates"] == 0


def test_an_event_tracked_while_leaving_is_stored_once(tab: Tab, collector: Collector) -> None:
    tab.serve("/second.html", ATTRIBUTES)
    tab.open(attributes(initial_pageview="false"))
    tab.ready()
    tab.run("() => { cioanalytics.track('Leaving'); location.href = '/second.html' }")
    tab.page.wait_for_url("**/second.html")
    collector.events(2)
    tab.ready()
    (record,) = collector.records(name="Leaving")
    assert record["payload"]["context"]["page"]["path"] == "/page.html"


def test_a_closed_tab_sends_what_it_has(visitor: BrowserContext, collector: Collector) -> None:
    tab = Tab(visitor, collector.url)
    tab.open(attributes(initial_pageview="false"))
    tab.ready()
    tab.run("() => { addEventListener('pagehide', () => cioanalytics.track('Bye')) }")
    tab.run("() => { cioanalytics.track('Last') }")
    tab.page.close()
    second = Tab(visitor, collector.url)
    second.open(attributes(initial_pageview="false"))
    second.wait_for(lambda: "Last" in names(collector.events(1)), "the event of the closed tab")
