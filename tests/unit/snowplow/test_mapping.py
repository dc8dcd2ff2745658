from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator  # type: ignore[import-untyped]

from collector.iglu import Schemas
from tests.unit.site import Site
from tracker.snowplow.contexts import is_self_describing
from tracker.snowplow.mapping import (
    Content,
    application,
    browser_context,
    content_of,
    web_page,
)

Json = dict[str, Any]

COLLECTOR = Schemas()
SCHEMAS = Path(__file__).parents[3] / "collector" / "schemas"
MAPPED = {"Mapped": "iglu:com.acme/mapped/jsonschema/1-0-0"}
UUID = "11111111-1111-4111-8111-000000000001"
FACTS = {
    "viewport": "1200x800",
    "documentSize": "1200x3000",
    "resolution": "1920x1080",
    "colorDepth": 24.0,
    "devicePixelRatio": 1.5,
    "cookiesEnabled": True,
    "online": True,
    "browserLanguage": "en-GB",
    "documentLanguage": "en",
    "webdriver": False,
    "deviceMemory": 0.5,
    "hardwareConcurrency": 8.9,
    "tabId": UUID,
}


@cache
def validator(schema: str) -> Draft4Validator:
    text = (SCHEMAS / schema.removeprefix("iglu:")).read_text(encoding="utf-8")
    return Draft4Validator(json.loads(text), format_checker=Draft4Validator.FORMAT_CHECKER)


def flaws(described: Json) -> list[str]:
    """What the schema refuses by jsonschema's own formats, and by those of our collector."""
    schema, content = described["schema"], described["data"]
    errors = [error.message for error in validator(schema).iter_errors(content)]
    return [*errors, *(COLLECTOR.flaws(schema, content) or [])]


def content(type_: str, **members: Any) -> Content:
    return content_of({"type": type_, **members}, MAPPED)


def data(type_: str, **members: Any) -> Json:
    described = content(type_, **members).self_describing
    assert described is not None
    assert flaws(described) == []
    found: Json = described["data"]
    return found


def test_a_page_is_a_page_view_with_the_title_of_its_event() -> None:
    properties = {"title": "T", "url": "https://a.test/", "referrer": "", "path": "/", "x": 1}
    assert content("page", properties=properties) == Content("pv", title="T")


def test_what_is_no_text_leaves_the_page_to_the_tracker() -> None:
    assert content("page", properties={"title": 5, "url": None}) == Content("pv")
    assert content("page") == Content("pv")


def test_a_named_event_is_structured() -> None:
    properties = {
        "category": "Mixes",
        "label": "MRC",
        "property": "p",
        "value": 0,
        "revenue": 9.5,
        "other": 1,
    }
    assert content("track", event="Play", properties=properties) == Content(
        "se",
        {"se_ca": "Mixes", "se_ac": "Play", "se_la": "MRC", "se_pr": "p", "se_va": 0},
    )


@pytest.mark.parametrize(
    ("properties", "fields"),
    [
        ({}, {}),
        ({"category": "", "label": ""}, {}),
        ({"revenue": 9.5}, {"se_va": 9.5}),
        ({"value": "12", "revenue": 9.5}, {"se_va": 9.5}),
        ({"value": True}, {}),
        ({"label": 5, "property": False}, {"se_la": 5, "se_pr": False}),
        ({"label": {"a": 1}, "property": [1]}, {}),
        ({"category": ["c"]}, {}),
    ],
)
def test_properties_without_a_place_or_of_another_kind_are_left_out(
    properties: Json, fields: Json
) -> None:
    found = content("track", event="Play", properties=properties)
    assert found.fields == {"se_ca": "all", "se_ac": "Play", **fields}


def test_an_event_with_a_schema_is_self_describing_with_all_its_properties() -> None:
    found = content("track", event="Mapped", properties={"a": [1], "category": None})
    described = {"schema": MAPPED["Mapped"], "data": {"a": [1], "category": None}}
    assert found == Content("ue", self_describing=described)


