import base64
import json
import uuid
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import enriched_snowplow, snowplow
from collector.iglu import OWN, Schemas
from collector.network_id import NIL, Visitor
from collector.records import Event, Intake, RequestFacts
from collector.snowplow import MAX_BATCH, PAYLOAD_NAMES, payload_flaws
from collector.snowplow_fields import PARAMETERS, read_fields

SNOWPLOW = "iglu:com.snowplowanalytics.snowplow"
UUID = "0da80ccd-2fa5-4faf-a309-f749920c2107"
EVENT = {"e": "pv", "p": "web", "tv": "js-4.10.1", "eid": UUID}
WEB_PAGE = {"schema": f"{SNOWPLOW}/web_page/jsonschema/1-0-0", "data": {"id": UUID}}
LINK = {"schema": f"{SNOWPLOW}/link_click/jsonschema/1-0-1", "data": {"targetUrl": "/x"}}
VISITOR = Visitor("network-1")
SCHEMAS = Schemas()


def facts(query: str = "") -> RequestFacts:
    return RequestFacts(
        method="POST",
        path="/com.snowplowanalytics.snowplow/tp2",
        query=query,
        content_type="application/json",
        headers=(("user-agent", "Header UA"),),
        ip="203.0.113.9",
        user="",
        received_ms=1_800_000_000_000,
    )


def contexts(*entities: object) -> dict:
    return {"schema": f"{SNOWPLOW}/contexts/jsonschema/1-0-0", "data": list(entities)}


def unstruct(data: object) -> dict:
    return {"schema": f"{SNOWPLOW}/unstruct_event/jsonschema/1-0-0", "data": data}


def base64url(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def payload(*events: object, version: str = "1-0-4") -> bytes:
    schema = f"{SNOWPLOW}/payload_data/jsonschema/{version}"
    return json.dumps({"schema": schema, "data": events}).encode()


def post(
    *events: object, visitor: Visitor = VISITOR, schemas: Schemas = SCHEMAS, version: str = "1-0-4"
) -> list[Event]:
    body = payload(*events, version=version)
    return snowplow.take_post(body, facts(), "{}", visitor=visitor, schemas=schemas).events


def raw(body: bytes) -> Intake:
    return snowplow.take_post(body, facts(), "{}", visitor=VISITOR, schemas=SCHEMAS)


def get(query: str, visitor: Visitor = VISITOR) -> Event:
    intake = snowplow.take_get(
        b"", facts(query), json.dumps({"query": query}), visitor=visitor, schemas=SCHEMAS
    )
    assert intake.status == 200
    return intake.events[0]


# ---- fields ----


@pytest.mark.parametrize(
    ("parameter", "text", "fields"),
    [
        ("e", "pp", {"event": "page_ping"}),
        ("e", "tr", {"event": "transaction"}),
        ("e", "ti", {"event": "transaction_item"}),
        ("p", "mob", {"platform": "mob"}),
        ("aid", "shop", {"app_id": "shop"}),
        ("tna", "sp", {"name_tracker": "sp"}),
        ("dtm", "1700000000000", {"dvce_created_tstamp": 1_700_000_000_000}),
        ("ttm", "0", {"true_tstamp": 0}),
        ("duid", "d", {"domain_userid": "d"}),
        ("vid", "3", {"domain_sessionidx": 3}),
        ("sid", UUID.upper(), {"domain_sessionid": UUID.upper()}),
        ("uid", "ann", {"user_id": "ann"}),
        ("nuid", "n", {"network_userid": "n"}),
        ("tnuid", "n", {"network_userid": "n"}),
        ("res", "1920x1080", {"dvce_screenwidth": 1920, "dvce_screenheight": 1080}),
        ("vp", "0x720", {"br_viewwidth": 0, "br_viewheight": 720}),
        ("ds", "1200x3000", {"doc_width": 1200, "doc_height": 3000}),
        ("cd", "24", {"br_colordepth": "24"}),
        ("cookie", "1", {"br_cookies": True}),
        ("cookie", "0", {"br_cookies": False}),
        ("se_va", "1.5", {"se_value": 1.5}),
        ("se_va", "-1e3", {"se_value": -1000.0}),
        ("pp_mix", "0", {"pp_xoffset_min": 0}),
        ("pp_may", "-5", {"pp_yoffset_max": -5}),
        ("tr_tt", "8000", {"tr_total": 8000.0}),
        ("ti_qu", "2", {"ti_quantity": 2}),
        ("co", json.dumps(contexts(WEB_PAGE)), {"contexts": contexts(WEB_PAGE)}),
        ("cx", base64url(contexts(WEB_PAGE)), {"contexts": contexts(WEB_PAGE)}),
        ("ue_px", base64url({"a": "™®字"}), {"unstruct_event": {"a": "™®字"}}),
        ("url", "", {}),
        ("unheard", "x", {}),
    ],
)
def test_a_parameter_becomes_a_field_of_its_type(parameter: str, text: str, fields: dict) -> None:
    assert read_fields({parameter: text}) == (fields, [])


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        ("e", "ad"),
        ("p", "toaster"),
        ("eid", "1"),
        ("sid", f"{UUID}0"),
        ("vid", "1.5"),
        ("vid", "99999999999"),
        ("vid", "٣"),
        ("dtm", "soon"),
        ("dtm", "-1"),
        ("stm", "999999999999999"),
        ("res", "1920"),
        ("vp", "axb"),
        ("cookie", "yes"),
        ("se_va", "NaN"),
        ("se_va", "1e999"),
        ("se_va", "1_0"),
        ("url", "http://[x"),
        ("refr", "http://h:port/"),
        ("co", "{"),
        ("cx", "***"),
        ("cx", "A"),
        ("ue_px", base64.urlsafe_b64encode(b"\xff\xfe").decode()),
    ],
)
def test_a_parameter_of_another_type_is_told(parameter: str, text: str) -> None:
    fields, (flaw,) = read_fields({parameter: text})
    assert fields == {}
    assert flaw.startswith(f'{parameter} is "')
    assert f"must be {PARAMETERS[parameter].kind.description}" in flaw


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner)))
def test_base64_is_read_in_both_alphabets_with_and_without_padding(value: object) -> None:
    text = json.dumps([value], ensure_ascii=False).encode()
    for encode in (base64.urlsafe_b64encode, base64.b64encode):
        for encoded in (encode(text).decode(), encode(text).decode().rstrip("=")):
            assert read_fields({"cx": encoded}) == ({"contexts": [value]}, [])


