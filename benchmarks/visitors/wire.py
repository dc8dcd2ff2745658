"""What passes between browser and collector: when events arrive, bytes, and a slow line."""

from __future__ import annotations

import asyncio
import sys
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LATENCY = 0.04  # s, of a slow line
PATIENCE = 60  # s


class Wire:
    """Stands before the collector. Times are of `time.monotonic`."""

    def __init__(self) -> None:
        self.events: list[float] = []  # when requests with events came
        self.readies: list[float] = []  # when pages said that they are ready
        self.last = 0.0  # when anything was asked for or sent
        self.sent = 0  # bytes of files
        self.rate = 0.0  # bytes per second; 0 is as fast as it goes
        self._free = 0.0

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application behind this."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                return await app(scope, receive, send)
            self.last = time.monotonic()
            is_event = scope["method"] == "POST"
            if is_event:
                (self.readies if scope["path"] == "/ready" else self.events).append(self.last)
            if self.rate:
                await asyncio.sleep(LATENCY)

            async def count(message: Message) -> None:
                size = len(message.get("body", b""))
                self.sent += 0 if is_event else size
                await self._carry(size)
                await send(message)
                self.last = time.monotonic()

            return await app(scope, receive, count)

        return answer

    async def _carry(self, size: int) -> None:
        """Take as long as the line needs, which all requests share."""
        if not self.rate:
            return
        now = time.monotonic()
        self._free = max(now, self._free) + size / self.rate
        await asyncio.sleep(self._free - now)

    def ready(self, since: float) -> float:
        """Milliseconds until a page says that it is ready; waits for it."""
        return self._first("readies", since)

    def event(self, since: float) -> float:
        """Milliseconds until the first event arrives; waits for it."""
        return self._first("events", since)

    def silence(self, seconds: float, at_most: float = PATIENCE) -> None:
        """Wait until nothing has come or gone for so long."""
        end = time.monotonic() + at_most
        self.last = max(self.last, time.monotonic() - seconds / 2)
        while time.monotonic() - self.last < seconds and time.monotonic() < end:
            time.sleep(0.02)

    def _first(self, what: str, since: float) -> float:
        end = time.monotonic() + PATIENCE
        times: list[float] = getattr(self, what)
        while not (later := [each for each in times if each >= since]):
            if time.monotonic() > end:
                sys.exit(f"bench: {what} waited for in vain for {PATIENCE} s")
            time.sleep(0.002)
        return (later[0] - since) * 1000
