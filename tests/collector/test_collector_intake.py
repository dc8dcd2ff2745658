import base64
import gzip
import http.client
import json
import sqlite3
from collections.abc import Callable

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.customerio import ENDPOINTS, RULES
from collector.records import Event
from collector.server import Collector
from collector.settings import parse_networks

LETTERS = {
    "track": "t",
    "identify": "i",
    "page": "p",
    "group": "g",
    "alias": "a",
    "screen": "s",
}


def stored(client: httpx.Client, **filters: object) -> list[dict]:
    return client.get("/api/events", params=filters).json()["events"]


@pytest.mark.parametrize("kind", LETTERS)
def test_each_type_has_a_short_and_a_long_address(
    client: httpx.Client, event: Callable, kind: str
) -> None:
    for name in (LETTERS[kind], kind):
        answer = client.post(f"/v1/{name}", json=event(kind))
        assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert [row["type"] for row in stored(client, valid="true")] == [kind, kind]


@pytest.mark.parametrize("name", ["b", "batch"])
def test_a_batch_has_two_addresses(client: httpx.Client, event: Callable, name: str) -> None:
    answer = client.post(f"/v1/{name}", json={"batch": [event(), event("page")]})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert [row["type"] for row in stored(client)] == ["track", "page"]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("text/plain", 200),
        ("text/plain;charset=UTF-8", 200),
        ("Application/JSON; charset=utf-8", 200),
        (None, 200),
        ("text/plain; charset=utf-16", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("text/html", 415),
    ],
)
def test_the_content_types_of_browsers_and_programs_are_read(
    client: httpx.Client, event: Callable, content_type: str | None, status: int
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = client.post("/v1/t", content=json.dumps(event()), headers=headers)
    assert answer.status_code == status
    assert answer.json()["success"] is (status == 200)


def test_a_compressed_body_is_refused_clearly(client: httpx.Client, event: Callable) -> None:
    body = gzip.compress(json.dumps(event()).encode())
    answer = client.post("/v1/t", content=body, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415
    assert answer.json()["errors"] == ["Content-Encoding is 'gzip', bodies must not be compressed"]


@pytest.mark.parametrize(
    ("user", "write_key"), [("key:", "key"), ("a:b:", "a:b"), ("key", "key"), ("ключ:", "ключ")]
)
def test_the_write_key_may_be_the_basic_user_name(
    client: httpx.Client, event: Callable, user: str, write_key: str
) -> None:
    credentials = base64.b64encode(user.encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"}
    assert client.post("/v1/t", json=event(writeKey=None), headers=headers).status_code == 200
    assert stored(client)[0]["writeKey"] == write_key


@pytest.mark.parametrize("authorization", ["", "Basic", "Basic %%%", "Basic /w==", "Bearer key"])
def test_without_any_write_key_the_event_is_bad(
    client: httpx.Client, event: Callable, authorization: str
) -> None:
    headers = {"Authorization": authorization}
    answer = client.post("/v1/t", json=event(writeKey=None), headers=headers)
    assert (answer.status_code, answer.json()["errors"]) == (400, ["writeKey missing"])
    assert stored(client, valid="false")[0]["reasons"] == ["writeKey missing"]


@pytest.mark.parametrize("key", ["key", "a%3Ab%2Fc", "%F0%9F%98%80"])
def test_the_settings_of_a_source_repeat_its_write_key(client: httpx.Client, key: str) -> None:
    answer = client.get(f"/v1/projects/{key}/settings")
    name = httpx.URL(f"http://h/{key}").path[1:]
    assert answer.json() == {"integrations": {"Customer.io Data Pipelines": {"apiKey": name}}}


def test_what_is_kept_of_a_request_has_no_credentials_and_no_addresses(
    client: httpx.Client, event: Callable
) -> None:
    secret = "s3cret"
    client.post(
        "/v1/t?q=1",
        json=event(context={"ip": "0.0.0.0"}),
        headers={
            "Cookie": f"session={secret}",
            "Authorization": f"Basic {secret}",
            "X-Forwarded-For": "198.51.100.7",
            "Referer": "https://www.site.example/",
        },
    )
    row = stored(client)[0]
    assert row["ip"] == "0.0.0.0"
    assert (row["request"]["path"], row["request"]["query"]) == ("/v1/t", "q=1")
    assert ["referer", "https://www.site.example/"] in row["request"]["headers"]
    text = json.dumps(row)
    assert secret not in text
    assert "198.51.100.7" not in text


def test_only_a_trusted_proxy_is_asked_for_the_address(start: Callable, event: Callable) -> None:
    seen = []
    for proxies in ([], ["127.0.0.1"]):
        collector = start(trusted_proxies=parse_networks(proxies))
        headers = {"X-Forwarded-For": "6.6.6.6, 198.51.100.7"}
        httpx.post(f"{collector.url}/v1/t", json=event(), headers=headers)
        seen.append(httpx.get(f"{collector.url}/api/events").json()["events"][0]["ip"])
    assert seen == ["127.0.0.1", "198.51.100.7"]


# ---- limits ----


def test_a_body_of_exactly_the_limit_is_taken(start: Callable, event: Callable) -> None:
    url = start(max_body=2000).url
    body = json.dumps(event())
    assert httpx.post(f"{url}/v1/t", content=body.ljust(2000)).status_code == 200
    answer = httpx.post(f"{url}/v1/t", content=body.ljust(2001))
    assert answer.status_code == 413
    assert answer.json()["errors"] == ["the body is larger than 2000 bytes"]


def test_a_body_that_is_declared_too_large_is_refused_before_it_is_sent(start: Callable) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", start(max_body=2000).port, timeout=20)
    connection.putrequest("POST", "/v1/t")
    connection.putheader("Content-Length", "5000")
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_a_client_can_finish_sending_a_refused_body_and_go_on(
    start: Callable, event: Callable
) -> None:
    with httpx.Client(base_url=start(max_body=2000).url) as client:
        assert client.post("/v1/t", content=b"x" * 3_000_000).status_code == 413
        assert client.post("/v1/t", json=event()).status_code == 200


def test_a_chunked_body_is_read_within_the_limit(start: Callable, event: Callable) -> None:
    url = start(max_body=2000).url
    body = json.dumps(event()).encode()
    assert httpx.post(f"{url}/v1/t", content=iter([body[:9], body[9:]])).status_code == 200
    assert httpx.post(f"{url}/v1/t", content=(b"x" * 1000 for _ in range(50))).status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/t", 405),
        ("PUT", "/v1/b", 405),
        ("POST", "/v1/x", 404),
        ("POST", "/v1/t/", 404),
        ("GET", "/nothing", 404),
        ("POST", "/api/events", 405),
        ("GET", "/api/reset", 405),
    ],
)
def test_a_wrong_method_or_path_is_an_error_in_json(
    client: httpx.Client, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["success"] is False
    assert ("allow" in answer.headers) is (status == 405)


# ---- the disk ----


def test_when_too_much_waits_for_the_disk_the_answer_is_503_until_it_is_written(
    start: Callable, event: Callable
) -> None:
    collector = start(capacity=1)
    with httpx.Client(base_url=collector.url, timeout=20) as client:
        lock = sqlite3.connect(collector.store.path, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        waiting = collector.store.submit(
            [Event(protocol="customerio", received_ms=1, payload="{}", request="{}")]
        )
        answer = client.post("/v1/t", json=event(), headers={"Origin": "https://a.example"})
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["access-control-allow-origin"] == "https://a.example"
        assert "Retry-After" in answer.headers["access-control-expose-headers"]
        lock.execute("ROLLBACK")
        lock.close()
        waiting.result(timeout=20)
        assert client.post("/v1/t", json=event()).status_code == 200


def test_a_database_that_fails_is_answered_503_and_the_collector_lives(
    start: Callable, event: Callable
) -> None:
    collector = start()
    database = sqlite3.connect(collector.store.path)
    with httpx.Client(base_url=collector.url, timeout=20) as client:
        database.execute("ALTER TABLE events RENAME TO gone")
        assert client.post("/v1/t", json=event()).status_code == 503
        database.execute("ALTER TABLE gone RENAME TO events")
        assert client.post("/v1/t", json=event()).status_code == 200
    database.close()


# ---- anything at all ----

_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_members = st.sampled_from([rule.path for rule in RULES if "." not in rule.path]) | st.sampled_from(
    ["type", "name", "integrations"]
)
_events = st.dictionaries(_members, _values) | _values
_bodies = st.one_of(
    st.binary(max_size=300),
    _events.map(lambda value: json.dumps(value).encode()),
    st.lists(_events, max_size=4).map(lambda items: json.dumps({"batch": items}).encode()),
    st.sampled_from([b"[" * 100_000, b'{"a":' * 5000, b"9" * 5000, b'{"batch":[' + b"1," * 50]),
)


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=_bodies, name=st.sampled_from(list(ENDPOINTS)))
def test_no_body_makes_the_collector_fail(client: httpx.Client, body: bytes, name: str) -> None:
    answer = client.post(f"/v1/{name}", content=body)
    assert answer.status_code in (200, 400)
    assert answer.json()["success"] is (answer.status_code == 200)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(members=st.dictionaries(_members, _values), page=_values)
def test_no_event_makes_the_readers_fail(
    client: httpx.Client, event: Callable, members: dict, page: object
) -> None:
    odd = event("page", properties={"url": page, "title": page}, context={"campaign": page})
    client.post("/v1/b", content=json.dumps({"batch": [odd, odd | members]}))
    for path in ("/api/events?order=desc&limit=2", "/api/stats", "/api/identities?id=0"):
        assert client.get(path).status_code == 200
    for path in ("/micro/good", "/micro/bad"):
        assert client.post(path, json={"limit": 2}).status_code == 200


@pytest.mark.parametrize("host", ["[", "a b", "", "evil.example:99999"])
def test_no_host_header_makes_the_collector_fail(collector: Collector, host: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", collector.port, timeout=20)
    for method, path in (("POST", "/v1/t"), ("GET", "/"), ("GET", "/events"), ("GET", "/v1/x/")):
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host)
        connection.putheader("Content-Length", "0")
        connection.endheaders()
        response = connection.getresponse()
        response.read()
        assert response.status < 500
    connection.close()
