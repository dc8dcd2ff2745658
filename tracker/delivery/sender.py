"""Sending: when waiting events go out, in which requests, and what the answers change."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from tracker.browser import Browser, NetworkError, Request, Response
from tracker.delivery.owner import LOOK_MS
from tracker.delivery.queue import Entry, OutQueue
from tracker.delivery.retry import (
    DELIVERED,
    REJECTED,
    RETRY,
    backoff_ms,
    mistake,
    retry_after_ms,
)
from tracker.tasks import Future, spawn
from tracker.text import byte_length

# Browsers allow 64 KiB of keepalive bodies in flight for a whole page, or a worker and its pages.
KEEPALIVE_BYTES = 60_000
# What a former page left is sent after this time: its last requests may still be answered.
LEFTOVER_DELAY_MS = 2_000
MOST_TOGETHER = 100  # events in a request, however many fit


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

    # requests under way at a time when the page goes; until then it is one, which keeps the order
    most_when_leaving: int

    @property
    def batching(self) -> Batching:
        """How events are put together."""

    async def before_first(self, entries: list[Entry]) -> None:
        """What has to be done before the first request, which carries these events."""

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
        self._blocked = False
        self._began = False
        self._in_flight = 0
        self._failures = 0
        self._told: set[str] = set()  # mistakes of the server
        self._timer: Any = None
        self._batch_timer: Any = None
        self._look_timer: Any = None
        self._leaving = False
        self._flushing = False
        self._flushes: list[Future[None]] = []
        browser.listen("online", self._retry_now)
        browser.listen("pagehide", self._leave)
        browser.listen("hidden", self._leave)
        browser.listen("visible", self._stay)
        browser.listen("pageshow", self._stay)

    def open(self) -> None:
        """Begin to send; until now events only queue."""
        self._open = True
        spawn(self._queue.adopt_former()).then(lambda _: self.wake())
        self.wake(now=bool(self._flushes))
        self._settle()
        self._browser.set_timer(LEFTOVER_DELAY_MS, self._take_leftovers)

    def block(self) -> None:
        """Never send: there is no address. Events are kept for a page that has one."""
        self._blocked = True
        self._settle()

    def wake(self, *, now: bool = False) -> None:
        """Send what waits, as far as batching, backoff and network allow; `now` skips batching."""
        self._flushing = self._flushing or now
        while self._may_send():
            entries = self._next(whole_batch=not self._flushing)
            if not entries:
                self._flushing = False
                return
            spawn(self._send(entries))

    def flush(self) -> Future[None]:
        """Send what waits at once, whatever batching and backoff say.

        Done when each event that can be sent now was answered, or failed.
        """
        done: Future[None] = Future()
        self._flushes.append(done)
        if self._timer is not None:
            self._browser.clear_timer(self._timer)
            self._timer = None
        self.wake(now=True)
        self._settle()
        return done

    def _settle(self) -> None:
        if (self._open or self._blocked) and self._in_flight == 0:
            flushes, self._flushes = self._flushes, []
            for done in flushes:
                done.resolve(None)

    def _may_send(self) -> bool:
        online = self._browser.navigator("onLine") is not False
        return (
            self._open
            and online
            and self._timer is None
            and self._in_flight < (self._protocol.most_when_leaving if self._leaving else 1)
        )

    def _next(self, *, whole_batch: bool) -> list[Entry]:
        """The events of the next request; none while a batch is still filling."""
        rules = self._protocol.batching
        waiting = self._queue.waiting(max(rules.full, min(rules.most, MOST_TOGETHER)))
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
        self._in_flight += 1
        if not self._began:
            self._began = True
            await self._protocol.before_first(entries)
        request, kept = self._for_leaving(self._protocol.request(entries))
        response: Response | None = None
        answer: dict[str, Any] = {}
        try:
            response = await self._fetch(request)
            answer = {"status": response.status}
        except NetworkError as error:
            answer = {"message": str(error)}
        self._in_flight -= 1
        self._browser.runtime.keepalive_bytes -= kept
        for entry in entries:
            entry.claimed = False
        outcome = RETRY if response is None else self._protocol.judge(response.status)
        if (wrong := mistake(request, response)) is not None:
            outcome = RETRY
            self._tell(*wrong, sure=response is not None)
        if outcome == DELIVERED:
            self._failures = 0
            self._told.add("No answer")  # it can answer: later it is the network that fails
            self._queue.remove(entries)
            self._report("delivered", {"events": [entry.event for entry in entries], **answer})
        elif outcome == RETRY and self._retry:
            self._back_off(entries, response, answer)
        elif outcome == REJECTED and len(entries) > 1:
            # one refused event must not take the others with it: halve until it is alone (D7)
            for entry in entries:
                entry.limit = len(entries) // 2
        else:
            self._queue.remove(entries)
            self._queue.save()
            reason = f"HTTP {response.status}" if response else "no answer"
            events = [entry.event for entry in entries]
            self._report("dropped", {"events": events, "reason": reason, **answer})
        self.wake(now=self._leaving or bool(self._flushes) or outcome == REJECTED)
        self._look_soon()
        self._settle()

    async def _fetch(self, request: Request) -> Response:
        """Make a request; without keepalive if that fails: browsers have limits of their own."""
        if request.keepalive:
            with suppress(NetworkError):
                return await self._browser.fetch(request)
            request = replace(request, keepalive=False)
        return await self._browser.fetch(request)

    def _for_leaving(self, request: Request) -> tuple[Request, int]:
        """A request that outlives the page, if it is going and the browser has room for it."""
        size = byte_length(request.body or "")
        if not (self._leaving or request.keepalive):
            return request, 0
        runtime = self._browser.runtime
        if runtime.keepalive_bytes + size > KEEPALIVE_BYTES:
            return replace(request, keepalive=False), 0
        runtime.keepalive_bytes += size
        return replace(request, keepalive=True), size

    def _back_off(
        self, entries: list[Entry], response: Response | None, answer: dict[str, Any]
    ) -> None:
        wait = retry_after_ms(response.headers) if response else None
        if wait is None:
            wait = backoff_ms(self._failures, self._browser.random())
        if self._timer is None:  # requests that fail together count as one failure
            self._failures += 1
            self._timer = self._browser.set_timer(wait, self._retry_now)
        events = [entry.event for entry in entries]
        self._report("retry", {"events": events, "waitMs": wait, **answer})

    def _tell(self, message: str, detail: str, *, sure: bool) -> None:
        """Report a mistake of the server, once; without an answer not at the first attempt."""
        online = self._browser.navigator("onLine") is not False
        if message not in self._told and (sure or (self._failures and online)):
            self._told.add(message)
            detail += ". Events are kept, and sent again. See docs/api.md#delivery"
            self._report("error", {"message": message, "detail": detail})

    def _retry_now(self) -> None:
        if self._timer is not None:
            self._browser.clear_timer(self._timer)
            self._timer = None
        self.wake()

    def _batch_is_due(self) -> None:
        self._batch_timer = None
        self.wake(now=True)

    def _take_leftovers(self) -> None:
        spawn(self._queue.adopt_leftovers()).then(lambda _: self.wake())
        spawn(self._adopt_orphans())

    def _look_soon(self) -> None:
        """Look for what nobody owns any more a while after there was something to do."""
        if self._look_timer is None and self._open and self._queue.is_kept:
            self._look_timer = self._browser.set_timer(LOOK_MS, self._look_for_orphans)

    def _look_for_orphans(self) -> None:
        """Send what nobody owns any more, too; look again as long as there are other owners."""
        self._look_timer = None
        if self._queue.may_look():
            spawn(self._adopt_orphans())
        else:
            self._look_soon()

    async def _adopt_orphans(self) -> None:
        if await self._queue.adopt_orphans():
            self._look_soon()
        self.wake()

    def _leave(self) -> None:
        self._leaving = True
        self.wake(now=True)
        self._queue.save(leaving=True)

    def _stay(self) -> None:
        self._leaving = False
        self._retry_now()
        self._look_soon()
