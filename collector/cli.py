"""Decides what the command line says: options in, one line when ready, one line when wrong."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from collector.server import Collector, serve
from collector.settings import (
    DEFAULT_MAX_BODY,
    SAME_SITE,
    Cookie,
    Mount,
    Settings,
    SettingsError,
    parse_networks,
)

USAGE_ERROR = 2
BOOLEANS = {"true": True, "false": False}

# Named as in the configuration of Snowplow's collector: option, what it takes, help.
SNOWPLOW_OPTIONS = (
    ("cookie.enabled", "BOOL", "set and read the cookie of the network user id (true)"),
    ("cookie.expiration", "TIME", "seconds or text such as '12 hours' (365 days)"),
    ("cookie.name", "NAME", "name of the cookie (sp)"),
    ("cookie.domains", "LIST", "the one that the page's host lies in; with commas"),
    ("cookie.fallbackDomain", "DOMAIN", "for pages of none of these (the collector's host)"),
    ("cookie.secure", "BOOL", "without it: wherever a browser accepts it"),
    ("cookie.httpOnly", "BOOL", "hide the cookie from scripts (true)"),
    ("cookie.sameSite", "WORD", "None, Lax or Strict; without it None if secure, else Lax"),
    ("paths", "LIST", "addresses /VENDOR/VERSION that take what tp2 takes; with commas"),
)


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE_ERROR, f"collector: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the collector and give the exit code: 0 after a stop, 2 if an option is wrong."""
    options = _parser().parse_args(arguments)
    try:
        serve(_settings(options), _announce)
    except SettingsError as error:
        print(f"collector: --{error}", file=sys.stderr)
        return USAGE_ERROR
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m collector",
        description=(
            "Receive events in the protocols of Customer.io and Snowplow, check them, store them "
            "and show them live."
        ),
    )
    parser.add_argument("--port", required=True, help="TCP port, 0 for any free one")
    parser.add_argument("--database", required=True, help="SQLite file, made if absent")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument(
        "--mount",
        action="append",
        default=[],
        metavar="/PATH=DIR",
        help="serve the files of a folder below a path; may be repeated",
    )
    parser.add_argument(
        "--trusted-proxy",
        action="append",
        default=[],
        metavar="CIDR-or-IP",
        help="believe the forwarding headers of this proxy; may be repeated",
    )
    parser.add_argument(
        "--max-body",
        default=str(DEFAULT_MAX_BODY),
        metavar="BYTES",
        help="largest request body (%(default)s)",
    )
    parser.add_argument(
        "--iglu",
        "--collector.iglu.folder",
        metavar="DIR",
        help="a folder with schemas of the site, as vendor/name/jsonschema/1-0-0",
    )
    for name, takes, explanation in SNOWPLOW_OPTIONS:
        parser.add_argument(f"--collector.{name}", metavar=takes, help=explanation)
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    return Settings(
        database=Path(options.database),
        port=_number("port", options.port),
        host=options.host,
        mounts=tuple(map(Mount.parse, options.mount)),
        trusted_proxies=parse_networks(options.trusted_proxy),
        max_body=_number("max-body", options.max_body),
        cookie=_cookie(options),
        paths=_list(_snowplow(options, "paths")),
        iglu=Path(options.iglu) if options.iglu is not None else None,
    )


def _cookie(options: argparse.Namespace) -> Cookie:
    """Make the cookie's settings from the options that are given; the rest keep their defaults."""
    same_site = _snowplow(options, "cookie.sameSite")
    given: dict[str, Any] = {
        "enabled": _boolean(options, "cookie.enabled"),
        "expiration": _snowplow(options, "cookie.expiration"),
        "name": _snowplow(options, "cookie.name"),
        "domains": _list(_snowplow(options, "cookie.domains")),
        "fallback_domain": _snowplow(options, "cookie.fallbackDomain"),
        "secure": _boolean(options, "cookie.secure"),
        "http_only": _boolean(options, "cookie.httpOnly"),
        "same_site": same_site and SAME_SITE.get(same_site.lower(), same_site),
    }
    return Cookie(**{name: value for name, value in given.items() if value is not None})


def _snowplow(options: argparse.Namespace, name: str) -> str | None:
    value: str | None = getattr(options, f"collector.{name}")
    return value


def _boolean(options: argparse.Namespace, name: str) -> bool | None:
    text = _snowplow(options, name)
    if text is None:
        return None
    if text.lower() not in BOOLEANS:
        raise SettingsError(f"collector.{name}", text, "must be true or false")
    return BOOLEANS[text.lower()]


def _list(text: str | None) -> tuple[str, ...]:
    parts = (part.strip() for part in (text or "").split(","))
    return tuple(part for part in parts if part)


def _number(option: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise SettingsError(option, text, "must be a whole number") from None


def _announce(collector: Collector) -> None:
    print(f"collector listening on {collector.url}", flush=True)
