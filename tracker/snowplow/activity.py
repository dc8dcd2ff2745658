"""Page pings: is the visitor still active?

The page notes what happens; here the times are kept. Rules: Snowplow browser tracker, activity
tracking; times are given in whole seconds.
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

OFFSETS = ("minX", "minY", "maxX", "maxY")
METRICS = ("mouseDistance", "scrollDistance", "keyPresses", "clicks", "touches")


@dataclass(frozen=True, slots=True)
class ActivityConfig:
    """When to look: first after `minimum_ms`, then every `heartbeat_ms`."""

    minimum_ms: int
    heartbeat_ms: int
    metrics: bool = False

    @classmethod
    def of(cls, call: str, given: Json) -> ActivityConfig:
        """Read the argument of `enableActivityTracking`. Raises TrackerError for other times."""
        times = {}
        for name, least in (("minimumVisitLength", 0), ("heartbeatDelay", 1)):
            value = given.get(name)
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            if type(value) is not int or value < least:
                raise TrackerError(
                    f"Invalid {name}",
                    f"{call}: {name} is {shown(given.get(name))}; allowed: whole seconds from "
                    f"{least}. No pings are sent. See docs/snowplow.md#{call.lower()}",
                )
            times[name] = value * 1000
        metrics = given.get("activityMetrics") is True
        return cls(times["minimumVisitLength"], times["heartbeatDelay"], metrics)


class Activity:
    """Looks at the page from time to time, and reports if the visitor was active.

    `read` asks the page what happened since it was asked last: `last` (ms since the epoch, or
    null), offsets and metrics. `report` gets rounded offsets, and metrics if they are asked for.
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
        self._timer: Any = None
        self._last = 0
        self._due = 0
        self._waited_ms = 0
        spawn(self._begin())

    def page_viewed(self) -> None:
        """A page view starts the times anew."""
        self.stop()
        self._last = self._due = self._browser.now()
        spawn(self._begin())
        self._wait(self._config.minimum_ms or self._config.heartbeat_ms)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._browser.clear_timer(self._timer)
            self._timer = None

    def active_now(self) -> None:
        """The site says that the visitor is active."""
        self._last = self._browser.now()

    async def _begin(self) -> None:
        await self._read()  # what happened before does not count

    def _wait(self, delay_ms: int) -> None:
        """Look after a delay since the last look was due, so that looks do not drift."""
        self._waited_ms = delay_ms
        self._due += delay_ms
        wait = max(self._due - self._browser.now(), 0)
        self._timer = self._browser.set_timer(wait, self._wake)

    def _wake(self) -> None:
        spawn(self._look())

    async def _look(self) -> None:
        now, waited = self._browser.now(), self._waited_ms
        self._wait(self._config.heartbeat_ms)
        seen = await self._read()
        self._last = max(self._last, int(seen.get("last") or 0))
        if self._last + waited > now:
            self._report(self._facts(seen))

    def _facts(self, seen: Json) -> Json:
        facts: Json = {}
        for name in OFFSETS:
            value = seen.get(name)
            number = value if isinstance(value, int | float) else 0
            facts[f"{name}Offset"] = math.floor(number + 0.5)
        if self._config.metrics:
            counted = seen.get("metrics")
            counted = counted if isinstance(counted, dict) else {}
            facts["metrics"] = {n: math.floor((counted.get(n) or 0) + 0.5) for n in METRICS}
        return facts
