import json
from collections.abc import Callable

import httpx
import jsonschema
import pytest

from collector.iglu import OWN

PAGE = {
    "path": "/shop/shoes",
    "referrer": "https://search.example:8443/find?q=shoes#top",
    "search": "?utm_source=news",
    "title": "Shoes",
    "url": "https://www.site.example/shop/shoes?utm_source=news#big",
}
CONTEXT = {
    "page": PAGE,
    "ip": "203.0.113.9",
    "userAgent": "UA/1",
    "locale": "en-GB",
    "timezone": "Europe/Lisbon",
    "library": {"name": "pyodide-tracker", "version": "0.1.0"},
    "campaign": {
        "source": "news",
        "medium": "mail",
        "name": "spring",
        "term": "shoe",
        "content": "top",
    },
}
BODIES = {
    "page": {"name": "Shop", "properties": {"title": "Own title", "category": "shoes"}},
    "track": {"event": "Bought", "properties": {"price": 17.5}},
    "identify": {"userId": "u1", "traits": {"email": "ann@site.example", "age": 40}},
    "group": {"groupId": "g1", "traits": {"seats": 4}},
    "alias": {"userId": "u1", "previousId": "u0"},
    "screen": {"name": "Home", "properties": {"tab": 1}},
}


def validate(self_describing: dict) -> None:
    vendor_name_version = self_describing["schema"].removeprefix("iglu:")
    schema = json.loads((OWN / vendor_name_version).read_text())
    jsonschema.Draft4Validator(
        schema, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER
    ).validate(self_describing["data"])


@pytest.fixture
def filled(client: httpx.Client, event: Callable) -> httpx.Client:
    """One good event of each type and two bad ones."""
    for kind, members in BODIES.items():
        client.post(f"/v1/{kind}", json=event(kind, context=CONTEXT, **members))
    client.post("/v1/t", json=event(event=None))
    client.post("/v1/t", content=b"{")
    return client


def good(client: httpx.Client, **filters: object) -> list[dict]:
    return client.post("/micro/good", json=filters).json()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_micro_counts_and_resets(filled: httpx.Client, method: str) -> None:
    assert filled.request(method, "/micro/all").json() == {"total": 8, "good": 6, "bad": 2}
    assert filled.request(method, "/micro/reset").json() == {"total": 0, "good": 0, "bad": 0}
    assert filled.request(method, "/micro/good").json() == []
    assert filled.request(method, "/micro/bad").json() == []


def test_good_events_come_newest_first_as_snowplow_events(filled: httpx.Client) -> None:
    events = filled.get("/micro/good").json()
    shapes = [(one["eventType"], one["schema"], one["contexts"]) for one in events]
    segment, snowplow = "iglu:com.segment", "iglu:com.snowplowanalytics.snowplow"
    assert shapes == [
        ("unstruct", f"{segment}/screen/jsonschema/1-0-0", []),
        ("unstruct", f"{segment}/alias/jsonschema/1-0-0", []),
        ("unstruct", f"{segment}/group/jsonschema/1-0-0", []),
        ("unstruct", f"{segment}/traits/jsonschema/1-0-0", []),
        ("unstruct", f"{segment}/event/jsonschema/1-0-0", []),
        (
            "page_view",
            f"{snowplow}/page_view/jsonschema/1-0-0",
            [f"{segment}/page/jsonschema/1-0-0"],
        ),
    ]


def test_a_page_event_has_its_facts_in_the_atomic_fields(filled: httpx.Client) -> None:
    (found,) = good(filled, event_type="page_view")
    event = found["event"]
    expected = {
        "event": "page_view",
        "event_vendor": "com.snowplowanalytics.snowplow",
        "event_name": "page_view",
        "event_format": "jsonschema",
        "event_version": "1-0-0",
        "app_id": "key",
        "platform": "web",
        "domain_userid": "39ee7ea5-b6d8-4174-b612-04e1ef3fa952",
        "user_id": None,
        "user_ipaddress": "203.0.113.9",
        "useragent": "UA/1",
        "page_url": PAGE["url"],
        "page_urlscheme": "https",
        "page_urlhost": "www.site.example",
        "page_urlport": 443,
        "page_urlpath": "/shop/shoes",
        "page_urlquery": "utm_source=news",
        "page_urlfragment": "big",
        "page_title": "Own title",
        "page_referrer": PAGE["referrer"],
        "refr_urlhost": "search.example",
        "refr_urlport": 8443,
        "br_lang": "en-GB",
        "os_timezone": "Europe/Lisbon",
        "mkt_source": "news",
        "mkt_medium": "mail",
        "mkt_campaign": "spring",
        "mkt_term": "shoe",
        "mkt_content": "top",
        "dvce_created_tstamp": "2026-01-15T12:00:01.000Z",
        "dvce_sent_tstamp": "2026-01-15T12:00:02.000Z",
        "name_tracker": "pyodide-tracker",
        "v_tracker": "0.1.0",
        "unstruct_event": None,
    }
    assert {name: event[name] for name in expected} == expected
    assert event["event_id"].startswith("m-")
    assert event["contexts"]["data"][0]["data"]["category"] == "shoes"


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        ("event", {"type": "track", "event": "Bought", "properties": {"price": 17.5}}),
        ("traits", {"email": "ann@site.example", "age": 40}),
        ("group", {"groupId": "g1", "traits": {"seats": 4}}),
        ("alias", {"from": "u0", "to": "u1"}),
        ("screen", {"name": "Home", "tab": 1}),
    ],
)
def test_the_other_types_have_self_describing_data(
    filled: httpx.Client, schema: str, data: dict
) -> None:
    (found,) = good(filled, schema=f"iglu:com.segment/{schema}/jsonschema/1-0-0")
    inner = found["event"]["unstruct_event"]["data"]
    assert inner["schema"] == found["schema"]
    assert inner["data"] == inner["data"] | data
    assert (found["event"]["event_vendor"], found["event"]["event_name"]) == (
        "com.segment",
        schema,
    )


