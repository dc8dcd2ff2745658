"""Sending: when waiting events go out, in which requests, and what the answers change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from tracker.browser import Browser, NetworkError, Request, Response
from tracker.delivery.queue import Entry, OutQueue
from tracker.delivery.retry import DELIVERED, REJECTED, RETRY, backoff_ms, retry_after_ms
from tracker.tasks import spawn
from tracker.text import byte_length

# Browsers allow 64 KiB of keepalive bodies in flight for the whole page.
KEEPALIVE_BYTES = 60_000
# What a former page left is sent after this time: its last requests may still be answered.
LEFTOVER_DELAY_MS = 2_000


@dataclass(frozen=True, slots=True)
class Batching:
    """How events are put together: a request is due when `full` wait, or after `timeout_ms`.

    It carries up to `most` events of up to `max_bytes` together.
    """

    full: int = 1
    most: int = 1
    max_bytes: int = 0
    timeout_ms: float | None = None


class Wire(Protocol):
    """What a sender needs to know of a protocol."""

    # requests under way at a time
    max_in_flight: int

    @property
    def batching(self) -> Batching:
        """How events are put together."""

    def request(self, entries: list[Entry]) -> Request:
        """The request that carries these events."""

    def judge(self, status: int) -> str:
        """What an HTTP status means for them: delivered, retry or rejected."""


class Sender:
    """Brings the events of one queue to one address. `report` receives what happened to them."""

    def __init__(
        self,
        browser: Browser,
        queue: OutQueue,
        protocol: Wire,
        report: Callable[[str, dict[str, Any]], None],
        *,
        retry: bool,
    ) -> None:
        self._browser = browser
        self._queue = queue
        self._protocol = protocol
        self._report = report
        self._retry = retry
        self._open = False
        self._in_flight = 0
        self._keepalive_bytes = 0
        self._failures = 0
        self._timer: Any = None
        self._batch_timer: Any = None
        self._leaving = False
        self._flushing = False
        browser.listen("online", self._retry_now)
        browser.listen("pagehide", self._leave)
        browser.listen("hidden", self._leave)
        browser.listen("visible", self._stay)
        browser.listen("pageshow", self._stay)

    def open(self) -> None:
        """Begin to send; until now events only queue."""
        self._open = True
        self.wake()
        self._browser.set_timer(LEFTOVER_DELAY_MS, self._take_leftovers)

    def wake(self, *, now: bool = False) -> None:
        """Send what waits, as far as batching, backoff and network allow; `now` skips batching."""
        self._flushing = self._flushing or now
        while self._may_send():
            entries = self._next(whole_batch=not self._flushing)
            if not entries:
                self._flushing = False
                return
            spawn(self._send(entries))

    def _may_send(self) -> bool:
        online = self._browser.navigator("onLine") is not False
        return (
            self._open
            and online
            and self._timer is None
            and self._in_flight < self._protocol.max_in_flight
        )

    def _next(self, *, whole_batch: bool) -> list[Entry]:
        """The events of the next request; none while a batch is still filling."""
        waiting = self._queue.waiting()
        rules = self._protocol.batching
        if not waiting:
            return []
        if whole_batch and len(waiting) < rules.full and waiting[0].attempts == 0:
            if self._batch_timer is None and rules.timeout_ms is not None:
                self._batch_timer = self._browser.set_timer(rules.timeout_ms, self._batch_is_due)
            return []
        if self._batch_timer is not None:
            self._browser.clear_timer(self._batch_timer)
            self._batch_timer = None
        together, size = waiting[: min(rules.most, waiting[0].limit)], 0
        for number, entry in enumerate(together):
            size += entry.bytes + 1
            if number and (size > rules.max_bytes or entry.anonymous != waiting[0].anonymous):
                return together[:number]
        return together

    async def _send(self, entries: list[Entry]) -> None:
        for entry in entries:
            entry.claimed = True
            entry.attempts += 1
        request, kept = self._for_leaving(self._protocol.request(entries))
        self._in_flight += 1
        try:
            response: Response | None = await self._browser.fetch(request)
        except NetworkError:
            response = None
        self._in_flight -= 1
        self._keepalive_bytes -= kept
        for entry in entries:
            entry.claimed = False
        outcome = RETRY if response is None else self._protocol.judge(response.status)
        if outcome == DELIVERED:
            self._failures = 0
            self._queue.remove(entries)
            self._report("delivered", {"events": [entry.event for entry in entries]})
        elif outcome == RETRY and self._retry:
            self._back_off(entries, response)
        elif outcome == REJECTED and len(entries) > 1:
            # one refused event must not take the others with it: halve until it is alone (D7)
            for entry in entries:
                entry.limit = len(entries) // 2
        else:
            self._queue.remove(entries)
            reason = f"HTTP {response.status}" if response else "no answer"
            self._report("dropped", {"events": [e.event for e in entries], "reason": reason})
        self.wake(now=self._leaving or outcome == REJECTED)

    def _for_leaving(self, request: Request) -> tuple[Request, int]:
        """A request that outlives the page, if it is going and the browser has room for it."""
        size = byte_length(request.body or "")
        if not (self._leaving or request.keepalive):
            return request, 0
        if self._keepalive_bytes + size > KEEPALIVE_BYTES:
            return replace(request, keepalive=False), 0
        self._keepalive_bytes += size
        return replace(request, keepalive=True), size

    def _back_off(self, entries: list[Entry], response: Response | None) -> None:
        wait = retry_after_ms(response.headers) if response else None
        if wait is None:
            wait = backoff_ms(self._failures, self._browser.random())
        self._failures += 1
        if self._timer is None:
            self._timer = self._browser.set_timer(wait, self._retry_now)
        self._report("retry", {"events": [e.event for e in entries], "waitMs": wait})

    def _retry_now(self) -> None:
        if self._timer is not None:
            self._browser.clear_timer(self._timer)
            self._timer = None
        self.wake()

    def _batch_is_due(self) -> None:
        self._batch_timer = None
        self.wake(now=True)

    def _take_leftovers(self) -> None:
        self._queue.adopt_leftovers()
        self.wake()

    def _leave(self) -> None:
        self._leaving = True
        self.wake(now=True)
        self._queue.save()

    def _stay(self) -> None:
        self._leaving = False
        self._retry_now()
