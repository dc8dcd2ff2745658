"""Decides what the command line says: options in, one line when ready, one line when wrong."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from collector.server import Collector, serve
from collector.settings import DEFAULT_MAX_BODY, Mount, Settings, SettingsError, parse_networks

USAGE_ERROR = 2


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
        description="Receive events in Customer.io's protocol, store them and show them live.",
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
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    return Settings(
        database=Path(options.database),
        port=_number("port", options.port),
        host=options.host,
        mounts=tuple(map(Mount.parse, options.mount)),
        trusted_proxies=parse_networks(options.trusted_proxy),
        max_body=_number("max-body", options.max_body),
    )


def _number(option: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise SettingsError(option, text, "must be a whole number") from None


def _announce(collector: Collector) -> None:
    print(f"collector listening on {collector.url}", flush=True)
