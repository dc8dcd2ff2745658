"""Driving the Customer.io cases: every step, token and setup key acts on the page as documented."""

from __future__ import annotations

import json
from typing import Any

import pytest

import tracker
from tracker.testing import FakeBrowser

from . import customerio, drive_customerio
from .client import CLIENT, Client, Promise
from .drive_customerio import Recorder, drive
from .values import UNDEFINED, Plugin, date_text, read, to_wire

START = "2026-01-15T12:00:0"


def seen(*calls: list[Any], settle: int = 1000, **setup: Any) -> dict[str, Any]:
    return drive({"setup": setup, "calls": list(calls), "settle": settle})


def bodies(observation: dict[str, Any]) -> list[dict[str, Any]]:
    return [request["body"] for request in observation["requests"]]


def test_every_step_of_the_vocabulary_is_there() -> None:
    assert set(drive_customerio.STEPS) == customerio.STEPS


# Values


def test_tokens_stand_for_javascript_values() -> None:
    recorder = Recorder()
    given = {
        "d": {"$date": "2020-01-02T03:04:05Z"},
        "u": {"$undefined": True},
        "n": {"$nan": True},
        "r": {"$regex": "^u", "$flags": "i"},
        "f": {"$fn": "f"},
        "l": [{"$undefined": True}, {"$fn": "f"}],
    }
    wire, position = to_wire([read(given, recorder), UNDEFINED, 1, read({"$fn": "f"}, recorder)])
    expected = {
        "d": "2020-01-02T03:04:05.000Z",
        "n": None,
        "r": {"$regex": "^u", "$flags": "i"},
        "l": [None, None],
    }
    assert (wire, position) == ([expected, None, 1, None], 3)


def test_trailing_undefined_arguments_are_dropped() -> None:
    assert to_wire(["a", UNDEFINED, UNDEFINED]) == (["a"], None)


def test_the_same_name_is_the_same_function() -> None:
    recorder = Recorder()
    assert recorder.function("f") is recorder.function("f")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        ("2020-01-02", "2020-01-02T00:00:00.000Z"),
        ("2020-01-02T03:04:05+01:00", "2020-01-02T02:04:05.000Z"),
        ("never", None),
    ],
)
def test_dates(value: Any, text: str | None) -> None:
    assert date_text(value) == text


# The client of a page


def test_before_load_getters_answer_from_storage_and_write_nothing() -> None:
    observation = seen(
        ["user.id"],
        ["user.anonymousId"],
        ["user.traits"],
        ["group.id"],
        ["group.traits"],
        cookies={"ajs_user_id": "u%201"},
        localStorage={"ajs_anonymous_id": '"AA"', "ajs_user_traits": '{"a": 1}'},
    )
    assert list(observation["returns"].values()) == ["u 1", "AA", {"a": 1}, None, {}]
    assert set(observation["localStorage"]) == {"ajs_anonymous_id", "ajs_user_traits"}
    assert observation["loaded"] is False


def test_before_load_calls_wait() -> None:
    observation = seen(["track", "A"], ["user.id", "u1"], ["push", ["track", "B"]])
    assert observation["returns"]["0"] == {"pending": True}
    assert observation["requests"] == []


def test_after_load_the_global_is_the_client() -> None:
    observation = seen(
        ["VERSION"],
        ["load"],
        ["@wait", 1000],
        ["load"],
        ["fly"],
        ["push", ["track", "A"]],
        ["push", ["fly", 1]],
        ["VERSION"],
        ["on", "x", {"$fn": "f"}],
        ["once", "x", {"$fn": "f"}],
        ["off", "x", {"$fn": "f"}],
        ["debug", False],
        ["user"],
        ["group"],
    )
    returns = observation["returns"]
    assert returns["0"] is None
    assert returns["3"] == {"threw": "cioanalytics.load is not a function"}
    assert returns["4"] == {"threw": "cioanalytics.fly is not a function"}
    assert returns["7"] == tracker.__version__
    assert [returns[index] for index in ("8", "9", "10", "11")] == [CLIENT] * 4
    assert (returns["12"], returns["13"]) == ("<user>", "<group>")
    assert [body["event"] for body in bodies(observation)] == ["A"]


def test_promises_show_what_became_of_them() -> None:
    observation = seen(["load"], ["@wait", 1000], ["track", "A"], ["track", ""])
    assert observation["returns"]["2"]["resolved"]["event"]["event"] == "A"
    assert "rejected" in observation["returns"]["3"]
    assert observation["problems"]