def test_identify_gives_the_traits_and_the_user_id() -> None:
    traits = {"email": "ann@acme.test", "plan": {"name": "gold"}, "none": None}
    assert data("identify", userId="u1", traits=traits) == {**traits, "id": "u1"}
    assert data("identify", userId=None, traits={"id": 7}) == {"id": "7"}
    assert data("identify", userId="u1", traits={"id": "other"}) == {"id": "u1"}


GOOD_TRAITS = {
    "address": {"city": "Paris", "postalCode": "75001", "floor": 3},
    "age": 35,
    "avatar": "https://a.test/i.png?x=%20y#z",
    "birthday": "1990-02-28T00:00:00Z",
    "createdAt": "2024-02-29T23:59:59.123+01:00",
    "description": "",
    "email": "ann.b+c@mail.acme.test",
    "firstName": "Ann",
    "lastName": "B",
    "phone": "+33 1",
    "title": "Dr",
    "username": "ann",
    "website": "http://acme.test",
}


def test_good_traits_stay_as_they_are() -> None:
    assert data("identify", traits=GOOD_TRAITS) == GOOD_TRAITS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("address", "Paris"), ("age", "35"), ("age", True), ("age", -1), ("age", float("inf"))],
        *[("avatar", "/i.png"), ("avatar", "https://a.test/a b"), ("avatar", "https://a.test/%zz")],
        *[("website", "acme.test"), ("website", "https://a.test/#a#b"), ("website", "https://")],
        *[("avatar", "https://a.test/" + "x" * 8192), ("phone", "1" * 129)],
        *[("birthday", "1990-02-28"), ("birthday", "1990-02-29T00:00:00Z"), ("birthday", 0)],
        *[("createdAt", "2024-04-31T00:00:00Z"), ("createdAt", "1900-02-29T00:00:00Z")],
        *[("createdAt", "2024-01-01T24:00:00Z"), ("createdAt", "2024-01-01T00:00:00")],
        *[("createdAt", "0000-01-01T00:00:00Z"), ("createdAt", "2024-01-01T00:00:00Z\n")],
        *[("email", "ann"), ("email", "a b@acme.test"), ("email", "a@b"), ("email", "a..b@c.de")],
        *[("firstName", None), ("firstName", 1.5), ("lastName", ["B"]), ("title", False)],
    ],
)
def test_a_trait_that_would_break_the_schema_is_left_out(name: str, value: Any) -> None:
    assert data("identify", traits={name: value, "other": value}) == {"other": value}


def test_whole_numbers_become_text_and_numbers_become_whole_where_that_is_wanted() -> None:
    traits = {"phone": 331, "age": 35.9, "address": {"postalCode": 75001, "city": None}}
    expected = {"phone": "331", "age": 35, "address": {"postalCode": "75001"}}
    assert data("identify", traits=traits) == expected


def test_a_group_has_its_id_and_its_traits_apart() -> None:
    found = data("group", groupId="g1", traits={"groupId": 5, "name": "Acme"})
    assert found == {"groupId": "g1", "traits": {"groupId": 5, "name": "Acme"}}
    assert data("group", groupId="g" * 513, traits=None) == {"traits": {}}


def test_an_alias_leads_from_the_former_id_to_the_new_one() -> None:
    assert data("alias", previousId="a", userId="u") == {"from": "a", "to": "u"}
    assert data("alias", previousId=None, userId="u") == {"to": "u"}


def test_a_screen_has_its_properties_and_name() -> None:
    properties = {"name": "lower", "x": 1}
    found = data("screen", name="Home", category="c", properties=properties)
    assert found == {"name": "Home", "category": "c", "x": 1}
    assert data("screen", name=None, properties=properties) == properties
    assert data("screen", properties={"name": {}}) == {}