def test_an_event_has_the_ids_and_times_of_its_parameters() -> None:
    ids = {"uid": "ann", "duid": "d1", "sid": UUID, "vid": "2", "aid": "shop"}
    times = {"dtm": "1700000000000", "stm": "1700000000500"}
    (event,) = post(EVENT | ids | times | {"e": "se", "se_ca": "cart", "se_ac": "add"})
    assert event.reasons == ()
    assert (event.protocol, event.type, event.name) == ("snowplow", "struct", "add")
    assert (event.message_id, event.user_id, event.anonymous_id) == (UUID, "ann", "d1")
    assert (event.session_id, event.network_id, event.write_key) == (UUID, "network-1", "shop")
    assert (event.event_time, event.sent_ms) == (1_700_000_000_000, 1_700_000_000_500)
    assert (event.ip, event.user_agent) == ("203.0.113.9", "Header UA")


def test_what_the_tracker_says_of_the_request_wins_over_the_request() -> None:
    own = {"ip": "192.0.2.1", "ua": "Own UA", "nuid": "n1"}
    (event,) = post(EVENT | own)
    assert (event.ip, event.user_agent, event.network_id) == ("192.0.2.1", "Own UA", "n1")
    (event,) = post({"tnuid": "n2"} | EVENT | own)
    assert event.network_id == "n2"


def test_an_event_without_an_id_gets_one() -> None:
    (event,) = post({name: value for name, value in EVENT.items() if name != "eid"})
    assert event.reasons == ()
    assert uuid.UUID(event.message_id)


