from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.site import Site
from tracker.bridge import Bridge
from tracker.testing import FakeBrowser, FakeProfile

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda items: st.lists(items, max_size=4) | st.dictionaries(st.text(max_size=8), items),
    max_leaves=12,
)
METHODS = ["track", "page", "screen", "identify", "group", "alias", "reset", "ready", "debug"]


def test_calls_before_load_wait_and_run_in_call_order(site: Site) -> None:
    site.post("track", "A")
    site.post("identify", "u1")
    site.post("track", "B")
    assert site.messages == []
    site.load()
    site.settle()
    assert [(b["type"], b["userId"]) for b in site.sent] == [
        ("track", None),
        ("identify", "u1"),
        ("track", "u1"),
    ]


def test_an_early_set_anonymous_id_and_middleware_come_first(site: Site) -> None:
    site.post("track", "A")
    site.post("setAnonymousId", "mine")
    site.load()
    site.settle()
    assert site.sent[0]["anonymousId"] == "mine"


def test_calls_that_a_former_page_kept_run_before_those_of_this_page(site: Site) -> None:
    site.post("identify", "u2")
    site.post("track", "Old", kept=True)
    site.load()
    site.settle()
    assert [body["type"] for body in site.sent] == ["track", "identify"]


def test_kept_calls_pass_through_this_pages_middleware(site: Site) -> None:
    site.post("track", "Old", kept=True)
    site.post("addSourceMiddleware", None, fn=0)
    site.load()
    assert [message["args"][0]["event"] for message in run_messages(site)] == ["Old"]


def test_kept_calls_that_need_a_function_are_gone_with_their_page(site: Site) -> None:
    site.load()
    for method in ("addSourceMiddleware", "register", "ready", "load", "debug"):
        site.post(method, None, fn=0, kept=True)
    site.post("track", "Old", {}, {}, None, fn=3, kept=True)
    site.settle()
    assert [body["event"] for body in site.sent] == ["Old"]
    assert callbacks(site) == []


def test_a_call_that_is_handed_over_twice_runs_once(site: Site) -> None:
    site.load()
    for _ in range(2):
        site.post("track", "A", id="same")
    site.settle()
    assert len(site.sent) == 1


def test_every_call_is_answered_and_its_listeners_are_told(site: Site) -> None:
    site.load()
    result = site.call("track", "A", {"p": 1})
    assert result["value"]["event"]["event"] == "A"
    site.call("page", "cat", "nm", {"q": 2})
    site.call("identify", "u1", {"a": 1})
    site.call("group", "g1", {"b": 1})
    site.call("alias", "u2", "u1")
    site.call("reset")
    assert site.emitted("track") == [["A", {"p": 1}, None]]
    assert site.emitted("page") == [["cat", "nm", {"q": 2}, None]]
    assert site.emitted("identify") == [["u1", {"a": 1}, None]]
    assert site.emitted("group") == [["g1", {"b": 1}, None]]
    assert site.emitted("alias") == [["u2", "u1", None]]
    assert site.emitted("reset") == [[]]
    assert site.emitted("initialize") == [[{"writeKey": "wk"}, {}]]


def callbacks(site: Site) -> list[dict[str, Any]]:
    return [message for message in site.messages if message["type"] == "callback"]


def test_a_callback_runs_300_ms_after_its_call(site: Site) -> None:
    site.load()
    site.post("track", "A", None, fn=1)
    site.settle(299)
    assert callbacks(site) == []
    site.settle(1)
    assert callbacks(site)[0]["args"][0]["event"]["event"] == "A"
    site.post("timeout", 50)
    site.post("track", "B", None, fn=1)
    site.settle(50)
    assert len(callbacks(site)) == 2


def test_a_clock_that_is_set_back_delays_no_callback(site: Site) -> None:
    site.load()
    site.browser.clock.shift(-3_600_000)  # between the call and its turn
    site.post("track", "A", None, fn=1, at=site.browser.now() + 3_600_000)
    site.settle(310)
    assert len(callbacks(site)) == 1


