from __future__ import annotations

from typing import Any

import pytest

from tests.unit.site import Site
from tracker.testing import FakeProfile

DNT = {"navigator": {"doNotTrack": "1"}}
GPC = {"navigator": {"globalPrivacyControl": True}}


@pytest.mark.parametrize(
    ("browser", "options", "refused"),
    [
        (DNT, {}, False),
        (DNT, {"respectDoNotTrack": True}, True),
        ({"navigator": {"doNotTrack": "yes"}}, {"respectDoNotTrack": True}, True),
        ({"navigator": {"msDoNotTrack": "1"}}, {"respectDoNotTrack": True}, True),
        ({"window": {"doNotTrack": "1"}}, {"respectDoNotTrack": True}, True),
        ({"navigator": {"doNotTrack": "0"}}, {"respectDoNotTrack": True}, False),
        ({"navigator": {"doNotTrack": "unspecified"}}, {"respectDoNotTrack": True}, False),
        ({}, {"respectDoNotTrack": True}, False),
        (GPC, {}, False),
        (GPC, {"respectGlobalPrivacyControl": True}, True),
        (GPC, {"respectDoNotTrack": True}, True),
        (GPC, {"respectDoNotTrack": True, "respectGlobalPrivacyControl": False}, False),
        ({"navigator": {"globalPrivacyControl": False}}, {"respectDoNotTrack": True}, False),
    ],
)
def test_signals_of_the_browser_refuse_tracking_where_the_site_respects_them(
    browser: dict[str, Any], options: dict[str, Any], refused: bool
) -> None:
    site = Site.of(FakeProfile(**browser))
    site.load(**options)
    site.post("identify", "u1", {"a": 1})
    site.settle()
    assert (site.sent == []) == refused
    assert (site.cookies == {}) == refused


@pytest.mark.parametrize(("value", "refused"), [("1", True), ("no", True), ("", False)])
def test_an_opt_out_cookie_refuses_tracking_unless_it_is_empty(value: str, refused: bool) -> None:
    site = Site()
    site.browser.set_cookie(f"optout={value}; Path=/")
    site.load(optOutCookie="optout")
    site.post("track", "A")
    site.settle()
    assert (site.sent == []) == refused


def test_a_refusing_visitor_leaves_no_trace() -> None:
    site = Site.of(FakeProfile(**DNT))
    site.post("page")
    site.load(respectDoNotTrack=True)
    site.post("identify", "u1", {"a": 1})
    site.post("group", "g1")
    assert site.ask("user.id", "u2") is None
    site.settle(60_000)
    assert site.browser.network.exchanges == []
    assert site.browser.jar.assignments == []
    assert not [write for write in site.browser.local_storage.writes if write[0] == "set"]
    assert site.call("track", "T")["value"] is None


def test_what_an_earlier_visit_kept_is_removed_when_the_visitor_refuses() -> None:
    profile = FakeProfile()
    before = Site.of(profile)
    before.load()
    before.post("identify", "u1", {"a": 1})
    before.post("group", "g1", {"b": 1})
    before.browser.network.answer(503)
    before.post("track", "Waiting")
    before.settle()
    assert before.cookies and before.local
    profile.navigator["doNotTrack"] = "1"
    after = Site.of(profile)
    after.load(respectDoNotTrack=True)
    assert after.cookies == {}
    assert after.local == {}


def test_an_opt_out_in_the_middle_of_a_page_ends_tracking_at_once(site: Site) -> None:
    site.load(optOutCookie="optout")
    site.post("identify", "u1", {"a": 1})
    site.settle()
    site.browser.set_cookie("optout=1; Path=/")
    site.post("track", "A")
    site.settle()
    assert len(site.sent) == 1
    assert set(site.cookies) == {"optout"}
    assert site.local == {}
    assert site.ask("user.id") is None


@pytest.mark.parametrize("option", [True, {}, {"withServerAnonymisation": True}])
def test_anonymous_tracking_sends_events_without_identity_and_keeps_nothing(option: Any) -> None:
    site = Site()
    site.load(anonymousTracking=option)
    site.post("identify", "u1", {"email": "a@b.example"})
    site.post("group", "g1", {"b": 1})
    site.post("alias", "u2")
    site.post("track", "A", {}, {"userId": "u1", "anonymousId": "aa", "traits": {"x": 1}})
    site.post("track", "B")
    site.settle()
    assert [body["event"] for body in site.sent] == ["A", "B"]
    assert {body["userId"] for body in site.sent} == {None}
    assert len({body["anonymousId"] for body in site.sent}) == 1
    assert site.sent[0]["anonymousId"] != "aa"
    assert "traits" not in site.sent[0]["context"]
    assert site.browser.jar.assignments == []
    assert site.browser.local_storage.writes == []
    assert site.ask("user.id") is None
    assert site.ask("user.anonymousId") is None
    assert site.ask("user.traits") == {}


def test_each_page_of_anonymous_tracking_has_its_own_id() -> None:
    profile = FakeProfile()
    ids = []
    for _ in range(2):
        site = Site.of(profile)
        site.load(anonymousTracking=True)
        site.post("track", "A")
        site.settle()
        ids.append(site.sent[-1]["anonymousId"])
    assert ids[0] != ids[1]


def test_a_setter_after_an_opt_out_writes_nothing(site: Site) -> None:
    site.load(optOutCookie="optout")
    site.browser.set_cookie("optout=1; Path=/")
    written = len([a for a in site.browser.jar.assignments if "u2" in a.text])
    assert site.ask("user.id", "u2") is None
    site.post("identify", "u2")
    assert len([a for a in site.browser.jar.assignments if "u2" in a.text]) == written
    assert set(site.cookies) == {"optout"}