def test_the_segment_schemas_tell_groups_and_aliases() -> None:
    segment = {"schema": "iglu:com.segment/group/jsonschema/1-0-0", "data": {"groupId": "g1"}}
    (event,) = post(EVENT | {"e": "ue", "ue_pr": json.dumps(unstruct(segment))})
    assert (event.reasons, event.name, event.group_id) == ((), "group", "g1")
    segment = {
        "schema": "iglu:com.segment/alias/jsonschema/1-0-0",
        "data": {"from": "u0", "to": "u1"},
    }
    (event,) = post(EVENT | {"e": "ue", "ue_pr": json.dumps(unstruct(segment))})
    assert (event.reasons, event.name, event.previous_id) == ((), "alias", "u0")


# ---- bodies ----


@pytest.mark.parametrize("version", ["1-0-0", "1-0-1", "1-0-2", "1-0-3", "1-0-4"])
def test_all_versions_of_the_payload_are_read(version: str) -> None:
    first, second = post(EVENT, EVENT | {"e": "se"}, version=version)
    assert (first.reasons, second.reasons) == ((), ())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body is empty, must be JSON"),
        (b"{", "the body is not JSON"),
        (b"\xff", "the body is not UTF-8"),
        (b"[]", "the body is [], must be an object with schema and data"),
        (b"{}", "schema is null, must be iglu:com.snowplowanalytics.snowplow/payload_data"),
        (payload(EVENT, version="2-0-0"), 'schema is "iglu:'),
        (payload(), "data is [], must be a list of events"),
        (payload(*[{}] * (MAX_BATCH + 1)), f"data holds {MAX_BATCH + 1} events"),
        (b"[" * 100_000, "the body is nested deeper than 200 levels"),
    ],
)
def test_an_unreadable_body_is_one_bad_event(body: bytes, reason: str) -> None:
    intake = raw(body)
    (event,) = intake.events
    assert intake.status == 200  # as Snowplow: sending it again would not help
    assert event.reasons[0].startswith(reason)
    assert event.network_id == "network-1"


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"e": None}, "e is null, must be text"),
        ({"vid": 2}, "vid is 2, must be text"),
        ({"page": {"a": 1}}, 'page is {"a":1}, must be text'),
        ({"colour": "red"}, 'parameter "colour" is not known to payload_data 1-0-4'),
        ({"e": "xx"}, 'e is "xx", must be one of pv, pp, se, ue, tr, ti'),
        ({"e": "ue"}, "ue_pr and ue_px are missing, ue needs one of them"),
    ],
)
def test_what_is_wrong_with_an_event_is_told(members: dict, reason: str) -> None:
    (event,) = post(EVENT | members)
    assert event.reasons == (reason,)


def test_each_required_parameter_is_missed() -> None:
    (event,) = post({})
    assert event.reasons == ("tv missing", "p missing", "e missing")


def test_an_event_that_breaks_the_payload_takes_the_whole_request_with_it() -> None:
    first, second, third = post(EVENT, EVENT | {"vid": 2}, 7)
    assert first.reasons == (
        "event 1 of the request breaks payload_data, so all its events are bad",
    )
    assert second.reasons == ("vid is 2, must be text",)
    assert third.reasons == ("the event is 7, must be an object",)


def test_an_event_of_wrong_types_does_not() -> None:
    first, second = post(EVENT, EVENT | {"vid": "two"})
    assert first.reasons == ()
    assert second.reasons == ('vid is "two", must be a whole number',)


names = st.sampled_from([*sorted(PAYLOAD_NAMES)[:6], "e", "p", "tv", "unheard"])
values = st.text(max_size=3) | st.integers() | st.none()


@given(st.dictionaries(names, values) | values)
def test_the_quick_check_agrees_with_the_schema_of_the_payload(item: object) -> None:
    schema = json.loads((OWN / snowplow.PAYLOAD).read_text())
    valid = jsonschema.Draft4Validator(schema).is_valid([item])
    assert (list(payload_flaws(item)) == []) is valid


# ---- pixels ----