def test_all_self_describing_data_fit_their_iglu_schemas(filled: httpx.Client) -> None:
    for found in filled.get("/micro/good").json():
        event = found["event"]
        if event["contexts"]:
            validate(event["contexts"])
        for entity in event["contexts"].get("data", []):
            validate(entity)
        if event["unstruct_event"]:
            validate(event["unstruct_event"])
            validate(event["unstruct_event"]["data"])


def test_the_derived_time_is_the_arrival_less_the_waiting_time(filled: httpx.Client) -> None:
    event = good(filled, limit=1)[0]["event"]
    row = filled.get(f"/api/events?id={event['event_id']}").json()["events"][0]
    seconds = int(event["derived_tstamp"][17:19])
    assert (row["receivedTime"] // 1000 - seconds) % 60 == 1


def test_the_raw_event_has_the_parameters_as_text_and_the_request(filled: httpx.Client) -> None:
    raw = good(filled, event_type="page_view")[0]["rawEvent"]
    assert raw["api"] == {"vendor": "com.segment", "version": "v1"}
    assert raw["parameters"]["type"] == "page"
    assert json.loads(raw["parameters"]["properties"]) == BODIES["page"]["properties"]
    assert raw["contentType"] == "application/json"
    assert raw["context"]["ipAddress"] == "203.0.113.9"
    assert "content-type: application/json" in raw["context"]["headers"]
    assert set(raw["source"]) == {"name", "encoding", "hostname"}


def test_bad_events_have_their_payload_and_errors(filled: httpx.Client) -> None:
    unreadable, unnamed = filled.get("/micro/bad").json()
    assert unreadable["collectorPayload"]["body"] == "{"
    assert unreadable["errors"][0].startswith("the body is not JSON")
    assert unnamed["errors"] == ["event missing, track needs non-empty text"]
    assert json.loads(unnamed["collectorPayload"]["body"])["type"] == "track"
    assert unnamed["rawEvent"]["parameters"]["writeKey"] == "key"


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({}, 6),
        ({"event_type": "unstruct"}, 5),
        ({"event_type": "struct"}, 0),
        ({"contexts": ["iglu:com.segment/page/jsonschema/1-0-0"]}, 1),
        ({"contexts": ["iglu:com.segment/page/jsonschema/1-0-0", "iglu:x/y/jsonschema/1-0-0"]}, 0),
        ({"contexts": []}, 6),
        ({"limit": 2}, 2),
        ({"limit": 0}, 0),
        ({"limit": 10**30, "schema": None}, 6),
    ],
)
def test_good_events_can_be_filtered(filled: httpx.Client, filters: dict, count: int) -> None:
    assert len(good(filled, **filters)) == count


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({}, 2),
        ({"limit": 1}, 1),
        ({"vendor": "com.segment", "version": "v1"}, 2),
        ({"vendor": "com.snowplowanalytics.snowplow"}, 0),
    ],
)
def test_bad_events_can_be_filtered(filled: httpx.Client, filters: dict, count: int) -> None:
    assert len(filled.post("/micro/bad", json=filters).json()) == count


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("good", '{"limit": -1}', "limit is -1, must be a whole number from 0"),
        ("good", '{"contexts": "x"}', 'contexts is "x", must be a list of texts'),
        (
            "good",
            '{"vendor": "x"}',
            "filter 'vendor' is not known, allowed are: limit, event_type, schema, contexts",
        ),
        ("bad", "[]", "filters must be an object"),
    ],
)
def test_a_bad_filter_is_told(client: httpx.Client, path: str, body: str, error: str) -> None:
    answer = client.post(f"/micro/{path}", content=body)
    assert (answer.status_code, answer.json()["errors"]) == (400, [error])
