"""When a page ping is due: how long a visitor was on a page and still does something there.

The page counts and measures; it is asked only when a ping may be due. Rules: Snowplow tracker v4,
activity tracking.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tracker.browser import Browser
from tracker.errors import TrackerError, shown
from tracker.tasks import spawn

Json = dict[str, Any]

OFFSETS: dict[str, Callable[[float, float], float]] = {
    "minX": min,
    "maxX": max,
    "minY": min,
    "maxY": max,
}
METRICS = ("mouseDistance", "scrollDistance", "keyPresses", "clicks", "touches")

_MAX_DELAY_MS = 24 * 86_400_000  # of a browser's timers


@dataclass(frozen=True, slots=True)
class ActivityConfig:
    """When pings are due, in ms, and whether they carry `metrics`.

    The first may come `minimum_ms` after the page view, the others every `heartbeat_ms` from there.
    """

    minimum_ms: int
    heartbeat_ms: int
    metrics: bool = False

    @classmethod
    def of(cls, call: str, given: Any) -> ActivityConfig:
        """The configuration given in a call. Raises TrackerError if it is none."""
        given = given if isinstance(given, dict) else {}
        metrics = given.get("activityMetrics")
        if metrics is not None and not isinstance(metrics, bool):
            raise _error(call, "activityMetrics", metrics, "true or false")
        return cls(
            _milliseconds(call, given, "minimumVisitLength"),
            _milliseconds(call, given, "heartbeatDelay"),
            bool(metrics),
        )


class Activity:
    """The pings of a page, from one page view to the next.

    `read` asks the page for what happened since it was asked last: `minX`, `maxX`, `minY`, `maxY`
    (CSS pixels), `metrics` (see METRICS), and `last`, the time of the last activity of all (ms
    since the epoch) or None. `report` gets the same for a ping, in whole numbers; `metrics` only
    if the configuration asks for them.
    """

    def __init__(
        self,
        browser: Browser,
        config: ActivityConfig,
        read: Callable[[], Awaitable[Json]],
        report: Callable[[Json], None],
    ) -> None:
        self._browser = browser
        self._config = config
        self._read = read
        self._report = report
        self.started = False
        self._timer: Any = None
        self._run = 0  # counts starts and stops: an answer that belongs to an earlier one is stale
        self._last = 0
        self._offsets: dict[str, float] = {}
        self._metrics = dict.fromkeys(METRICS, 0.0)

    def page_viewed(self) -> None:
        """Begin anew: time and counts start at this page view, which is itself no activity."""
        self.stop()
        self.started = True
        self._last = self._browser.now()
        first_ms = self._config.minimum_ms or self._config.heartbeat_ms
        self._schedule(self._last + first_ms, first_ms)
        spawn(self._forget())

    def stop(self) -> None:
        """Give up pings, also one that the page is being asked about."""
        self._run += 1
        if self._timer is not None:
            self._browser.clear_timer(self._timer)
            self._timer = None
        self._take()

    def active_now(self) -> None:
        """Count this moment as activity (`updatePageActivity`)."""
        self._last = max(self._last, self._browser.now())

    def _schedule(self, due: int, period_ms: int) -> None:
        """Look at `due` (ms since the epoch) for activity within the period before.

        Activity less than 0 ms ago is none, so a period of 0 needs no timer.
        """
        delay_ms = due - self._browser.now()
        if period_ms and delay_ms <= _MAX_DELAY_MS:
            self._timer = self._browser.set_timer(
                max(0, delay_ms), lambda: self._tick(due, period_ms)
            )

    def _tick(self, due: int, period_ms: int) -> None:
        now = self._browser.now()
        if abs(now - due) >= period_ms:  # the device slept, or its clock was set
            due = now
        # counted from when it was due, not from now: lateness must not add up
        self._schedule(due + self._config.heartbeat_ms, self._config.heartbeat_ms)
        spawn(self._ping_if_active(due - period_ms))

    async def _ping_if_active(self, since: int) -> None:
        """Ping if there was activity after `since`: exactly then does not count."""
        run = self._run
        seen = await self._read()
        if run != self._run:
            return
        self._collect(seen)
        if self._last > since:
            self._report(self._take())

    async def _forget(self) -> None:
        await self._read()

    def _collect(self, seen: Json) -> None:
        """Add what the page counted; a look that led to no ping does not take counts away."""
        self._last = max(self._last, int(_number(seen.get("last"))))
        for name, widest in OFFSETS.items():
            value = _number(seen.get(name))
            self._offsets[name] = widest(self._offsets.get(name, value), value)
        metrics = seen.get("metrics")
        if isinstance(metrics, dict):
            for name in METRICS:
                self._metrics[name] += _number(metrics.get(name))

    def _take(self) -> Json:
        facts: Json = {name: _rounded(value) for name, value in self._offsets.items()}
        if self._config.metrics:
            facts["metrics"] = {name: _rounded(value) for name, value in self._metrics.items()}
        self._offsets = {}
        self._metrics = dict.fromkeys(METRICS, 0.0)
        return facts


def _milliseconds(call: str, given: Json, name: str) -> int:
    seconds: Any = given.get(name)
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not number or seconds % 1 != 0 or seconds < 0:
        raise _error(call, name, seconds, "whole seconds, 0 or more")
    return int(seconds) * 1000


def _error(call: str, name: str, value: Any, allowed: str) -> TrackerError:
    return TrackerError(
        "Invalid activity tracking",
        f"{call}: {name} is {shown(value)}; allowed: {allowed}. "
        "See docs/snowplow.md#activity-tracking",
    )


def _number(value: Any) -> float:
    """A finite number of the page, else 0."""
    known = isinstance(value, int | float) and math.isfinite(value)
    return value if known else 0


def _rounded(value: float) -> int:
    """`Math.round`: halves go up."""
    return math.floor(value + 0.5)
