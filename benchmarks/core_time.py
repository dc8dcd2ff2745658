"""Measures how long the core works for one event, and how long calls keep a page busy.

    python3 build.py test peers     (once: it builds both trackers)
    python benchmarks/core_time.py [--blocks N] [--events N] [--profiled N]

One run in one browser, with the real loader, runtime and collector. Each tracker has a page of its
own, with a fresh visitor, and they take turns in blocks, so that noise of the machine hits all.
Events come alone, each when all work for the one before is done, or eight in a row, which the core
takes over together. Prints medians in microseconds for one event:

- until it returns: what the page's own code waits for, here and with Snowplow's tracker;
- core, hand-over: Python takes the call over, until it is in the queue and the request is made;
- core, later: Python handles the collector's answer and writes the queue to storage;
- core: both together. It is compared with the time until *their* call returns, which does most of
  their work; what they do later is not counted.

What privacy, session and ids take is measured in pages of their own, with stopwatches around these
modules. Where the rest goes is counted last, by a profiler that would slow down everything before.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import urllib.request
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Route, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from build_tools.browsers import CHROMIUM_FLAGS, find_chromium
from build_tools.paths import DIST, npm_version, tracker_version
from build_tools.peers import PEERS, SNOWPLOW, SNOWPLOW_PACKAGE
from collector.server import running
from collector.settings import Mount, Settings
from tests.browser.conftest import Tab, snippet

Json = dict[str, Any]

STRATEGIES = ("cookieAndLocalStorage", "none")
IN_A_ROW = 8  # as many calls as the loader hands over together
WARM_UP = 40  # events of a page before it is measured
ROWS = 4  # events alone for each such row

STRUCT = "trackStructEvent({category: 'shop', action: 'Product Viewed', value: 17.5})"
TRACK = "track('Product Viewed', {category: 'shop', value: 17.5})"

# http on loopback takes no secure cookies
SNOWPLOW_OPTIONS: Json = {"cookieSecure": False, "contexts": {"session": True}}


@dataclass(frozen=True)
class Way:
    """A call of a tracker with its destinations: one page is measured for each."""

    name: str
    call: str
    destinations: tuple[str, ...]
    watched: bool = False

    def markup(self, strategy: str) -> str:
        """What the page includes."""
        options: Json = {**SNOWPLOW_OPTIONS, "stateStorageStrategy": strategy}
        if self is THEIRS:
            return (
                '<script src="/peers/snowplow.js"></script><script>tracker = incumbentSnowplow;'
                f"tracker.newTracker('sp', location.origin, {json.dumps(options)})</script>"
            )
        del options["stateStorageStrategy"]
        load: Json = {
            "apiHost": "/v1",
            "host": "page",  # where the page can time what Python takes
            "stateStorageStrategy": strategy,
            "snowplow": {"collectorUrl": "ORIGIN", **options},
        }
        load |= {} if "customerio" in self.destinations else {"customerio": False}
        pasted = snippet(options=json.dumps(load).replace('"ORIGIN"', "location.origin"))
        return pasted.replace("cio.page();", "") + "<script>tracker = cioanalytics</script>"


THEIRS = Way("theirs: trackStructEvent()", STRUCT, ("snowplow",))
OURS = (
    Way("trackStructEvent(), Snowplow", STRUCT, ("snowplow",)),
    Way("track(), Snowplow", TRACK, ("snowplow",)),
    Way("track(), both destinations", TRACK, ("snowplow", "customerio")),
)
WATCHED = tuple(replace(way, watched=True) for way in OURS)

# Pages that are isolated from other origins have clocks of 5 microseconds instead of 100.
ISOLATED = {
    "Content-Type": "text/html",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}

# Times the steps of Pyodide's event loop, through which the answers of requests come to Python.
LOOP = """
from time import perf_counter as clock
import pyodide.webloop

create, pending, taken = pyodide.webloop.create_once_callable, 0, 0.0

def create_timed(work, **options):
    def run():
        global pending, taken
        begin = clock()
        try:
            work()
        finally:
            taken += clock() - begin
            pending -= 1
    global pending
    pending += 1
    return create(run, **options)

