"""What the page's own code does for a Snowplow tracker: it watches the visitor's activity.

The counterpart of loader/snowplow.js, for pages of a FakeBrowser.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from .values import Json

ACTIVITY = (
    *["wheel", "click", "mouseup", "mousedown", "mousemove", "keypress", "keydown", "keyup"],
    *["touchend", "touchstart", "scroll", "resize", "focus", "blur"],
)
COUNTED = {"keydown": "keyPresses", "click": "clicks", "touchstart": "touches"}

Listen = Callable[[str, Callable[[Json], None]], None]
Scroll = Callable[[], tuple[float, float]]


class ActivityWatch:
    """What happened on a page since it was asked last."""

    def __init__(self, listen: Listen, now: Callable[[], int], scroll: Scroll) -> None:
        self._now = now
        self._scroll = scroll
        self._last: int | None = None
        self._reset()
        for name in ACTIVITY:
            listen(name, self._happened)

    def read(self) -> Json:
        """The facts; counting begins anew."""
        offsets = dict(zip(("minX", "maxX", "minY", "maxY"), self._offsets, strict=True))
        facts: Json = {"last": self._last, **offsets, "metrics": self._metrics}
        self._reset()
        return facts

    def _reset(self) -> None:
        x, y = self._scroll()
        self._offsets = [x, x, y, y]
        self._metrics: dict[str, float] = dict.fromkeys(
            ("mouseDistance", "scrollDistance", *COUNTED.values()), 0
        )
        self._mouse: tuple[float, float] | None = None
        self._scrolled: tuple[float, float] | None = None

    def _happened(self, event: Json) -> None:
        self._last = self._now()
        kind = event["type"]
        if kind in COUNTED:
            self._metrics[COUNTED[kind]] += 1
        if kind == "mousemove":
            at = event.get("clientX", 0), event.get("clientY", 0)
            if self._mouse is not None:
                self._metrics["mouseDistance"] += math.dist(self._mouse, at)
            self._mouse = at
        if kind == "scroll":
            x, y = self._scroll()
            least_x, most_x, least_y, most_y = self._offsets
            self._offsets = [min(least_x, x), max(most_x, x), min(least_y, y), max(most_y, y)]
            if self._scrolled is not None:
                moved = abs(x - self._scrolled[0]) + abs(y - self._scrolled[1])
                self._metrics["scrollDistance"] += moved
            self._scrolled = x, y
