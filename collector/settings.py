"""Decides what a collector may be told, and says what is wrong with a value it may not."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Prefixes that belong to the collector; a mount may neither be one nor lie below one.
RESERVED_PATHS = ("/v1", "/api", "/micro", "/events", "/com.snowplowanalytics.snowplow", "/i")

# Addresses that take what /com.snowplowanalytics.snowplow/tp2 takes must look like it.
EVENT_PATH = re.compile(r"(/[A-Za-z0-9._-]+)/[A-Za-z0-9._-]+", re.ASCII)

COOKIE_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}", re.ASCII)
DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*", re.ASCII)
SAME_SITE = {"none": "None", "lax": "Lax", "strict": "Strict"}
DURATION = re.compile(r"([0-9]{1,12}) *([a-z]*)", re.ASCII)
UNITS = {"s": 1, "second": 1, "m": 60, "minute": 60, "h": 3600, "hour": 3600, "d": 86400}
UNITS |= {"day": 86400, "": 1}
MAX_SECONDS = 100 * 365 * 86400

MIN_BODY = 1024
DEFAULT_MAX_BODY = 1024 * 1024


class SettingsError(ValueError):
    """An option has a value that is not allowed.

    `option` is the option's name, `value` what was given, `allowed` what would be right.
    """

    def __init__(self, option: str, value: object, allowed: str) -> None:
        super().__init__(f"{option} {str(value)!r}: {allowed}")
        self.option = option
        self.value = value
        self.allowed = allowed


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder of static files that is served under a URL path (`/` is the whole site)."""

    path: str
    directory: Path

    def __post_init__(self) -> None:
        given = f"{self.path}={self.directory}"
        if not self.path.startswith("/") or any(mark in self.path for mark in "{}?#"):
            raise SettingsError(
                "mount", given, "must be /PATH=DIR with a URL path that begins with /"
            )
        for reserved in RESERVED_PATHS:
            if f"{self.path.rstrip('/')}/".startswith(f"{reserved}/"):
                raise SettingsError("mount", given, f"{reserved} belongs to the collector itself")
        if not self.directory.is_dir():
            raise SettingsError("mount", given, f"{self.directory} must be an existing directory")

    @classmethod
    def parse(cls, text: str) -> Mount:
        """Make a mount from `/PATH=DIR`. Raises `SettingsError`."""
        path, equals, directory = text.partition("=")
        if not equals or not directory:
            raise SettingsError("mount", text, "must be /PATH=DIR")
        return cls(path, Path(directory))


@dataclass(frozen=True, slots=True)
class Cookie:
    """The cookie with Snowplow's network user id. Raises `SettingsError` on bad values.

    `expiration` is seconds or text such as "365 days". `domains` are those of which the one that
    the page's host lies in becomes the cookie's; with none it is `fallback_domain`, with neither
    the collector's host. `secure` and `same_site` follow the request where they are None.
    """

    enabled: bool = True
    expiration: int | str = "365 days"
    name: str = "sp"
    domains: tuple[str, ...] = ()
    fallback_domain: str = ""
    secure: bool | None = None
    http_only: bool = True
    same_site: str | None = None

    def __post_init__(self) -> None:
        if not COOKIE_NAME.fullmatch(self.name):
            raise _cookie_error("name", self.name, "must be 1 to 64 letters, digits or -_.")
        for option, domain in (
            *(("domains", domain) for domain in self.domains),
            ("fallbackDomain", self.fallback_domain or "x"),
        ):
            if not DOMAIN.fullmatch(domain):
                raise _cookie_error(option, domain, "must be a domain such as site.example")
        if self.same_site not in (None, *SAME_SITE.values()):
            raise _cookie_error("sameSite", self.same_site, "must be None, Lax or Strict")
        if self.same_site == "None" and self.secure is False:
            raise _cookie_error("secure", "false", "must be true with sameSite None")
        _ = self.seconds

    @property
    def seconds(self) -> int:
        """Give the expiration in seconds."""
        return _seconds("collector.cookie.expiration", self.expiration)


def _cookie_error(option: str, value: object, allowed: str) -> SettingsError:
    return SettingsError(f"collector.cookie.{option}", value, allowed)


def _seconds(option: str, value: int | str) -> int:
    match = DURATION.fullmatch(str(value).strip().lower())
    unit = "none" if match is None else match[2] if len(match[2]) == 1 else match[2].rstrip("s")
    seconds = int(match[1]) * UNITS[unit] if match and unit in UNITS else 0
    if not 0 < seconds <= MAX_SECONDS:
        allowed = "must be seconds or text such as '365 days', '12 hours', '30 minutes'"
        raise SettingsError(option, value, allowed)
    return seconds


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be chosen about a collector. Raises `SettingsError` on bad values.

    `port` 0 picks a free port. `trusted_proxies` are the peers whose forwarding headers are
    believed. `max_body` is the largest request body in bytes. `capacity` is how many events may
    wait for the disk before requests are answered 503. `heartbeat` is the longest silence of a
    live stream in seconds. For Snowplow: `cookie` is the one with the network user id, `paths` are
    addresses beside tp2 that take the same, `iglu` is a folder with schemas of the site.
    """

    database: Path
    port: int = 0
    host: str = "127.0.0.1"
    mounts: tuple[Mount, ...] = ()
    trusted_proxies: tuple[Network, ...] = ()
    max_body: int = DEFAULT_MAX_BODY
    cookie: Cookie = field(default_factory=Cookie, kw_only=True)
    paths: tuple[str, ...] = field(default=(), kw_only=True)
    iglu: Path | None = field(default=None, kw_only=True)
    capacity: int = field(default=20_000, kw_only=True)
    heartbeat: float = field(default=15.0, kw_only=True)

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise SettingsError(
                "port", self.port, "must be a number from 0 (any free port) to 65535"
            )
        if self.max_body < MIN_BODY:
            raise SettingsError("max-body", self.max_body, f"must be at least {MIN_BODY} bytes")
        if not self.database.parent.is_dir():
            raise SettingsError(
                "database", self.database, "must be a file in an existing directory"
            )
        if self.iglu is not None and not self.iglu.is_dir():
            raise SettingsError("collector.iglu.folder", self.iglu, "must be an existing directory")
        for path in self.paths:
            match = EVENT_PATH.fullmatch(path)
            if match is None:
                raise SettingsError("collector.paths", path, "must be /VENDOR/VERSION")
            if match[1] in RESERVED_PATHS:
                raise SettingsError(
                    "collector.paths", path, f"{match[1]} belongs to the collector itself"
                )
        paths = [mount.path.rstrip("/") for mount in self.mounts]
        for path in paths:
            if paths.count(path) > 1:
                raise SettingsError("mount", path or "/", "must be given once per path")


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Make networks from addresses and CIDR ranges. Raises `SettingsError`."""
    networks: list[Network] = []
    for text in texts:
        try:
            networks.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            allowed = "must be an IP address or a range such as 10.0.0.0/8"
            raise SettingsError("trusted-proxy", text, allowed) from None
    return tuple(networks)
