"""Which domain cookies are written for: the widest one that the browser accepts."""

from __future__ import annotations

import re

from tracker.browser import Browser

PROBE_NAME = "__pyodide_tracker_probe"

_IPV4 = re.compile(r"\d+(\.\d+){3}")


def is_ip_address(hostname: str) -> bool:
    """Whether a host name is an IP address, which cookies cannot be shared under."""
    return hostname.startswith("[") or _IPV4.fullmatch(hostname) is not None


class Domains:
    """What the browser accepts on this page; asked once for the same attributes (S11)."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._roots: dict[str, str | None] = {}

    @property
    def hostname(self) -> str:
        """The page's host, "" for pages without one."""
        url = self._browser.parse_url(self._browser.page().href)
        return url.hostname if url else ""

    async def root(self, attributes: str = "") -> str | None:
        """The registrable domain of the page's host, found by asking the browser.

        Tries `b.c`, `a.b.c`, … with a probe cookie. None means host-only cookies: for IP addresses,
        single-label hosts, and where the browser keeps no cookie at all.
        """
        if attributes not in self._roots:
            self._roots[attributes] = await self._discover(attributes)
        return self._roots[attributes]

    async def accepts(self, domain: str, attributes: str = "") -> bool:
        """Whether this page may write cookies for `domain`."""
        return await self._browser.try_cookie(PROBE_NAME, f"; Domain={domain}; Path=/{attributes}")

    async def _discover(self, attributes: str) -> str | None:
        if is_ip_address(self.hostname) or "." not in self.hostname:
            return None
        labels = self.hostname.split(".")
        for start in range(len(labels) - 2, -1, -1):
            candidate = ".".join(labels[start:])
            if await self.accepts(candidate, attributes):
                return candidate
        return None
