"""Decides which other origins may use which address, and puts that on every answer.

| addresses                   | other origins                                     |
|-----------------------------|---------------------------------------------------|
| where events are sent       | any, with credentials: the origin is echoed       |
| `/micro`                    | any, without credentials (as Snowplow Micro does) |
| the rest: `/api`, `/events` | none                                              |

Mounted folders say for themselves that they are public (`collector.static`). Errors carry the
headers too: a tracker that may not read a 503 takes it for a network failure.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Container
from enum import Enum

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collector.bodies import failure

log = logging.getLogger("collector")


class Sharing(Enum):
    """Who else may use an address."""

    CREDENTIALED = "any origin, with credentials"
    OPEN = "any origin, without credentials"
    NONE = "no other origin"


POLICIES = {
    "v1": Sharing.CREDENTIALED,
    "com.snowplowanalytics.snowplow": Sharing.CREDENTIALED,
    "i": Sharing.CREDENTIALED,  # Snowplow's pixel
    "micro": Sharing.OPEN,
}

METHODS = "GET, POST, OPTIONS"
MAX_AGE = "7200"  # seconds; the longest that Chromium keeps
HEADER_NAMES = re.compile(r"^[A-Za-z0-9!#$%&'*+.^_`|~, -]+$")


class CrossOrigin:
    """ASGI middleware that answers preflights and adds the headers to all other answers.

    `event_paths` are addresses, beside the usual ones, where events are sent.
    """

    def __init__(self, app: ASGIApp, event_paths: Container[str] = ()) -> None:
        self.app = app
        self.event_paths = event_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request. An exception becomes a 500 that carries the headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sharing = POLICIES.get(scope["path"].split("/")[1], Sharing.NONE)
        if scope["path"] in self.event_paths:
            sharing = Sharing.CREDENTIALED
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        started = False

        async def send_shared(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _share(MutableHeaders(scope=message), sharing, origin)
            await send(message)

        if _is_preflight(scope, headers) and sharing is not Sharing.NONE:
            await _allow(headers)(scope, receive, send_shared)
            return
        try:
            await self.app(scope, receive, send_shared)
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            if started:
                raise
            await failure(500, "the collector failed")(scope, receive, send_shared)


def _is_preflight(scope: Scope, headers: Headers) -> bool:
    return (
        scope["method"] == "OPTIONS"
        and "origin" in headers
        and "access-control-request-method" in headers
    )


def _allow(headers: Headers) -> Response:
    answer = {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Max-Age": MAX_AGE,
        "Vary": "Access-Control-Request-Headers",
    }
    requested = headers.get("access-control-request-headers", "")
    if HEADER_NAMES.match(requested):
        answer["Access-Control-Allow-Headers"] = requested
    return Response(status_code=204, headers=answer)


def _share(headers: MutableHeaders, sharing: Sharing, origin: str | None) -> None:
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Cache-Control", "no-store")
    if sharing is Sharing.NONE:
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return
    headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if sharing is Sharing.CREDENTIALED:
        headers.add_vary_header("Origin")
    if origin is None:
        return
    headers["Access-Control-Allow-Origin"] = origin if sharing is Sharing.CREDENTIALED else "*"
    if sharing is Sharing.CREDENTIALED:
        headers["Access-Control-Allow-Credentials"] = "true"
        headers["Access-Control-Expose-Headers"] = "Retry-After"
