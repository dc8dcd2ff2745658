"""docs/api.md is true: its table of methods, its examples, and its rules, tried in a real page."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import ATTRIBUTES, ROOT, Collector, Tab, snippet

Json = dict[str, Any]

API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
QUIET = ATTRIBUTES.replace("></script>", ' data-initial-pageview="false"></script>')


def section(title: str) -> str:
    """A second-level section of the page."""
    return API.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def table(text: str, first: str) -> list[list[str]]:
    """The rows of the table whose first heading is `first`."""
    lines = text[text.index(f"| {first} |") :].split("\n\n", 1)[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines[2:]]


def code(cell: str) -> list[str]:
    """What is in backquotes."""
    return re.findall(r"`([^`]+)`", cell)


# ---- what each method returns -------------------------------------------------------------------

PASS_ON = "({payload, next}) => next(payload)"

# calls in the table without values, with values
CALLS = {
    "load(writeKey, options?)": "load('wk', {apiHost: '/v1', respectDoNotTrack: true})",
    "track(…)": "track('Ev')",
    "page(…)": "page()",
    "screen(…)": "screen('Home')",
    "identify(…)": "identify('u1')",
    "group(…)": "group('g1')",
    "alias(…)": "alias('u2')",
    "ready(callback?)": "ready()",
    "timeout(ms)": "timeout(300)",
    "queryString(text)": "queryString('?a=1')",
    "register(…)": "register({name: 'P', type: 'utility'})",
    "deregister(…)": "deregister('P')",
    "addSourceMiddleware(fn)": f"addSourceMiddleware({PASS_ON})",
    "addDestinationMiddleware(name, fn)": f"addDestinationMiddleware('Dest', {PASS_ON})",
    "debug(on?)": "debug(false)",
    "on(name, fn)": "on('x', () => {})",
    "once(name, fn)": "once('x', () => {})",
    "off(name, fn)": "off('x', () => {})",
    "emit(name, …)": "emit('x', 1)",
    "trackLink(…)": "trackLink([], 'Ev')",
    "trackClick(…)": "trackClick([], 'Ev')",
    "trackForm(…)": "trackForm([], 'Ev')",
    "trackSubmit(…)": "trackSubmit([], 'Ev')",
    "pageview(path)": "pageview('/path')",
    "push([method, …])": "push(['track', 'Pushed'])",
}

# makes `told`: what every call returned, as [kind, value]
TELL = """async (calls) => {
    const told = {};
    for (const [call, method, await_] of calls) {
        if (typeof cioanalytics[method] != 'function') {
            told[call] = ['gone', null];
            continue;
        }
        let value = new Function('return cioanalytics.' + call)();
        let kind = value === cioanalytics ? 'cioanalytics' : 'value';
        if (value instanceof Promise) {
            kind = 'promise';
            value = await_ ? await value : null;
        }
        if (kind == 'cioanalytics') value = null;
        if (value === undefined) kind += ' of undefined';
        if (value?.anonymousId?.call || value?.traits?.call) value = Object.keys(value).sort();
        told[call] = [kind, value ?? null];
    }
    return told;
}"""

USER_METHODS = ["anonymousId", "id", "logout", "reset", "traits"]
GROUP_METHODS = ["id", "logout", "reset", "traits"]


def methods(column: int) -> list[tuple[str, str]]:
    """Calls of the table, and what it says about each in a column; 1 is the state before.

    The methods of Snowplow's trackers, from `newTracker` on, need a tracker of their own.
    """
    found = []
    for row in table(section("What each method returns").partition("| `newTracker(")[0], "method"):
        for call in code(row[0]):
            cell = row[column] if row[column] != "the same" else row[1]
            call = CALLS.get(call, call.replace("(value)", "(VALUE)"))
            value = "{a: 1}" if "traits" in call else "'v1'"
            found.append((call.replace("VALUE", value), cell))
    return found


def as_told(cell: str, call: str, told: list[Any]) -> bool:
    """Whether a result is what a cell of the table says."""
    kind, value = told
    said = cell.partition(";")[0].partition(", else")[0].partition(":")[0]
    given = {"a": 1} if "traits" in call else "v1"
    entity = USER_METHODS if call.startswith("user") else GROUP_METHODS
    checks: dict[str, Callable[[], bool]] = {
        "promise": lambda: kind == "promise",
        "promise of `null`": lambda: kind == "promise" and value is None,
        "promise of `undefined`": lambda: kind == "promise of undefined",
        "promise of an object": lambda: kind == "promise" and "pending" in value,
        "promise of an array": lambda: kind == "promise" and value[:3] == [None] * 3,
        "promise of `{event, attempts}`": lambda: {*value} == {"event", "attempts"},
        "`cioanalytics`": lambda: kind == "cioanalytics",
        "the method is gone": lambda: kind == "gone",
        "`value`": lambda: told == ["value", given],
        "`null`": lambda: told == ["value", None],
        "`{}`": lambda: told == ["value", {}],
        "what holds now": lambda: (
            value == given
            if "(" in call.rpartition(".")[2].rstrip("()")
            else value is None or isinstance(value, str | dict)
        ),
        "like `user().anonymousId()`": lambda: value is None or isinstance(value, str),
        "what the browser's stores hold": lambda: told == ["value", None],
        "what local storage holds": lambda: told == ["value", {}],
        "an object with the methods above": lambda: value == entity,
        "what the method returns": lambda: kind.startswith("promise"),
    }
    return checks[said]()


def wrong(tab: Tab, column: int, *, wait: bool) -> list[str]:
    """The methods that return something else than the table says."""
    calls = methods(column)
    listed = [[call, re.split(r"\W", call)[0], wait] for call, _ in calls]
    told = tab.page.evaluate(TELL, listed)
    return [
        f"{call} gives {told[call]}, the table says: {cell}"
        for call, cell in calls
        if not as_told(cell, call, told[call])
    ]


def test_methods_return_what_the_table_says_before_load(tab: Tab, collector: Collector) -> None:
    tab.open('<script src="/tracker/loader.js"></script>')
    assert wrong(tab, 1, wait=False) == []
    assert tab.errors == []


def test_methods_of_the_snippet_return_what_the_table_says_before_the_start(
    tab: Tab, collector: Collector
) -> None:
    tab.page.route("**/tracker/start.js", lambda route: route.abort())
    tab.open(snippet())
    assert wrong(tab, 1, wait=False) == []
    assert tab.errors == []


def test_an_early_registration_settles_like_any_other(tab: Tab, collector: Collector) -> None:
    plugins = (
        "window.early = cioanalytics.register({name: 'P', type: 'utility', load() {}});",
        "window.failed = cioanalytics.register("
        "{name: 'Q', type: 'before', load() { throw 'boom' }});",
    )
    tab.open(snippet(*plugins))
    tab.run("() => window.early")
    tab.page.wait_for_timeout(200)
    assert tab.errors == []  # a rejection that nobody handles
    assert "boom" in tab.run("() => window.failed.catch((error) => error.detail)")


def test_methods_return_what_the_table_says_when_the_core_never_comes(
    tab: Tab, collector: Collector
) -> None:
    collector.between.answer("core.zip", repeat(404))
    tab.open(QUIET)
    tab.wait_for(lambda: any("calls wait" in text for _, text in tab.console), "the failure")
    assert wrong(tab, 1, wait=False) == []
    assert tab.errors == []


def test_methods_return_what_the_table_says_after_the_start(tab: Tab, collector: Collector) -> None:
    tab.open(QUIET)
    tab.ready()
    assert wrong(tab, 2, wait=True) == []
    assert tab.errors == []


def test_methods_return_what_the_table_says_to_a_visitor_who_refuses(
    tab: Tab, collector: Collector
) -> None:
    tab.context.add_init_script("Object.defineProperty(navigator, 'doNotTrack', {value: '1'})")
    tab.open(QUIET.replace("></script>", ' data-respect-do-not-track="true"></script>'))
    assert wrong(tab, 3, wait=True) == []
    assert tab.errors == []


# ---- examples -----------------------------------------------------------------------------------

PAGES = ("README.md", "docs/api.md", "docs/options.md", "docs/compatibility.md")


def examples(language: str) -> list[Any]:
    """The blocks of code in the documents."""
    found = []
    for name in PAGES:
        text = (ROOT / name).read_text(encoding="utf-8")
        blocks = re.findall(rf"^ *```{language}\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
        found += [pytest.param(b, id=f"{Path(name).name}-{n}") for n, b in enumerate(blocks)]
    return found


@pytest.mark.parametrize("example", examples("js"))
def test_an_example_runs_without_a_word(tab: Tab, collector: Collector, example: str) -> None:
    if "stub.create" in example:  # the end of the snippet
        pasted = {line.strip() for line in snippet(options="OPTIONS").splitlines()}
        load = re.compile(r'load\("YOUR_WRITE_KEY", \{.*\}\)')
        lines = [load.sub('load("wk", OPTIONS)', line.strip()) for line in example.splitlines()]
        assert [line for line in lines if line not in pasted] == []
        return
    example = example.replace("events.site.example/v1", "/v1")
    tab.open('<script src="/tracker/loader.js"></script>' if ".load(" in example else QUIET)
    tab.page.evaluate(f"async () => {{ {example} }}")
    tab.run("() => cioanalytics.track('After')")
    tab.ready()
    assert [text for _, text in tab.console if "cioanalytics" in text] == []
    assert tab.errors == []


@pytest.mark.parametrize("example", examples("html"))
def test_a_script_tag_of_the_documents_tracks_the_page(
    tab: Tab, collector: Collector, example: str
) -> None:
    tab.open(example.replace("cdp.customer.io/v1", "/v1"))
    assert collector.events(1)[0]["type"] == "page"


# ---- tables of calls ----------------------------------------------------------------------------


def test_track_takes_the_shapes_of_its_table(tab: Tab, collector: Collector) -> None:
    tab.open(QUIET)
    tab.ready()
    for call, event, properties, options in table(section("track"), "call"):
        (call,), (name,), (given,), (more,) = map(code, (call, event, properties, options))
        script = f"""async () => {{
            const options = {{ip: '192.0.2.1'}};
            const {{event}} = await cioanalytics.{call};
            const given = {more};
            return [event.event, event.properties, event.context.ip ?? null,
                {given}, given.ip ?? null];
        }}"""
        told = tab.run(script.replace("{…}", "{plan: 'gold'}"))
        assert [told[0], *told[1:3]] == [name, *told[3:5]], call


def test_identify_does_what_its_table_says(tab: Tab, collector: Collector) -> None:
    tab.open(QUIET)
    tab.ready()
    for before, call, user, anonymous, traits in table(section("identify"), "before"):
        known = f"await cioanalytics.identify({code(before)[0]!r});" if code(before) else ""
        got = tab.run(
            f"""async () => {{
                const user = cioanalytics.user();
                await cioanalytics.reset();
                {known}
                user.traits({{z: 9}});
                const before = user.anonymousId();
                await cioanalytics.{code(call)[0]};
                const stays = user.anonymousId() === before ? 'stays' : 'new';
                return [user.id(), stays, user.traits()];
            }}"""
        )
        merged: Json = {"z": 9, "a": 1} if traits == "merged" else {"a": 1}
        assert got == [code(user)[0] if code(user) else None, anonymous, merged], call


# ---- rules --------------------------------------------------------------------------------------

# sentence of docs/api.md, statements that try it, what they return
RULES: list[tuple[str, str, Any]] = [
    (
        "numbers become their digits",
        "return [user.id(42), cio.group().id(1.5), cio.setAnonymousId(7)]",
        ["42", "1.5", "7"],
    ),
    (
        "clear the user id; the anonymous id stays",
        """user.id('u1'); user.anonymousId('a1');
        const empty = user.id(''); user.id('u1');
        return [empty, user.id(null), user.anonymousId()]""",
        [None, None, "a1"],
    ),
    (
        "| `user().id('u2')` after `u1` | new anonymous id |",
        "user.id('u1'); user.anonymousId('a1'); user.id('u2'); return user.anonymousId() != 'a1'",
        True,
    ),
    (
        "clear it; the next read makes a new one",
        """cio.setAnonymousId('a1');
        const cleared = [cio.setAnonymousId(''), user.anonymousId(), cio.setAnonymousId(null)];
        return [cleared[0], cleared[1] != 'a1', cleared[2], user.anonymousId() != cleared[1]]""",
        [None, True, None, True],
    ),
    (
        "| `user().traits({a: 1})` | replaces all traits |",
        "user.traits({b: 2}); return user.traits({a: 1})",
        {"a": 1},
    ),
    (
        "all values `''` | removes these traits",
        "user.traits({a: 1, b: 2, c: 3}); return user.traits({a: '', b: ''})",
        {"c": 3},
    ),
    (
        "| `user().traits({})`, `user().traits(null)` | removes all traits |",
        """user.traits({a: 1}); const cleared = user.traits({});
        user.traits({a: 1}); return [cleared, user.traits(null)]""",
        [{}, {}],
    ),
    (
        "*after* the start is written to the console only: the setter answers `null` or `{}`",
        """return [user.id({}), user.id([]), user.id(true), user.traits('x'),
            cio.setAnonymousId({})]""",
        [None, None, None, {}, None],
    ),
    (
        "| `anonymousId` | into the event, and it becomes the visitor's anonymous id |",
        """const {event} = await cio.track('Ev', {}, {anonymousId: 'a9'});
        return [event.anonymousId, user.anonymousId()]""",
        ["a9", "a9"],
    ),
    (
        "| `userId`, `timestamp` | into the event only |",
        """const {event} = await cio.track('Ev', {}, {userId: 'u9', timestamp: '2020-01-01'});
        return [event.userId, event.timestamp.slice(0, 10), user.id()]""",
        ["u9", "2020-01-01", None],
    ),
    (
        "| any other, such as `ip` or `device.type` | into `context`; dots make nested objects |",
        """const {event} = await cio.track('Ev', {}, {ip: '192.0.2.1', 'device.type': 'x'});
        return [event.context.ip, event.context.device]""",
        ["192.0.2.1", {"type": "x"}],
    ),
    (
        "`messageId` cannot be set. `context.userAgent` is always the browser's.",
        """const options = {messageId: 'mine', context: {userAgent: 'mine'}};
        const {event} = await cio.track('Ev', {}, options);
        return [event.messageId.slice(0, 9), event.context.userAgent == navigator.userAgent]""",
        ["ajs-next-", True],
    ),
    (
        "What every event says about its page and device",
        """const context = {page: {section: 's'}, locale: 'de'};
        const {event} = await cio.track('Ev', {}, {context});
        const {page, screen, library, userAgentData, ...rest} = event.context;
        return [Object.keys(page), Object.keys(screen), library.version == 'next-' + cio.VERSION,
            !userAgentData == !navigator.userAgentData, Object.keys(rest).sort(), rest.locale]""",
        [
            ["path", "referrer", "search", "title", "url", "section"],
            ["width", "height", "density"],
            True,
            True,
            ["locale", "timezone", "userAgent"],
            "de",
        ],
    ),
    (
        "One text is the name, two are category and name.",
        """const one = (await cio.page('Home')).event, two = (await cio.page('Docs', 'Home')).event;
        return [one.name, one.category ?? null, two.name, two.category]""",
        ["Home", None, "Home", "Docs"],
    ),
    (
        "your own properties of these names win, for `context.page` too",
        """const {event} = await cio.page('Home', {title: 'Own'});
        return [event.properties.title, event.context.page.title]""",
        ["Own", "Own"],
    ),
    (
        "the referrer is the address before it",
        """await cio.page(); history.pushState({}, '', '/second');
        const {event} = await cio.page(); history.back();
        return event.context.page.referrer.endsWith('/page.html')""",
        True,
    ),
    (
        "The page facts go to `context.page` only.",
        """const {event} = await cio.screen('Home', {p: 1});
        return [event.properties, event.context.page.path]""",
        [{"p": 1}, "/page.html"],
    ),
    (
        "The event carries `groupId` and all traits of the group.",
        """await cio.group('g1', {a: 1}); const {event} = await cio.group('g1', {b: 2});
        return [event.groupId, event.traits]""",
        ["g1", {"a": 1, "b": 2}],
    ),
    (
        "Without `to` the current user id holds, without `from` the current user id, else the "
        "anonymous id.",
        """cio.setAnonymousId('a1');
        const from = (await cio.alias('new')).event.previousId;
        user.id('u1');
        const {event} = await cio.alias();
        return [from, event.userId, event.previousId]""",
        ["a1", "u1", "u1"],
    ),
    (
        "`user().logout()` and `user().reset()` do the same for the user only",
        """user.id('u1'); cio.group().id('g1'); await user.logout();
        const left = [user.id(), cio.group().id()];
        user.id('u1'); await cio.group().reset();
        return [...left, user.id(), cio.group().id()]""",
        [None, "g1", "u1", None],
    ),
    (
        "`queryString(text)`",
        """await cio.queryString('?ajs_uid=u7&ajs_trait_a=1&ajs_aid=a7');
        await cio.ready();
        return [user.id(), user.anonymousId(), user.traits()]""",
        ["u7", "a7", {"a": "1"}],
    ),
    (
        "It runs once with `{event, attempts}`, 300 ms after the call at the earliest",
        """const begin = performance.now(), runs = [];
        const promise = cio.track('Ev', (context) => runs.push(Object.keys(context)));
        await promise;
        const late = performance.now() - begin;
        return [late >= 299, runs]""",
        [True, [["event", "attempts"]]],
    ),
    (
        "`timeout(ms)` changes the 300 ms",
        """await cio.timeout(900);
        const begin = performance.now();
        await cio.track('Ev', () => {});
        const late = performance.now() - begin;
        await cio.timeout(300);
        return late >= 899""",
        True,
    ),
    (
        "| `next(null)`, or no `next` when it returns | the event is dropped; `failed` is "
        "`middleware_cancellation` |",
        """await cio.addSourceMiddleware(({payload, next}) => {
            const name = payload.obj.event;
            if (name == 'Null') next(null);
            else if (name != 'None') next(payload);
        });
        return [(await cio.track('Null')).failed, (await cio.track('None')).failed]""",
        ["middleware_cancellation", "middleware_cancellation"],
    ),
    (
        "| throws, rejects, or takes longer | an error; the event is not sent, and `failed` holds "
        "the reason |",
        """await cio.addSourceMiddleware(async ({payload, next}) => {
            if (payload.obj.event == 'Throw') throw new Error('no good');
            if (payload.obj.event == 'Hang') await new Promise(() => {});
            next(payload);
        });
        return [(await cio.track('Throw')).failed, (await cio.track('Hang')).failed]""",
        ["no good", "no answer within 5000 ms"],
    ),
    (
        "`addDestinationMiddleware(name, fn)`: what one destination gets",
        """const seen = [];
        await cio.register({name: 'D1', type: 'destination', track: (c) => seen.push(c.event.d)},
            {name: 'D2', type: 'destination', track: (c) => seen.push(c.event.d ?? null)});
        await cio.addDestinationMiddleware('D1', ({payload, next}) => {
            payload.obj.d = 'changed';
            next(payload);
        });
        const {event} = await cio.track('Ev');
        await cio.deregister('D1', 'D2');
        return [seen.sort(), event.d ?? null]""",
        [["changed", None], None],
    ),
    (
        "unless `integrations` says `false` for its name or for `All`",
        """const seen = [];
        const track = (context) => seen.push(context.event.event);
        await cio.register({name: 'D', type: 'destination', track});
        await cio.track('Named', {}, {integrations: {D: false}});
        await cio.track('All', {}, {integrations: {All: false}});
        await cio.track('But', {}, {integrations: {All: false, D: true}});
        await cio.track('Plain');
        await cio.deregister('D');
        return seen""",
        ["But", "Plain"],
    ),
    (
        "change the event; a failure is reported and ignored",
        """await cio.register({name: 'E', type: 'enrichment', track(context) {
            context.updateEvent('properties.deep.er', 1);
            if (context.event.event == 'Fail') throw new Error('broken');
        }});
        const good = await cio.track('Good'), bad = await cio.track('Fail');
        await cio.deregister('E');
        return [good.event.properties, bad.failed ?? null, bad.event.properties]""",
        [{"deep": {"er": 1}}, None, {}],
    ),
    (
        "| `Plugin failed` | a plugin or a middleware failed; `detail` names it and the reason. "
        "The `failed` of the event's call is the reason alone |",
        """let heard;
        cio.once('error', (error) => { heard = error; });
        await cio.register({name: 'F', type: 'before', track() { throw new Error('boom') }});
        const {failed} = await cio.track('Ev');
        await cio.deregister('F');
        return [heard.message, /plugin F .*boom/.test(heard.detail), failed]""",
        ["Plugin failed", True, "boom"],
    ),
    (
        "A hook of type `before` that calls `cancel` stops the event.",
        """await cio.register({name: 'B', type: 'before', track: (c) => c.cancel('enough')});
        const {failed} = await cio.track('Ev');
        await cio.deregister('B');
        return failed""",
        "enough",
    ),
    (
        "one after the other, behind `before`",
        """const ran = [];
        const plugin = (type) => ({name: type, type, track: () => { ran.push(type) }});
        const types = ['utility', 'after', 'destination', 'enrichment', 'before'];
        await cio.register(...types.map(plugin));
        await cio.track('Ev');
        await cio.deregister(...types);
        return ran""",
        ["before", "enrichment", "destination", "after"],
    ),
    (
        "A plugin that cannot be loaded is not added: `register` rejects",
        """const load = () => { throw new Error('no network') };
        const plugin = {name: 'L', type: 'enrichment', load};
        const reason = await cio.register(plugin).catch((error) => error.message);
        return [reason, await cio.deregister('L').catch((error) => error.message)]""",
        ["Plugin failed", "Unknown plugin"],
    ),
    (
        "then what `ready` of each plugin answered, or `{error}` where it failed",
        """await cio.register({name: 'R', type: 'utility', ready: () => 'fine'},
            {name: 'S', type: 'utility', ready() { throw new Error('never') }});
        const outcomes = await cio.ready();
        await cio.deregister('R', 'S');
        return outcomes""",
        [None, None, None, "fine", {"error": "never"}],
    ),
    (
        "| `identity` | `{userId, anonymousId, traits, groupId, groupTraits}` |",
        """const told = [];
        const listener = (identity) => told.push(identity);
        cio.on('identity', listener);
        cio.setAnonymousId('a1');
        await cio.identify('u1', {a: 1}); await cio.identify('u1'); await cio.track('Ev');
        await cio.group('g1', {b: 2});
        cio.off('identity', listener);
        return told""",
        [
            {"userId": None, "anonymousId": "a1", "traits": {}, "groupId": None, "groupTraits": {}},
            {
                "userId": "u1",
                "anonymousId": "a1",
                "traits": {"a": 1},
                "groupId": None,
                "groupTraits": {},
            },
            {
                "userId": "u1",
                "anonymousId": "a1",
                "traits": {"a": 1},
                "groupId": "g1",
                "groupTraits": {"b": 2},
            },
        ],
    ),
    (
        "| `identify` | user id, traits as given, `null` | the same |",
        """const told = [];
        cio.once('identify', (...args) => told.push(args));
        cio.once('page', (...args) => told.push(args));
        cio.once('alias', (...args) => told.push(args));
        await cio.identify('u1', {a: 1}); await cio.page('Docs', 'Home', {p: 1});
        await cio.alias('to', 'from');
        return told""",
        [["u1", {"a": 1}, None], ["Docs", "Home", {"p": 1}, None], ["to", "from", None]],
    ),
]

# error of docs/api.md, a call that gets it
REJECTED = [
    ("Event missing", "track()"),
    ("Event missing", "track({properties: {}})"),
    ("Invalid id", "track('Ev', {}, {userId: {}})"),
    ("Invalid middleware", "addSourceMiddleware(5)"),
    ("Invalid middleware", "addDestinationMiddleware('D')"),
    ("Invalid middleware", f"addDestinationMiddleware('', {PASS_ON})"),
    ("Invalid plugin", "register({name: 'X'})"),
    ("Invalid plugin", "register(null)"),
    ("Invalid plugin", "register({name: 'X', type: 'other'})"),
    ("Unknown plugin", "deregister('nobody')"),
    ("Invalid query string", "queryString(5)"),
    ("Invalid query string", "queryString()"),
    ("Invalid timeout", "timeout('soon')"),
    ("Invalid timeout", "timeout(-1)"),
    ("Invalid timeout", "timeout()"),
    ("Event too large", "track('Big', {text: 'x'.repeat(600000)})"),
]


def test_rules_hold(tab: Tab, collector: Collector) -> None:
    """All on one page, each for a new visitor."""
    tab.open(QUIET)
    tab.ready()
    text = " ".join(API.split())
    wrong = []
    for sentence, statements, expected in RULES:
        assert sentence in text, "docs/api.md says something else now"
        script = f"""async () => {{
            const cio = cioanalytics, user = cio.user();
            await cio.reset();
            {statements};
        }}"""
        got = tab.run(script)
        if got != expected:
            wrong.append((sentence, got, expected))
    assert wrong == []
    assert tab.errors == []


@pytest.mark.parametrize(
    ("link", "user", "events"),
    [
        ("?ajs_uid=42&ajs_event=Mail%20Opened", "42", ["identify", "Mail Opened", "page"]),
        ("?ajs_uid=mallory&ajs_event=Bought", None, ["page"]),
        ("#/shop?ajs_uid=42", "42", ["identify", "page"]),
    ],
    ids=["accepted", "refused", "in the hash"],
)
def test_a_link_may_do_what_the_documented_patterns_allow(
    tab: Tab, collector: Collector, link: str, user: str | None, events: list[str]
) -> None:
    options = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    (rules,) = re.findall(r"`(\{uid: /.*?\})`", options)
    tab.serve("/page.html", snippet(options=f"{{ apiHost: '/v1', useQueryString: {rules} }}"))
    tab.page.goto(tab.origin + "/page.html" + link)
    tab.ready()
    sent = collector.events(len(events))
    assert [event.get("event", event["type"]) for event in sent] == events
    assert tab.run("() => cioanalytics.user().id()") == user
    assert ("ajs_" in tab.page.url) == (user is None), "only what is used is taken out"
    assert not any("ajs_" in str(event["context"]["page"]) for event in sent)


def test_bad_arguments_get_the_documented_error(tab: Tab, collector: Collector) -> None:
    tab.open(QUIET)
    tab.ready()
    calls = [call for _, call in REJECTED]
    told = tab.page.evaluate(
        """async (calls) => {
            const told = [], heard = [];
            cioanalytics.on('error', (error) => heard.push(error.message));
            for (const call of calls) {
                const promise = new Function('return cioanalytics.' + call)();
                const error = await promise.catch((error) => error);
                told.push([error.message ?? 'none', heard.pop() ?? 'none', error.detail ?? '']);
            }
            return told;
        }""",
        calls,
    )
    assert [each[:2] for each in told] == [[message, message] for message, _ in REJECTED]
    assert [detail for *_, detail in told if not re.search(r"allowed: .*See docs/", detail)] == []
    assert all(f"`{message}`" in section("errors") for message, _ in REJECTED)
    assert tab.errors == []


def test_old_names_are_there_and_warn(tab: Tab, collector: Collector) -> None:
    tab.open(QUIET)
    tab.ready()
    names = code(section("deprecated").partition("warn:")[2])
    assert len(names) > 10
    kinds = {name: str(tab.run(f"() => typeof cioanalytics.{name}")) for name in names}
    assert {name for name, kind in kinds.items() if kind != "function"} == set()
    for name in names:
        tab.run(f"() => {{ cioanalytics.{name}('x') }}")
    warned = {f"cioanalytics.{name} is deprecated" for name in names}
    tab.wait_for(
        lambda: {text.partition(" and ")[0] for _, text in tab.console} >= warned, "the warnings"
    )
    assert tab.errors == []