def test_ready_answers_with_one_outcome_for_each_stage(site: Site) -> None:
    site.post("ready", None, fn=0)
    site.load()
    assert callbacks(site)[0]["args"] == [[None, None, None]]


@pytest.mark.parametrize("name", [None, "", 7, {}, [], True])
def test_track_without_a_name_is_refused_with_a_reason(site: Site, name: Any) -> None:
    site.load()
    error = site.call("track", name, {"p": 1})["error"]
    assert error["message"] == "Event missing"
    assert "track: the event name is" in error["detail"]
    assert "allowed: text that is not empty" in error["detail"]
    site.settle()
    assert site.sent == []
    assert site.emitted("error") == [[error]]


def test_a_wrong_option_rejects_load_once_and_tracking_works(site: Site) -> None:
    result = site.load(stateStorageStrategy="cloud", cookie={"maxage": "long"})
    assert "stateStorageStrategy" in result["error"]["detail"]
    assert len(site.emitted("error")) == 2
    assert len([line for line in site.console if line[0] == "error"]) == 2
    site.post("track", "A")
    site.settle()
    assert len(site.sent) == 1


def test_load_without_a_key_is_refused_and_a_later_load_works(site: Site) -> None:
    site.post("track", "A")
    assert "write key" in site.call("load")["error"]["detail"]
    site.settle()
    assert site.sent == []
    site.load()
    site.settle()
    assert len(site.sent) == 1


def test_a_second_load_is_refused(site: Site) -> None:
    site.load()
    assert site.load()["error"]["message"] == "Already loaded"


def test_an_unknown_method_is_named(site: Site) -> None:
    site.load()
    error = site.call("trackk")["error"]
    assert "trackk" in error["detail"]
    assert "track, page" in error["detail"]


def test_a_huge_event_is_refused_with_its_size(site: Site) -> None:
    site.load()
    error = site.call("track", "A", {"text": "x" * 600_000})["error"]
    assert error["message"] == "Event too large"
    assert "allowed: 500000" in error["detail"]
    site.call("track", "B")
    site.settle()
    assert [body["event"] for body in site.sent] == ["B"]


def test_deeply_nested_properties_do_not_stop_tracking(site: Site) -> None:
    site.load()
    nested = "[" * 100_000 + "]" * 100_000
    site.bridge.post(f'{{"calls":[{{"id":"x","method":"track","args":["A",{nested}]}}]}}')
    site.call("track", "B")
    site.settle()
    assert [body["event"] for body in site.sent] == ["B"]
    assert any("could not be taken over" in text for _, text in site.console)


@pytest.mark.sends_flaws  # alias and group without an id, which is theirs to say
@given(method=st.sampled_from(METHODS), args=st.lists(JSON, max_size=4))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_no_argument_breaks_a_call_or_the_next_one(method: str, args: list[Any]) -> None:
    site = Site()
    site.load()
    result = site.call(method, *args)
    if "error" in result:
        assert result["error"]["message"] != "Internal error", result["error"]
    site.call("track", "After")
    site.settle()
    assert site.sent[-1]["event"] == "After"


@given(method=st.sampled_from(["user.id", "user.traits", "group.id", "setAnonymousId"]), value=JSON)
def test_no_value_breaks_a_setter(method: str, value: Any) -> None:
    site = Site()
    site.load()
    answer = site.ask(method, value)
    assert not isinstance(answer, dict) or answer.get("message") != "Internal error"


@given(JSON)
def test_no_option_breaks_load(value: Any) -> None:
    options = {"cookie": value, "user": value, "customerio": value, "integrations": value}
    for given_options in (value, options):
        site = Site()
        result = site.call("load", "wk", given_options)
        if "error" in result:
            assert result["error"]["message"] != "Internal error", result["error"]


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '{"calls":5}', '{"calls":[5]}', "null"])
def test_a_message_that_is_none_is_reported_not_raised(text: str) -> None:
    browser = FakeBrowser("https://www.site.example/")
    bridge = Bridge(browser, lambda _: None)
    bridge.post(text)
    assert json.loads(bridge.ask(text)).get("error")


