import http.client
import json
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser
from starlette.testclient import TestClient

from collector import Cookie, Mount, Settings, SettingsError, create_app
from collector.network_id import NIL
from collector.settings import parse_networks

TP2 = "/com.snowplowanalytics.snowplow/tp2"
PAYLOAD = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
ORIGIN = "https://www.site.example"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Callable[..., TestClient]]:
    """A client of a collector that is called from inside this process."""

    def _client(url: str = "http://collector.example", **settings: object) -> TestClient:
        app = create_app(Settings(tmp_path / f"{uuid.uuid4()}.db", **settings))
        return stack.enter_context(TestClient(app, base_url=url, client=("198.51.100.1", 1)))

    with ExitStack() as stack:
        yield _client


def send(client: httpx.Client, **headers: str) -> httpx.Response:
    """Send one event; underscores in the names of headers are dashes."""
    event = {"e": "pv", "p": "web", "tv": "js", "eid": str(uuid.uuid4())}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(TP2, json={"schema": PAYLOAD, "data": [event]}, headers=names)


def stored(client: httpx.Client) -> list[str]:
    events = client.get("/api/events").json()["events"]
    return [event["networkUserId"] for event in events]


def attributes(answer: httpx.Response) -> set[str]:
    return set(answer.headers["set-cookie"].split("; ")[1:])


def test_a_new_visitor_gets_a_random_id_for_a_year(client: Callable) -> None:
    made = client()
    answer = send(made)
    assert (answer.status_code, answer.text) == (200, "ok")
    name, _, value = answer.headers["set-cookie"].split("; ")[0].partition("=")
    assert name == "sp"
    assert UUID.fullmatch(value)
    assert {"Max-Age=31536000", "Path=/", "HttpOnly"} <= attributes(answer)
    assert stored(made) == [value]


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_known_visitor_keeps_the_id_and_the_cookie_lives_on(
    client: Callable, method: str
) -> None:
    made = client()
    for _ in range(2):
        if method == "POST":
            answer = send(made, Cookie="a=1; sp=visitor-1; b=2")
        else:
            answer = made.get("/i?e=pv&p=web", headers={"Cookie": 'sp="visitor-1"'})
            assert answer.headers["content-type"] == "image/gif"
            assert answer.content.startswith(b"GIF89a")
            assert "no-store" in answer.headers["cache-control"]
        assert answer.headers["set-cookie"].startswith("sp=visitor-1; Expires=")
    assert stored(made) == ["visitor-1"] * 2


@pytest.mark.parametrize(
    "cookie", ["sp=", "sp", "sp=a b", f"sp={'x' * 129}", "sp=<script>", "SP=x", "xsp=x", ";;;="]
)
def test_what_is_no_id_is_replaced(client: Callable, cookie: str) -> None:
    made = client()
    send(made, Cookie=cookie)
    assert UUID.fullmatch(stored(made)[0])


def test_the_first_usable_of_several_cookies_counts(client: Callable) -> None:
    made = client()
    send(made, Cookie="sp=; sp=narrow; sp=wide")
    assert stored(made) == ["narrow"]


def test_the_address_may_name_the_id(client: Callable) -> None:
    made = client()
    answer = made.get("/i?e=pv&p=web&nuid=other", headers={"Cookie": "sp=visitor-1"})
    assert answer.headers["set-cookie"].startswith("sp=other; ")
    assert stored(made) == ["other"]


@pytest.mark.parametrize("value", ["*", "", "1"])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_under_sp_anonymous_no_cookie_is_read_or_set_and_no_address_kept(
    client: Callable, method: str, value: str
) -> None:
    made = client()
    headers = {"SP-Anonymous": value, "Cookie": "sp=visitor-1", "User-Agent": "UA/1"}
    if method == "POST":
        answer = send(made, **headers)
    else:
        answer = made.get("/i?e=pv&p=web&nuid=other&ip=192.0.2.1", headers=headers)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    (good,) = made.get("/micro/good").json()
    event, context = good["event"], good["rawEvent"]["context"]
    assert (event["user_ipaddress"], event["network_userid"]) == ("unknown", NIL)
    assert (context["ipAddress"], context["userId"]) == ("unknown", NIL)
    assert event["useragent"] == "UA/1"
    assert f"SP-Anonymous: {value}" in context["headers"]
    everything = made.get("/api/events").text + json.dumps(good)
    for secret in ("198.51.100.1", "visitor-1", "192.0.2.1", "other"):
        assert secret not in everything