pyodide.webloop.create_once_callable = create_timed
"""

# Stands in for pyodide.mjs: the same runtime, whose entries from the page are timed.
RUNTIME = """
import { loadPyodide as load } from './pyodide.mjs?unchanged';
const meter = (window.meter = { handed: 0, later: 0, open: 0 });
const timed = (kind, work) => (...args) => {
    const begin = performance.now();
    try {
        return work(...args);
    } finally {
        meter[kind] += performance.now() - begin;
    }
};
export const loadPyodide = async (options) => {
    const python = (meter.python = await load(options));
    const { setTimeout: wait, clearTimeout: stop, fetch: ask } = window;
    const waiting = new Set();
    window.setTimeout = (work, ...more) => {
        if (!(work instanceof python.ffi.PyProxy)) return wait(work, ...more);
        const timer = wait(() => (waiting.delete(timer), timed('later', work)()), ...more);
        waiting.add(timer);
        return timer;
    };
    window.clearTimeout = (timer) => (waiting.delete(timer), stop(timer));
    const settled = (work) => timed('later', (...args) => (meter.open--, work(...args)));
    window.fetch = (...args) => {
        const answer = ask(...args);
        const then = answer.then.bind(answer);
        answer.then = (...handlers) => (meter.open++, then(...handlers.map(settled)));
        return answer;
    };
    const loop = python.toPy({});
    python.runPython(LOOP, { globals: loop });
    meter.busy = () => meter.open + waiting.size + loop.get('pending');
    meter.reset = () => {
        meter.handed = meter.later = 0;
        loop.set('taken', 0);
    };
    meter.told = () => ({ handed: meter.handed, later: meter.later + loop.get('taken') * 1000 });
    return {
        FS: python.FS,
        runPython: (code) => python.runPython(code),
        pyimport: (name) => {
            const module = python.pyimport(name);
            const start = (...args) => {
                const core = module.start(...args);
                const post = timed('handed', (text) => core.post(text));
                return { post, ask: (text) => core.ask(text) };
            };
            return { start };
        },
    };
};
"""

SAMPLE = """
async () => {
    const pause = (ms) => new Promise((done) => setTimeout(done, ms));
    const idle = async () => {
        if (!window.meter) return pause(120);
        do await pause(5); while (meter.busy());
    };
    const { meter } = window;
    const samples = [];
    await idle();
    for (let sample = 0; sample < %(samples)d; sample++) {
        meter?.reset();
        meter?.parts?.get('reset')();
        const results = [];
        const begin = performance.now();
        for (let call = 0; call < %(row)d; call++) results.push(tracker.%(call)s);
        const means = { returned: performance.now() - begin };
        await Promise.all(results);
        await idle();
        Object.assign(means, meter?.told());
        for (const name in means) means[name] *= 1000 / %(row)d;
        const told = meter?.parts?.get('told')();
        samples.push(Object.assign(means, told?.toJs({ dict_converter: Object.fromEntries })));
    }
    return samples;
}
"""

# Time is booked on the part that Python is in; the stopwatch's own work is booked on itself.
STOPWATCHES = """
from functools import wraps
from inspect import getattr_static
from time import perf_counter as clock

import tracker.identity, tracker.privacy
import tracker.snowplow.session, tracker.snowplow.visitor, tracker.storage.expiring

parts = {
    "privacy": [(tracker.privacy.Privacy, None)],
    "session": [
        (tracker.snowplow.session.Session, None),
        (tracker.snowplow.visitor.Visitor, ["entity"]),
        (tracker.storage.expiring.SessionStore, ["mechanism"]),
    ],
    "ids": [(tracker.identity.User, None), (tracker.identity.Group, None)],
}
taken = dict.fromkeys([*parts, "other", "self", "empty"], 0.0)
entered = dict.fromkeys(taken, 0)
now_in, since = "other", 0.0

def watched(part, work):
    @wraps(work)
    def timed(*args, **named):
        global now_in, since
        if now_in == part:
            return work(*args, **named)
        begin = clock()
        taken[now_in] += begin - since
        before, now_in = now_in, part
        entered[part] += 1
        since = clock()
        taken["self"] += since - begin
        try:
            return work(*args, **named)
        finally:
            end = clock()
            taken[part] += end - since
            now_in = before
            since = clock()
            taken["self"] += since - end
    return timed

def watch(part, owner, names):
    for name in names or [name for name in dir(owner) if not name.startswith("_")]:
        member = getattr_static(owner, name)
        if isinstance(member, property):
            setattr(owner, name, property(watched(part, member.fget)))
        elif callable(member):
            setattr(owner, name, watched(part, member))

class Empty:
    def work(self):
        pass

for part, owners in parts.items():
    for owner, names in owners:
        watch(part, owner, names)
watch("empty", Empty, None)

def reset():
    for name in taken:
        taken[name], entered[name] = 0.0, 0

# what a stopwatch books on a part that does nothing is not the part's
reset()
empty = Empty()
for _ in range(20000):
    empty.work()
cost = taken["empty"] / entered["empty"]

def told():
    return {name: (taken[name] - entered[name] * cost) * 1e6 for name in parts} | {
        "self": taken["self"] * 1e6
    }
