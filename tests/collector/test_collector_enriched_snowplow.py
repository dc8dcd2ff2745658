import json
import uuid
from typing import Any

import httpx
import pytest

from collector.iglu import OWN

DUID = "980f1cac-2a01-4894-a221-783c3acca606"
SID = "0da80ccd-2fa5-4faf-a309-f749920c2107"
EID = "13fd0b46-20c9-4407-b6c0-a9d50bd5fce1"
COMMON = {
    "eid": EID,
    "tna": "sp",
    "aid": "shop",
    "p": "web",
    "uid": "ann",
    "duid": DUID,
    "vid": "2",
    "sid": SID,
    "dtm": "1700000000000",
    "stm": "1700000001000",
    "res": "1920x1080",
    "vp": "1200x800",
    "ds": "1200x3000",
    "cd": "24",
    "cs": "UTF-8",
    "lang": "en-GB",
    "tz": "Europe/London",
    "cookie": "1",
    "url": f"https://www.site.example/shop?_sp={DUID}.1700000000000&b=1#top",
    "refr": "https://search.example:8443/find?q=shoes",
}
WEB_PAGE = {
    "schema": "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0",
    "data": {"id": EID},
}


def send(client: httpx.Client, snowplow: Any, kind: str, **members: object) -> dict:
    """Send one event and give it as Micro shows it."""
    body = snowplow.body(snowplow.event(kind, **COMMON | members))
    answer = client.post(snowplow.path, json=body, headers={"Cookie": "sp=network-1"})
    assert (answer.status_code, answer.text) == (200, "ok")
    assert client.get("/micro/bad").json() == []
    return client.get("/micro/good").json()[0]


def test_a_page_view_has_every_field(client: httpx.Client, snowplow: Any) -> None:
    found = send(client, snowplow, "pv", page="Shoes", entities=[WEB_PAGE])
    assert found["eventType"] == "page_view"
    assert found["schema"] == "iglu:com.snowplowanalytics.snowplow/page_view/jsonschema/1-0-0"
    assert found["contexts"] == [WEB_PAGE["schema"]]
    expected = {
        "app_id": "shop",
        "name_tracker": "sp",
        "v_tracker": "js-4.10.1",
        "platform": "web",
        "event": "page_view",
        "event_vendor": "com.snowplowanalytics.snowplow",
        "event_name": "page_view",
        "event_format": "jsonschema",
        "event_version": "1-0-0",
        "event_id": EID,
        "user_id": "ann",
        "domain_userid": DUID,
        "domain_sessionidx": 2,
        "domain_sessionid": SID,
        "network_userid": "network-1",
        "user_ipaddress": "127.0.0.1",
        "dvce_created_tstamp": "2023-11-14T22:13:20.000Z",
        "dvce_sent_tstamp": "2023-11-14T22:13:21.000Z",
        "true_tstamp": None,
        "page_title": "Shoes",
        "page_url": COMMON["url"],
        "page_urlscheme": "https",
        "page_urlhost": "www.site.example",
        "page_urlport": 443,
        "page_urlpath": "/shop",
        "page_urlfragment": "top",
        "page_referrer": COMMON["refr"],
        "refr_urlhost": "search.example",
        "refr_urlport": 8443,
        "refr_urlquery": "q=shoes",
        "refr_domain_userid": DUID,
        "refr_dvce_tstamp": "2023-11-14T22:13:20.000Z",
        "br_lang": "en-GB",
        "br_cookies": True,
        "br_colordepth": "24",
        "br_viewwidth": 1200,
        "br_viewheight": 800,
        "dvce_screenwidth": 1920,
        "dvce_screenheight": 1080,
        "doc_charset": "UTF-8",
        "doc_width": 1200,
        "doc_height": 3000,
        "os_timezone": "Europe/London",
        "unstruct_event": None,
        "se_category": None,
        "geo_country": None,
    }
    event = found["event"]
    assert {name: event[name] for name in expected} == expected
    assert event["contexts"]["data"] == [WEB_PAGE]
    assert event["useragent"].startswith("python-httpx/")


