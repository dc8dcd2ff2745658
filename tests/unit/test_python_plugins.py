"""Plugins in Python: their hooks, their limits, and the wheels that they come in."""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from tests.unit.site import Site
from tests.wheels import wheel
from tracker.plugin import Drop, Event, Plugin
from tracker.plugins import LOAD_DEADLINE_MS, REQUIRED_DEADLINE_MS
from tracker.python_plugins import HOOK_MS, MOST_FAILURES, WAIT_MS
from tracker.tasks import Future
from tracker.testing import FakeBrowser, FakeProfile

PAGE = "https://www.site.example/"
ADDRESS = "https://www.site.example/plugins/"


def hooked(hook: str, work: Callable[..., Any], *, required: bool = False) -> Plugin:
    """A plugin with one hook."""
    members = {"name": "Tried", "required": required, hook: work}
    return type("Tried", (Plugin,), members)()  # type: ignore[no-any-return]


def tracked(*plugins: Plugin, calls: int = 1) -> Site:
    """A page with these plugins, after some events."""
    site = Site(plugins=plugins)
    site.load()
    for number in range(calls):
        site.post("track", f"E{number}")
    site.settle(WAIT_MS + 1000)
    return site


def names(site: Site) -> list[str]:
    return [body["event"] for body in site.sent]


def failures(site: Site) -> list[str]:
    return [error["detail"] for [error] in site.emitted("error")]


@pytest.mark.parametrize("hook", ["before", "enrich"])
def test_an_event_is_changed_in_place_or_replaced(hook: str) -> None:
    def in_place(_: Plugin, event: Event) -> None:
        event["properties"]["a"] = 1

    def replaced(_: Plugin, event: Event) -> Event:
        return {**event, "properties": {**event["properties"], "b": 2}}

    site = tracked(hooked(hook, in_place), hooked(hook, replaced))
    assert site.sent[0]["properties"] == {"a": 1, "b": 2}
    assert failures(site) == []


def test_hooks_run_behind_those_of_the_page_and_before_all_enrich() -> None:
    seen: list[str] = []

    class Both(Plugin):
        def enrich(self, event: Event) -> None:
            seen.append("enrich")

        def before(self, event: Event) -> None:
            seen.append("before")

        async def destination(self, event: Event) -> None:
            seen.append("destination")

        def after(self, event: Event) -> None:
            seen.append("after")

    tracked(Both())
    assert seen == ["before", "enrich", "destination", "after"]


def test_before_can_drop_an_event() -> None:
    def drop(_: Plugin, event: Event) -> None:
        if event["event"] == "E0":
            raise Drop("not this one")

    site = tracked(hooked("before", drop), calls=2)
    assert names(site) == ["E1"]
    assert failures(site) == []


def raises(*_: object) -> None:
    raise ValueError("broken")


def loops(*_: object) -> None:
    while True:
        pass


def loops_on(*_: object) -> None:
    while True:
        try:
            loops()
        except Exception:
            continue


def ends(*_: object) -> None:
    raise SystemExit(1)


def no_event(*_: object) -> int:
    return 5


def other_id(_: Plugin, event: Event) -> Event:
    return {**event, "messageId": "mine"}


def no_json(_: Plugin, event: Event) -> Event:
    return {**event, "properties": {1, 2}}


async def waits(*_: object) -> None:
    """A hook that has to answer at once, and does not."""


FAILING = {
    raises: "ValueError: broken",
    loops: f"it took more than {HOOK_MS} ms",
    loops_on: f"it took more than {HOOK_MS} ms",
    ends: "SystemExit: 1",
    no_event: "it returned 5 (number)",
    other_id: "it changed messageId",
    no_json: "its event is no JSON",
}


