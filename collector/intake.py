"""Decides what happens to a request that brings events, whatever its protocol.

The body is read within a limit and handed to the protocol; the answer waits until the store has
the events on disk.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from collector.addresses import visitor_address
from collector.bodies import EarlyFailure, RefusedError, failure, read_body
from collector.json_text import write_json
from collector.records import Intake, RequestFacts
from collector.settings import Settings
from collector.store import Store, StoreBusyError

# Kept with each event. Credentials, cookies and forwarding headers are not: an event that says
# context.ip = 0.0.0.0 must not have the address in the next column.
KEPT_HEADERS = frozenset(
    {
        "accept-language",
        "content-length",
        "content-type",
        "dnt",
        "host",
        "origin",
        "referer",
        "sec-fetch-mode",
        "sec-fetch-site",
        "sec-gpc",
        "sp-anonymous",
        "transfer-encoding",
        "user-agent",
    }
)
KEPT_LENGTH = 1000

RETRY_AFTER = "1"  # seconds

Take = Callable[[bytes, RequestFacts, str], Intake]
Reply = Callable[[Intake], Response]


def reply_json(intake: Intake) -> Response:
    """Answer a request with what its protocol says, as JSON."""
    return JSONResponse(intake.answer, intake.status)


async def take_events(
    request: Request,
    store: Store,
    settings: Settings,
    take: Take,
    reply: Reply = reply_json,
) -> Response:
    """Read a request, let its protocol `take` the events, store them, and answer.

    `take` gets the body, the facts about the request, and the JSON text of those that are kept;
    `reply` makes the answer once the events are on disk.
    """
    try:
        body = await read_body(request, settings.max_body)
    except RefusedError as refused:
        return EarlyFailure(refused)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it
    facts = request_facts(request, settings)
    intake = take(body, facts, _kept(facts))
    try:
        await store.append(intake.events)
    except StoreBusyError as busy:
        return failure(503, f"try again: {busy}", {"Retry-After": RETRY_AFTER})
    return reply(intake)


def request_facts(request: Request, settings: Settings) -> RequestFacts:
    """Gather what protocols and developers want to know about a request."""
    return RequestFacts(
        method=request.method,
        path=request.scope["path"],
        query=request.scope["query_string"].decode("latin-1"),
        content_type=request.headers.get("content-type", ""),
        headers=tuple(request.headers.items()),
        ip=visitor_address(
            request.client.host if request.client else "",
            request.headers.getlist("x-forwarded-for"),
            request.headers.getlist("forwarded"),
            settings.trusted_proxies,
        ),
        user=_basic_user(request.headers.get("authorization", "")),
        received_ms=time.time_ns() // 1_000_000,
    )


def _basic_user(authorization: str) -> str:
    """Give the user name, which is the write key. Keys may hold colons; the password is empty."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        decoded = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    user, colon, _ = decoded.rpartition(":")
    return user if colon else decoded


def _kept(facts: RequestFacts) -> str:
    headers = [[name, value[:KEPT_LENGTH]] for name, value in facts.headers if name in KEPT_HEADERS]
    return write_json(
        {
            "method": facts.method,
            "path": facts.path[:KEPT_LENGTH],
            "query": facts.query[:KEPT_LENGTH],
            "contentType": facts.content_type[:KEPT_LENGTH],
            "headers": headers,
        }
    )