def test_listeners_can_be_removed_and_may_hear_once() -> None:
    observation = seen(
        ["on", "track", {"$fn": "on"}],
        ["once", "track", {"$fn": "once"}],
        ["on", "track", {"$fn": "off"}],
        ["off", "track", {"$fn": "off"}],
        ["load"],
        ["track", "A"],
        ["track", "B"],
    )
    counts = {name: len(calls) for name, calls in observation["callbacks"].items()}
    assert counts == {"on": 2, "once": 1}


def test_functions_that_the_core_asks_for_answer_later() -> None:
    browser = FakeBrowser("https://www.site.example/")
    ran: list[Any] = []
    client = Client(browser, 1, lambda args, message: ran.append((args, message)))
    promise = client.call("register", [Plugin("P", "before")])
    assert isinstance(promise, Promise)
    client._receive(json.dumps({"type": "run", "id": 7, "call": "p1c1", "plugin": 0, "args": []}))
    assert ran == []
    browser.clock.run_pending()
    ((args, message),) = ran
    assert (args[0].name, message["id"]) == ("P", 7)


def test_middleware_tells_what_it_did_with_next() -> None:
    recorder = Recorder()
    token = {"$middleware": {"name": "m", "set": {"properties.x": 1}, "next": "none"}}
    message: dict[str, Any] = {"args": [{"properties": {}}, {}]}
    answer = recorder.run([read(token, recorder)], message)
    assert answer == {"value": {"next": "none", "obj": {"properties": {"x": 1}}}}
    plain = recorder.run([read({"$middleware": {}}, recorder)], {"args": [{"obj": {"a": 1}}]})
    assert plain == {"value": {"next": "payload", "obj": {"a": 1}}}
    assert recorder.log == ["mw:m"]


HOOKS: list[tuple[dict[str, Any], str, Any]] = [
    ({}, "load", {}),
    ({"loadThrow": "no"}, "load", {"error": "no"}),
    ({"loadHang": True}, "load", None),
    ({}, "ready", {}),
    ({"readyReject": "no"}, "ready", {"error": "no"}),
    ({"readyHang": True}, "ready", None),
    ({"hooks": {"track": {}}}, "track", {"value": {"event": {"a": 1}}}),
    ({"hooks": {"track": {"throw": "x"}}}, "track", {"error": "x"}),
    ({"hooks": {"track": {"cancel": "x"}}}, "track", {"cancel": "x"}),
    (
        {"hooks": {"track": {"set": {"b.c": 2}}}},
        "track",
        {"value": {"event": {"a": 1, "b": {"c": 2}}}},
    ),
]


@pytest.mark.parametrize(("spec", "hook", "answer"), HOOKS)
def test_plugin_hooks(spec: dict[str, Any], hook: str, answer: Any) -> None:
    recorder = Recorder()
    plugin = read({"$plugin": {"name": "P", "type": "before", **spec}}, recorder)
    message = {"plugin": 0, "hook": hook, "args": [{"a": 1}]}
    assert recorder.run([plugin], message) == answer
    assert recorder.log == ([] if hook == "ready" else [f"P:{hook}"])


def test_plugins_are_described_to_the_core() -> None:
    spec = {"name": "P", "type": "before", "hooks": {"track": {}}, "readyHang": True}
    plugin = read({"$plugin": spec}, Recorder())
    described = {"name": "P", "type": "before", "hooks": ["load", "track", "ready"]}
    assert to_wire([plugin]) == ([described], None)


# Setup and steps of the Customer.io cases


def test_the_page_is_as_set_up() -> None:
    observation = seen(
        ["load"],
        ["page"],
        url="https://shop.example/a?b=1",
        referrer="https://ref.example/",
        title="T",
        canonical="https://shop.example/c",
    )
    (body,) = bodies(observation)
    facts = body["context"]["page"]
    assert (facts["title"], facts["referrer"]) == ("T", "https://ref.example/")
    assert facts["path"] == "/c"


def test_cookies_are_seeded_with_their_scope() -> None:
    scoped = {"value": "2", "domain": "site.example", "path": "/x"}
    cookies = seen(cookies={"a": "1", "b": scoped})["cookies"]
    assert (cookies["a"]["hostOnly"], cookies["a"]["days"]) == (True, None)
    assert (cookies["b"]["domain"], cookies["b"]["path"]) == ("site.example", "/x")
    with pytest.raises(ValueError, match="refuses the cookie"):
        seen(cookies={"a": {"value": "1", "domain": "other.example"}})


