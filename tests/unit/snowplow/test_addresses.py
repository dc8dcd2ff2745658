from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.snowplow.addresses import (
    cleaned,
    cookie_hostname,
    page_of_cache,
    query_parameter,
    referrer_parameter,
    resolve_custom,
)
from tracker.testing import FakeBrowser

BROWSER = FakeBrowser("https://www.acme.test/home")


@pytest.mark.parametrize(
    ("url", "value"),
    [
        ("https://www.acme.test/?x=1&u=a+b%40c#u=no", "a b@c"),
        ("https://www.acme.test/?u=", ""),
        ("https://www.acme.test/?u", None),
        ("https://www.acme.test/?xu=1", None),
        ("https://www.acme.test/#?u=1", None),
        ("https://www.acme.test/?u=%zz", None),
        ("https://www.acme.test/?u=%C3%28", None),
        ("https://www.acme.test/?u=1&u=2", "2"),
        ("https://www.acme.test/?u=a=b", "a=b"),
        ("https://www.acme.test/?a?u=1", "1"),
        ("", None),
    ],
)
def test_a_query_parameter_is_decoded_and_absent_where_it_cannot_be(
    url: str, value: str | None
) -> None:
    assert query_parameter(BROWSER, url, "u") == value


def test_the_name_of_a_parameter_is_text_and_no_pattern() -> None:
    assert query_parameter(BROWSER, "https://a.test/?user(id=1", "user(id") == "1"
    assert query_parameter(BROWSER, "https://a.test/?uxd=1", "u.d") is None


@pytest.mark.parametrize(
    ("query", "referrer"),
    [
        ("?referrer=https%3A%2F%2Fone.test%2F", "https://one.test/"),
        ("?referer=two", "two"),
        ("?referer=two&referrer=one", "one"),
        ("?referrer=&referer=two", "two"),
        ("?referrer=%zz&referer=two", "two"),
        ("?referrer=%zz", ""),
        ("", ""),
    ],
)
def test_an_address_may_state_its_referrer(query: str, referrer: str) -> None:
    assert referrer_parameter(BROWSER, "https://www.acme.test/" + query) == referrer


@pytest.mark.parametrize(
    ("page", "given", "expected"),
    [
        ("https://www.acme.test/a/b?q=1", "http://other.test/x", "http://other.test/x"),
        ("https://www.acme.test/a/b?q=1", "mailto:x", "mailto:x"),
        ("https://www.acme.test/a/b?q=1", "coap+tcp:x", "coap+tcp:x"),
        ("https://www.acme.test/a/b?q=1", "/x?y=1", "https://www.acme.test/x?y=1"),
        ("https://www.acme.test:8443/a/b", "/x", "https://www.acme.test/x"),
        ("https://www.acme.test/u/@bob", "/x", "https://www.acme.test/x"),
        ("https://www.acme.test/a/b?q=1/2", "x", "https://www.acme.test/a/x"),
        ("https://www.acme.test:8443/a/b", "x", "https://www.acme.test:8443/a/x"),
        ("https://www.acme.test/a/", "x", "https://www.acme.test/a/x"),
        ("https://www.acme.test/a/b", "../x", "https://www.acme.test/a/../x"),
        ("https://www.acme.test/a/b", "?x=1", "https://www.acme.test/a/?x=1"),
        ("https://www.acme.test/a#b/c", "x", "https://www.acme.test/a#b/x"),
        (
            "https://www.acme.test/a",
            "seventeen-letters:x",
            "https://www.acme.test/seventeen-letters:x",
        ),
        ("https://www.acme.test/a", "1a:x", "https://www.acme.test/1a:x"),
    ],
)
def test_a_custom_address_is_resolved_as_the_incumbent_does(
    page: str, given: str, expected: str
) -> None:
    assert resolve_custom(BROWSER, page, given) == expected


def test_hash_tags_and_braces_are_discarded_on_request_only() -> None:
    url = "https://www.acme.test/{a}#frag{b}#c"
    assert cleaned(url, hash_tag=False, brace=False) == url
    assert cleaned(url, hash_tag=True, brace=False) == "https://www.acme.test/{a}"
    assert cleaned(url, hash_tag=False, brace=True) == "https://www.acme.test/a#fragb#c"
    assert cleaned(url, hash_tag=True, brace=True) == "https://www.acme.test/a"


TRANSLATED = "https://translate.googleusercontent.com/translate_c?u=https://www.acme.test/a&hl=en"
CACHED = "https://webcache.googleusercontent.com/search?q=cache:x"


@pytest.mark.parametrize(
    ("href", "referrer", "link", "expected"),
    [
        ("https://www.acme.test/", "r", "l", ("https://www.acme.test/", "r")),
        (TRANSLATED, "", "", ("https://www.acme.test/a", TRANSLATED)),
        (TRANSLATED, "https://r.test/", "", ("https://www.acme.test/a", "https://r.test/")),
        (CACHED, "", "https://www.acme.test/a", ("https://www.acme.test/a", "")),
        ("http://cc.bingj.com/c", "r", "https://www.acme.test/a", ("https://www.acme.test/a", "r")),
        (CACHED, "", "", (CACHED, "")),
        ("no address", "r", "l", ("no address", "r")),
    ],
)
def test_a_copy_of_a_page_counts_as_the_page(
    href: str, referrer: str, link: str, expected: tuple[str, str]
) -> None:
    assert page_of_cache(BROWSER, href, referrer, link) == expected


@pytest.mark.parametrize(
    ("hostname", "expected"),
    [
        ("www.acme.test", "www.acme.test"),
        ("www.acme.test.", "www.acme.test"),
        ("www.acme.test..", "www.acme.test."),
        ("*.acme.test", ".acme.test"),
        ("*acme.test", "*acme.test"),
        ("localhost", "localhost"),
        ("", ""),
    ],
)
def test_a_hostname_is_cleaned_for_cookies(hostname: str, expected: str) -> None:
    assert cookie_hostname(hostname) == expected


@given(st.text(), st.text(), st.text())
def test_no_address_raises(href: str, name: str, given: str) -> None:
    query_parameter(BROWSER, href, name)
    referrer_parameter(BROWSER, href)
    resolve_custom(BROWSER, href, given)
    page_of_cache(BROWSER, href, "", "")