@pytest.mark.parametrize(
    ("kind", "members", "expected", "schema"),
    [
        (
            "se",
            {"se_ca": "Mixes", "se_ac": "Play", "se_la": "l", "se_pr": "p", "se_va": "0.0"},
            {
                "event": "struct",
                "se_category": "Mixes",
                "se_action": "Play",
                "se_label": "l",
                "se_property": "p",
                "se_value": 0.0,
            },
            "iglu:com.google.analytics/event/jsonschema/1-0-0",
        ),
        (
            "pp",
            {"page": "T", "pp_mix": "0", "pp_max": "1", "pp_miy": "2", "pp_may": "300"},
            {
                "event": "page_ping",
                "event_name": "page_ping",
                "pp_xoffset_min": 0,
                "pp_xoffset_max": 1,
                "pp_yoffset_min": 2,
                "pp_yoffset_max": 300,
            },
            "iglu:com.snowplowanalytics.snowplow/page_ping/jsonschema/1-0-0",
        ),
        (
            "tr",
            {"tr_id": "order-123", "tr_tt": "8000", "tr_ci": "phoenix", "tr_cu": "JPY"},
            {
                "event": "transaction",
                "tr_orderid": "order-123",
                "tr_total": 8000,
                "tr_city": "phoenix",
                "tr_currency": "JPY",
            },
            "iglu:com.snowplowanalytics.snowplow/transaction/jsonschema/1-0-0",
        ),
        (
            "ti",
            {"ti_id": "order-123", "ti_nm": "Shirt", "ti_pr": "2000", "ti_qu": "2"},
            {
                "event": "transaction_item",
                "ti_orderid": "order-123",
                "ti_name": "Shirt",
                "ti_price": 2000,
                "ti_quantity": 2,
            },
            "iglu:com.snowplowanalytics.snowplow/transaction_item/jsonschema/1-0-0",
        ),
        (
            "ue",
            {"data": {"schema": "iglu:a.b/thing/jsonschema/2-0-1", "data": {"x": "™®字"}}},
            {
                "event": "unstruct",
                "event_vendor": "a.b",
                "event_name": "thing",
                "event_version": "2-0-1",
            },
            "iglu:a.b/thing/jsonschema/2-0-1",
        ),
        (
            "pv",
            {"ttm": "1477401868"},
            {
                "true_tstamp": "1970-01-18T02:23:21.868Z",
                "derived_tstamp": "1970-01-18T02:23:21.868Z",
            },
            "iglu:com.snowplowanalytics.snowplow/page_view/jsonschema/1-0-0",
        ),
    ],
)
def test_each_type_of_event_has_its_fields_and_its_schema(
    client: httpx.Client, snowplow: Any, kind: str, members: dict, expected: dict, schema: str
) -> None:
    found = send(client, snowplow, kind, **members)
    assert found["schema"] == schema
    assert {name: found["event"][name] for name in expected} == expected
    assert found["event"]["contexts"] == {}
    if kind == "ue":
        assert found["event"]["unstruct_event"]["data"] == members["data"]


def test_the_raw_event_has_the_parameters_and_the_request(
    client: httpx.Client, snowplow: Any
) -> None:
    raw = send(client, snowplow, "pv", entities=[WEB_PAGE])["rawEvent"]
    assert raw["api"] == {"vendor": "com.snowplowanalytics.snowplow", "version": "tp2"}
    assert raw["parameters"]["duid"] == DUID
    assert raw["parameters"]["cx"].startswith("eyJ")
    assert raw["context"]["userId"] == "network-1"
    assert "Content-Type: application/json" in raw["context"]["headers"]
    assert not any(header.startswith("Cookie") for header in raw["context"]["headers"])


def test_a_pixel_without_script_has_the_page_from_its_referer(client: httpx.Client) -> None:
    page = "https://www.site.example/mail"
    client.get("/i?e=pv&p=web&aid=mail", headers={"Referer": page})
    (found,) = client.get("/micro/good").json()
    assert (found["event"]["page_url"], found["event"]["page_urlpath"]) == (page, "/mail")
    assert found["rawEvent"]["api"]["version"] == "tp1"
    assert found["rawEvent"]["parameters"] == {"e": "pv", "p": "web", "aid": "mail"}


def test_good_and_bad_events_can_be_filtered(client: httpx.Client, snowplow: Any) -> None:
    send(client, snowplow, "pv", entities=[WEB_PAGE])
    client.post(snowplow.path, content=b"{")
    client.get("/i")
    client.post("/v1/t", content=b"{")

    def count(kind: str, **filters: object) -> int:
        return len(client.post(f"/micro/{kind}", json=filters).json())

    assert client.get("/micro/all").json() == {"total": 4, "good": 1, "bad": 3}
    assert count("good", event_type="page_view", contexts=[WEB_PAGE["schema"]]) == 1
    assert count("good", schema=WEB_PAGE["schema"]) == 0
    assert count("bad", vendor="com.snowplowanalytics.snowplow") == 2
    assert count("bad", vendor="com.snowplowanalytics.snowplow", version="tp1") == 1
    assert count("bad", vendor="com.snowplowanalytics.snowplow", limit=1) == 1
    assert count("bad", vendor="com.segment") == 1
    (first, *_) = client.get("/micro/bad").json()
    assert first["errors"][0].startswith("the body is not JSON")