@pytest.fixture
def real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes while Python runs."""
    now = FakeBrowser.now
    began = time.monotonic()
    monkeypatch.setattr(
        FakeBrowser, "now", lambda self: now(self) + int(1000 * (time.monotonic() - began))
    )


@pytest.mark.usefixtures("real_time")
@pytest.mark.parametrize("hook", ["before", "enrich"])
@pytest.mark.parametrize("work", FAILING, ids=lambda work: work.__name__)
def test_a_failing_hook_leaves_the_event_as_it_was_and_is_reported_once(
    hook: str, work: Callable[..., Any]
) -> None:
    site = tracked(hooked(hook, work), calls=2)
    assert names(site) == ["E0", "E1"]
    [failure] = failures(site)
    for part in (f"plugin Tried failed in {hook}", FAILING[work], "Tracking goes on"):
        assert part in failure
    assert "docs/plugins.md#limits" in failure


@pytest.mark.usefixtures("real_time")
@pytest.mark.parametrize("work", [raises, loops])
def test_events_that_a_required_plugin_could_not_see_are_not_sent(work: Callable[..., Any]) -> None:
    site = tracked(hooked("enrich", work, required=True), calls=MOST_FAILURES + 2)
    assert names(site) == []
    [failure] = failures(site)
    assert "Its events are not sent" in failure


def test_a_required_plugin_that_does_not_start_lets_nothing_pass() -> None:
    class Tried(Plugin):
        required = True

        def start(self) -> None:
            raise OSError("no key")

        def before(self, event: Event) -> None:
            """Would have to see it."""

    site = tracked(Tried())
    assert names(site) == []
    assert "Tried failed in start: OSError: no key" in failures(site)[0]


def test_a_plugin_that_fails_again_and_again_is_switched_off() -> None:
    seen: list[str] = []

    def fails(_: Plugin, event: Event) -> None:
        seen.append(event["event"])
        raise ValueError

    tracked(hooked("before", fails), calls=6)
    assert len(seen) == MOST_FAILURES


def test_now_and_then_a_failure_is_no_reason_to_switch_it_off() -> None:
    seen: list[str] = []

    def fails(_: Plugin, event: Event) -> None:
        seen.append(event["event"])
        if len(seen) % MOST_FAILURES:
            raise ValueError

    tracked(hooked("before", fails), calls=9)
    assert len(seen) == 9


@pytest.mark.parametrize("hook", ["destination", "after"])
def test_a_hook_that_waits_for_ever_is_given_up(hook: str) -> None:
    async def hangs(plugin: Plugin, _: Event) -> None:
        await plugin.site.send("https://hangs.example/", "{}")

    site = Site(plugins=[hooked(hook, hangs)])
    site.browser.network.route(lambda request: "hangs" in request.url, "hang")
    site.load()
    site.post("track", "A")
    site.settle(WAIT_MS + 5000)
    assert [body["event"] for body in site.sent if body] == ["A"]
    assert len(failures(site)) == 1
    assert hook in failures(site)[0]


@pytest.mark.usefixtures("real_time")
@pytest.mark.parametrize("work", [raises, loops, ends])
def test_an_async_hook_that_fails_is_reported(work: Callable[..., Any]) -> None:
    async def later(plugin: Plugin, _: Event) -> None:
        await plugin.site.send("https://hook.example/", "{}")
        work()

    site = tracked(hooked("destination", later))
    [failure] = failures(site)
    assert "plugin Tried failed in destination" in failure


def test_what_a_hook_does_to_its_copy_changes_nothing() -> None:
    def spoils(_: Plugin, event: Event) -> None:
        event.clear()

    site = tracked(hooked("destination", spoils), hooked("after", spoils))
    assert site.sent[0]["event"] == "E0"


# wheels


def module(number: int, body: str = 'event["properties"]["seen"] = True') -> tuple[str, bytes]:
    """A file's name and a wheel whose plugin marks events; modules are imported once only."""
    name = f"tried_plugin_{number}"
    code = "from tracker.plugin import Plugin\nclass Tried(Plugin):\n"
    code += f"    def enrich(self, event):\n        {body}\n"
    return f"{name}-1.0-py3-none-any.whl", wheel(code, f"x = {name}:Tried", name=name)


def visit(files: dict[str, bytes], *entries: str, **options: Any) -> Site:
    profile = FakeProfile()
    profile.files = {ADDRESS + name: content for name, content in files.items()}
    site = Site.of(profile, PAGE)
    site.load(plugins=list(entries), **options)
    site.post("track", "A")
    site.settle(20_000)
    return site