def test_the_network_answers_in_order_then_by_default() -> None:
    observation = seen(
        ["load"], ["@wait", 10], ["track", "A"], network=[400], networkDefault="hang", settle=10
    )
    assert len(observation["requests"]) == 1
    assert seen(["load"], ["track", "A"], offline=True)["requests"] == []


def test_settings_are_answered_as_set_up() -> None:
    settings = {"integrations": {"Customer.io Data Pipelines": {"apiKey": "other"}}}
    (body,) = bodies(seen(["load", "wk"], ["@wait", 10], ["track", "A"], settings=settings))
    assert body["writeKey"] == "other"
    observation = seen(["load", "wk"], ["track", "A"], settingsStatus=500)
    assert observation["settingsUrl"] == "https://cdp.customer.io/v1/projects/wk/settings"


@pytest.mark.parametrize(
    "rule", [{"lsFull": True}, {"lsFullKeys": ["^ajs_"]}, {"lsUnavailable": 1}]
)
def test_local_storage_can_refuse(rule: dict[str, Any]) -> None:
    observation = seen(["load"], ["identify", "u1"], localStorage={"other": "1"}, **rule)
    assert "ajs_user_id" not in observation["localStorage"]
    assert observation["localStorage"]["other"] == "1"
    assert observation["cookies"]["ajs_user_id"]["value"] == "u1"


def test_cookies_can_be_disabled() -> None:
    assert seen(["load"], ["identify", "u1"], cookiesDisabled=True)["cookies"] == {}


def test_load_options_come_from_the_setup_unless_given() -> None:
    options = {"integrations": {"Foo": False}}
    (body,) = bodies(seen(["load"], ["track", "A"], options=options))
    assert body["integrations"] == {"Foo": False}
    (body,) = bodies(seen(["load", "wk", {}], ["track", "A"], options=options))
    assert body["integrations"] == {}


def test_time_passes_only_while_waiting() -> None:
    calls: list[list[Any]] = [["load"], ["track", "A"], ["@wait", 5000], ["track", "B"]]
    stamps = [body["timestamp"] for body in bodies(seen(*calls))]
    assert stamps == [f"{START}0.000Z", f"{START}5.000Z"]


def test_a_new_page_keeps_cookies_and_storage_and_needs_load() -> None:
    observation = seen(
        ["load"], ["user.id", "u1"], ["@navigate", "/next"], ["user.id"], ["track", "A"]
    )
    assert observation["returns"]["3"] == "u1"
    assert (observation["loaded"], observation["requests"]) == (False, [])
    assert seen(["@navigate"], ["load"])["loaded"] is True


def test_the_address_changes_without_a_new_page() -> None:
    (body,) = bodies(seen(["load"], ["@pushState", "/two", "T2"], ["page"]))
    assert (body["properties"]["path"], body["properties"]["title"]) == ("/two", "T2")


def test_steps_that_touch_state() -> None:
    observation = seen(
        ["@setCookie", "a=1; Path=/"],
        ["@setCookie", "b=1; Path=/; Max-Age=86400"],
        ["@setLocalStorage", "k", "v"],
        ["@deleteCookie", "a"],
        ["@advanceDays", 0.5],
        lsFull=True,
    )
    assert observation["localStorage"] == {"k": "v"}
    assert observation["cookies"]["b"]["days"] == 1
    assert set(observation["cookies"]) == {"b"}
    assert seen(["@setLocalStorage", "k", "v"], ["@clearLocalStorage"])["localStorage"] == {}
    gone = seen(["@setCookie", "b=1; Max-Age=86400"], ["@advanceDays", 2])
    assert gone["cookies"] == {}


def test_steps_that_the_page_hears() -> None:
    steps = ["@offline", "@online", "@hidden", "@visible", "@pagehide"]
    assert seen(["load"], *([step] for step in steps))["loaded"] is True


def test_the_snippet_may_be_included_twice() -> None:
    line = ["error", "Snippet included twice."]
    assert line in seen(["track", "A"], ["@snippet"])["console"]
    assert line not in seen(["load"], ["@wait", 1000], ["@snippet"])["console"]
