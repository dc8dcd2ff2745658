from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tracker.errors import TrackerError
from tracker.snowplow.activity import METRICS, Activity, ActivityConfig
from tracker.tasks import Future
from tracker.testing import FakeBrowser

Json = dict[str, Any]

CALL = "enableActivityTracking"
STILL = {"minX": 0, "maxX": 0, "minY": 0, "maxY": 0}


class Visit:
    """A page with activity tracking, and what its visitor does."""

    def __init__(self, minimum: int, heartbeat: int, metrics: bool = False) -> None:
        self.browser = FakeBrowser("https://www.acme.test/home")
        self.start = self.browser.now()
        self.reports: list[tuple[float, Json]] = []  # seconds after the start, facts
        self.looks: list[float] = []
        self.last: int | None = None
        self.seen: Json = {}
        self.answer: Callable[[], Future[Json]] = self.look
        config = ActivityConfig.of(
            CALL,
            {
                "minimumVisitLength": minimum,
                "heartbeatDelay": heartbeat,
                "activityMetrics": metrics,
            },
        )
        self.activity = Activity(self.browser, config, self.read, self.report)

    async def read(self) -> Json:
        self.looks.append(self.seconds)
        return await self.answer()

    def look(self) -> Future[Json]:
        seen = {"last": self.last, **STILL, "metrics": dict.fromkeys(METRICS, 0), **self.seen}
        self.seen = {}
        return Future.of(seen)

    def report(self, facts: Json) -> None:
        self.reports.append((self.seconds, facts))

    @property
    def seconds(self) -> float:
        return (self.browser.now() - self.start) / 1000

    def until(self, seconds: float) -> None:
        self.browser.clock.advance(round((seconds - self.seconds) * 1000))

    def act(self, at: float, **seen: Any) -> None:
        self.until(at)
        self.last = self.browser.now()
        self.seen.update(seen)

    @property
    def pings(self) -> list[float]:
        return [at for at, _ in self.reports]


def visit(minimum: int, heartbeat: int, *activity: float, until: float = 60) -> list[float]:
    """When pings come, in seconds after the page view."""
    page = Visit(minimum, heartbeat)
    page.activity.page_viewed()
    for at in activity:
        page.act(at)
    page.until(until)
    return page.pings


def test_nothing_is_due_before_a_page_view() -> None:
    page = Visit(0, 5)
    page.act(1)
    page.until(30)
    assert page.looks == page.pings == []


def test_a_page_view_is_no_activity() -> None:
    assert visit(5, 5) == visit(0, 5) == []


@pytest.mark.parametrize(
    ("minimum", "heartbeat", "activity", "pings"),
    [
        (10, 5, [2.5, 12.5], [10, 15]),
        (10, 20, [5], [10]),
        (10, 20, [11], [30]),
        (0, 10, [1, 25], [10, 30]),
        (10, 5, [0], []),
        (10, 5, [5, 10], [10]),
        (10, 5, [9.999], [10]),
        (10, 5, [10.001], [15]),
        (10, 0, [1, 11, 12], [10]),
        (0, 0, [1], []),
    ],
)
def test_pings_come_where_the_period_before_saw_activity(
    minimum: int, heartbeat: int, activity: list[float], pings: list[float]
) -> None:
    assert visit(minimum, heartbeat, *activity) == pings


def test_an_update_counts_as_activity() -> None:
    page = Visit(10, 5)
    page.activity.page_viewed()
    page.until(7)
    page.activity.active_now()
    page.until(30)
    assert page.pings == [10]


def test_a_page_view_begins_anew() -> None:
    page = Visit(10, 5, metrics=True)
    page.activity.page_viewed()
    page.act(7, maxY=50, metrics={"clicks": 3})
    page.until(8)
    page.activity.page_viewed()
    page.until(17.999)
    assert page.pings == []
    page.act(17.999, metrics={"clicks": 1})
    page.until(60)
    assert [(at, facts["maxY"], facts["metrics"]["clicks"]) for at, facts in page.reports] == [
        (18, 0, 1)
    ]


def test_activity_before_the_page_view_does_not_count() -> None:
    page = Visit(10, 5)
    page.act(5)
    page.until(6)
    page.activity.page_viewed()
    page.until(60)
    assert page.pings == []


def test_after_a_stop_no_ping_comes_until_the_next_page_view() -> None:
    page = Visit(0, 5)
    page.activity.page_viewed()
    page.act(1)
    page.activity.stop()
    page.until(30)
    assert page.pings == []
    page.activity.page_viewed()
    page.act(31)
    page.until(60)
    assert page.pings == [35]


def test_offsets_and_metrics_are_rounded_with_halves_up() -> None:
    page = Visit(0, 5, metrics=True)
    page.activity.page_viewed()
    metrics = {"mouseDistance": 14.5, "scrollDistance": 0.49, "keyPresses": 2, "clicks": 1}
    page.act(1, minX=-1.5, maxX=2.5, minY=0.5, maxY=99.4, metrics=metrics)
    page.until(5)
    counted = {"mouseDistance": 15, "scrollDistance": 0, "keyPresses": 2, "clicks": 1, "touches": 0}
    facts = {"minX": -1, "maxX": 3, "minY": 1, "maxY": 99, "metrics": counted}
    assert page.reports == [(5, facts)]


