"""The cookie jar decides as browsers do."""

import pytest

from tracker.browser import StorageError
from tracker.testing import START_MS, CookieJar, VirtualClock
from tracker.testing.cookie_dates import parse_cookie_date

WWW = "https://www.site.example/"
HTTP = "http://www.site.example/"
LONG = "x" * 4095

# what it shows, the page that writes, its assignments, the page that reads, what it reads
RULES = [
    ("a cookie", WWW, ["a=1"], WWW, "a=1"),
    ("spaces around the name and the value go", WWW, [" a =\t1 ; Path=/"], WWW, "a=1"),
    ("spaces inside stay", WWW, ["a=1 2"], WWW, "a=1 2"),
    ("quotes stay", WWW, ['a="1"'], WWW, 'a="1"'),
    ("more equals signs belong to the value", WWW, ["a=1=2="], WWW, "a=1=2="),
    ("other letters", WWW, ["ä=ü"], WWW, "ä=ü"),
    ("an empty value", WWW, ["a="], WWW, "a="),
    ("a value without a name", WWW, ["a"], WWW, "a"),
    ("a value with an empty name", WWW, ["=a"], WWW, "a"),
    ("neither name nor value", WWW, ["", "=", "; Path=/"], WWW, ""),
    ("a newline refuses the cookie", WWW, ["a=1\nb"], WWW, ""),
    ("so does another control character", WWW, ["a=1\x01", "b=\x7f", "c=1; Path=/\x02"], WWW, ""),
    ("4096 bytes of name and value", WWW, [f"a={LONG}"], WWW, f"a={LONG}"),
    ("4097 are too many", WWW, [f"ab={LONG}"], WWW, ""),
    ("bytes are counted, not characters", WWW, ["a=" + "ü" * 2048], WWW, ""),
    ("a later value replaces", WWW, ["a=1", "a=2"], WWW, "a=2"),
    ("names tell apart by case", WWW, ["a=1", "A=2"], WWW, "a=1; A=2"),
    ("the oldest first", WWW, ["b=1", "a=2", "b=3"], WWW, "b=3; a=2"),
    ("deleted and made again is the newest", WWW, ["b=1", "a=2", "b=; Max-Age=0", "b=3"], WWW,
     "a=2; b=3"),
    # Domain
    ("host-only: not on a subdomain", "https://site.example/", ["a=1"], WWW, ""),
    ("host-only: not on the parent", WWW, ["a=1"], "https://site.example/", ""),
    ("the parent's domain", WWW, ["a=1; Domain=site.example"], "https://x.site.example/", "a=1"),
    ("a leading dot does not matter", WWW, ["a=1; Domain=.site.example"], "https://site.example/",
     "a=1"),
    ("two leading dots do", WWW, ["a=1; Domain=..site.example"], WWW, ""),
    ("case does not matter", WWW, ["a=1; dOMAIN=SITE.Example"], WWW, "a=1"),
    ("the own host as domain", WWW, ["a=1; Domain=www.site.example"], "https://b.www.site.example/",
     "a=1"),
    ("another host", WWW, ["a=1; Domain=app.site.example"], WWW, ""),
    ("another site", WWW, ["a=1; Domain=other.example"], WWW, ""),
    ("the same letters are not the same domain", "https://mysite.example/",
     ["a=1; Domain=site.example"], "https://mysite.example/", ""),
    ("a top-level domain", WWW, ["a=1; Domain=example"], WWW, ""),
    ("an empty domain", WWW, ["a=1; Domain="], WWW, "a=1"),
    ("a lone dot", WWW, ["a=1; Domain=."], WWW, ""),
    ("the last domain counts", WWW, ["a=1; Domain=other.example; Domain=site.example"], WWW, "a=1"),
    ("co.uk", "https://www.shop.co.uk/", ["a=1; Domain=co.uk"], "https://www.shop.co.uk/", ""),
    ("below co.uk", "https://www.shop.co.uk/", ["a=1; Domain=shop.co.uk"],
     "https://app.shop.co.uk/", "a=1"),
    ("github.io", "https://me.github.io/", ["a=1; Domain=github.io"], "https://me.github.io/", ""),
    ("a public suffix that is the host", "https://github.io/", ["a=1; Domain=github.io"],
     "https://github.io/", "a=1"),
    ("which becomes host-only", "https://github.io/", ["a=1; Domain=github.io"],
     "https://me.github.io/", ""),
    ("localhost", "http://localhost:8000/", ["a=1; Domain=localhost"], "http://localhost/", "a=1"),
    ("x.localhost", "http://x.localhost/", ["a=1; Domain=localhost"], "http://x.localhost/", ""),
    ("x.localhost as its own domain", "http://x.localhost/", ["a=1; Domain=x.localhost"],
     "http://y.x.localhost/", "a=1"),
    ("an address", "http://127.0.0.1/", ["a=1; Domain=127.0.0.1"], "http://127.0.0.1/", "a=1"),
    ("part of an address", "http://127.0.0.1/", ["a=1; Domain=0.1"], "http://127.0.0.1/", ""),
    ("host-only and not are two cookies", WWW, ["a=1", "a=2; Domain=www.site.example"], WWW,
     "a=1; a=2"),
    ("a domain in another script", "https://bücher.example/", ["a=1; Domain=xn--bcher-kva.example"],
     "https://www.bücher.example/", "a=1"),
    # Path
    ("the default path is the directory", WWW + "a/b", ["a=1"], WWW + "a/c", "a=1"),
    ("and not above", WWW + "a/b", ["a=1"], WWW + "b", ""),
    ("a trailing slash is part of the directory", WWW + "a/b/", ["a=1"], WWW + "a/b", "a=1"),
    ("a path", WWW, ["a=1; Path=/x"], WWW + "x/y", "a=1"),
    ("a path ends at a slash", WWW, ["a=1; Path=/x"], WWW + "xy", ""),
    ("a path with a slash at its end", WWW, ["a=1; Path=/x/"], WWW + "x/", "a=1"),
    ("which excludes the path without", WWW, ["a=1; Path=/x/"], WWW + "x", ""),
    ("a path that is none", WWW + "a/b", ["a=1; Path=x"], WWW + "a/c", "a=1"),
    ("the longest path first", WWW + "x/y", ["a=1; Path=/", "a=2; Path=/x", "a=3; Path=/x/y"],
     WWW + "x/y", "a=3; a=2; a=1"),
    # Secure, SameSite, HttpOnly, prefixes
    ("secure", WWW, ["a=1; Secure"], WWW, "a=1"),
    ("secure is not seen over http", WWW, ["a=1; Secure"], HTTP, ""),
    ("and not set over http", HTTP, ["a=1; Secure"], WWW, ""),
    ("but on this machine", "http://localhost/", ["a=1; Secure"], "http://localhost/", "a=1"),
    ("not secure is seen everywhere", HTTP, ["a=1"], WWW, "a=1"),
    ("http does not replace a secure cookie", WWW, ["a=1; Secure"], HTTP, ""),
    ("SameSite=Lax", WWW, ["a=1; SameSite=Lax"], WWW, "a=1"),
    ("SameSite=Strict", WWW, ["a=1; samesite=STRICT"], WWW, "a=1"),
    ("an unknown SameSite", WWW, ["a=1; SameSite=Loose"], WWW, "a=1"),
    ("SameSite=None without Secure", WWW, ["a=1; SameSite=None"], WWW, ""),
    ("SameSite=None with Secure", WWW, ["a=1; SameSite=None; Secure"], WWW, "a=1"),
    ("a script cannot set HttpOnly", WWW, ["a=1; HttpOnly"], WWW, ""),
    ("__Secure-", WWW, ["__Secure-a=1; Secure"], WWW, "__Secure-a=1"),
    ("__Secure- without Secure", WWW, ["__Secure-a=1"], WWW, ""),
    ("__Host-", WWW, ["__Host-a=1; Secure; Path=/"], WWW, "__Host-a=1"),
    ("__Host- with a domain", WWW, ["__Host-a=1; Secure; Path=/; Domain=site.example"], WWW, ""),
    ("__Host- with a path", WWW, ["__Host-a=1; Secure; Path=/x"], WWW + "x", ""),
    ("__host- in other letters", WWW, ["__hOST-a=1; Path=/"], WWW, ""),
    ("a prefix hidden in a value", WWW, ["=__Host-a=1; Secure; Path=/"], WWW, ""),
    # Lifetime
    ("max-age", WWW, ["a=1; Max-Age=60"], WWW, "a=1"),
    ("max-age zero deletes", WWW, ["a=1", "a=; Max-Age=0"], WWW, ""),
    ("so does a negative one", WWW, ["a=1", "a=; Max-Age=-1"], WWW, ""),
    ("a max-age that is none", WWW, ["a=1; Max-Age=1.5", "b=1; Max-Age=soon"], WWW, "a=1; b=1"),
    ("expires in the past deletes", WWW, ["a=1", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], WWW,
     ""),
    ("expires in the future", WWW, ["a=1; Expires=Fri, 31 Dec 2100 23:59:59 GMT"], WWW, "a=1"),
    ("max-age wins", WWW, ["a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], WWW, "a=1"),
    ("an unreadable date", WWW, ["a=1; Expires=soon"], WWW, "a=1"),
    ("only the same domain deletes", WWW, ["a=1; Domain=site.example", "a=; Max-Age=0"], WWW,
     "a=1"),
    ("only the same path deletes", WWW, ["a=1; Path=/", "a=; Path=/x; Max-Age=0"], WWW, "a=1"),
    ("an attribute over 1024 bytes is ignored", WWW, ["a=1; Path=/" + "x" * 1024], WWW, "a=1"),
    ("an unknown attribute is ignored", WWW, ["a=1; Priority=High; x; ;="], WWW, "a=1"),
]  # fmt: skip


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def jar(clock):
    return CookieJar(lambda: clock.now)


@pytest.mark.parametrize(
    ("writer", "assignments", "reader", "expected"),
    [r[1:] for r in RULES],
    ids=[r[0] for r in RULES],
)
def test_cookie_rules(jar, writer, assignments, reader, expected):
    for assignment in assignments:
        jar.assign(writer, assignment)
    assert jar.read(reader) == expected


def test_the_server_sets_cookies_that_scripts_do_not_see(jar):
    assert jar.set_from_server(WWW, "session=1; HttpOnly")
    assert jar.read(WWW) == ""
    assert jar["session"].http_only


def test_a_script_does_not_replace_an_http_only_cookie(jar):
    jar.set_from_server(WWW, "session=1; HttpOnly; Path=/")
    assert not jar.assign(WWW, "session=2; Path=/")
    assert jar["session"].value == "1"


def test_http_cannot_put_a_cookie_in_front_of_a_secure_one(jar):
    jar.assign(WWW, "a=1; Secure; Domain=site.example")
    assert not jar.assign(HTTP, "a=2")
    assert jar.assign("http://other.example/", "a=2")


def test_a_cookie_tells_what_was_asked_for(jar):
    jar.assign(WWW, "a=1; Domain=site.example; Path=/x; Secure; SameSite=strict; Max-Age=172800")
    cookie = jar["a"]
    assert (cookie.domain, cookie.host_only, cookie.path) == ("site.example", False, "/x")
    assert (cookie.secure, cookie.same_site) == (True, "Strict")
    assert (cookie.requested_seconds, cookie.days) == (172800, 2.0)
    assert cookie.expires_ms == START_MS + 172_800_000


def test_a_session_cookie_has_no_lifetime(jar):
    jar.assign(WWW, "a=1")
    assert jar["a"].expires_ms is None
    assert jar["a"].days is None


def test_a_date_gives_a_lifetime_from_now(jar):
    jar.assign(WWW, "a=1; Expires=Fri, 16 Jan 2026 12:00:00 GMT")
    assert jar["a"].days == 1.0


def test_a_cookie_is_gone_when_its_time_is_over(jar, clock):
    jar.assign(WWW, "a=1; Max-Age=60")
    clock.advance(59_999)
    assert "a" in jar
    clock.advance(1)
    assert "a" not in jar
    assert jar.read(WWW) == ""


def test_lifetimes_are_not_capped_unless_asked_for(jar, clock):
    jar.assign(WWW, "a=1; Max-Age=63072000")
    clock.advance_days(729)
    assert jar.read(WWW) == "a=1"


def test_capped_lifetimes_end_after_400_days_and_stay_readable(clock):
    jar = CookieJar(lambda: clock.now, cap_lifetimes=True)
    jar.assign(WWW, "a=1; Max-Age=63072000")
    assert jar["a"].days == 730
    clock.advance_days(400)
    assert jar.read(WWW) == ""


def test_further_public_suffixes_can_be_passed(clock):
    jar = CookieJar(lambda: clock.now, public_suffixes=["site.example"])
    assert not jar.assign(WWW, "a=1; Domain=site.example")


def test_the_visitor_deletes_cookies(jar):
    jar.assign(WWW, "a=1")
    jar.assign(WWW, "a=2; Path=/x")
    jar.assign(WWW, "b=1")
    jar.delete("a")
    assert [cookie.name for cookie in jar] == ["b"]
    jar.clear()
    assert list(jar) == []


def test_closing_the_browser_ends_session_cookies(jar):
    jar.assign(WWW, "a=1")
    jar.assign(WWW, "b=1; Max-Age=60")
    jar.end_session()
    assert jar.read(WWW) == "b=1"


def test_a_cookie_that_is_not_there_is_a_key_error(jar):
    with pytest.raises(KeyError, match="a"):
        jar["a"]


@pytest.mark.parametrize("access", ["disabled", "blocked"])
def test_without_access_cookies_read_empty_and_writes_are_ignored(jar, access):
    jar.assign(WWW, "a=1")
    jar.access = access
    assert not jar.assign(WWW, "b=1")
    assert jar.read(WWW) == ""
    jar.access = "normal"
    assert jar.read(WWW) == "a=1"


def test_a_browser_may_throw_at_writes(jar):
    jar.access = "throws"
    assert jar.read(WWW) == ""
    with pytest.raises(StorageError, match="denies access to cookies"):
        jar.assign(WWW, "a=1")


def test_assignments_are_logged_with_their_page_and_fate(jar):
    jar.assign(WWW, "a=1; Path=/")
    jar.assign(HTTP, "b=1; Secure")
    jar.assign(WWW, "c=1", probe=True)
    assert [(a.document, a.text, a.accepted, a.probe) for a in jar.assignments] == [
        (WWW, "a=1; Path=/", True, False),
        (HTTP, "b=1; Secure", False, False),
        (WWW, "c=1", True, True),
    ]


@pytest.mark.parametrize("url", ["about:blank", "file:///x", "no address"])
def test_only_http_pages_have_cookies(jar, url):
    with pytest.raises(ValueError, match="no http"):
        jar.read(url)


DATES = [
    ("Fri, 31 Dec 2026 23:59:59 GMT", 1798761599000),
    ("Friday, 31-Dec-26 23:59:59 GMT", 1798761599000),
    ("Fri Dec 31 23:59:59 2026", 1798761599000),
    ("2026 dec 31 23:59:59", 1798761599000),
    ("31 December 2026 1:2:3", 1798678923000),
    ("31 Dec 26 23:59:59 +0200", 1798761599000),
    ("Dec 31 2026 23:59:59.123", 1798761599000),
    ("01-Jan-70 00:00:01", 1000),
    ("Dec 31 2026", None),
    ("31 Dec 2026 24:00:00", None),
    ("31 Dec 2026 23:59", None),
    ("30 Feb 2027 00:00:00", None),
    ("31 Foo 2026 00:00:00", None),
    ("1/2/2027 00:00:00", None),
    ("31 Dec 1600 00:00:00", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "expected"), DATES)
def test_cookie_dates_are_read_leniently(text, expected):
    assert parse_cookie_date(text) == expected