"""

# Own time of each Python function. What the profiler itself does between two clocks is left out.
PROFILER = """
import sys
from time import perf_counter as clock

own, inside, count, stack, depth = {}, {}, {}, [], {}
active, last = 0.0, 0.0

def enter(code, *_):
    global active, last
    begin = clock()
    if stack:
        passed = begin - last
        active += passed
        own[stack[-1][0]] = own.get(stack[-1][0], 0.0) + passed
    depth[code] = depth.get(code, 0) + 1
    stack.append((code, active))
    last = clock()

def begin_call(code, *_):
    count[code] = count.get(code, 0) + 1
    enter(code)

def leave(code, *_):
    global active, last
    begin = clock()
    if stack and stack[-1][0] is code:
        passed = begin - last
        active += passed
        own[code] = own.get(code, 0.0) + passed
        depth[code] -= 1
        _, entered = stack.pop()
        if not depth[code]:
            inside[code] = inside.get(code, 0.0) + active - entered
    last = clock()

watch, events = sys.monitoring, sys.monitoring.events
watch.use_tool_id(watch.PROFILER_ID, "core_time")
for event, work in (
    (events.PY_START, begin_call), (events.PY_RESUME, enter), (events.PY_THROW, enter),
    (events.PY_RETURN, leave), (events.PY_YIELD, leave), (events.PY_UNWIND, leave),
):
    watch.register_callback(watch.PROFILER_ID, event, work)

def profile(on):
    watch.set_events(
        watch.PROFILER_ID,
        events.PY_START | events.PY_RESUME | events.PY_THROW
        | events.PY_RETURN | events.PY_YIELD | events.PY_UNWIND if on else 0,
    )

def told():
    def name(code):
        return code.co_filename + " " + code.co_qualname
    return [
        {"name": name(code), "own": own[code] * 1e6, "inside": inside.get(code, 0.0) * 1e6,
         "count": count.get(code, 0)}
        for code in own
    ]
"""


@dataclass
class Measured:
    """What the pages of one strategy have shown."""

    samples: dict[tuple[Way, int], list[Json]] = field(default_factory=lambda: defaultdict(list))
    profiles: dict[Way, list[Json]] = field(default_factory=dict)

    def median(self, way: Way, row: int, *kinds: str) -> float:
        """The median of samples, each the sum of these kinds of time."""
        return median(sum(each[kind] for kind in kinds) for each in self.samples[way, row])


def main() -> None:
    """Measure all and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=6, help="turns of each page")
    parser.add_argument("--events", type=int, default=12, help="events alone in a block")
    parser.add_argument("--profiled", type=int, default=60, help="events that are profiled")
    options = parser.parse_args()
    missing = [str(path) for path in (DIST / "loader.js", SNOWPLOW) if not path.exists()]
    if missing:
        parser.exit(1, f"missing: {', '.join(missing)}\n  to do: python3 build.py test peers\n")
    mounts = (Mount("/tracker", DIST), Mount("/peers", PEERS))
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Settings(Path(folder) / "events.sqlite", mounts=mounts)) as collector,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        total = options.blocks * options.events
        print(f"Chromium {browser.version}; microseconds for one event, ", end="")
        print(f"medians of {total} events alone and {total // ROWS} times {IN_A_ROW} in a row")
        print(f"theirs: {SNOWPLOW_PACKAGE} {npm_version(SNOWPLOW_PACKAGE)}; ", end="")
        print(f"ours: {tracker_version()}")
        for strategy in STRATEGIES:
            arguments = options.blocks, options.events, options.profiled
            show(strategy, measure(browser, collector.url, strategy, *arguments))
        browser.close()
        with urllib.request.urlopen(collector.url + "/api/stats") as answer:
            stats = json.load(answer)
        print(f"\n{stats['total']} events reached the collector, {stats['bad']} of them bad")


