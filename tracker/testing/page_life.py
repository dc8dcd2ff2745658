"""The life of a page: it is seen, hidden, kept in the back-forward cache, and ends.

>>> page = PageLife(VirtualClock())
>>> page.listen("hidden", lambda: print("the visitor looks elsewhere"))
>>> page.hide()
the visitor looks elsewhere
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracker.testing.clock import VirtualClock, run_all

EVENTS = ("online", "pagehide", "pageshow", "hidden", "visible")


class PageLife:
    """The listeners and timers of a page, which end with it."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.visible = True
        self._ended = False
        self._cached = False  # in the back-forward cache
        self._waiting: list[Callable[[], None]] = []  # for the page to leave the cache
        self._timers: set[int] = set()
        self._listeners: dict[str, list[Callable[[], None]]] = {name: [] for name in EVENTS}

    def hide(self) -> None:
        """Put another tab or window in front. Listeners hear `hidden`, unless it was."""
        if self.visible:
            self.visible = False
            self.tell("hidden")

    def show(self) -> None:
        """Come back to this tab. Listeners hear `visible`, unless it was."""
        if not self.visible:
            self.visible = True
            self.tell("visible")

    def page_hide(self, *, persisted: bool = False) -> None:
        """Let listeners hear `pagehide`.

        With `persisted` the page goes to the back-forward cache: until `page_show` its timers do
        not fire and answers wait.
        """
        try:
            self.tell("pagehide")
        finally:
            self._cached = persisted

    def page_show(self) -> None:
        """Let listeners hear `pageshow`; a page in the back-forward cache runs again."""
        waiting, self._waiting, self._cached = self._waiting, [], False
        for callback in waiting:
            self.set_timer(0, callback)
        self.tell("pageshow")

    def close(self) -> None:
        """End the page. Listeners hear `pagehide` and `hidden`; timers never fire any more."""
        try:
            run_all([self.page_hide, self.hide])
        finally:
            self.crash()

    def crash(self) -> None:
        """End the page without a word: no listener hears of it."""
        self._ended = True
        for timer in self._timers:
            self.clock.clear_timer(timer)

    def tell(self, name: str) -> None:
        """Let listeners hear an event, unless the page has ended or is in the cache."""
        if not self._ended and not self._cached:
            run_all(list(self._listeners[name]))

    def run(self, callback: Callable[[], None]) -> None:
        """Run a callback of the page: now, after the back-forward cache, or never if it ended."""
        if self._ended:
            return
        if self._cached:
            self._waiting.append(callback)
        else:
            callback()

    def listen(self, name: str, callback: Callable[[], None]) -> None:
        """Call back on `online`, `pagehide`, `pageshow`, `hidden` or `visible`."""
        if name not in self._listeners:
            raise ValueError(f"no event {name!r}: pages hear {', '.join(EVENTS)}")
        self._listeners[name].append(callback)

    def set_timer(self, delay_ms: float, callback: Callable[[], None]) -> Any:
        """Call back once after a delay, unless the page ends before."""

        def fire() -> None:
            self._timers.discard(timer)
            self.run(callback)

        timer = self.clock.set_timer(delay_ms, fire)
        self._timers.add(timer)
        return timer

    def clear_timer(self, handle: Any) -> None:
        """Cancel a timer; a timer that has fired is ignored. As in a page, None is no handle."""
        if handle is None:
            raise TypeError("clear_timer takes what set_timer gave")
        self._timers.discard(handle)
        self.clock.clear_timer(handle)
