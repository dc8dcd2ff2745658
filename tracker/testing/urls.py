"""Addresses taken apart as the browser's `URL` takes them apart.

>>> url = parse_url("../b c?q=ü#top", base="HTTPS://WWW.Site.example:443/x/y/z")
>>> url.href
'https://www.site.example/x/b%20c?q=%C3%BC#top'
>>> parse_url("no address") is None
True

It follows the URL Standard for http, https, ws, wss and ftp, and closely for other schemes; what it
leaves out are the drive letters and hosts of `file:`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import quote

from tracker.browser import Url
from tracker.testing.hosts import parse_host, parse_opaque_host
from tracker.testing.javascript import well_formed

_DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21"}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_TAB_OR_NEWLINE = re.compile(r"[\t\n\r]")
_AROUND = "".join(map(chr, range(0x21)))  # control characters and space
_DOT = re.compile(r"\.|%2e", re.IGNORECASE)

# What stays as it is (the complements of the percent-encode sets of the standard).
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_FRAGMENT_SAFE = "".join(c for c in _PRINTABLE if c not in '"<>`')
_QUERY_SAFE = "".join(c for c in _PRINTABLE if c not in '"#<>')
_SPECIAL_QUERY_SAFE = _QUERY_SAFE.replace("'", "")
_PATH_SAFE = "".join(c for c in _QUERY_SAFE if c not in "?^`{}")
_USERINFO_SAFE = "".join(c for c in _PATH_SAFE if c not in "/:;=@[\\]|")


@dataclass(frozen=True, slots=True)
class _Parts:
    scheme: str
    authority: str | None = None  # user and password, with the @
    hostname: str | None = None
    port: str = ""
    path: str = ""
    query: str | None = None
    fragment: str | None = None

    @property
    def opaque(self) -> bool:
        """Whether the path is mere text, as in `mailto:a@b.example`."""
        return self.hostname is None and not self.path.startswith("/")


@lru_cache(maxsize=1024)
def parse_url(text: str, base: str = "") -> Url | None:
    """The address, resolved against `base`; None if it is none."""
    base_parts = _parse(base, None) if base else None
    if base and base_parts is None:
        return None
    parts = _parse(text, base_parts)
    return _to_url(parts) if parts else None


def origin_of(url: Url) -> str:
    """The origin of an http(s) address: `https://www.site.example`."""
    return f"{url.protocol}//{url.host}"


def _parse(text: str, base: _Parts | None) -> _Parts | None:
    text = _TAB_OR_NEWLINE.sub("", well_formed(text).strip(_AROUND))
    text, has_fragment, fragment = text.partition("#")
    with_scheme = _SCHEME.match(text)
    if with_scheme:
        scheme, rest = with_scheme[1].lower(), text[with_scheme.end() :]
        special = scheme in _DEFAULT_PORTS
        if special and base and base.scheme == scheme and not re.match(r"[/\\]{2}", rest):
            parts = _parse_relative(rest, base)
        else:
            parts = _parse_absolute(scheme, rest)
    elif base is None:
        return None
    elif base.opaque:
        parts = base if has_fragment and not text else None
    else:
        parts = _parse_relative(text, base)
    if parts is None:
        return None
    return replace(parts, fragment=quote(fragment, _FRAGMENT_SAFE) if has_fragment else None)


def _parse_absolute(scheme: str, rest: str) -> _Parts | None:
    before_query, query = _split_query(scheme, rest)
    if scheme in _DEFAULT_PORTS:
        after_slashes = before_query.replace("\\", "/").lstrip("/")
        return _parse_authority(_Parts(scheme, query=query), after_slashes)
    if before_query.startswith("//"):
        return _parse_authority(_Parts(scheme, query=query), before_query[2:])
    if before_query.startswith("/"):
        path = _normalize_path(scheme, before_query)
        return _Parts(scheme, path=path, query=query)
    return _Parts(scheme, path=quote(before_query, " " + _PRINTABLE), query=query)


def _parse_relative(text: str, base: _Parts) -> _Parts | None:
    before_query, query = _split_query(base.scheme, text)
    if base.scheme in _DEFAULT_PORTS:
        before_query = before_query.replace("\\", "/")
    if before_query.startswith("//"):
        new = _Parts(base.scheme, query=query)
        # of an http address any number of slashes comes before the host
        special = base.scheme in _DEFAULT_PORTS
        return _parse_authority(new, before_query.lstrip("/") if special else before_query[2:])
    if not before_query:
        return replace(base, query=base.query if query is None else query)
    directory = "" if before_query.startswith("/") else base.path.rpartition("/")[0] + "/"
    path = _normalize_path(base.scheme, directory + before_query)
    return replace(base, path=path, query=query)


def _parse_authority(parts: _Parts, text: str) -> _Parts | None:
    authority, slash, path = text.partition("/")
    userinfo, _, host_and_port = authority.rpartition("@")
    match = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::([0-9]*))?", host_and_port)
    if match is None:
        return None
    hostname = _parse_hostname(parts.scheme, match[1])
    port = (match[2] or "").lstrip("0") or ("0" if match[2] else "")
    if hostname is None or int(port or 0) > 65535 or (not hostname and (port or userinfo)):
        return None
    return replace(
        parts,
        authority=_encode_userinfo(userinfo),
        hostname=hostname,
        port="" if port == _DEFAULT_PORTS.get(parts.scheme) else port,
        path=_normalize_path(parts.scheme, slash + path),
    )


def _parse_hostname(scheme: str, text: str) -> str | None:
    if scheme in _DEFAULT_PORTS:
        return parse_host(text)
    host = parse_opaque_host(text)
    return host if host is None else quote(host, _PRINTABLE)


def _encode_userinfo(userinfo: str) -> str:
    user, _, password = userinfo.partition(":")
    encoded = quote(user, _USERINFO_SAFE)
    if password:
        encoded += ":" + quote(password, _USERINFO_SAFE)
    return encoded + "@" if encoded else ""


def _split_query(scheme: str, text: str) -> tuple[str, str | None]:
    before, has_query, query = text.partition("?")
    safe = _SPECIAL_QUERY_SAFE if scheme in _DEFAULT_PORTS else _QUERY_SAFE
    return before, quote(query, safe) if has_query else None


def _normalize_path(scheme: str, path: str) -> str:
    if not path:
        return "/" if scheme in _DEFAULT_PORTS else ""
    kept: list[str] = []
    segments = path.removeprefix("/").split("/")
    for position, segment in enumerate(segments):
        dots = _DOT.sub(".", segment)
        if dots == "..":
            kept = kept[:-1]
        elif dots != ".":
            kept.append(quote(segment, _PATH_SAFE))
            continue
        if position == len(segments) - 1:
            kept.append("")
    return "/" + "/".join(kept)


def _to_url(parts: _Parts) -> Url:
    hostname = parts.hostname or ""
    host = f"{hostname}:{parts.port}" if parts.port else hostname
    search = f"?{parts.query}" if parts.query is not None else ""
    fragment = f"#{parts.fragment}" if parts.fragment is not None else ""
    authority = f"//{parts.authority}{host}" if parts.hostname is not None else ""
    return Url(
        href=f"{parts.scheme}:{authority}{parts.path}{search}{fragment}",
        protocol=f"{parts.scheme}:",
        host=host,
        hostname=hostname,
        pathname=parts.path,
        search="" if search == "?" else search,
        hash="" if fragment == "#" else fragment,
    )
