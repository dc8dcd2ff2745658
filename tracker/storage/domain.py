"""Which domain cookies are written for: the widest one that the browser accepts."""

from __future__ import annotations

import re

from tracker.browser import Browser

PROBE_NAME = "__pyodide_tracker_probe"

_IPV4 = re.compile(r"\d+(\.\d+){3}")


def is_ip_address(hostname: str) -> bool:
    """Whether a host name is an IP address, which cookies cannot be shared under."""
    return hostname.startswith("[") or _IPV4.fullmatch(hostname) is not None


async def discover_root_domain(browser: Browser, hostname: str, attributes: str = "") -> str | None:
    """The registrable domain of a host, found by asking the browser.

    Tries `b.c`, `a.b.c`, … with a probe cookie. None means host-only cookies: for IP addresses,
    single-label hosts, and where the browser keeps no cookie at all.
    """
    if is_ip_address(hostname) or "." not in hostname:
        return None
    labels = hostname.split(".")
    for start in range(len(labels) - 2, -1, -1):
        candidate = ".".join(labels[start:])
        if await browser.try_cookie(PROBE_NAME, f"; Domain={candidate}; Path=/{attributes}"):
            return candidate
    return None


async def accepts_domain(browser: Browser, domain: str, attributes: str = "") -> bool:
    """Whether this page may write cookies for `domain`."""
    return await browser.try_cookie(PROBE_NAME, f"; Domain={domain}; Path=/{attributes}")
