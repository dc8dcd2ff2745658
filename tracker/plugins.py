"""What a site's own functions may do to an event before it leaves: source middleware.

The functions live in the page; the core asks the page to run them, one event at a time and in the
order in which they were added, so that no event overtakes another.
"""

from __future__ import annotations

from typing import Any

from tracker.browser import Browser
from tracker.calls import Answers
from tracker.errors import TrackerError, shown
from tracker.settings import CUSTOMERIO
from tracker.tasks import Future

# A function of the site that has not answered by then does not hold up the events behind it.
DEADLINE_MS = 5_000


class DroppedError(Exception):
    """A middleware decided that an event is not sent."""


class PageFunctions:
    """Functions of the page, called by the id of the call that brought them."""

    def __init__(self, browser: Browser, answers: Answers) -> None:
        self._browser = browser
        self._answers = answers
        self._asked: dict[int, Future[Any]] = {}
        self._number = 0

    def run(self, call_id: str, args: list[Any]) -> Future[Any]:
        """Run a function. The future is rejected with TrackerError if it fails or is too slow."""
        self._number += 1
        number, answer = self._number, Future[Any]()
        self._asked[number] = answer

        def give_up() -> None:
            self.answer({"id": number, "error": f"no answer within {DEADLINE_MS} ms"})

        timer = self._browser.set_timer(DEADLINE_MS, give_up)
        answer.then(lambda _: self._browser.clear_timer(timer))
        self._answers.run(number, call_id, args)
        return answer

    def answer(self, item: dict[str, Any]) -> None:
        """Take the page's answer: `{"id", "value"}` or `{"id", "error": text}`."""
        answer = self._asked.pop(item.get("id", 0), None)
        if answer is None:
            return  # given up on
        if "error" in item:
            detail = f"addSourceMiddleware: a middleware failed: {item['error']}. "
            detail += "The event is not sent. See docs/api.md#middleware"
            answer.reject(TrackerError("Middleware failed", detail))
        else:
            answer.resolve(item.get("value"))


class SourceMiddleware:
    """The middleware of a tracker. All six types of events pass through it (decision C3)."""

    def __init__(self, functions: PageFunctions) -> None:
        self._functions = functions
        self._calls: list[str] = []

    def add(self, call_id: str) -> None:
        """Add the function that came with a call."""
        self._calls.append(call_id)

    async def apply(self, event: dict[str, Any]) -> dict[str, Any]:
        """The event as the middleware wants it.

        Raises DroppedError if one called `next(null)` or did not call `next` (decision C2), and
        TrackerError if one failed (C5).
        """
        for call_id in list(self._calls):
            answer = await self._functions.run(call_id, [event, {CUSTOMERIO: True}])
            if answer.get("next") != "payload":
                raise DroppedError("middleware_cancellation")
            changed = answer.get("obj")
            if not isinstance(changed, dict) or not isinstance(changed.get("messageId"), str):
                raise TrackerError(
                    "Middleware failed",
                    f"addSourceMiddleware: next was called with {shown(changed)}; allowed: the "
                    "payload, or null to drop the event. See docs/api.md#middleware",
                )
            event = changed
        return event