# ---- attributes ----

THIRD_PARTY = {"SameSite=None", "Secure"}
FIRST_PARTY = {"SameSite=Lax"}


@pytest.mark.parametrize(
    ("url", "headers", "expected"),
    [
        ("https://collector.example", {}, THIRD_PARTY),
        ("http://collector.example", {}, FIRST_PARTY),
        ("http://collector.example", {"Origin": ORIGIN}, THIRD_PARTY),
        ("http://collector.example", {"Origin": "http://www.site.example"}, FIRST_PARTY),
        ("http://collector.example", {"Sec_Fetch_Site": "same-site"}, THIRD_PARTY),
        ("http://collector.example", {"X_Forwarded_Proto": "https"}, FIRST_PARTY),
        ("http://localhost:8000", {"Sec_Fetch_Site": "same-origin"}, FIRST_PARTY),
        ("http://127.0.0.1:8000", {"Sec_Fetch_Site": "same-site"}, FIRST_PARTY),
        ("http://127.0.0.1:8000", {"Sec_Fetch_Site": "cross-site"}, THIRD_PARTY),
        ("http://[::1]:8000", {}, FIRST_PARTY),
        ("http://shop.localhost", {"Origin": ORIGIN}, FIRST_PARTY),
    ],
)
def test_the_cookie_is_for_other_sites_wherever_a_browser_takes_it(
    client: Callable, url: str, headers: dict, expected: set
) -> None:
    found = attributes(send(client(url), **headers))
    assert found & (THIRD_PARTY | FIRST_PARTY) == expected


def test_a_trusted_proxy_tells_that_it_took_https_off(client: Callable) -> None:
    made = client(trusted_proxies=parse_networks(["198.51.100.0/24"]))
    assert attributes(send(made, X_Forwarded_Proto="https")) >= THIRD_PARTY


@pytest.mark.parametrize(
    ("origin", "domain"),
    [
        ("https://www.a.example", "a.example"),
        ("https://B.example:8443", "b.example"),
        ("https://nota.example", "fallback.example"),
        ("null", "fallback.example"),
        ("https://[", "fallback.example"),
        ("", "fallback.example"),
    ],
)
def test_the_domain_is_the_configured_one_that_the_page_lies_in(
    client: Callable, origin: str, domain: str
) -> None:
    cookie = Cookie(domains=("a.example", "b.example"), fallback_domain="fallback.example")
    answer = send(client(cookie=cookie), **({"Origin": origin} if origin else {}))
    assert f"Domain={domain}" in attributes(answer)


def test_without_domains_the_cookie_belongs_to_the_collectors_host(client: Callable) -> None:
    assert not any(name.startswith("Domain") for name in attributes(send(client())))


def test_every_attribute_can_be_set(client: Callable) -> None:
    cookie = Cookie(
        expiration="2 hours", name="nuid", secure=True, http_only=False, same_site="Strict"
    )
    answer = send(client(cookie=cookie))
    assert answer.headers["set-cookie"].startswith("nuid=")
    found = attributes(answer)
    assert {"Max-Age=7200", "SameSite=Strict", "Secure"} <= found
    assert "HttpOnly" not in found


def test_switched_off_each_request_has_an_id_of_its_own(client: Callable) -> None:
    made = client(cookie=Cookie(enabled=False))
    for _ in range(2):
        assert "set-cookie" not in send(made, Cookie="sp=visitor-1").headers
    first, second = stored(made)
    assert UUID.fullmatch(first)
    assert first not in (second, "visitor-1")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (60, 60),
        ("60", 60),
        ("1 day", 86_400),
        ("365 days", 31_536_000),
        ("12h", 43_200),
        ("30 Minutes", 1_800),
        ("5 s", 5),
    ],
)
def test_an_expiration_is_seconds_or_a_number_with_a_unit(text: int | str, seconds: int) -> None:
    assert Cookie(expiration=text).seconds == seconds


