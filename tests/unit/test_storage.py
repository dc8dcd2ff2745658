from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.storage.cookies import CookieAttributes, CookieStore
from tracker.storage.domain import PROBE_NAME, Domains, is_ip_address
from tracker.storage.kept import REFRESH_MS, KeptId
from tracker.storage.stores import (
    CookieTextStore,
    LocalStore,
    Store,
    id_from_text,
    traits_from_text,
)
from tracker.tasks import spawn
from tracker.testing import FakeBrowser, FakeProfile

URL = "https://www.site.example/a/b"
TEXT = st.text(st.characters(codec="utf-8"), max_size=40)


def cookie_store(browser: FakeBrowser, **attributes: Any) -> CookieStore:
    return CookieStore(browser, CookieAttributes(**attributes))


@given(TEXT.filter(bool))
def test_a_cookie_value_comes_back_as_it_was(value: str) -> None:
    cookies = cookie_store(FakeBrowser(URL))
    assert cookies.set("k", value)
    assert cookies.get("k") == value


@given(TEXT.filter(bool))
def test_a_cookie_name_comes_back_as_it_was(name: str) -> None:
    cookies = cookie_store(FakeBrowser(URL))
    assert cookies.set(name, "v")
    assert cookies.get(name) == "v"


def test_values_are_encoded_as_the_incumbent_does() -> None:
    browser = FakeBrowser(URL)
    cookie_store(browser).set("s:context.referrer", 'a b@é;,="%/:{}')
    assert browser.cookies() == "s%3Acontext.referrer=a%20b@%C3%A9%3B%2C=%22%25/:{}"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ('"a%20b"', "a b"),
        ("%22a%22", '"a"'),
        ("a=b=c", "a=b=c"),
        ("%zz", "%zz"),
        ("%E0%A4%A", None),
        ("%FF", None),
        ("100%", "100%"),
        ("", None),
    ],
)
def test_cookies_are_read_leniently_and_what_cannot_be_read_is_absent(
    raw: str, value: str | None
) -> None:
    browser = FakeBrowser(URL)
    browser.set_cookie(f"k={raw}")
    assert cookie_store(browser).get("k") == value


def test_cookies_carry_their_attributes() -> None:
    browser = FakeBrowser(URL)
    cookie_store(browser, domain="site.example", days=30, same_site="None", secure=True).set(
        "k", "v"
    )
    cookie = browser.jar["k"]
    assert (cookie.domain, cookie.path, cookie.days) == ("site.example", "/", 30)
    assert (cookie.same_site, cookie.secure, cookie.host_only) == ("None", True, False)


def test_a_value_too_large_for_a_cookie_is_refused() -> None:
    browser = FakeBrowser(URL)
    assert not cookie_store(browser).set("k", "x" * 4001)
    assert browser.cookies() == ""


def test_every_copy_of_a_cookie_is_removed() -> None:
    browser = FakeBrowser(URL)
    for scope in ("", "; Domain=site.example", "; Domain=www.site.example"):
        for path in ("/", "/a", "/a/b"):
            browser.set_cookie(f"k=1{scope}; Path={path}")
    assert browser.cookies().count("k=1") == 9
    cookie_store(browser, domain="site.example").remove_everywhere("k")
    assert browser.cookies() == ""


def test_nothing_is_written_to_remove_what_is_not_there() -> None:
    browser = FakeBrowser(URL)
    cookie_store(browser).remove_everywhere("k")
    assert browser.jar.assignments == []


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.site.example/", "site.example"),
        ("https://a.b.site.example/", "site.example"),
        ("https://site.example/", "site.example"),
        ("https://www.shop.co.uk/", "shop.co.uk"),
        ("https://foo.github.io/", "foo.github.io"),
        ("http://localhost:8080/", None),
        ("http://127.0.0.1:8080/", None),
        ("http://[::1]/", None),
    ],
)
def test_the_widest_domain_that_the_browser_accepts_is_found(url: str, domain: str | None) -> None:
    browser = FakeBrowser(url)
    assert spawn(Domains(browser).root()).result() == domain
    assert browser.cookies() == ""