def test_a_wheel_brings_a_plugin() -> None:
    name, content = module(1)
    mark = "#sha256=" + sha256(content).hexdigest()
    site = visit({name: content}, f"/plugins/{name}{mark}")
    assert failures(site) == []
    assert site.sent[0]["properties"] == {"seen": True}


def test_plugins_are_named_by_a_text_as_in_an_attribute() -> None:
    (one, content), (two, other) = module(2), module(3, 'event["properties"]["too"] = True')
    profile = FakeProfile()
    profile.files = {ADDRESS + one: content, ADDRESS + two: other}
    site = Site.of(profile, PAGE)
    site.load(plugins=f"/plugins/{one} /plugins/{two}")
    site.post("track", "A")
    site.settle()
    assert site.sent[0]["properties"] == {"seen": True, "too": True}


def test_what_a_wheel_needs_comes_from_its_folder() -> None:
    inner = wheel("WORD = 'found'", "", name="needed_by_4")
    code = "from tracker.plugin import Plugin\nfrom needed_by_4 import WORD\n"
    code += "class Tried(Plugin):\n    def enrich(self, event):\n        "
    code += "event['properties']['word'] = WORD\n"
    needs = ("Needed.by-4==1.0", 'pytest>=8; extra == "dev"')
    outer = wheel(code, "x = outer_4:Tried", needs, "outer_4")
    files = {"outer_4-1.0-py3-none-any.whl": outer, "needed_by_4-1.0-py3-none-any.whl": inner}
    site = visit(files, "/plugins/outer_4-1.0-py3-none-any.whl")
    assert failures(site) == []
    assert site.sent[0]["properties"] == {"word": "found"}


def broken(number: int, code: str) -> dict[str, bytes]:
    name = f"broken_{number}"
    return {f"{name}-1.0-py3-none-any.whl": wheel(code, f"x = {name}:Tried", name=name)}


FILE = "tried_plugin-1.0-py3-none-any.whl"
WRONG: dict[str, tuple[dict[str, bytes], str, tuple[str, ...]]] = {
    "missing": ({}, FILE, ("answers 404", "allowed: 200")),
    "no wheel": ({FILE: b"<html>"}, FILE, ("is no zip file",)),
    "an empty zip": (
        {FILE: b"PK\x05\x06" + bytes(18)},
        FILE,
        ("it has no METADATA",),
    ),
    "no name of one": ({}, "plugin.js", ("'/plugins/plugin.js'", "NAME-VERSION-py3-none-any.whl")),
    "compiled": (
        {},
        "a-1.0-cp314-cp314-manylinux_2_17_x86_64.whl",
        ("allowed: the address of a wheel of pure Python",),
    ),
    "wrong hash": ({FILE: wheel()}, f"{FILE}#sha256=0123", ("has the SHA-256", "0123 is wanted")),
    "offers nothing": ({FILE: wheel(points="")}, FILE, ("offers no plugin", "pyodide_tracker")),
    "needs a range": (
        {FILE: wheel(needs=("humanize>=4",))},
        FILE,
        ("needs 'humanize>=4'", "an exact version, NAME==VERSION"),
    ),
    "needs what is not there": (
        {FILE: wheel(needs=("humanize==4.9.0",))},
        FILE,
        ("humanize-4.9.0-py3-none-any.whl answers 404", "('humanize==4.9.0' needs it)"),
    ),
    "a syntax error": (
        broken(1, "def ("),
        "broken_1-1.0-py3-none-any.whl",
        ("cannot be imported: SyntaxError",),
    ),
    "an endless loop": (
        broken(2, "while True:\n    pass"),
        "broken_2-1.0-py3-none-any.whl",
        ("cannot be imported: TimeoutError: it took more than 2000 ms",),
    ),
    "another class": (
        broken(3, "class Tried: pass"),
        "broken_3-1.0-py3-none-any.whl",
        ("is no plugin", "tracker.plugin.Plugin"),
    ),
    "no such class": (
        broken(4, ""),
        "broken_4-1.0-py3-none-any.whl",
        ("cannot be imported: AttributeError",),
    ),
}


