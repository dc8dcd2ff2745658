"""Addresses as the Snowplow tracker reads and reports them.

Nothing here raises: what cannot be decoded is absent (S9). Rules: Snowplow browser tracker.
"""

from __future__ import annotations

import re

from tracker.browser import Browser

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,15}:")

_TRANSLATED = "translate.googleusercontent.com"


def query_parameter(browser: Browser, url: str, name: str) -> str | None:
    """The value of a query parameter, None if it is absent or cannot be decoded."""
    match = re.match(rf"[^#]*[?&]{re.escape(name)}=([^&#]*)", url)
    if match is None:
        return None
    return browser.decode_component(match[1].replace("+", " "))


def referrer_parameter(browser: Browser, url: str) -> str:
    """The referrer that an address names itself, "" if it names none."""
    names = ("referrer", "referer")
    return next((text for name in names if (text := query_parameter(browser, url, name))), "")


def resolve_custom(browser: Browser, page_href: str, given: str) -> str:
    """A custom address as it is reported.

    An absolute one as it is; one from the root on the page's host, without its port; any other in
    the folder of the page.
    """
    if _SCHEME.match(given):
        return given
    if given.startswith("/"):
        url = browser.parse_url(page_href)
        return f"{url.protocol}//{url.hostname}{given}" if url else given
    folder = page_href.partition("?")[0]
    return folder[: folder.rindex("/") + 1] + given if "/" in folder else given


def cleaned(url: str, *, hash_tag: bool, brace: bool) -> str:
    """An address without its fragment, and without braces."""
    if hash_tag:
        url = url.partition("#")[0]
    return url.replace("{", "").replace("}", "") if brace else url


def page_of_cache(browser: Browser, href: str, referrer: str) -> tuple[str, str]:
    """Address and referrer of the page that a translating host shows."""
    url = browser.parse_url(href)
    if url is None or url.hostname != _TRANSLATED:
        return href, referrer
    original = query_parameter(browser, href, "u") or href
    return original, referrer or href


def cookie_hostname(hostname: str) -> str:
    """A host name as the names of cookies are made from it."""
    hostname = hostname.removesuffix(".")
    return hostname[1:] if hostname.startswith("*.") else hostname
