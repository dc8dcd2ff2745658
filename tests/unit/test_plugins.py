from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.site import Site

EVENTS = ["track", "page", "screen", "identify", "group", "alias"]


class Page(Site):
    """A page whose plugins answer by themselves; `ran` is what was asked of them, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.ran: list[str] = []
        self.silent: set[str] = set()  # "name:hook" that never answers
        self.answers: dict[str, dict[str, Any]] = {}  # "name:hook" -> answer without the id
        self._plugins: dict[tuple[str, int], str] = {}
        self._seen = 0

    def register(self, *plugins: tuple[str, str, str]) -> str:
        """Register plugins given as (name, type, hooks)."""
        described = [{"name": n, "type": t, "hooks": hooks.split()} for n, t, hooks in plugins]
        id_ = self.post("register", *described)
        self._plugins |= {(id_, index): name for index, (name, _, _) in enumerate(plugins)}
        return id_

    def play(self) -> None:
        """Answer what the core asks until it asks no more."""
        while self._seen < len(self.messages):
            message = self.messages[self._seen]
            self._seen += 1
            if message["type"] != "run":
                continue
            name = f"{self._plugins[message['call'], message['plugin']]}:{message['hook']}"
            self.ran.append(name)
            if name not in self.silent:
                answer = self.answers.get(name, {"value": None})
                self.bridge.post(json.dumps({"answers": [{"id": message["id"], **answer}]}))

    def result(self, id_: str) -> dict[str, Any]:
        return next(m for m in self.messages if m["type"] == "result" and m["id"] == id_)


@pytest.fixture
def page() -> Page:
    page = Page()
    page.load()
    return page


def test_stages_run_in_the_documented_order(page: Page) -> None:
    page.register(
        ("D", "destination", "load track"),
        ("A", "after", "load track"),
        ("E", "enrichment", "load track"),
        ("B1", "before", "load track"),
        ("U", "utility", "load track"),
        ("B2", "before", "track"),
    )
    page.play()
    page.post("track", "T")
    page.play()
    assert page.ran == [
        *["D:load", "A:load", "E:load", "B1:load", "U:load"],
        *["B1:track", "B2:track", "E:track", "D:track", "A:track"],
    ]


@pytest.mark.parametrize("type_", EVENTS)
def test_each_type_of_event_has_its_hook(page: Page, type_: str) -> None:
    page.register(("B", "before", " ".join(EVENTS)))
    page.post(type_, "x")
    page.play()
    assert page.ran == [f"B:{type_}"]


@pytest.mark.sends_flaws
def test_a_before_or_enrichment_plugin_changes_the_event(page: Page) -> None:
    page.register(("B", "before", "track"), ("E", "enrichment", "track"), ("A", "after", "track"))
    for name in ("B", "E", "A"):
        page.answers[f"{name}:track"] = {"value": {"event": {"messageId": "m", "type": "track"}}}
        page.answers[f"{name}:track"]["value"]["event"] |= {"by": name, "integrations": {}}
    page.post("track", "T")
    page.play()
    page.settle()
    assert page.sent[0]["by"] == "E", "what an after plugin returns changes nothing"


@pytest.mark.parametrize("answer", [{"error": "boom"}, {"cancel": "not now"}])
def test_a_before_plugin_can_stop_an_event_and_no_other(page: Page, answer: dict[str, str]) -> None:
    page.register(("B", "before", "track"))
    page.answers["B:track"] = answer
    call = page.post("track", "T")
    page.post("page")
    page.play()
    page.settle()
    assert [body["type"] for body in page.sent] == ["page"]
    assert page.result(call)["value"]["failed"] in answer.values()
    assert len(page.emitted("error")) == ("error" in answer)


@pytest.mark.parametrize("type_", ["enrichment", "destination", "after"])
@pytest.mark.parametrize("answer", [{"error": "boom"}, {"cancel": "no"}, {"value": 5}])
def test_no_other_plugin_stops_an_event(page: Page, type_: str, answer: dict[str, Any]) -> None:
    page.register(("P", type_, "track"))
    page.answers["P:track"] = answer
    page.post("track", "T")
    page.play()
    page.settle()
    assert len(page.sent) == 1


def test_a_plugin_that_hangs_costs_a_deadline_not_the_events_behind_it(page: Page) -> None:
    page.register(("D", "destination", "track"), ("E", "enrichment", "track"))
    page.silent |= {"D:track"}
    page.post("track", "One")
    page.post("track", "Two")
    page.play()
    page.settle(100)
    assert [body["event"] for body in page.sent] == ["One", "Two"]
    page.silent.add("E:track")
    call = page.post("track", "Three")
    page.play()
    page.settle(5_000)
    page.play()
    page.settle(5_000)
    assert [body["event"] for body in page.sent] == ["One", "Two", "Three"]
    assert page.result(call)["value"]["event"]["event"] == "Three"
    assert any("no answer within" in args[0]["detail"] for args in page.emitted("error"))


def test_events_wait_until_a_plugin_before_them_is_loaded(page: Page) -> None:
    page.register(("B", "before", "load track"))
    page.post("track", "T")
    assert page.ask("user.anonymousId"), "getters do not wait"
    page.settle(100)
    assert page.sent == []
    page.play()
    page.settle()
    assert page.ran == ["B:load", "B:track"]


def test_a_plugin_that_cannot_be_loaded_is_reported_and_the_others_work(page: Page) -> None:
    page.answers["Bad:load"] = {"error": "no license"}
    page.answers["Dest:load"] = {"error": "blocked"}
    call = page.register(
        ("Bad", "before", "load track"),
        ("Dest", "destination", "load track"),
        ("Good", "before", "load track"),
    )
    page.post("track", "T")
    page.play()
    page.settle()
    assert "no license" in page.result(call)["error"]["detail"]
    assert page.ran[-1] == "Good:track"
    assert page.sent[0]["_metadata"]["failedInitializations"] == ["Dest"]
    assert len(page.emitted("error")) == 2


def test_a_plugin_that_never_loads_is_given_up_after_ten_seconds(page: Page) -> None:
    page.silent.add("B:load")
    page.register(("B", "before", "load track"))
    page.post("track", "T")
    page.play()
    page.settle(11_000)
    page.play()
    assert len(page.sent) == 1


@pytest.mark.parametrize(
    ("integrations", "runs"),
    [
        ({}, True),
        ({"Dest": False}, False),
        ({"All": False}, False),
        ({"All": False, "Dest": True}, True),
        ({"Dest": {"key": 1}}, True),
    ],
)
def test_integrations_say_which_destinations_get_an_event(
    page: Page, integrations: dict[str, Any], runs: bool
) -> None:
    page.register(("Dest", "destination", "track"))
    page.post("track", "T", {}, {"integrations": integrations})
    page.play()
    assert (page.ran == ["Dest:track"]) == runs


def test_ready_tells_what_each_plugin_says_and_never_hangs(page: Page) -> None:
    page.register(
        ("One", "utility", "ready"), ("Two", "before", "ready"), ("Three", "after", "ready")
    )
    page.answers["One:ready"] = {"value": "fine"}
    page.answers["Two:ready"] = {"error": "broken"}
    page.silent.add("Three:ready")
    call = page.post("ready", None, fn=0)
    page.play()
    page.settle(10_000)
    outcomes = [None, None, None, "fine", {"error": "broken"}]
    value = page.result(call)["value"]
    assert value[:5] == outcomes
    assert "no answer within" in value[5]["error"]


def test_plugins_can_be_taken_out(page: Page) -> None:
    page.register(("B", "before", "unload track"))
    page.post("deregister", "B")
    page.play()
    page.post("track", "T")
    page.play()
    assert page.ran == ["B:unload"]
    error = page.call("deregister", "Nope")["error"]
    assert "'Nope' (text) is not registered" in error["detail"]


@pytest.mark.parametrize("wrong", [None, 5, {}, {"name": "x"}, {"name": "x", "type": "during"}])
def test_what_is_no_plugin_is_refused(page: Page, wrong: Any) -> None:
    error = page.call("register", wrong)["error"]
    assert "argument 1" in error["detail"]
    assert "before, enrichment" in error["detail"]


def test_destination_middleware_sees_and_changes_only_its_destinations_copy(page: Page) -> None:
    call = page.post("addDestinationMiddleware", "customer.io data pipelines", None, fn=1)
    done = page.post("track", "T", {"email": "x"})
    run = next(message for message in page.messages if message["type"] == "run")
    assert run["call"] == call
    changed = {**run["args"][0], "properties": {}}
    answer = {"id": run["id"], "value": {"next": "payload", "obj": changed}}
    page.bridge.post(json.dumps({"answers": [answer]}))
    page.settle()
    assert page.sent[0]["properties"] == {}
    assert page.result(done)["value"]["event"]["properties"] == {"email": "x"}
    assert "name of a destination" in page.call("addDestinationMiddleware", 5)["error"]["detail"]