def test_metrics_are_reported_only_where_they_are_asked_for() -> None:
    page = Visit(0, 5)
    page.activity.page_viewed()
    page.act(1, maxY=7, metrics={"clicks": 1})
    page.until(5)
    assert page.reports == [(5, {**STILL, "maxY": 7})]


def test_a_look_without_a_ping_loses_no_counts() -> None:
    page = Visit(0, 5, metrics=True)
    page.activity.page_viewed()
    page.until(5)
    page.act(5, minY=-3, maxY=80, metrics={"clicks": 1})  # after the look of this moment
    page.until(10)
    assert page.pings == []
    page.act(11, maxY=20, metrics={"clicks": 2})
    page.until(15)
    ((at, facts),) = page.reports
    assert (at, facts["minY"], facts["maxY"], facts["metrics"]["clicks"]) == (15, -3, 80, 3)


def test_counts_begin_anew_after_a_ping() -> None:
    page = Visit(0, 5, metrics=True)
    page.activity.page_viewed()
    page.act(1, maxY=80, metrics={"clicks": 1})
    page.act(6, metrics={"clicks": 2})
    page.until(10)
    assert [(facts["maxY"], facts["metrics"]["clicks"]) for _, facts in page.reports] == [
        (80, 1),
        (0, 2),
    ]


def test_what_is_no_number_counts_as_zero() -> None:
    page = Visit(0, 5, metrics=True)
    page.activity.page_viewed()
    page.act(1, minX=None, maxX="7", minY=float("nan"), metrics={"clicks": None})
    page.until(5)
    assert page.reports == [(5, {**STILL, "metrics": dict.fromkeys(METRICS, 0)})]


def test_late_timers_do_not_add_up() -> None:
    page = Visit(0, 5)
    page.activity.page_viewed()
    page.browser.page_hide(persisted=True)
    page.until(7)
    page.browser.page_show()
    page.until(20)
    assert page.looks == [0, 7, 10, 15, 20]


def test_after_a_long_sleep_there_is_one_look_and_none_for_what_was_missed() -> None:
    page = Visit(0, 5)
    page.activity.page_viewed()
    page.act(1)
    page.browser.page_hide(persisted=True)
    page.until(47)
    page.browser.page_show()
    page.until(57)
    assert page.looks == [0, 47, 52, 57]
    assert page.pings == []


@pytest.mark.parametrize("shift_ms", [-3_600_000, 3_600_000])
def test_pings_go_on_when_the_clock_is_set(shift_ms: int) -> None:
    page = Visit(0, 5)
    page.activity.page_viewed()
    page.browser.clock.shift(shift_ms)
    page.start += shift_ms
    page.until(20)
    assert page.looks == [0, 5, 10, 15, 20]


def test_a_visit_longer_than_timers_can_wait_for_never_pings() -> None:
    page = Visit(30 * 86_400, 5)
    page.activity.page_viewed()
    page.activity.active_now()
    page.until(86_400)
    assert page.pings == []


def test_an_answer_that_comes_after_a_stop_is_no_ping() -> None:
    page = Visit(0, 5)
    page.activity.page_viewed()
    page.act(1)
    late: Future[Json] = Future()
    page.answer = lambda: late
    page.until(5)
    page.activity.stop()
    late.resolve({"last": page.last})
    assert page.reports == []


def test_a_page_that_cannot_answer_gets_no_ping_and_is_asked_again() -> None:
    page = Visit(0, 5)
    page.activity.page_viewed()
    failed: Future[Json] = Future()
    failed.reject(RuntimeError("no answer"))
    page.answer = lambda: failed
    page.act(1)
    page.until(5)
    page.answer = page.look
    page.act(6)
    page.until(10)
    assert page.pings == [10]


def test_a_configuration_is_whole_seconds() -> None:
    given = {"minimumVisitLength": 10, "heartbeatDelay": 5.0}
    assert ActivityConfig.of(CALL, given) == ActivityConfig(10_000, 5_000)
    assert ActivityConfig.of(CALL, {**given, "activityMetrics": True}).metrics


@pytest.mark.parametrize("value", [0.5, -1, "5", None, True, float("inf"), float("nan"), [5]])
@pytest.mark.parametrize("name", ["minimumVisitLength", "heartbeatDelay"])
def test_other_times_are_errors_that_say_what_is_allowed(name: str, value: Any) -> None:
    given = {"minimumVisitLength": 5, "heartbeatDelay": 5, name: value}
    with pytest.raises(TrackerError) as caught:
        ActivityConfig.of("enableActivityTrackingCallback", given)
    assert caught.value.message == "Invalid activity tracking"
    assert caught.value.detail.startswith(f"enableActivityTrackingCallback: {name} is ")
    assert "whole seconds, 0 or more" in caught.value.detail
    assert caught.value.detail.endswith("See docs/snowplow.md#activity-tracking")


def test_other_configurations_are_errors() -> None:
    nothing: list[Any] = [None, [], "text"]
    for given in nothing:
        with pytest.raises(TrackerError, match="Invalid activity tracking"):
            ActivityConfig.of(CALL, given)
    flawed = {"minimumVisitLength": 5, "heartbeatDelay": 5, "activityMetrics": "yes"}
    with pytest.raises(TrackerError) as caught:
        ActivityConfig.of(CALL, flawed)
    assert "activityMetrics is 'yes' (text); allowed: true or false" in caught.value.detail
