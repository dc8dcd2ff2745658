from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.site import Site
from tracker.query_string import QueryStringRules, parse, read, strip, to_rules
from tracker.testing import FakeBrowser

BROWSER = FakeBrowser("https://www.site.example/")
EVERYTHING = (
    "?ajs_uid=u1&ajs_aid=a1&ajs_trait_email=x%40y.z&ajs_event=Ev+1&ajs_prop_p=1&other=2#part"
)


def visit(address: str, **options: Any) -> Site:
    site = Site(url="https://www.site.example/" + address)
    site.load(**options)
    site.settle()
    return site


def test_a_link_identifies_and_tracks_in_the_documented_order() -> None:
    site = visit(EVERYTHING)
    identified, tracked = site.sent
    assert (identified["type"], identified["userId"]) == ("identify", "u1")
    assert identified["anonymousId"] == tracked["anonymousId"] == "a1"
    assert identified["traits"] == {"email": "x@y.z"}
    assert (tracked["event"], tracked["properties"]) == ("Ev 1", {"p": "1"})


@pytest.mark.parametrize(
    ("address", "user"),
    [
        ("?ajs_uid=u1", "u1"),
        ("#/route?ajs_uid=u1", "u1"),
        ("#a?b?ajs_uid=u1", "u1"),
        ("#ajs_uid=u1", None),
        ("?x=1#/route?ajs_uid=u1", None),
        ("?ajs_uid=", None),
        ("?ajs_uid", None),
        ("?ajs_uid=one&ajs_uid=two", "two"),
        ("?ajs_uid=a%zz", "a%zz"),
        ("?ajs_uid=a=b", "a"),
        ("?ajs_trait_a=1", None),
    ],
)
def test_the_query_counts_else_the_last_part_of_the_hash(address: str, user: str | None) -> None:
    assert visit(address).ask("user.id") == user


def test_an_explicit_anonymous_id_beats_the_link_and_other_calls_come_after_it() -> None:
    site = Site(url="https://www.site.example/?ajs_uid=u1&ajs_aid=link")
    site.post("track", "Early")
    site.post("setAnonymousId", "mine")
    site.load()
    site.settle()
    assert [body["type"] for body in site.sent] == ["identify", "track"]
    assert {body["anonymousId"] for body in site.sent} == {"mine"}


def test_events_of_a_link_pass_through_middleware() -> None:
    site = Site(url="https://www.site.example/?ajs_event=Ev")
    site.post("addSourceMiddleware", None, fn=0)
    site.load()
    (run,) = [message for message in site.messages if message["type"] == "run"]
    site.bridge.post(json.dumps({"answers": [{"id": run["id"], "value": {"next": "null"}}]}))
    site.settle()
    assert site.sent == []


def test_the_parameters_are_taken_out_of_the_address_and_of_events() -> None:
    site = Site(url="https://www.site.example/" + EVERYTHING)
    site.post("page")
    site.load()
    site.settle()
    assert site.browser.url == "https://www.site.example/?other=2#part"
    pages = [body["context"]["page"] for body in site.sent]
    assert {page["search"] for page in pages} == {"?other=2"}
    assert {page["url"] for page in pages} == {"https://www.site.example/?other=2"}


def test_the_parameters_stay_where_the_site_wants_it() -> None:
    site = visit(EVERYTHING, useQueryString={"strip": False})
    assert "ajs_uid" in site.browser.url
    assert "ajs_uid" in site.sent[0]["context"]["page"]["search"]


@pytest.mark.parametrize(
    ("option", "types"),
    [
        (True, ["identify", "track"]),
        (False, []),
        ({"uid": {"$regex": "^u\\d$"}}, ["identify", "track"]),
        ({"uid": {"$regex": "^x"}}, ["track"]),
        ({"uid": "^U", "aid": "^z"}, ["track"]),
        ({"uid": {"$regex": "^U", "$flags": "i"}}, ["identify", "track"]),
        ({"uid": {"$regex": "(?<name>u)(?=1)(?<!x)"}}, ["identify", "track"]),
        ({"events": []}, ["identify"]),
        ({"events": ["Ev 1"]}, ["identify", "track"]),
    ],
)
def test_the_site_says_what_a_link_may_do(option: Any, types: list[str]) -> None:
    assert [body["type"] for body in visit(EVERYTHING, useQueryString=option).sent] == types


@pytest.mark.parametrize(
    "wrong",
    ["yes", 1, [], {"uid": "("}, {"uid": 5}, {"events": "x"}, {"events": [1]}, {"strip": 1}],
)
def test_a_wrong_rule_is_an_error_and_links_do_nothing(wrong: Any) -> None:
    site = Site(url="https://www.site.example/" + EVERYTHING)
    assert "useQueryString" in site.load(useQueryString=wrong)["error"]["detail"]
    site.settle()
    assert site.sent == []


def test_a_query_can_be_given_by_hand(site: Site) -> None:
    site.load()
    site.call("queryString", EVERYTHING.partition("#")[0])
    site.settle()
    assert [body["type"] for body in site.sent] == ["identify", "track"]
    assert "allowed: text" in site.call("queryString", 5)["error"]["detail"]


def test_nothing_identifies_an_anonymous_visitor() -> None:
    site = visit(EVERYTHING, anonymousTracking=True)
    assert [body["type"] for body in site.sent] == ["track"]
    assert site.sent[0]["anonymousId"] != "a1"
    assert site.sent[0]["userId"] is None


@given(st.text(alphabet="ajs_uideventrop=&?%+#1é", max_size=40))
def test_no_address_breaks_the_tracker(text: str) -> None:
    read(text, QueryStringRules(), BROWSER.decode_component)
    parse(text, BROWSER.decode_component)
    url = BROWSER.parse_url(strip(BROWSER, "https://www.site.example/?ajs_uid=1&" + text))
    assert url is not None
    assert "ajs_uid" not in url.search


def test_rules_are_made_of_the_option() -> None:
    assert to_rules(False) is None
    assert to_rules(True) == QueryStringRules()
