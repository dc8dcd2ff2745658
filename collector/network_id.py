"""Decides who a request comes from as far as the network can tell, and which cookie says so next.

The network user id is, in this order (as in Snowplow's collector): the nil UUID if the request
asks for anonymity with the header `SP-Anonymous`; the parameter `nuid` of the address; the cookie;
a new random one. The cookie is set again with each answer, so it lasts from the last visit on.
Under `SP-Anonymous`, or if it is switched off, it is neither read nor set.

Attributes, unless the settings name them: `SameSite=None; Secure` wherever a browser accepts that,
which pages of other sites need. A browser that talks plain HTTP to this machine may refuse
`Secure`, so there the cookie is `SameSite=Lax` without it, which pages of the same host need.
"""

from __future__ import annotations

import ipaddress
import re
import time
import uuid
from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import urlsplit

from starlette.requests import Request

from collector.addresses import is_trusted_peer
from collector.settings import Cookie, Settings

NIL = "00000000-0000-0000-0000-000000000000"

# The atomic field has 128 characters; what else stands in a cookie is not of our making.
_VALUE = re.compile(r"[A-Za-z0-9._~-]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sent a request: the network user id, and the Set-Cookie header that keeps it."""

    network_id: str
    anonymous: bool = False
    set_cookie: str | None = None


def recognise(request: Request, settings: Settings) -> Visitor:
    """Give the visitor of a request."""
    if "sp-anonymous" in request.headers:
        return Visitor(NIL, anonymous=True)
    cookie = settings.cookie
    given = _valid(request.query_params.get("nuid"))
    found = given or (cookie.enabled and _cookie(request, cookie.name)) or str(uuid.uuid4())
    header = _set_cookie(found, request, settings) if cookie.enabled else None
    return Visitor(found, set_cookie=header)


def _valid(value: str | None) -> str | None:
    return value if value is not None and _VALUE.fullmatch(value) else None


def _cookie(request: Request, name: str) -> str | None:
    """Give the first usable value of a cookie; browsers send the most specific one first."""
    for header in request.headers.getlist("cookie"):
        for pair in header.split(";"):
            key, _, value = pair.partition("=")
            if key.strip() == name and (valid := _valid(value.strip().strip('"'))):
                return valid
    return None


def _set_cookie(value: str, request: Request, settings: Settings) -> str:
    cookie = settings.cookie
    secure = _takes_secure(request, settings) if cookie.secure is None else cookie.secure
    same_site = cookie.same_site or ("None" if secure else "Lax")
    expires = formatdate(time.time() + cookie.seconds, usegmt=True)
    parts = [
        f"{cookie.name}={value}",
        f"Expires={expires}",
        f"Max-Age={cookie.seconds}",
        "Path=/",
        f"SameSite={same_site}",
    ]
    if domain := _domain(request, cookie):
        parts.append(f"Domain={domain}")
    parts += ["Secure"] * secure + ["HttpOnly"] * cookie.http_only
    return "; ".join(parts)


def _takes_secure(request: Request, settings: Settings) -> bool:
    """Tell whether the browser takes a Secure cookie from this answer."""
    if _is_https(request, settings):
        return True
    # Browsers send this header over HTTPS (which a proxy may have taken off) and to the machine
    # itself, whose plain HTTP Chromium and Firefox trust as much. Safari does not, so there it is
    # kept for pages of other sites, to whom no other cookie can be given.
    site = request.headers.get("sec-fetch-site")
    return site is not None and (site == "cross-site" or not _is_loopback(request.url.hostname))


def _is_https(request: Request, settings: Settings) -> bool:
    if request.url.scheme == "https":
        return True
    peer = request.client.host if request.client else ""
    forwarded = request.headers.get("x-forwarded-proto", "").split(",")[-1]
    if forwarded.strip().lower() == "https" and is_trusted_peer(peer, settings.trusted_proxies):
        return True
    # A page that came over HTTPS cannot send to plain HTTP, but for this machine.
    https_page = request.headers.get("origin", "").startswith("https://")
    return https_page and not _is_loopback(request.url.hostname)


def _is_loopback(host: str | None) -> bool:
    if host is None or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _domain(request: Request, cookie: Cookie) -> str:
    """Give the first configured domain that the page's host lies in, else the fallback."""
    for origin in request.headers.get("origin", "").split():
        try:
            host = (urlsplit(origin).hostname or "").lower()
        except ValueError:
            continue
        for domain in cookie.domains:
            if f".{host}".endswith(f".{domain}"):
                return domain
    return cookie.fallback_domain