def test_the_probe_has_a_private_name_and_no_ip_host_is_probed() -> None:
    browser = FakeBrowser(URL)
    domains = Domains(browser)
    spawn(domains.root())
    spawn(domains.root())
    assert len(browser.jar.assignments) == 2  # set and deleted once
    assert {a.text.partition("=")[0] for a in browser.jar.assignments} == {PROBE_NAME}
    browser = FakeBrowser("http://10.0.0.1/")
    spawn(Domains(browser).root())
    assert browser.jar.assignments == []


@pytest.mark.parametrize(("host", "ip"), [("127.0.0.1", True), ("[::1]", True), ("1.2.3", False)])
def test_ip_addresses_are_told_from_names(host: str, ip: bool) -> None:
    assert is_ip_address(host) == ip


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ("u1", "u1"),
        ('"u1"', "u1"),
        ("12345678901234567890", "12345678901234567890"),
        ("1e5", "1e5"),
        ("007", "007"),
        ("null", None),
        ("undefined", None),
        ("", None),
        (None, None),
        ('""', None),
        ('"unfinished', '"unfinished'),
        ("true", "true"),
        ('{"a":1}', None),
        ("[1]", None),
    ],
)
def test_ids_are_text(text: str | None, id_: str | None) -> None:
    assert id_from_text(text) == id_


@pytest.mark.parametrize(
    ("text", "traits"),
    [('{"a":1}', {"a": 1}), ("{}", {}), ("[1]", None), ("null", None), ("{", None), (None, None)],
)
def test_traits_are_objects(text: str | None, traits: dict[str, Any] | None) -> None:
    assert traits_from_text(text) == traits


def stores(browser: FakeBrowser) -> list[Store]:
    cookies = CookieTextStore(cookie_store(browser))
    return [cookies, LocalStore(browser.local_storage)]


def test_the_first_store_wins_and_the_other_is_repaired() -> None:
    browser = FakeBrowser(URL)
    browser.set_cookie("k=c; Path=/")
    browser.local_storage.set("k", '"l"')
    kept = KeptId(browser, "k", stores(browser))
    assert kept.read(memory_counts=True) == "c"
    assert browser.local_storage.get("k") == '"c"'


@given(TEXT.filter(bool))
def test_an_id_comes_back_from_every_store_as_it_was(id_: str) -> None:
    browser = FakeBrowser(URL)
    for store in stores(browser):
        KeptId(browser, "k", [store]).write(id_)
        assert KeptId(browser, "k", [store]).read(memory_counts=False) == id_


@pytest.mark.parametrize("id_", ['"quoted"', "null", "undefined", "[1]", '{"a":1}', '"', '""'])
def test_ids_that_look_like_something_else_are_kept_as_json(id_: str) -> None:
    test_an_id_comes_back_from_every_store_as_it_was.hypothesis.inner_test(id_)  # type: ignore[attr-defined]


def test_a_store_that_refuses_a_new_value_loses_the_old_one() -> None:
    browser = FakeBrowser(URL)
    kept = KeptId(browser, "k", stores(browser))
    kept.write("old")
    browser.profile.local_rules.full = True
    kept.write("new")
    assert browser.local_storage.get("k") is None
    assert kept.read(memory_counts=True) == "new"


def test_what_no_store_takes_stays_in_memory() -> None:
    browser = FakeBrowser(URL, FakeProfile(cookie_access="throws"))
    browser.profile.local_rules.denied = True
    kept = KeptId(browser, "k", stores(browser))
    kept.write("v")
    assert kept.read(memory_counts=False) == "v"


def test_reading_writes_nothing_until_the_cookie_has_to_be_refreshed() -> None:
    browser = FakeBrowser(URL)
    kept = KeptId(browser, "k", stores(browser))
    kept.write("v")
    writes = len(browser.jar.assignments)
    for _ in range(10):
        kept.read(memory_counts=True)
    assert len(browser.jar.assignments) == writes
    browser.clock.advance(REFRESH_MS)
    kept.read(memory_counts=True)
    assert len(browser.jar.assignments) == writes + 1


def test_a_refusing_store_is_not_asked_for_every_read() -> None:
    browser = FakeBrowser(URL)
    browser.profile.local_rules.full = True
    kept = KeptId(browser, "k", stores(browser))
    kept.write("v")
    tried = len(browser.local_storage.writes)
    kept.read(memory_counts=True)
    assert len(browser.local_storage.writes) == tried
