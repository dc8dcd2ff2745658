"""The way of an event from its call to the out-queue: plugins, size, destination, answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from tracker.browser import Browser
from tracker.calls import Answers, Call
from tracker.errors import TrackerError
from tracker.plugins import DroppedError, PluginError, Plugins
from tracker.tasks import spawn
from tracker.text import byte_length, to_json

Json = dict[str, Any]

# Customer.io takes 500 KB in one request; a larger event could never be delivered.
MAX_EVENT_BYTES = 500_000

CALLBACK_DELAY_MS = 300


class Destination(Protocol):
    """Where events go: a protocol and an address."""

    @property
    def name(self) -> str:
        """What `integrations` and destination middleware call it."""

    def takes(self, event: Json) -> bool:
        """Whether an event is for this destination."""

    async def put(self, event: Json, call: Call) -> None:
        """Take over the event of a call."""


class Pipeline:
    """Brings events to their destinations, one after the other, and answers their calls."""

    def __init__(self, browser: Browser, answers: Answers, plugins: Plugins) -> None:
        self.destinations: list[Destination] = []
        self.callback_delay: float = CALLBACK_DELAY_MS
        self.debug = False
        self._browser = browser
        self._answers = answers
        self._plugins = plugins
        self._waiting: list[tuple[Call, Callable[[], Awaitable[None]]]] = []
        self._busy = False

    def put(self, call: Call, event: Json, told: list[Any]) -> None:
        """Take an event over; `told` goes to the listeners of its type."""
        self.then(call, lambda: self._bring(call, event, told))

    def then(self, call: Call, work: Callable[[], Awaitable[None]]) -> None:
        """Do something for a call when the events before it have passed the plugins."""
        self._waiting.append((call, work))
        if not self._busy:
            spawn(self._work())

    def clear(self) -> None:
        """Forget the events that are on their way."""
        self._waiting.clear()

    async def _work(self) -> None:
        self._busy = True
        while self._waiting:
            call, work = self._waiting.pop(0)
            try:
                await work()
            except Exception as error:
                self._answers.fail(call, error)
        self._busy = False

    async def _bring(self, call: Call, event: Json, told: list[Any]) -> None:
        context: Json = {"event": event, "attempts": 1}
        try:
            context["event"] = event = await self._plugins.prepare(event)
            await self._queue(event, call)
        except DroppedError as dropped:
            self._settle(call, {**context, "failed": str(dropped)}, event["type"], told)
        except PluginError as error:
            self._answers.report(error)
            self._settle(call, {**context, "failed": error.reason}, event["type"], told)
        else:
            spawn(self._tell(call, context, told))  # nobody behind this event waits for it

    async def _tell(self, call: Call, context: Json, told: list[Any]) -> None:
        await self._plugins.tell(context["event"])
        self._settle(call, context, context["event"]["type"], told)

    async def _queue(self, event: Json, call: Call) -> None:
        size = byte_length(to_json(event))
        if size > MAX_EVENT_BYTES:
            raise TrackerError(
                "Event too large",
                f"{event['type']}: the event has {size} bytes as JSON; allowed: "
                f"{MAX_EVENT_BYTES}. It is not sent. See docs/api.md#values",
            )
        if self.debug:
            self._browser.console("log", f"cioanalytics {event['type']}: {to_json(event)}")
        for destination in self.destinations:
            if destination.takes(event):
                try:
                    prepared = await self._plugins.prepare_for(destination.name, event)
                except DroppedError:
                    continue
                await destination.put(prepared, call)

    def _settle(self, call: Call, context: Json, type_: str, told: list[Any]) -> None:
        """Answer a call; its callback runs some time after the call, as in the incumbent."""

        def settle() -> None:
            self._answers.callback(call, context)
            self._answers.result(call, context)
            self._answers.emit(type_, *told, None)

        if call.with_function:
            passed = self._browser.told_now() - call.at
            passed = max(passed, 0)  # less: somebody has set the clock back
            rest = self.callback_delay - passed
            self._browser.set_timer(max(rest, 0), settle)
        else:
            settle()
