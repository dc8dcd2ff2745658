"""Stands between browsers and the collector, and fails in the ways that networks and servers do."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import uvicorn
from starlette.types import Receive, Scope, Send

ALLOW = [
    (b"access-control-allow-credentials", b"true"),
    (b"access-control-expose-headers", b"retry-after"),
]
OWN = {"content-length", "content-encoding", "transfer-encoding", "connection", "date", "server"}

# What may happen to requests that carry events; a number is the status of an answer.
HANGS = "hangs"
RESETS = "resets"  # while the request is on its way
LOSES_ANSWERS = "answers lost"  # after the server has stored the events
REFUSES = "refuses"  # every connection


@dataclass
class Proxy:
    """Passes everything on to `target`, until a fault is set."""

    port: int
    target: str
    fault: int | str | None = None
    headers: dict[str, str] = field(default_factory=dict)  # of answers with a status
    poison: str = ""  # a text whose requests are answered 413

    def __post_init__(self) -> None:
        self.client = httpx.AsyncClient(base_url=self.target, timeout=30)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or break it off."""
        if scope["type"] != "http":
            return None
        fault = self.fault
        carries = scope["method"] != "OPTIONS"
        if fault == RESETS and carries:
            await receive()
            return await cut(send)
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        origin = dict(scope["headers"]).get(b"origin", b"*")
        if self.poison and self.poison.encode() in body:
            fault = 413
        if fault == HANGS and carries:
            while self.fault == HANGS:
                await asyncio.sleep(0.1)
            return await cut(send)
        if isinstance(fault, int) and carries:
            extra = [(name.encode(), value.encode()) for name, value in self.headers.items()]
            head = [(b"access-control-allow-origin", origin), *ALLOW, *extra]
            await send({"type": "http.response.start", "status": fault, "headers": head})
            return await send({"type": "http.response.body", "body": b""})
        query = scope["query_string"].decode()
        try:
            answer = await self.client.request(
                scope["method"],
                scope["path"] + (query and f"?{query}"),
                content=body,
                headers=[(n, v) for n, v in scope["headers"] if n != b"accept-encoding"],
            )
        except httpx.HTTPError:
            return await cut(send)  # the collector is gone: so is this connection
        if fault == LOSES_ANSWERS and carries:
            return await cut(send)
        head = [(n, v) for n, v in answer.headers.raw if n.decode().lower() not in OWN]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": head})
        return await send({"type": "http.response.body", "body": answer.content})


async def cut(send: Send) -> None:
    """Break the connection off: uvicorn would answer 500 in place of an app that says nothing."""
    send.__self__.transport.abort()  # type: ignore[attr-defined]
    await asyncio.sleep(0)  # until the protocol knows it


class Gate:
    """The proxy's port, which can be closed and opened."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.open()

    def open(self) -> None:
        """Listen."""
        config = uvicorn.Config(
            self.proxy, port=self.proxy.port, lifespan="off", log_level="critical", ws="none"
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)

    def close(self) -> None:
        """Refuse every connection, and end those that are there."""
        self.server.force_exit = self.server.should_exit = True
        self.thread.join()
        self.proxy.client = httpx.AsyncClient(base_url=self.proxy.target, timeout=30)


@contextmanager
def gate(port: int, target: str) -> Iterator[Gate]:
    """A proxy at a port of this machine, in front of `target`."""
    it = Gate(Proxy(port, target))
    try:
        yield it
    finally:
        it.close()
