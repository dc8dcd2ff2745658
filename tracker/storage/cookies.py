"""Cookies: how they are written, read and removed.

Encoding and reading follow js-cookie 3, which the incumbent writes its cookies with: values it
wrote are read here and the other way round.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from tracker.browser import Browser, StorageError

# encodeURIComponent escapes these; js-cookie leaves them as they are
_KEPT_IN_VALUES = re.compile(r"%(2[346BF]|3[AC-F]|40|5[BDE]|60|7[BCD])")
_KEPT_IN_NAMES = re.compile(r"%(2[346B]|5E|60|7C)")
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")

DAY_MS = 86_400_000
COOKIE_LIMIT = 4000


@dataclass(frozen=True, slots=True)
class CookieAttributes:
    """The attributes cookies are written with, in this `order`.

    `days` None makes a browser-session cookie.
    """

    domain: str | None = None
    path: str | None = "/"
    days: float | None = 365
    same_site: str | None = "Lax"
    secure: bool = False
    order: tuple[str, ...] = ("SameSite", "Expires", "Domain", "Path")


class CookieStore:
    """The cookies that a page can see, and those it writes."""

    def __init__(self, browser: Browser, attributes: CookieAttributes | None = None) -> None:
        self.attributes = attributes or CookieAttributes()
        self._browser = browser
        self._raw: str | None = None
        self._parsed: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        """The decoded value, None if there is none, it is empty or cannot be decoded."""
        raw = self._browser.cookies()
        if raw != self._raw:
            self._raw, self._parsed = raw, self._parse(raw)
        return self._parsed.get(name) or None

    def names(self) -> list[str]:
        """The names of all cookies of the page."""
        return list(self._parse(self._browser.cookies()))

    def set(self, name: str, value: str, attributes: CookieAttributes | None = None) -> bool:
        """Write a cookie. Returns whether the browser keeps exactly this value.

        A value of more than 4,000 encoded bytes is not written: browsers refuse 4,096 with the
        name, and some cut it (decision I1). Nor is anything where the browser says that cookies are
        off: a worker, whose page writes later, could not see that nothing came of it.
        """
        if self._browser.navigator("cookieEnabled") is False:
            return False
        encoded = self._encode(value, _KEPT_IN_VALUES)
        if len(encoded) > COOKIE_LIMIT:
            return False
        self._write(name, encoded, attributes or self.attributes)
        return self.get(name) == value

    def remove_everywhere(self, name: str) -> None:
        """Delete every copy of a cookie, whatever domain or path this page could have set it at."""
        if self.get(name) is None:
            return
        self._expire(name, self.attributes)
        for domain in self._domain_candidates():
            for path in self._path_candidates():
                if self.get(name) is None and not self._browser.writes_later:
                    return
                self._expire(name, replace(self.attributes, domain=domain, path=path))

    def _domain_candidates(self) -> list[str | None]:
        url = self._browser.parse_url(self._browser.page().href)
        labels = url.hostname.split(".") if url else []
        return [None, *(".".join(labels[start:]) for start in range(len(labels) - 1))]

    def _path_candidates(self) -> list[str]:
        url = self._browser.parse_url(self._browser.page().href)
        parts = url.pathname.split("/")[1:] if url else []
        return ["/", *("/" + "/".join(parts[:end]) for end in range(1, len(parts) + 1) if parts[0])]

    def _expire(self, name: str, attributes: CookieAttributes) -> None:
        self._write(name, "", replace(attributes, days=-1))

    def _write(self, name: str, encoded: str, attributes: CookieAttributes) -> None:
        text = f"{self._encode(name, _KEPT_IN_NAMES)}={encoded}{self.attribute_text(attributes)}"
        try:
            self._browser.set_cookie(text)
        except StorageError:
            return  # a sandboxed frame: the read-back that follows says what was kept

    def attribute_text(self, attributes: CookieAttributes) -> str:
        """The attributes as they stand behind a value in an assignment to `document.cookie`."""
        expires = None
        if attributes.days is not None:
            expires = self._browser.utc_text(self._browser.now() + attributes.days * DAY_MS)
        values = {
            "SameSite": attributes.same_site,
            "Expires": expires,
            "Domain": attributes.domain,
            "Path": attributes.path,
        }
        text = "".join(f"; {name}={values[name]}" for name in attributes.order if values[name])
        return text + "; Secure" if attributes.secure else text

    def _encode(self, text: str, kept: re.Pattern[str]) -> str:
        encoded = self._browser.encode_component(text)
        return kept.sub(lambda match: chr(int(match[1], 16)), encoded)

    def _decode(self, text: str) -> str | None:
        if "%" not in text:
            return text
        pieces, end = [], 0
        for run in _ESCAPES.finditer(text):
            decoded = self._browser.decode_component(run[0])
            if decoded is None:
                return None  # a value we cannot read is an absent value
            pieces += [text[end : run.start()], decoded]
            end = run.end()
        return "".join([*pieces, text[end:]])

    def _parse(self, raw: str) -> dict[str, str]:
        cookies: dict[str, str] = {}
        for pair in raw.split("; "):
            encoded_name, _, encoded = pair.partition("=")
            if encoded.startswith('"'):
                encoded = encoded[1:-1]
            name, value = self._decode(encoded_name), self._decode(encoded)
            if name is not None and value is not None:
                cookies.setdefault(name, value)  # the browser lists the most specific first
        return cookies
