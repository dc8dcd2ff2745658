"""The fake's text functions give what JavaScript gives.

`semantics.json` holds what JavaScript computed, see `semantics.mjs`.
"""

import json
import math
from dataclasses import asdict
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.testing import FakeBrowser
from tracker.testing.hosts import is_ip_address, is_loopback, parse_host
from tracker.testing.javascript import (
    decode_component,
    encode_component,
    iso_time,
    number_text,
    utc_text,
)
from tracker.testing.urls import parse_url

TABLE = json.loads(Path(__file__).with_name("semantics.json").read_text())
browser = FakeBrowser("https://www.site.example/")


def rows(name):
    return pytest.mark.parametrize(
        ("given_", "expected"), TABLE[name], ids=[ascii(row[0]) for row in TABLE[name]]
    )


@rows("encode_component")
def test_encode_component(given_, expected):
    assert browser.encode_component(given_) == expected


@rows("decode_component")
def test_decode_component(given_, expected):
    assert browser.decode_component(given_) == expected


@rows("number_text")
def test_number_text(given_, expected):
    assert browser.number_text(float(given_)) == expected


@rows("iso_time")
def test_iso_time(given_, expected):
    assert browser.iso_time(given_) == expected


@rows("utc_text")
def test_utc_text(given_, expected):
    assert browser.utc_text(given_) == expected


@rows("parse_url")
def test_parse_url(given_, expected):
    url = browser.parse_url(*given_)
    assert (url and asdict(url)) == expected


@given(st.text())
def test_decoding_gives_back_what_was_encoded(text):
    assert decode_component(encode_component(text)) == text


@given(st.text(alphabet="%0189acefEF \ud800é"))
def test_decoding_raises_nothing(text):
    decoded = decode_component(text)
    assert decoded is None or decoded == unquote(text, errors="surrogatepass")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_number_reads_back_as_the_number(number):
    assert float(number_text(number)) == number


@given(st.integers(-(2**53), 2**53))
def test_whole_numbers_are_written_in_full(number):
    assert number_text(number) == str(number)


def test_whole_numbers_beyond_all_doubles_are_infinite():
    assert (number_text(10**400), number_text(-(10**400))) == ("Infinity", "-Infinity")


@pytest.mark.parametrize("time", [math.nan, math.inf, 8.64e15 + 1, 10**400])
def test_times_that_no_date_can_hold(time):
    assert utc_text(time) == "Invalid Date"
    with pytest.raises(ValueError, match="no Date can hold"):
        iso_time(time)


@given(st.text(alphabet="ahtps:/\\.?#@[]%20x- ü"))
def test_a_parsed_address_parses_to_itself(text):
    url = parse_url(text, "https://www.site.example/a/b?c#d")
    assert url is None or parse_url(url.href) == url


def test_an_unknown_scheme_may_have_an_ipv6_host():
    assert parse_url("foo://[::0:1]/").host == "[::1]"


@pytest.mark.parametrize("host", ["a b", "a%20b", "%ff", "a/b", "a?b", "", "[::1", "[g]"])
def test_what_is_no_host(host):
    assert parse_host(host) is None


@pytest.mark.parametrize(
    ("host", "address", "loopback"),
    [
        ("localhost", False, True),
        ("x.localhost", False, True),
        ("127.0.0.1", True, True),
        ("127.9.9.9", True, True),
        ("[::1]", True, True),
        ("[::2]", True, False),
        ("10.0.0.1", True, False),
        ("127.example", False, False),
        ("site.example", False, False),
    ],
)
def test_addresses_and_this_machine(host, address, loopback):
    assert (is_ip_address(host), is_loopback(host)) == (address, loopback)
