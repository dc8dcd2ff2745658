"""A cookie jar that decides as browsers do (RFC 6265bis).

>>> jar = CookieJar(now=lambda: 0)
>>> jar.assign("https://www.site.example/", "a=1; Domain=site.example; Max-Age=86400")
True
>>> jar.assign("https://www.site.example/", "a=2; Domain=example")  # a public suffix
False
>>> jar.read("https://app.site.example/"), jar["a"].domain, jar["a"].days
('a=1', 'site.example', 1.0)

A test can list further public suffixes; known are single labels and the commonest longer ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from tracker.browser import StorageError, Url
from tracker.testing.cookie_dates import parse_cookie_date
from tracker.testing.hosts import is_ip_address, is_loopback
from tracker.testing.urls import parse_url

CookieAccess = Literal["normal", "disabled", "blocked", "throws"]
"""What pages may do with cookies.

- `normal`: read and write.
- `disabled`: the visitor has switched cookies off. They read empty, writes are ignored,
  `navigator.cookieEnabled` is false.
- `blocked`: the same, but `navigator.cookieEnabled` stays true.
- `throws`: they read empty, a write raises StorageError.
"""

_COMMON_SUFFIXES = """
ac.uk co.uk gov.uk me.uk org.uk com.au net.au org.au co.nz co.za com.ar com.br com.cn com.hk com.mx
com.sg com.tr com.tw com.ua co.id co.il co.in co.jp co.kr co.th ne.jp or.jp ac.jp appspot.com
blogspot.com github.io gitlab.io herokuapp.com netlify.app pages.dev vercel.app web.app workers.dev
"""
PUBLIC_SUFFIXES = frozenset(_COMMON_SUFFIXES.split())
_DAY_SECONDS = 86_400
_LONGEST_LIFETIME_MS = 400 * _DAY_SECONDS * 1000
_MOST_BYTES = 4096  # of name and value
_MOST_ATTRIBUTE_BYTES = 1024
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_WHITESPACE = " \t"


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie that the browser keeps."""

    name: str
    value: str
    domain: str
    host_only: bool  # without a Domain attribute: no other host sees it
    path: str
    secure: bool
    http_only: bool
    same_site: str  # "Strict", "Lax", "None", or "" where nothing was asked for
    expires_ms: int | None  # None: when the browser is closed
    requested_seconds: float | None  # the lifetime that was asked for, before any cap

    @property
    def days(self) -> float | None:
        """The lifetime that was asked for in days; None for a session cookie."""
        return None if self.requested_seconds is None else self.requested_seconds / _DAY_SECONDS

    @property
    def pair(self) -> str:
        """As it stands in `document.cookie`."""
        return f"{self.name}={self.value}" if self.name else self.value


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a page assigned to `document.cookie`, and whether the browser took it."""

    document: str
    text: str
    accepted: bool
    probe: bool  # made by `try_cookie`


class CookieJar:
    """The cookies of one visitor. `assignments` is what pages wrote, in order."""

    def __init__(
        self,
        now: Callable[[], int],
        *,
        access: CookieAccess = "normal",
        public_suffixes: Iterable[str] = (),
        cap_lifetimes: bool = False,
    ) -> None:
        self.access: CookieAccess = access
        self.cap_lifetimes = cap_lifetimes  # at 400 days, as browsers do
        self.assignments: list[Assignment] = []
        self._now = now
        self._public_suffixes = PUBLIC_SUFFIXES.union(public_suffixes)
        # In the order of creation: a dict keeps a key's place when its value is replaced, as the
        # RFC has it. (Chromium puts a cookie whose value changes behind the others.)
        self._cookies: dict[tuple[str, str, bool, str], Cookie] = {}

    def __iter__(self) -> Iterator[Cookie]:
        self._drop_expired()
        return iter(list(self._cookies.values()))

    def __getitem__(self, name: str) -> Cookie:
        found = [cookie for cookie in self if cookie.name == name]
        if not found:
            raise KeyError(name)
        return found[0]

    def __contains__(self, name: object) -> bool:
        return any(cookie.name == name for cookie in self)

    def visible(self, url: str) -> list[Cookie]:
        """What a script of the page sees, in the order of `document.cookie`."""
        parsed = _parse_page_url(url)
        seen = [c for c in self if not c.http_only and _is_sent_to(c, parsed)]
        return sorted(seen, key=lambda cookie: -len(cookie.path))

    def read(self, url: str) -> str:
        """`document.cookie` of the page."""
        if self.access != "normal":
            return ""
        return "; ".join(cookie.pair for cookie in self.visible(url))

    def assign(self, url: str, text: str, *, probe: bool = False) -> bool:
        """Assign to `document.cookie` of the page. Whether the browser did what was asked.

        Raises StorageError where access is `throws`.
        """
        accepted = self.access == "normal" and self._store(url, text, from_script=True)
        self.assignments.append(Assignment(url, text, accepted, probe))
        if self.access == "throws":
            raise StorageError("the browser denies access to cookies")
        return accepted

    def set_from_server(self, url: str, header: str) -> bool:
        """Take a `Set-Cookie` header of an answer from `url`."""
        return self.access == "normal" and self._store(url, header, from_script=False)

    def delete(self, name: str) -> None:
        """Delete all cookies of that name, as the visitor would."""
        for key in [key for key in self._cookies if key[0] == name]:
            del self._cookies[key]

    def clear(self) -> None:
        """Delete all cookies, as the visitor would."""
        self._cookies.clear()

    def end_session(self) -> None:
        """Close and open the browser: session cookies are gone."""
        self._cookies = {k: c for k, c in self._cookies.items() if c.expires_ms is not None}

    def _store(self, url: str, text: str, *, from_script: bool) -> bool:
        page = _parse_page_url(url)
        cookie = self._parse(page, text)
        if cookie is None or (cookie.secure and not _is_trusted(page)):
            return False
        if from_script and cookie.http_only:
            return False
        self._drop_expired()
        if not _is_trusted(page) and self._would_hide_secure(cookie):
            return False
        key = (cookie.name, cookie.domain, cookie.host_only, cookie.path)
        replaced = self._cookies.get(key)
        if from_script and replaced and replaced.http_only:
            return False
        if cookie.expires_ms is not None and cookie.expires_ms <= self._now():
            self._cookies.pop(key, None)
        else:
            self._cookies[key] = cookie
        return True

    def _parse(self, page: Url, text: str) -> Cookie | None:
        if _CONTROL_CHARACTER.search(text):
            return None
        pair, *attribute_texts = text.split(";")
        name, _, value = (part.strip(_WHITESPACE) for part in _name_first(pair))
        if not (name or value) or len((name + value).encode("utf-8", "replace")) > _MOST_BYTES:
            return None
        attributes = _parse_attributes(attribute_texts)
        scope = self._scope(page.hostname, attributes.get("domain", ""))
        if scope is None:
            return None
        seconds = self._lifetime(attributes)
        cookie = Cookie(
            name,
            value,
            *scope,
            path=_cookie_path(page, attributes.get("path", "")),
            secure="secure" in attributes,
            http_only="httponly" in attributes,
            same_site=_same_site(attributes.get("samesite", "")),
            expires_ms=self._expiry(seconds),
            requested_seconds=seconds,
        )
        if cookie.same_site == "None" and not cookie.secure:
            return None
        return cookie if _keeps_prefix_promise(cookie, attributes) else None

    def _scope(self, host: str, attribute: str) -> tuple[str, bool] | None:
        """The domain and whether it is host-only; None if the host may not set it."""
        if not attribute:
            return host, True
        domain = attribute.removeprefix(".").lower()
        if domain == host and (is_ip_address(host) or self._is_public_suffix(domain)):
            return host, True
        if self._is_public_suffix(domain) or not _domain_matches(host, domain):
            return None
        return domain, False

    def _is_public_suffix(self, domain: str) -> bool:
        return "." not in domain or domain in self._public_suffixes

    def _lifetime(self, attributes: dict[str, str]) -> float | None:
        if "max-age" in attributes:
            return int(attributes["max-age"])
        if "expires" in attributes:
            date_ms = parse_cookie_date(attributes["expires"])
            return None if date_ms is None else (date_ms - self._now()) / 1000
        return None

    def _expiry(self, seconds: float | None) -> int | None:
        if seconds is None:
            return None
        lifetime_ms = round(seconds * 1000)
        if self.cap_lifetimes:
            lifetime_ms = min(lifetime_ms, _LONGEST_LIFETIME_MS)
        return self._now() + lifetime_ms

    def _would_hide_secure(self, cookie: Cookie) -> bool:
        return any(
            other.secure
            and other.name == cookie.name
            and (
                _domain_matches(cookie.domain, other.domain)
                or _domain_matches(other.domain, cookie.domain)
            )
            and _path_matches(cookie.path, other.path)
            for other in self._cookies.values()
        )

    def _drop_expired(self) -> None:
        now = self._now()
        for key, cookie in list(self._cookies.items()):
            if cookie.expires_ms is not None and cookie.expires_ms <= now:
                del self._cookies[key]


def _parse_page_url(url: str) -> Url:
    parsed = parse_url(url)
    if parsed is None or parsed.protocol not in ("http:", "https:"):
        raise ValueError(f"{url!r} is no http(s) address: such pages have no cookies")
    return parsed


def _is_trusted(page: Url) -> bool:
    return page.protocol == "https:" or is_loopback(page.hostname)


def _is_sent_to(cookie: Cookie, page: Url) -> bool:
    same_host = cookie.domain == page.hostname
    return (
        (same_host or (not cookie.host_only and _domain_matches(page.hostname, cookie.domain)))
        and _path_matches(page.pathname, cookie.path)
        and (not cookie.secure or _is_trusted(page))
    )


def _domain_matches(host: str, domain: str) -> bool:
    return host == domain or (host.endswith("." + domain) and not is_ip_address(host))


def _path_matches(path: str, cookie_path: str) -> bool:
    if path == cookie_path:
        return True
    return path.startswith(cookie_path if cookie_path.endswith("/") else cookie_path + "/")


def _name_first(pair: str) -> tuple[str, str, str]:
    name, equals, value = pair.partition("=")
    return (name, equals, value) if equals else ("", "", pair)


def _parse_attributes(texts: list[str]) -> dict[str, str]:
    """Attributes by lower-case name. Of repeated ones the last counts, unusable ones do not."""
    attributes: dict[str, str] = {}
    for text in texts:
        name, _, value = (part.strip(_WHITESPACE) for part in text.partition("="))
        name = name.lower()
        if len(value.encode("utf-8", "replace")) > _MOST_ATTRIBUTE_BYTES:
            continue
        if name == "max-age" and not re.fullmatch(r"-?[0-9]+", value):
            continue
        if name == "expires" and parse_cookie_date(value) is None:
            continue
        attributes[name] = value
    return attributes


def _cookie_path(page: Url, attribute: str) -> str:
    if attribute.startswith("/"):
        return attribute
    return page.pathname.rpartition("/")[0] or "/"


def _same_site(attribute: str) -> str:
    asked = attribute.capitalize()
    return asked if asked in ("Strict", "Lax", "None") else ""


def _keeps_prefix_promise(cookie: Cookie, attributes: dict[str, str]) -> bool:
    text = (cookie.name or cookie.value).lower()
    if not text.startswith(("__secure-", "__host-")):
        return True
    if not cookie.name or not cookie.secure:
        return False
    at_root = attributes.get("path") == "/" and not attributes.get("domain")
    return at_root or text.startswith("__secure-")
