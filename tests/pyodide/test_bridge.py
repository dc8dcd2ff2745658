"""The core in Pyodide, through the real `js` bridge, against what it does in CPython."""

from __future__ import annotations

import http.server
import json
import re
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.unit.site import Site
from tracker.testing import FakeBrowser

SEMANTICS = json.loads(
    (Path(__file__).parents[1] / "unit" / "testing" / "semantics.json").read_text()
)


def test_the_wheel_installs_with_micropip_and_holds_only_the_core(page: Any) -> None:
    assert page.run("import tracker; tracker.__version__") == tracker.__version__
    assert page.run("import importlib.util as u; u.find_spec('tracker.testing') is None")
    assert page.run("import importlib.util as u; u.find_spec('collector') is None")


@pytest.mark.parametrize("name", sorted(SEMANTICS))
def test_the_browsers_own_functions_answer_like_the_fake_ones(page: Any, name: str) -> None:
    """Encoding, numbers, dates and addresses: the table that FakeBrowser is tested with."""
    rows = SEMANTICS[name]
    answers = page.run(
        f"""
        import json
        from dataclasses import asdict

        def answer(given):
            if {name!r} in ("number_text", "iso_time", "utc_text"):
                given = float(given)
            args = given if isinstance(given, list) else [given]
            value = browser.{name}(*args)
            return asdict(value) if hasattr(value, "__dataclass_fields__") else value

        json.dumps([answer(given) for given, _ in json.loads({json.dumps(rows)!r})])
        """
    )
    wrong = [
        (given, expected, answer)
        for (given, expected), answer in zip(rows, json.loads(answers), strict=True)
        if answer != expected
    ]
    assert wrong == []


VALUES = ["plain", 'a b@é;,="%/:{}', "日本語", "😀", "%41", "12345678901234567890", "x" * 500]


@pytest.mark.parametrize("value", VALUES)
def test_ids_and_traits_are_kept_as_the_fake_browser_keeps_them(page: Any, value: str) -> None:
    calls = [
        ["load", "wk", {"customerio": False}],
        ["setAnonymousId", value],
        ["identify", value, {"text": value, "number": 0.1, "big": 1e21, "list": [1, None]}],
        ["group", value, {"text": value}],
    ]
    page.run(
        f"""
        import json
        from tracker.bridge import start
        bridge = start(js.window, lambda text: None)
        for method, *args in json.loads({json.dumps(calls)!r}):
            facts = dict(href=js.location.href, title="", referrer="", canonical="")
            id_ = str(js.Math.random())
            call = dict(id=id_, method=method, args=args, at=0, page=facts)
            bridge.post(json.dumps(dict(calls=[call])))
        """
    )
    real = {
        "cookies": page.run_js("return document.cookie"),
        "local": page.run_js("return {...localStorage}"),
        "id": page.run('json.loads(bridge.ask(\'{"method":"user.id","args":[]}\'))[\'value\']'),
    }

    fake = Site(FakeBrowser("http://127.0.0.1/"))
    for method, *args in calls:
        fake.post(method, *args)
    assert sorted(real["cookies"].split("; ")) == sorted(fake.browser.cookies().split("; "))
    assert real["local"] == fake.local
    assert real["id"] == value == fake.ask("user.id")


def test_what_the_browser_denies_is_a_storage_error(page: Any) -> None:
    assert page.run(
        """
        from pyodide.code import run_js
        from tracker.browser import StorageError, WindowBrowser
        denied = run_js('''({
            get localStorage() { throw new DOMException("denied", "SecurityError"); },
            document: {
                get cookie() { throw new Error("no"); },
                set cookie(value) { throw new Error("no"); },
            },
        })''')
        blocked = WindowBrowser(denied)
        outcomes = [blocked.cookies(), blocked.try_cookie("a", "").result()]
        for action in (
            lambda: blocked.local_storage.get("k"),
            lambda: blocked.local_storage.set("k", "v"),
            lambda: blocked.local_storage.keys(),
            lambda: blocked.set_cookie("a=1"),
        ):
            try:
                action()
            except StorageError:
                outcomes.append("StorageError")
        outcomes
        """
    ) == ["", False, *["StorageError"] * 4]


