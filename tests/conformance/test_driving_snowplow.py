"""Driving the Snowplow cases: every step, function and setup key acts on the page as documented."""

from __future__ import annotations

from typing import Any

from . import snowplow
from .drive_snowplow import STEPS, Functions, Visit


def test_every_step_of_the_vocabulary_is_there() -> None:
    assert set(STEPS) == snowplow.STEPS


def visit(**setup: Any) -> Visit:
    page = {"url": "https://www.acme.test/home", "now_ms": 1700000000000, **setup}
    return Visit(page)


def test_the_environment_is_fixed_but_for_the_setup() -> None:
    page = visit(navigator={"doNotTrack": "1"}, window={"doNotTrack": "yes"}, title="T").page
    assert (page.navigator("doNotTrack"), page.navigator("language")) == ("1", "en-GB")
    assert (page.window("doNotTrack"), page.window("innerWidth")) == ("yes", 1200)
    assert (page.title, page.now(), page.timezone()) == ("T", 1700000000000, "Europe/London")
    assert visit().page.title == "Home"


def test_cookies_are_those_of_the_site() -> None:
    observation = visit(cookies={"crm": "z%20z"}).observe()
    crm = observation["cookies"]["crm"]
    assert (crm["value"], crm["domain"], crm["expires_ms"]) == ("z z", "acme.test", None)
    assert "crm" not in str(observation["set_cookie_strings"])
    assert visit(cookies={"crm": "1"}, cookiesBlocked=True).observe()["cookies"] == {}


def test_functions_of_options_are_named_and_run() -> None:
    functions = Functions()
    options = {"onRequestSuccess": "@record", "crossDomainLinker": "@all", "plugins": ["@context"]}
    assert functions.marked({**options, "appId": "@me"}) == {
        "onRequestSuccess": {"$fn": "onRequestSuccess"},
        "crossDomainLinker": {"$fn": "crossDomainLinker"},
        "plugins": [{"contexts": {"$fn": "context"}}],
        "appId": "@me",
    }

    def run(name: str, *args: Any) -> Any:
        return functions.run([], {"fn": name, "args": list(args)})["value"]

    assert run("filter_pv", {"e": "pv"}) is False
    assert run("filter_pv", {"e": "se"}) is True
    assert run("context")[0]["data"] == {"p": 1}
    run("onRequestSuccess", [1])
    assert functions.callbacks == [{"name": "onRequestSuccess", "args": [[1]]}]


def test_steps_on_the_document() -> None:
    one = visit(links=[{"href": "https://b.test/", "text": "x"}])
    heard: list[dict[str, Any]] = []
    for kind in ("click", "scroll", "keydown"):
        one.document_listeners[kind] = [heard.append]
    STEPS["@dom"](one, "keydown", {"key": "a"})
    STEPS["@scroll"](one, 3, 4)
    STEPS["@click_link"](one, 0)
    assert [event["type"] for event in heard] == ["keydown", "scroll", "click"]
    assert (one.page.window("pageXOffset"), one.returns) == (3, ["https://b.test/"])


def test_steps_on_the_page() -> None:
    one = visit(localStorage={"k": "v"})
    first = one.page
    STEPS["@title"](one, "New")
    STEPS["@navigate"](one, "/two")
    STEPS["@set_cookie"](one, "optout=1; Path=/")
    STEPS["@advance_ms"](one, 5)
    STEPS["@hidden"](one)
    STEPS["@snapshot"](one)
    assert (first.title, first.url) == ("New", "https://www.acme.test/two")
    assert (one.page.now(), one.page.visible) == (1700000000005, True)
    assert "optout" in one.snapshots[0]["cookies"]
    assert "k" in one.snapshots[0]["ls"]
    STEPS["@reload"](one)
    assert one.page is not first
    assert len(one.clients) == 2


def test_the_collector_can_be_scripted() -> None:
    one = visit(collector=[500, "network-error"])
    STEPS["@collector"](one, "defer")
    STEPS["@release"](one, 200)
    assert one.observe()["problems"][-1] == "@release: no request waits for an answer"


def test_getters_are_noted_and_tracks_are_not() -> None:
    one = visit()
    one.call("getDomainUserId", [])
    one.call("trackPageView", [{}])
    assert len(one.returns) == 1