def test_a_query_is_one_event() -> None:
    query = f"e=se&p=web&tv=js&eid={UUID}&se_ca=a%20b&se_ac=x%26y&se_va=1.5&tz=Europe%2FLondon"
    event = get(query)
    assert event.reasons == ()
    assert json.loads(event.payload)["se_ca"] == "a b"
    assert json.loads(event.payload)["se_ac"] == "x&y"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", "e missing"),
        ("e=", "e missing"),
        ("e=pv&cx=%%%", 'cx is "%%%", must be JSON in base64url: it is not base64url'),
        ("&".join(f"a{n}=1" for n in range(1001)), "the query holds more than 1000 parameters"),
    ],
)
def test_a_bad_query_is_a_bad_event(query: str, reason: str) -> None:
    assert get(query).reasons == (reason,)


def test_broken_escapes_and_half_characters_can_be_stored() -> None:
    event = get("e=pv&page=%E0%A4&uid=%zz&aid=%ED%A0%80")
    assert event.reasons == ()
    assert event.user_id == "%zz"
    assert event.payload.encode()


# ---- anonymity ----


def test_under_anonymity_nothing_that_identifies_the_request_is_kept() -> None:
    anonymous = Visitor(NIL, anonymous=True)
    secret = {"ip": "192.0.2.1", "nuid": "secret-1", "tnuid": "secret-2"}
    (posted,) = post(EVENT | secret, visitor=anonymous)
    got = get("e=pv&ip=192.0.2.1&nuid=secret-1&tnuid=secret-2&p=web", visitor=anonymous)
    for event in (posted, got):
        assert event.reasons == ()
        assert (event.ip, event.network_id) == ("unknown", NIL)
        assert event.user_agent == "Header UA"
        kept = event.payload + event.request
        assert "secret" not in kept
        assert "192.0.2.1" not in kept
    assert json.loads(got.request)["query"] == "e=pv&p=web"


def test_a_bad_event_is_anonymous_too() -> None:
    anonymous = Visitor(NIL, anonymous=True)
    for body in (b"{", payload(7)):
        intake = snowplow.take_post(body, facts(), "{}", visitor=anonymous, schemas=SCHEMAS)
        assert (intake.events[0].ip, intake.events[0].network_id) == ("unknown", NIL)


# ---- schemas ----


def checked(*entities: object, event: object = None, schemas: Schemas = SCHEMAS) -> Event:
    members = {"cx": base64url(contexts(*entities))} if entities else {}
    if event is not None:
        members |= {"e": "ue", "ue_px": base64url(unstruct(event))}
    return post(EVENT | members, schemas=schemas)[0]


def test_data_that_fit_their_schemas_are_good() -> None:
    event = checked(WEB_PAGE, event=LINK)
    assert (event.reasons, event.notes, event.name) == ((), (), "link_click")


@pytest.mark.parametrize(
    ("entity", "reason"),
    [
        ({"schema": WEB_PAGE["schema"], "data": {}}, "'id' is a required property"),
        ({"schema": WEB_PAGE["schema"], "data": {"id": "x"}}, "id: 'x' does not match"),
        ({"schema": WEB_PAGE["schema"], "data": {"id": "x" * 999}}, 'id: "xxx'),
        ({"schema": WEB_PAGE["schema"]}, "contexts: 0: 'data' is a required property"),
        ({"schema": "web_page", "data": {}}, "0.schema: 'web_page' does not match"),
        (7, "contexts: 0: 7 is not of type 'object'"),
        (
            {"schema": "iglu:../x/jsonschema/1-0-0", "data": {}},
            "must be iglu:vendor/name/jsonschema/1-0-0",
        ),
    ],
)
def test_an_entity_that_breaks_its_schema_is_told(entity: object, reason: str) -> None:
    (found,) = checked(entity).reasons
    assert reason in found
    assert len(found) < 500


def test_a_self_describing_event_that_breaks_its_schema_is_told() -> None:
    (reason,) = checked(event={"schema": LINK["schema"], "data": {}}).reasons
    assert reason == f"unstruct_event: {LINK['schema']}: 'targetUrl' is a required property"


@pytest.mark.parametrize("envelope", [7, [], {}, {"schema": 1}, WEB_PAGE, contexts()])
@pytest.mark.parametrize("parameter", ["cx", "ue_px"])
def test_an_envelope_of_another_form_is_told(parameter: str, envelope: object) -> None:
    (event,) = post(
        EVENT | {"e": "ue", "ue_pr": json.dumps(unstruct(LINK))} | {parameter: base64url(envelope)}
    )
    assert event.reasons