def test_storage_answers_like_a_dictionary(page: Any) -> None:
    assert page.run(
        """
        local = browser.local_storage
        local.set("k", "v")
        answers = [local.get("k"), local.get("absent"), local.keys()]
        local.remove("k")
        [*answers, local.get("k"), local.keys()]
        """
    ) == ["v", None, ["k"], None, []]


def test_requests_bring_status_and_headers_or_a_network_error(
    page: Any, server: http.server.ThreadingHTTPServer
) -> None:
    port = server.server_port
    answers = page.run_async(
        f"""
        import asyncio
        from tracker.browser import NetworkError, Request

        async def outcome(request):
            future = browser.fetch(request)
            while not future.settled:
                await asyncio.sleep(0.01)
            try:
                response = future.result()
            except NetworkError:
                return "NetworkError"
            return [response.status, response.text[:6], response.headers.get("retry-after")]

        base, headers = "http://127.0.0.1:{port}/", {{"Content-Type": "text/plain"}}
        [
            await outcome(Request(base + "e", "POST", headers, '{{"é":1}}')),
            await outcome(Request(base + "snippet.html")),
            await outcome(Request(base + "absent")),
            await outcome(Request("http://127.0.0.1:9/", timeout_ms=2000)),
            await outcome(Request("nonsense://x")),
            await outcome(Request(base, headers={{"bad header": "x"}})),
        ]
        """
    )
    assert answers[0] == [429, "", "7"]
    assert server.bodies[-1] == '{"é":1}'  # type: ignore[attr-defined]
    assert answers[1][:2] == [200, "<scrip"]
    assert answers[2][0] == 404
    assert answers[3:] == ["NetworkError"] * 3


def test_timers_fire_once_and_can_be_cancelled(page: Any) -> None:
    assert page.run_async(
        """
        import asyncio
        fired = []
        first = browser.set_timer(10, lambda: fired.append("first"))
        second = browser.set_timer(10, lambda: fired.append("second"))
        browser.clear_timer(second)
        own = {}

        def cancels_itself():
            fired.append("third")
            browser.clear_timer(own["timer"])

        own["timer"] = browser.set_timer(10, cancels_itself)
        await asyncio.sleep(0.2)
        browser.clear_timer(first)
        sorted(fired)
        """
    ) == ["first", "third"]


def test_facts_of_the_page_are_plain_values(page: Any) -> None:
    facts = page.run(
        """
        [browser.navigator("userAgent"), browser.navigator("language"), browser.navigator("absent"),
         browser.navigator("doNotTrack"), browser.window("absent"), browser.timezone(),
         list(browser.screen()), (browser.client_hints() or {}).get("mobile"),
         browser.page().href == js.location.href]
        """
    )
    agent, language, absent, do_not_track, window, zone, screen, mobile, href = facts
    assert "Chrome" in agent
    assert language
    assert absent is None
    assert do_not_track is None, "null is nothing"
    assert window is None
    assert zone
    assert screen == ["width", "height", "colorDepth", "density"]
    assert mobile is False
    assert href


def test_ids_are_uuids_with_and_without_a_secure_context(page: Any) -> None:
    ids = page.run(
        """
        from pyodide.code import run_js
        insecure = WindowBrowser(run_js(
            "({Uint8Array, crypto: {getRandomValues: (array) => crypto.getRandomValues(array)}})"
        ))
        [browser.uuid(), browser.uuid(), insecure.uuid(), insecure.uuid()]
        """
    )
    assert len(set(ids)) == 4
    pattern = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    assert all(re.fullmatch(pattern, id_) for id_ in ids)


def test_the_pages_life_is_heard(page: Any) -> None:
    assert page.run(
        """
        heard = []
        for name in ("online", "pagehide", "pageshow", "visible"):
            browser.listen(name, lambda name=name: heard.append(name))
        for name in ("online", "pagehide", "pageshow"):
            js.window.dispatchEvent(js.Event.new(name))
        js.document.dispatchEvent(js.Event.new("visibilitychange"))
        heard
        """
    ) == ["online", "pagehide", "pageshow", "visible"]