@pytest.mark.parametrize(
    "damage",
    [
        {"page": 5},
        {"page": None},
        {"args": 5},
        {"at": "x"},
        {"at": None},
        {"fn": 9},
        {"args": None},
    ],
)
def test_a_damaged_call_does_not_take_the_others_with_it(damage: dict[str, Any]) -> None:
    site = Site()
    site.load()
    site.post("track", "Damaged", **damage)
    site.post("track", "Good")
    site.settle()
    assert [body["event"] for body in site.sent] == ["Good"]


def test_getters_before_load_know_nothing_and_write_nothing(site: Site) -> None:
    assert site.ask("user.id") is None
    assert site.ask("user.traits") == {}
    assert site.browser.jar.assignments == []


def run_messages(site: Site) -> list[dict[str, Any]]:
    return [message for message in site.messages if message["type"] == "run"]


def answer(site: Site, message: dict[str, Any], **value: Any) -> None:
    site.bridge.post(json.dumps({"answers": [{"id": message["id"], "value": value}]}))


def test_middleware_changes_events_and_keeps_their_order(site: Site) -> None:
    site.post("track", "A")
    call = site.post("addSourceMiddleware", None, fn=0)
    site.load()
    site.post("track", "B")
    first = run_messages(site)[0]
    assert first["call"] == call
    assert first["args"][0]["event"] == "A"
    answer(site, first, next="payload", obj={**first["args"][0], "event": "A2"})
    second = run_messages(site)[1]
    answer(site, second, next="payload", obj=second["args"][0])
    site.settle()
    assert [body["event"] for body in site.sent] == ["A2", "B"]


@pytest.mark.parametrize("decision", ["null", "none"])
def test_middleware_can_drop_an_event(site: Site, decision: str) -> None:
    site.load()
    site.post("addSourceMiddleware", None, fn=0)
    id_ = site.post("track", "A")
    answer(site, run_messages(site)[0], next=decision)
    site.settle()
    assert site.sent == []
    result = next(m for m in site.messages if m.get("id") == id_ and m["type"] == "result")
    assert result["value"]["failed"] == "middleware_cancellation"


def test_a_failing_or_silent_middleware_costs_its_event_and_no_other(site: Site) -> None:
    site.load()
    site.post("addSourceMiddleware", None, fn=0)
    site.post("track", "Fails")
    site.post("track", "Hangs")
    site.post("track", "Wrong")
    site.post("track", "Good")
    failing = {"id": run_messages(site)[0]["id"], "error": "boom"}
    site.bridge.post(json.dumps({"answers": [failing]}))
    site.settle(5_000)
    answer(site, run_messages(site)[2], next="payload", obj=5)
    last = run_messages(site)[3]
    answer(site, last, next="payload", obj=last["args"][0])
    site.settle()
    assert [body["event"] for body in site.sent] == ["Good"]
    details = [args[0]["detail"] for args in site.emitted("error")]
    assert "boom" in details[0]
    assert "no answer within" in details[1]
    assert "allowed: the payload" in details[2]


def test_middleware_that_is_no_function_is_refused(site: Site) -> None:
    site.load()
    assert "a function" in site.call("addSourceMiddleware", "x")["error"]["detail"]


def test_debug_writes_events_to_the_console() -> None:
    site = Site.of(FakeProfile())
    site.load(debug=True)
    site.post("track", "A")
    assert any(level == "log" and '"event":"A"' in text for level, text in site.console)
    site.post("debug", False)
    site.post("track", "B")
    assert not any('"event":"B"' in text for _, text in site.console)


def test_calls_made_while_load_waits_for_the_browser_come_behind_it() -> None:
    """A core in a worker has to ask the page which cookie domains it may use."""
    browser = FakeBrowser("https://www.site.example/")
    browser.profile.cookie_probe_delay_ms = 50
    site = Site(browser)
    load = site.post("load", "wk", {})
    ready = site.post("ready")
    site.settle(200)
    settled = [message["id"] for message in site.messages if message["type"] == "result"]
    assert settled == [load, ready]
