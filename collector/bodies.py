"""Decides which request bodies are read, how far, and how a refusal reaches the client."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

# What browsers send without a preflight, what programs send, and beacons without a type.
CONTENT_TYPES = ("text/plain", "application/json", "")
CHARSETS = ("utf-8", "utf8", "us-ascii", "")

DRAIN_BYTES = 64 * 1024 * 1024
DRAIN_SECONDS = 5


class RefusedError(Exception):
    """A body is not read; `status` and the message say why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def failure(status: int, reason: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Make the one shape that all errors of the collector have."""
    return JSONResponse({"success": False, "errors": [reason]}, status, headers)


class EarlyFailure(JSONResponse):
    """An answer that is sent before the body was read, and then lets the client finish sending.

    A browser that is cut off while it sends sees a network error instead of the answer, and the
    tracker would try again for ever.
    """

    def __init__(self, refused: RefusedError) -> None:
        super().__init__({"success": False, "errors": [str(refused)]}, refused.status)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send everything but the end, read on within bounds, then send the end."""
        start = {"type": "http.response.start", "status": self.status_code}
        await send(start | {"headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        # A client that asked first (Expect: 100-continue) has its answer and sends nothing.
        if not any(name == b"expect" for name, _ in scope["headers"]):
            await _drain(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def read_body(request: Request, limit: int) -> bytes:
    """Read a body of at most `limit` bytes. Raises `RefusedError`, if possible before reading."""
    if (reason := _unreadable(request)) is not None:
        raise RefusedError(415, reason)
    too_large = RefusedError(413, f"the body is larger than {limit} bytes")
    if int(request.headers.get("content-length", "0")) > limit:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise too_large
    return bytes(body)


def _unreadable(request: Request) -> str | None:
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    if media_type.strip().lower() not in CONTENT_TYPES:
        return f"Content-Type is {media_type!r}, must be text/plain, application/json or absent"
    name, _, charset = parameters.strip().partition("=")
    if name.strip().lower() == "charset" and charset.strip('" ').lower() not in CHARSETS:
        return f"charset is {charset!r}, must be UTF-8"
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        return f"Content-Encoding is {encoding!r}, bodies must not be compressed"
    return None


async def _drain(receive: Receive) -> None:
    size = 0
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while size < DRAIN_BYTES:
                message = await receive()
                size += len(message.get("body", b""))
                if not message.get("more_body"):
                    return
    except TimeoutError:
        pass