def test_data_of_an_unknown_schema_are_good_with_a_note() -> None:
    event = checked({"schema": "iglu:org.site/cart/jsonschema/1-0-0", "data": {"a": 1}})
    assert event.reasons == ()
    assert event.notes == (
        "not checked, the schema is not known: iglu:org.site/cart/jsonschema/1-0-0",
    )


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a schema into a folder of the site."""

    def _write(schema: object, root: str = "") -> Path:
        path = tmp_path / root / "org.site/cart/jsonschema/1-0-0"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(schema if isinstance(schema, str) else json.dumps(schema))
        return tmp_path

    return _write


CART = {"schema": "iglu:org.site/cart/jsonschema/1-0-0", "data": {"total": "x"}}
NUMBER = {"type": "object", "properties": {"total": {"type": "number"}}}


@pytest.mark.parametrize("root", ["", "schemas"])
def test_a_site_brings_its_own_schemas(write: Callable, root: str) -> None:
    event = checked(CART, WEB_PAGE, schemas=Schemas(write(NUMBER, root)))
    assert event.reasons == (f"contexts: {CART['schema']}: total: 'x' is not of type 'number'",)


def test_a_changed_schema_is_read_again(write: Callable) -> None:
    schemas = Schemas(write(NUMBER))
    assert checked(CART, schemas=schemas).reasons
    write(NUMBER | {"properties": {"total": {"type": "string"}}})
    assert checked(CART, schemas=schemas).reasons == ()


@pytest.mark.parametrize(
    "schema",
    [
        "{",
        {"type": 7},
        {"$ref": "http://127.0.0.1:9/other.json"},
        {"patternProperties": {"(": {}}},
    ],
)
def test_a_schema_that_cannot_be_used_is_told(write: Callable, schema: object) -> None:
    (reason,) = checked(CART, schemas=Schemas(write(schema))).reasons
    assert "the schema cannot be used: " in reason


def test_times_and_ids_must_have_their_format(write: Callable) -> None:
    formats = {"at": {"format": "date-time"}, "id": {"format": "uuid"}}
    schemas = Schemas(write({"properties": formats}))

    def reasons(**data: str) -> int:
        return len(checked({"schema": CART["schema"], "data": data}, schemas=schemas).reasons)

    assert reasons(at="2026-01-15T12:00:00.000Z", id=UUID) == 0
    assert reasons(at="2026-01-15", id="x") == 2


# ---- whatever comes ----

leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
trees = st.recursive(
    leaves | st.sampled_from([WEB_PAGE, LINK, WEB_PAGE["schema"]]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["schema", "data", "id", "from"]), inner, max_size=3)
    ),
    max_leaves=8,
)
envelopes = trees | trees.map(unstruct) | st.lists(trees, max_size=2).map(lambda e: contexts(*e))
parameters = st.dictionaries(st.sampled_from([*PARAMETERS]), leaves, max_size=6)


@given(parameters, envelopes, envelopes, st.sampled_from(["e", "pv", "ue", "se"]))
def test_whatever_comes_gives_an_event_that_can_be_shown(
    members: dict, entities: object, data: object, kind: str
) -> None:
    encoded = {"cx": base64url(entities), "ue_pr": json.dumps(data)}
    for item in (EVENT | members | encoded | {"e": kind}, members | encoded, entities):
        (event,) = post(item)
        row = {
            "type": event.type,
            "messageId": event.message_id,
            "networkUserId": event.network_id,
            "ip": event.ip,
            "userAgent": event.user_agent,
            "receivedTime": event.received_ms,
            "eventTime": event.event_time,
            "sentTime": event.sent_ms,
            "payload": json.loads(event.payload),
            "request": {"path": "/i", "headers": [], "contentType": ""},
        }
        assert enriched_snowplow.raw_event(row)
        if not event.reasons:
            row["fields"] = read_fields(row["payload"])[0]
            assert json.dumps(enriched_snowplow.good_event(row))
