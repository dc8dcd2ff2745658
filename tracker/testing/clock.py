"""The virtual clock: time moves only when a test says so, and timers fire in order on the way.

>>> clock = VirtualClock()
>>> timer = clock.set_timer(1000, lambda: print("a second later"))
>>> clock.advance(999)
>>> clock.advance(1)
a second later
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Iterator

START_MS = 1768478400000
"""Where virtual clocks start: 2026-01-15T12:00:00Z, a Thursday."""

DAY_MS = 86_400_000
_ENDLESS = 100_000  # timers that fire without any time passing: a loop that a test would hang in


class VirtualClock:
    """The visitor's clock and the timers that run by it."""

    def __init__(self, now: int = START_MS) -> None:
        self._elapsed = 0
        self._wall = now
        self._timers: list[tuple[int, int]] = []  # a heap of (due, handle)
        self._callbacks: dict[int, Callable[[], None]] = {}
        self._handles = 0

    @property
    def now(self) -> int:
        """Milliseconds since the epoch."""
        return self._wall + self._elapsed

    @property
    def pending(self) -> int:
        """How many timers wait."""
        return len(self._callbacks)

    def set_timer(self, delay_ms: float, callback: Callable[[], None]) -> int:
        """Call back once after a delay, which is read as `setTimeout` reads it.

        Browsers keep the delay in a signed 32-bit integer: what is over 24.8 days fires at once.
        """
        self._handles += 1
        self._callbacks[self._handles] = callback
        heapq.heappush(self._timers, (self._elapsed + _timer_delay(delay_ms), self._handles))
        return self._handles

    def clear_timer(self, handle: int) -> None:
        """Cancel a timer; one that has fired or is unknown is ignored."""
        self._callbacks.pop(handle, None)

    def advance(self, ms: float) -> None:
        """Let time pass. Timers fire in time order, also those that are set meanwhile."""
        if ms < 0:
            raise ValueError(f"time does not run backwards: {ms} ms; shift() sets the clock back")
        until = self._elapsed + int(ms)
        try:
            run_all(self._due(until))
        finally:
            self._elapsed = max(self._elapsed, until)

    def advance_days(self, days: float) -> None:
        """Let days pass."""
        self.advance(days * DAY_MS)

    def run_pending(self) -> None:
        """Run what is due now: zero-delay timers and network answers that have arrived."""
        self.advance(0)

    def shift(self, ms: int) -> None:
        """Set the visitor's clock forward or back. No time passes: timers do not notice."""
        self._wall += ms

    def _due(self, until: int) -> Iterator[Callable[[], None]]:
        fired_in_this_moment = 0
        while self._timers and self._timers[0][0] <= until:
            due, handle = heapq.heappop(self._timers)
            callback = self._callbacks.pop(handle, None)
            if callback is None:
                continue
            fired_in_this_moment = fired_in_this_moment + 1 if due <= self._elapsed else 0
            if fired_in_this_moment > _ENDLESS:
                raise RuntimeError("timers without delay keep setting each other: an endless loop")
            self._elapsed = max(self._elapsed, due)
            yield callback


def run_all(callbacks: Iterable[Callable[[], None]]) -> None:
    """Run every callback, whatever the others raise, and raise what they raised afterwards.

    One exception is raised as it is, several as an ExceptionGroup.
    """
    errors: list[Exception] = []
    for callback in callbacks:
        try:
            callback()
        except Exception as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup(f"{len(errors)} callbacks failed", errors)


def _timer_delay(delay_ms: float) -> int:
    if not math.isfinite(delay_ms):
        return 0
    return max(0, (int(delay_ms) + 2**31) % 2**32 - 2**31)
