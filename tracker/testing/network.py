"""A network that answers as scripted, and keeps a log of what was asked.

>>> from tracker.browser import Request
>>> from tracker.testing import FakeBrowser, Reply
>>> browser = FakeBrowser("https://www.site.example/")
>>> network = browser.network
>>> network.answer("fail", 503, "ok")               # one after the other; the last one stays
>>> network.route("https://cdn.example/", Reply(text="{}", delay_ms=200))
>>> settings = browser.fetch(Request("https://cdn.example/settings"))
>>> browser.clock.advance(200)
>>> settings.result().text, network.exchanges[0].outcome
('{}', 'answered')

Outcomes of a request:

- a number: the status of an empty answer; `"ok"` is 200;
- `Reply(status, text, headers, delay_ms, redirect)`;
- `"fail"`: NetworkError;
- `"hang"`: no answer ever, so NetworkError at the request's `timeout_ms`, if it has one;
- `"defer"`: no answer before `network.release(outcome)`;
- a function of the request that returns one of these.

Nothing is answered within `fetch`: without a delay, answers come when the clock runs next.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, Protocol, TypeAlias

from tracker.browser import NetworkError, Request, Response
from tracker.tasks import Future
from tracker.testing.clock import VirtualClock
from tracker.testing.urls import parse_url

KEEPALIVE_LIMIT = 64 * 1024
"""How many bytes of bodies of keepalive requests browsers allow in flight (Fetch Standard)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, `delay_ms` after the request, from the address `redirect` if one is given."""

    status: int = 200
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_ms: float = 0
    redirect: str = ""


Answer: TypeAlias = int | Literal["ok", "fail", "hang", "defer"] | Reply
Outcome: TypeAlias = Answer | Callable[[Request], Answer]
Where: TypeAlias = str | Callable[[Request], bool]


class Document(Protocol):
    """What the network knows of the page that asks."""

    @property
    def url(self) -> str:
        """Its address."""

    def run(self, callback: Callable[[], None]) -> None:
        """Run a callback if the page still runs."""


@dataclass(slots=True)
class Exchange:
    """A request and what became of it."""

    request: Request
    url: str  # complete
    document: str  # the address of the page when it asked
    sent_at_ms: int
    outcome: Literal["pending", "answered", "failed", "timeout", "cancelled"] = "pending"
    response: Response | None = None
    answered_at_ms: int | None = None

    @property
    def json(self) -> Any:
        """The body of the request, read as JSON; None without a body."""
        return None if self.request.body is None else json.loads(self.request.body)


class Network:
    """The visitor's network. `exchanges` is the log, oldest request first."""

    def __init__(self, clock: VirtualClock) -> None:
        self.online = True
        self.keepalive_limit: int | None = KEEPALIVE_LIMIT
        self.exchanges: list[Exchange] = []
        self._clock = clock
        self._answers: list[Outcome] = ["ok"]
        self._routes: list[tuple[Where, list[Outcome]]] = []
        self._in_flight: list[_Flight] = []

    @property
    def requests(self) -> list[Request]:
        """All requests, oldest first."""
        return [exchange.request for exchange in self.exchanges]

    def answer(self, *outcomes: Outcome) -> None:
        """Script the requests to come that no route takes. The last outcome stays."""
        self._answers = _script(outcomes)

    def route(self, where: Where, *outcomes: Outcome) -> None:
        """Script some requests: those whose address begins with `where`, or for which it is true.

        The last outcome stays. Of several routes that match the newest counts.
        """
        self._routes.insert(0, (where, _script(outcomes)))

    def release(self, outcome: Outcome = "ok") -> None:
        """Give the oldest deferred request its outcome. Raises LookupError if none waits."""
        for flight in self._in_flight:
            if flight.deferred:
                flight.deferred = False
                self._apply(flight, outcome)
                return
        raise LookupError("no request is deferred")

    def fetch(self, request: Request, document: Document) -> Future[Response]:
        """Make a request for a page."""
        parsed = parse_url(request.url, document.url)
        url = parsed.href if parsed else request.url
        exchange = Exchange(request, url, document.url, self._clock.now)
        flight = _Flight(exchange, document)
        problem = self._refusal(request) if parsed else f"{request.url!r} is no address"
        self.exchanges.append(exchange)
        self._in_flight.append(flight)
        if problem:
            self._end_later(flight, 0, NetworkError(problem))
            return flight.future
        self._apply(flight, self._next_outcome(exchange))
        if request.timeout_ms:
            self._end_later(flight, request.timeout_ms, NetworkError("timeout"), "timeout")
        return flight.future

    def end_document(self, document: Document) -> None:
        """Cancel what a page that ends has in flight, but for keepalive requests."""
        for flight in list(self._in_flight):
            if flight.document is document and not flight.exchange.request.keepalive:
                flight.exchange.outcome = "cancelled"
                self._in_flight.remove(flight)

    def _refusal(self, request: Request) -> str | None:
        """Why the browser does not even try."""
        if request.method in ("GET", "HEAD") and request.body is not None:
            return f"{request.method} requests have no body"
        if not self.online:
            return "offline"
        if request.keepalive and self.keepalive_limit is not None:
            in_flight = sum(_body_bytes(f.exchange.request) for f in self._in_flight)
            if in_flight + _body_bytes(request) > self.keepalive_limit:
                return f"more than {self.keepalive_limit} bytes of keepalive bodies in flight"
        return None

    def _next_outcome(self, exchange: Exchange) -> Outcome:
        for where, outcomes in self._routes:
            matches = (
                exchange.url.startswith(where)
                if isinstance(where, str)
                else where(exchange.request)
            )
            if matches:
                return _take(outcomes)
        return _take(self._answers)

    def _apply(self, flight: _Flight, outcome: Outcome) -> None:
        if callable(outcome):
            outcome = outcome(flight.exchange.request)
        if isinstance(outcome, Reply):
            headers = {name.lower(): value for name, value in outcome.headers.items()}
            response = Response(outcome.status, outcome.text, headers, outcome.redirect)
            self._end_later(flight, outcome.delay_ms, response)
        elif isinstance(outcome, int):
            self._end_later(flight, 0, Response(outcome))
        elif outcome == "ok":
            self._end_later(flight, 0, Response(200))
        elif outcome == "fail":
            self._end_later(flight, 0, NetworkError("no network"))
        elif outcome == "defer":
            flight.deferred = True
        elif outcome != "hang":
            raise ValueError(
                f"{outcome!r} is no outcome: "
                "use a status, a Reply, 'ok', 'fail', 'hang', 'defer' or a function"
            )

    def _end_later(
        self,
        flight: _Flight,
        delay_ms: float,
        result: Response | NetworkError,
        failure: Literal["failed", "timeout"] = "failed",
    ) -> None:
        def end() -> None:
            if flight not in self._in_flight:
                return
            self._in_flight.remove(flight)
            exchange = flight.exchange
            exchange.answered_at_ms = self._clock.now
            if isinstance(result, Response):
                exchange.outcome, exchange.response = "answered", result
                flight.document.run(partial(flight.future.resolve, result))
            else:
                exchange.outcome = failure
                flight.document.run(partial(flight.future.reject, result))

        self._clock.set_timer(delay_ms, end)


@dataclass(slots=True, eq=False)
class _Flight:
    """A request that has no answer yet."""

    exchange: Exchange
    document: Document
    future: Future[Response] = field(default_factory=Future)
    deferred: bool = False


def _script(outcomes: tuple[Outcome, ...]) -> list[Outcome]:
    if not outcomes:
        raise TypeError("at least one outcome is needed")
    return list(outcomes)


def _take(outcomes: list[Outcome]) -> Outcome:
    return outcomes.pop(0) if len(outcomes) > 1 else outcomes[0]


def _body_bytes(request: Request) -> int:
    if not request.keepalive or request.body is None:
        return 0
    return len(request.body.encode("utf-8", "replace"))