def measure(
    browser: Browser, origin: str, strategy: str, blocks: int, events: int, profiled: int
) -> Measured:
    """Samples of all pages in turns, then profiles."""
    measured = Measured()
    ways = (THEIRS, *OURS, *WATCHED)
    contexts = {way: browser.new_context() for way in ways}
    pages = {way: opened(context, origin, way, strategy) for way, context in contexts.items()}
    for way, tab in pages.items():
        if way in WATCHED:
            tab.run(f"() => void (meter.parts = {python(STOPWATCHES)})")
        block(tab, way, WARM_UP, 1)
    for _ in range(blocks):
        for way, tab in pages.items():
            measured.samples[way, 1] += block(tab, way, events, 1)
            if way not in WATCHED:
                measured.samples[way, IN_A_ROW] += block(tab, way, events // ROWS, IN_A_ROW)
    for way in OURS:
        measured.profiles[way] = profile(pages[way], way, profiled)
    for context in contexts.values():
        context.close()
    return measured


def opened(context: BrowserContext, origin: str, way: Way, strategy: str) -> Tab:
    """A page of a fresh visitor in which a tracker has started."""
    tab = Tab(context, origin)
    markup = f"<!doctype html><title>Page</title>{way.markup(strategy)}"

    def page(route: Route) -> None:
        route.fulfill(body=markup, headers=ISOLATED)

    def runtime(route: Route) -> None:
        route.fulfill(
            body=f"const LOOP = {json.dumps(LOOP)};{RUNTIME}", content_type="text/javascript"
        )

    tab.page.route(f"{origin}/page.html", page)
    tab.page.route(re.compile(r"/pyodide\.mjs$"), runtime)
    tab.page.goto(f"{origin}/page.html")
    if way is not THEIRS:
        tab.ready()
    if tab.errors or not tab.run("() => crossOriginIsolated"):
        sys.exit(f"{way.name}: the page did not start: {tab.errors or 'it is not isolated'}")
    return tab


def block(tab: Tab, way: Way, samples: int, row: int) -> list[Json]:
    """The samples of one turn; one before them is dropped, it may be slower."""
    tab.page.bring_to_front()
    times: list[Json] = tab.run(SAMPLE % {"samples": samples + 1, "row": row, "call": way.call})
    if tab.errors:
        sys.exit(f"{way.name}: {tab.errors[0]}")
    return times[1:]


def profile(tab: Tab, way: Way, events: int) -> list[Json]:
    """The functions of the core, what they take of one event, most of it first."""
    tab.run(f"() => {{ meter.profile = {python(PROFILER)}; meter.profile.get('profile')(true) }}")
    block(tab, way, events - 1, 1)
    functions: list[Json] = tab.run(
        """() => {
            meter.profile.get('profile')(false);
            return meter.profile.get('told')().toJs({ dict_converter: Object.fromEntries });
        }"""
    )
    for each in functions:
        each |= {kind: each[kind] / events for kind in ("own", "inside", "count")}
    return sorted(functions, key=lambda each: -each["own"])


def python(code: str) -> str:
    """JavaScript that runs Python code and gives its names."""
    return (
        "(() => { const names = meter.python.toPy({}); "
        f"meter.python.runPython({json.dumps(code)}, {{globals: names}}); return names }})()"
    )


def show(strategy: str, measured: Measured) -> None:
    """Print the tables of one strategy."""
    print(f"\nstateStorageStrategy {strategy}")
    for row, title in ((1, "one event alone"), (IN_A_ROW, f"{IN_A_ROW} events in a row")):
        theirs = measured.median(THEIRS, row, "returned")
        print(f"\n{title:32}{'until it':>10}{'':>8}{'core,':>10}{'core,':>8}{'':>8}{'':>8}")
        print(
            f"{'':32}{'returns':>10}{'/theirs':>8}{'hand-over':>10}{'later':>8}"
            f"{'core':>8}{'/theirs':>8}"
        )
        print(f"{THEIRS.name:32}{theirs:>10.1f}")
        for way in OURS:
            returned = measured.median(way, row, "returned")
            core = measured.median(way, row, "handed", "later")
            print(
                f"{way.name:32}{returned:>10.1f}{returned / theirs:>8.2f}"
                f"{measured.median(way, row, 'handed'):>10.0f}"
                f"{measured.median(way, row, 'later'):>8.0f}{core:>8.0f}{core / theirs:>8.1f}"
            )
    theirs = measured.median(THEIRS, 1, "returned")
    print(f"\n{'parts of the core, one event':32}{'time':>10}{'share':>8}{'/theirs':>10}")
    for way in WATCHED:
        samples = measured.samples[way, 1]
        core = median(each["handed"] + each["later"] - each["self"] for each in samples)
        print(way.name)
        for name in ("privacy", "session", "ids"):
            time = measured.median(way, 1, name)
            print(f"  {name:30}{time:>10.0f}{time / core:>8.1%}{time / theirs:>10.2f}")
        print(f"  {'core in this page':30}{core:>10.0f}{1:>8.0%}{core / theirs:>10.2f}")
    for way in OURS:
        functions = measured.profiles[way]
        total = sum(each["own"] for each in functions)
        print(f"\n{'profile: ' + way.name:56}{'own':>8}{'with callees':>14}{'calls':>8}")
        for each in functions[:10]:
            print(
                f"{each['name']:56}{each['own'] / total:>8.1%}"
                f"{each['inside'] / total:>14.1%}{each['count']:>8.1f}"
            )


if __name__ == "__main__":
    main()