def test_an_event_sent_again_is_stored_once(client: httpx.Client, snowplow: Any) -> None:
    one, other = snowplow.event(), snowplow.event()
    client.post(snowplow.path, json=snowplow.body(one, other, one))
    client.post(snowplow.path, json=snowplow.body(one))
    client.get("/i", params=other)
    stats = client.get("/api/stats").json()
    assert (stats["good"], stats["bad"], stats["duplicates"]) == (2, 0, 3)
    assert stats["protocols"] == {"snowplow": 2}


@pytest.mark.parametrize("identifier", ["ann", DUID, SID, EID, "network-1"])
def test_the_api_finds_an_event_by_each_id_and_shows_its_fields(
    client: httpx.Client, snowplow: Any, identifier: str
) -> None:
    send(client, snowplow, "pv", page="Shoes", entities=[WEB_PAGE])
    client.get("/i?e=pv&p=web", headers={"SP-Anonymous": "*"})
    (row,) = client.get("/api/events", params={"id": identifier}).json()["events"]
    assert (row["sessionId"], row["networkUserId"]) == (SID, "network-1")
    expected = {
        "event": "page_view",
        "domain_userid": DUID,
        "domain_sessionidx": 2,
        "domain_sessionid": SID,
        "network_userid": "network-1",
        "user_id": "ann",
        "page_title": "Shoes",
        "dvce_created_tstamp": 1_700_000_000_000,
    }
    assert {name: row["fields"][name] for name in expected} == expected
    assert row["fields"]["contexts"]["data"] == [WEB_PAGE]


def test_the_identities_of_a_snowplow_visitor_are_linked(
    client: httpx.Client, snowplow: Any
) -> None:
    before, after = snowplow.event(duid=DUID), snowplow.event(duid=DUID, uid="ann")
    client.post(snowplow.path, json=snowplow.body(before, after))
    rows = client.get("/api/identities?id=ann").json()["identities"]
    assert [(row["anonymousId"], row["userId"]) for row in rows] == [(DUID, None), (DUID, "ann")]


# ---- bad input ----


@pytest.mark.parametrize(
    ("path", "body", "content_type", "status"),
    [
        ("tp2", b"not json", "application/json", 200),
        ("tp2", b"", "application/json", 200),
        ("tp2", b"\xff\xfe", "text/plain", 200),
        ("tp2", b"[" * 50_000, "application/json", 200),
        ("tp2", b"{}", "application/x-www-form-urlencoded", 415),
        ("tp2", b"x" * (1024 * 1024 + 1), "application/json", 413),
        ("tp1", b"{}", "application/json", 404),
    ],
)
def test_a_bad_request_is_a_bad_event_or_an_answer_that_says_so(
    client: httpx.Client, path: str, body: bytes, content_type: str, status: int
) -> None:
    answer = client.post(
        f"/com.snowplowanalytics.snowplow/{path}",
        content=body,
        headers={"Content-Type": content_type},
    )
    assert answer.status_code == status
    bad = client.get("/micro/bad").json()
    assert len(bad) == (status == 200)
    assert all(event["errors"] and event["rawEvent"] for event in bad)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?",
        "?&&==&",
        "?e=pv&e=%00",
        "?%ff=%fe",
        "?e=pv&cx=====",
        "?e=ue&ue_px=e30",
        "?" + "a&" * 2000,
    ],
)
def test_a_bad_pixel_is_answered_with_the_pixel(client: httpx.Client, query: str) -> None:
    answer = client.get(f"/i{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
    assert client.get("/micro/all").json()["total"] == 1
    assert client.get("/micro/bad").status_code == 200


def test_a_request_of_many_events_is_stored_whole(client: httpx.Client, snowplow: Any) -> None:
    events = [snowplow.event(entities=[WEB_PAGE]) for _ in range(1000)]
    answer = client.post(snowplow.path, json=snowplow.body(*events))
    assert answer.status_code == 200
    assert client.get("/api/stats").json()["good"] == 1000


def test_the_schemas_are_parts_of_the_package() -> None:
    shipped = [path for path in OWN.rglob("*-*-*") if path.is_file()]
    assert len(shipped) >= 14
    for path in shipped:
        named = json.loads(path.read_text())["self"]
        parts = (named["vendor"], named["name"], named["format"], named["version"])
        assert path.relative_to(OWN).parts == parts


def test_every_event_id_is_a_uuid(client: httpx.Client) -> None:
    client.get("/i?e=pv&p=web")
    (found,) = client.get("/micro/good").json()
    assert uuid.UUID(found["event"]["event_id"])