def test_the_events_of_a_page_have_their_content() -> None:
    site = Site(url="https://www.site.example/shop?q=1#part")
    site.load()
    site.post("page", "Shop", {"title": "Mine"})
    site.post("track", "Played", {"value": 3})
    site.post("identify", "u1", {"email": "ann@acme.test"})
    site.settle()
    page, played, known = (content_of(event, {}) for event in site.sent)
    assert (page.kind, page.title) == ("pv", "Mine")
    assert played.fields == {"se_ca": "all", "se_ac": "Played", "se_va": 3}
    assert known.self_describing == {
        "schema": "iglu:com.segment/traits/jsonschema/1-0-0",
        "data": {"email": "ann@acme.test", "id": "u1"},
    }


NAMES = st.sampled_from([*GOOD_TRAITS, "id", "name", "groupId", "title", "url", "value", "city"])
FORMS = st.sampled_from(["date", "time", "@", "T00:00:00Z", "https://"])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.datetimes().map(lambda moment: moment.isoformat() + "Z")
    | st.emails()
    | st.builds(lambda form, text: form + text, FORMS, st.text()),
    lambda inner: st.lists(inner) | st.dictionaries(NAMES | st.text(), inner),
    max_leaves=10,
)
OBJECTS = st.dictionaries(NAMES | st.text(), JSON)
TYPES = st.sampled_from(["page", "track", "identify", "group", "alias", "screen", "other"])
MEMBERS = ("event", "name", "category", "userId", "groupId", "previousId", "properties", "traits")


@given(
    st.fixed_dictionaries(
        {"type": TYPES},
        optional=dict.fromkeys(MEMBERS, JSON | OBJECTS),
    )
)
def test_whatever_an_event_holds_its_content_is_valid(event: Json) -> None:
    before = json.dumps(event)
    found = content_of(event, MAPPED)
    assert json.dumps(event) == before
    assert found.kind in ("pv", "se", "ue")
    assert (found.kind == "ue") is (found.self_describing is not None)
    assert all(isinstance(value, str | int | float) for value in found.fields.values())
    if found.self_describing:
        assert is_self_describing(found.self_describing)
        assert event.get("event") == "Mapped" or flaws(found.self_describing) == []


def test_the_page_view_entity_fits_its_schema() -> None:
    assert flaws(web_page(UUID)) == []
    assert web_page(UUID)["data"] == {"id": UUID}


def test_the_application_entity_holds_the_version() -> None:
    assert application("1.2") == {
        "schema": "iglu:com.snowplowanalytics.snowplow/application/jsonschema/1-0-0",
        "data": {"version": "1.2"},
    }


def test_the_browser_entity_holds_the_facts_in_whole_numbers() -> None:
    entity = browser_context(FACTS)
    assert entity is not None
    assert flaws(entity) == []
    assert entity["data"] == {**FACTS, "colorDepth": 24, "hardwareConcurrency": 8}
    assert list(entity["data"]) == list(FACTS)


def test_facts_that_are_not_known_are_left_out() -> None:
    entity = browser_context({**FACTS, "hardwareConcurrency": 0, "deviceMemory": None, "x": 1})
    assert entity is not None
    assert FACTS.keys() - entity["data"].keys() == {"hardwareConcurrency", "deviceMemory"}


def test_no_tab_id_is_told_as_none() -> None:
    entity = browser_context({**FACTS, "tabId": None})
    assert entity is not None
    assert entity["data"]["tabId"] is None
    assert flaws(entity) == []


@pytest.mark.parametrize("name", ["viewport", "resolution", "colorDepth", "online"])
def test_without_a_fact_that_it_needs_there_is_no_browser_entity(name: str) -> None:
    assert browser_context({**FACTS, name: None}) is None


@given(st.dictionaries(st.sampled_from(list(FACTS)), JSON))
def test_whatever_the_browser_says_its_entity_is_valid(facts: Json) -> None:
    entity = browser_context({**FACTS, **facts})
    assert entity is None or flaws(entity) == []