@pytest.mark.usefixtures("real_time")
@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_loaded_names_itself_and_tracking_goes_on(case: str, required: bool) -> None:
    files, entry, parts = WRONG[case]
    if required:
        entry += "&required" if "#" in entry else "#required"
    site = visit(files, "/plugins/" + entry)
    first, *rest = failures(site)
    assert rest == []
    for part in (*parts, "load: option plugins", "docs/plugins.md#wheels"):
        assert part in first
    assert ("Nothing is sent without it" if required else "Tracking goes on") in first
    assert names(site) == ([] if required else ["A"])


def test_one_that_cannot_be_loaded_does_not_stop_the_others() -> None:
    name, content = module(5)
    site = visit({name: content}, f"/plugins/{FILE}", f"/plugins/{name}")
    assert site.sent[0]["properties"] == {"seen": True}
    assert len(failures(site)) == 1


def test_another_origin_is_named_and_its_wheels_have_a_hash() -> None:
    name, content = module(6)
    there = f"https://static.example/{name}"
    profile = FakeProfile()
    profile.files = {there: content}
    hashed = f"{there}#sha256={sha256(content).hexdigest()}"
    for entry, origins, part in (
        (hashed, [], "allowed: the page's own"),
        (there, ["https://static.example"], "has no hash"),
        (hashed, ["https://static.example/"], ""),
    ):
        site = Site.of(profile, PAGE)
        site.load(plugins=[entry], pluginOrigins=origins)
        site.post("track", "A")
        site.settle()
        if part:
            assert part in failures(site)[0]
        else:
            assert failures(site) == []
            assert site.sent[-1]["properties"] == {"seen": True}


@pytest.mark.parametrize("value", [5, {}, [5], [""], True])
def test_an_option_that_names_no_plugins_is_refused(value: Any) -> None:
    site = Site()
    error = site.load(plugins=value)["error"]
    assert error["message"] == "Invalid option plugins"


def test_a_visitor_who_refuses_downloads_no_plugin() -> None:
    profile = FakeProfile(navigator={"doNotTrack": "1"})
    asked: list[str] = []
    site = Site.of(profile, PAGE)
    site.browser.download = lambda url: asked.append(url)  # type: ignore[method-assign, assignment, func-returns-value]
    site.load(plugins=["/plugins/" + FILE], respectDoNotTrack=True)
    assert asked == []


@pytest.mark.parametrize(("mark", "sent"), [("", ["A"]), ("#required", [])])
def test_without_what_runs_plugins_only_required_ones_stop_events(
    mark: str, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rejected: Future[None] = Future()
    rejected.reject(RuntimeError("/tracker/plugins.zip answers 404"))
    monkeypatch.setattr(FakeBrowser, "extend", lambda _: rejected)
    site = visit({}, f"/plugins/{FILE}{mark}")
    assert names(site) == sent
    [failure] = failures(site)
    assert "/tracker/plugins.zip answers 404" in failure
    assert ("Nothing is sent" if mark else "Tracking goes on") in failure


@pytest.mark.parametrize(
    ("mark", "limit_ms", "sent"),
    [("", LOAD_DEADLINE_MS, ["A"]), ("#required", REQUIRED_DEADLINE_MS, [])],
)
@pytest.mark.parametrize("method", ["extend", "download"])
def test_events_wait_for_what_is_slow_only_so_long(
    method: str, mark: str, limit_ms: int, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeBrowser, method, lambda *_: Future())
    site = Site(url=PAGE)
    site.post("load", "wk", {"plugins": [f"/plugins/{FILE}{mark}"]})
    site.post("track", "A")
    site.settle(limit_ms - 100)
    assert names(site) == []
    site.settle(2000)
    assert names(site) == sent
    assert f"not there after {limit_ms} ms" in failures(site)[0]


def test_a_plugin_whose_making_does_not_end_is_given_up(real_time: None) -> None:
    name, content = module(
        7, "pass\n    def __init__(self):\n        while True:\n            pass"
    )
    site = visit({name: content}, f"/plugins/{name}")
    assert names(site) == ["A"]
    assert "it took more than 2000 ms" in failures(site)[0]
