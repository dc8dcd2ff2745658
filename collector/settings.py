"""Decides what a collector may be told, and says what is wrong with a value it may not."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Prefixes that belong to the collector; a mount may neither be one nor lie below one.
RESERVED_PATHS = ("/v1", "/api", "/micro", "/events", "/com.snowplowanalytics.snowplow", "/i")

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
class Settings:
    """Everything that can be chosen about a collector. Raises `SettingsError` on bad values.

    `port` 0 picks a free port. `trusted_proxies` are the peers whose forwarding headers are
    believed. `max_body` is the largest request body in bytes. `capacity` is how many events may
    wait for the disk before requests are answered 503. `heartbeat` is the longest silence of a
    live stream in seconds.
    """

    database: Path
    port: int = 0
    host: str = "127.0.0.1"
    mounts: tuple[Mount, ...] = ()
    trusted_proxies: tuple[Network, ...] = ()
    max_body: int = DEFAULT_MAX_BODY
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