@pytest.mark.parametrize(
    ("members", "option"),
    [
        *(
            ({"expiration": value}, "expiration")
            for value in ("", "0", "-1", "1 year", "d", 10**12)
        ),
        ({"name": ""}, "name"),
        ({"name": "a;b"}, "name"),
        ({"domains": ("a b",)}, "domains"),
        ({"fallback_domain": ".x"}, "fallbackDomain"),
        ({"same_site": "Maybe"}, "sameSite"),
        ({"same_site": "None", "secure": False}, "secure"),
    ],
)
def test_a_wrong_setting_is_told_by_its_name(members: dict, option: str) -> None:
    with pytest.raises(SettingsError, match=f"collector.cookie.{option} "):
        Cookie(**members)


# ---- over a socket ----


def test_a_client_with_a_cookie_jar_stays_the_same_visitor(start: Callable) -> None:
    collector = start()
    with httpx.Client(base_url=collector.url, timeout=20) as jar:
        send(jar)
        jar.get("/i?e=pv&p=web")
        send(jar)
        send(jar, SP_Anonymous="*")
        first, second, third, anonymous = stored(jar)
        assert first == second == third == jar.cookies["sp"]
        assert anonymous == NIL
    with httpx.Client(base_url=collector.url, timeout=20) as other:
        send(other)
        assert stored(other)[-1] != first


def test_64_kb_of_cookies_do_not_stop_an_event(start: Callable) -> None:
    collector = start()
    host = urlsplit(collector.url).netloc
    for cookies in ("; ".join(f"c{n}={'x' * 1000}" for n in range(64)), "sp=" * 22_000):
        connection = http.client.HTTPConnection(host, timeout=20)
        connection.request("GET", "/i?e=pv&p=web", headers={"Cookie": f"{cookies}; sp=last"})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        connection.close()
    assert stored(httpx.Client(base_url=collector.url)) == ["last"] * 2


SEND = """async ([url, headers]) => {
    const event = {e: "pv", p: "web", tv: "js", eid: crypto.randomUUID()};
    const answer = await fetch(url, {method: "POST", credentials: "include",
        headers: {"Content-Type": "application/json; charset=UTF-8", ...headers},
        body: JSON.stringify({schema: "PAYLOAD", data: [event]})});
    return [answer.status, await answer.text()];
}""".replace("PAYLOAD", PAYLOAD)


@pytest.mark.parametrize(
    ("page_host", "host"),
    [("127.0.0.1", "127.0.0.1"), ("localhost", "localhost"), ("shop.localhost", "127.0.0.1")],
)
def test_a_browser_keeps_the_cookie_on_this_machine_within_a_site_and_across(
    start: Callable, browser: Browser, tmp_path: Path, page_host: str, host: str
) -> None:
    (tmp_path / "index.html").write_text("<title>site</title>")
    profile = tmp_path / "profile" / "Default"
    profile.mkdir(parents=True)
    # Private windows, which are the usual ones of tests, have no cookies of other sites.
    (profile / "Preferences").write_text('{"profile": {"cookie_controls_mode": 0}}')
    collector = start(mounts=(Mount("/site", tmp_path),))
    context = browser.browser_type.launch_persistent_context(
        profile.parent,
        executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
        args=["--no-sandbox", "--disable-gpu"],
    )
    page = context.new_page()
    page.goto(f"http://{page_host}:{collector.port}/site/")
    for headers in ({}, {}, {"SP-Anonymous": "*"}):
        target = [f"http://{host}:{collector.port}{TP2}", headers]
        assert page.evaluate(SEND, target) == [200, "ok"]
    (cookie,) = context.cookies()
    context.close()
    assert (cookie["name"], cookie["domain"], cookie["httpOnly"]) == ("sp", host, True)
    with httpx.Client(base_url=collector.url) as client:
        assert stored(client) == [cookie["value"], cookie["value"], NIL]
