"""Which addresses a Snowplow event names: page, referrer, custom address, query parameters.

Rules: Snowplow tracker v4, page and URL helpers. Nothing here raises, whatever an address holds
(decision S9).
"""

from __future__ import annotations

import re

from tracker.browser import Browser

# at most 16 characters before the colon, else a text is no absolute address
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,15}:")

# Hosts that show copies of other pages
_TRANSLATED = "translate.googleusercontent.com"
_CACHED = ("cc.bingj.com", "webcache.googleusercontent.com")


def query_parameter(browser: Browser, url: str, name: str) -> str | None:
    """The decoded value of a parameter of the query; None if absent or not decodable.

    Of several values the last one counts, as in the incumbent.
    """
    found = re.match(rf"[^#]*[?&]{re.escape(name)}=([^&#]*)", url)
    return browser.decode_component(found[1].replace("+", " ")) if found else None


def referrer_parameter(browser: Browser, url: str) -> str:
    """The referrer that an address itself states: parameter `referrer`, else `referer`, else ""."""
    return (
        query_parameter(browser, url, "referrer") or query_parameter(browser, url, "referer") or ""
    )


def resolve_custom(browser: Browser, page_href: str, given: str) -> str:
    """The address that `setCustomUrl` means on a page.

    It is not what `URL` would resolve: a path loses the port of the page, and `..` stays. With
    `discardHashTag`, `page_href` is the address without its fragment.
    """
    if _SCHEME.match(given):
        return given
    if given.startswith("/"):
        page = browser.parse_url(page_href)
        return f"{page.protocol}//{page.hostname}{given}" if page else given
    folder, slash, _ = page_href.partition("?")[0].rpartition("/")
    return folder + slash + given


def cleaned(url: str, *, hash_tag: bool, brace: bool) -> str:
    """An address as it is sent: `hash_tag` takes away its fragment, `brace` all braces."""
    if hash_tag:
        url = url.partition("#")[0]
    return re.sub("[{}]", "", url) if brace else url


def page_of_cache(browser: Browser, href: str, referrer: str, first_link: str) -> tuple[str, str]:
    """Address and referrer of a page, of the original if the page is a copy.

    `first_link` is the complete address of the first link of the page, or "".
    """
    page = browser.parse_url(href)
    host = page.hostname if page else ""
    if host == _TRANSLATED:
        return query_parameter(browser, href, "u") or href, referrer or href
    if host in _CACHED:
        return first_link or href, referrer
    return href, referrer


def cookie_hostname(hostname: str) -> str:
    """A page's host as cookie names and the `Domain` attribute use it.

    One dot at its end goes; of a leading `*.` only the star goes.
    """
    hostname = hostname.removesuffix(".")
    return hostname[1:] if hostname.startswith("*.") else hostname
