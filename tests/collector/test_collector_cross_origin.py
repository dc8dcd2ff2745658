from collections.abc import Callable

import httpx
import pytest

ORIGIN = "https://www.site.example"


def preflight(client: httpx.Client, path: str, headers: str = "") -> httpx.Response:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    if headers:
        asked["Access-Control-Request-Headers"] = headers
    return client.options(path, headers=asked)


def access_headers(answer: httpx.Response) -> dict[str, str]:
    return {k: v for k, v in answer.headers.items() if k.startswith("access-control-")}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/t", b"{", 400),
        ("POST", "/v1/b", b"", 400),
        ("GET", "/v1/t", b"", 405),
        ("POST", "/v1/nothing", b"", 404),
        ("POST", "/v1/t", b"x" * (1024 * 1024 + 1), 413),
        ("GET", "/v1/projects/key/settings", b"", 200),
        ("POST", "/com.snowplowanalytics.snowplow/tp2", b"{", 200),
        ("POST", "/com.snowplowanalytics.snowplow/tp2", b"x" * (1024 * 1024 + 1), 413),
        ("POST", "/com.snowplowanalytics.snowplow/tp9", b"{}", 404),
        ("GET", "/i?e=pv", b"", 200),
        ("POST", "/i", b"{}", 405),
    ],
)
@pytest.mark.parametrize("origin", [ORIGIN, "null", "http://localhost:8000"])
def test_any_origin_may_send_events_with_credentials_and_read_every_answer(
    client: httpx.Client, method: str, path: str, body: bytes, status: int, origin: str
) -> None:
    answer = client.request(method, path, content=body, headers={"Origin": origin})
    assert answer.status_code == status
    assert access_headers(answer) == {
        "access-control-allow-origin": origin,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "Retry-After",
    }
    assert "Origin" in answer.headers["vary"]


def test_a_refused_content_type_is_readable_too(client: httpx.Client) -> None:
    answer = client.post("/v1/t", headers={"Origin": ORIGIN, "Content-Type": "text/html"})
    assert answer.status_code == 415
    assert answer.headers["access-control-allow-origin"] == ORIGIN


def test_a_preflight_for_events_is_granted_for_the_headers_it_asks(client: httpx.Client) -> None:
    answer = preflight(client, "/v1/t", "content-type, authorization")
    assert answer.status_code == 204
    headers = access_headers(answer)
    assert headers["access-control-allow-origin"] == ORIGIN
    assert headers["access-control-allow-credentials"] == "true"
    assert headers["access-control-allow-headers"] == "content-type, authorization"
    assert "POST" in headers["access-control-allow-methods"]
    assert int(headers["access-control-max-age"]) > 0
    assert "Access-Control-Request-Headers" in answer.headers["vary"]


@pytest.mark.parametrize("path", ["/com.snowplowanalytics.snowplow/tp2", "/i"])
def test_a_preflight_of_a_snowplow_tracker_is_granted(client: httpx.Client, path: str) -> None:
    answer = preflight(client, path, "content-type,sp-anonymous")
    assert answer.status_code == 204
    headers = access_headers(answer)
    assert headers["access-control-allow-origin"] == ORIGIN
    assert headers["access-control-allow-credentials"] == "true"
    assert headers["access-control-allow-headers"] == "content-type,sp-anonymous"


def test_an_address_of_the_sites_own_is_shared_as_the_usual_one(start: Callable) -> None:
    collector = start(paths=("/com.acme/track",))
    with httpx.Client(base_url=collector.url) as own:
        assert preflight(own, "/com.acme/track", "sp-anonymous").status_code == 204
        answer = own.post("/com.acme/track", headers={"Origin": ORIGIN})
        assert (answer.status_code, answer.text) == (200, "ok")
        assert access_headers(answer)["access-control-allow-origin"] == ORIGIN
        assert own.post("/com.acme/other").status_code == 404
        assert own.get("/micro/bad").json()[0]["rawEvent"]["api"]["version"] == "tp2"


def test_a_request_without_an_origin_gets_no_cors_headers(
    client: httpx.Client, event: Callable
) -> None:
    for answer in (client.post("/v1/t", json=event()), client.get("/micro/all")):
        assert answer.status_code == 200
        assert access_headers(answer) == {}


def test_micro_is_open_without_credentials(client: httpx.Client) -> None:
    for path in ("/micro/all", "/micro/good", "/micro/nothing"):
        answer = client.get(path, headers={"Origin": ORIGIN})
        assert access_headers(answer) == {"access-control-allow-origin": "*"}
    answer = preflight(client, "/micro/good", "content-type")
    assert answer.status_code == 204
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("path", ["/api/events", "/api/stats", "/api/nothing", "/events", "/"])
def test_no_other_origin_may_read_the_api_and_the_page(client: httpx.Client, path: str) -> None:
    answer = client.get(path, headers={"Origin": ORIGIN})
    assert access_headers(answer) == {}
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert access_headers(preflight(client, path)) == {}


def test_every_answer_forbids_guessing_its_type(client: httpx.Client) -> None:
    for path in ("/v1/t", "/api/stats", "/micro/all", "/events", "/nothing"):
        assert client.get(path).headers["x-content-type-options"] == "nosniff"
