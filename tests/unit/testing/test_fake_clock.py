"""The virtual clock moves only when told to, and fires timers in order."""

import math

import pytest

from tracker.testing import START_MS, VirtualClock
from tracker.testing.clock import run_all


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def fired():
    return []


def test_time_starts_at_a_known_moment_and_stands_still(clock):
    assert clock.now == clock.now == START_MS == 1768478400000


def test_time_passes_when_told_to(clock):
    clock.advance(1500)
    clock.advance_days(2)
    assert clock.now == START_MS + 1500 + 2 * 86_400_000


def test_time_does_not_run_backwards(clock):
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)


def test_a_timer_fires_when_its_time_has_come(clock, fired):
    clock.set_timer(100, lambda: fired.append(clock.now - START_MS))
    clock.advance(99)
    assert fired == []
    clock.advance(1000)
    assert fired == [100]


def test_timers_fire_in_time_order_and_ties_in_the_order_they_were_set(clock, fired):
    for name, delay in [("c", 20), ("a", 10), ("b", 10)]:
        clock.set_timer(delay, lambda name=name: fired.append(name))
    clock.advance(20)
    assert fired == ["a", "b", "c"]


def test_timers_that_are_set_meanwhile_fire_in_the_same_advance(clock, fired):
    def again():
        fired.append(clock.now - START_MS)
        clock.set_timer(10, again)

    clock.set_timer(10, again)
    clock.advance(35)
    assert fired == [10, 20, 30]
    assert clock.pending == 1


def test_no_timer_fires_while_it_is_set(clock, fired):
    clock.set_timer(0, lambda: fired.append("now"))
    assert fired == []
    clock.run_pending()
    assert fired == ["now"]


def test_a_cleared_timer_does_not_fire(clock, fired):
    handle = clock.set_timer(10, lambda: fired.append("no"))
    clock.clear_timer(handle)
    clock.clear_timer(handle)
    clock.clear_timer(12345)
    clock.advance(10)
    assert fired == []
    assert clock.pending == 0


@pytest.mark.parametrize("delay", [-5, 0.9, math.nan, math.inf, 2**31, 2**32])
def test_delays_that_a_browser_reads_as_zero_fire_at_once(clock, fired, delay):
    clock.set_timer(delay, lambda: fired.append(clock.now))
    clock.run_pending()
    assert fired == [START_MS]


def test_the_longest_delay_is_24_8_days(clock, fired):
    clock.set_timer(2**31 - 1, lambda: fired.append(clock.now))
    clock.advance(2**31 - 2)
    assert fired == []
    clock.advance(1)
    assert fired == [START_MS + 2**31 - 1]


def test_setting_the_clock_back_does_not_move_timers(clock, fired):
    clock.set_timer(100, lambda: fired.append(clock.now - START_MS))
    clock.shift(-60_000)
    clock.advance(100)
    assert fired == [100 - 60_000]


def test_an_exception_is_raised_after_the_other_timers_have_fired(clock, fired):
    clock.set_timer(1, lambda: 1 / 0)
    clock.set_timer(2, lambda: fired.append("still"))
    with pytest.raises(ZeroDivisionError):
        clock.advance(10)
    assert fired == ["still"]
    assert clock.now == START_MS + 10


def test_several_exceptions_are_raised_together():
    with pytest.raises(ExceptionGroup, match="2 callbacks failed") as caught:
        run_all([lambda: 1 / 0, lambda: [][0]])
    assert [type(error) for error in caught.value.exceptions] == [ZeroDivisionError, IndexError]


def test_time_that_passes_within_a_timer_is_not_lost(clock, fired):
    clock.set_timer(10, lambda: clock.advance(100))
    clock.set_timer(50, lambda: fired.append(clock.now - START_MS))
    clock.advance(20)
    assert fired == [50]
    assert clock.now == START_MS + 110


def test_timers_that_never_let_time_pass_are_an_error_instead_of_a_hang(clock):
    def again():
        clock.set_timer(0, again)

    again()
    with pytest.raises(RuntimeError, match="endless loop"):
        clock.run_pending()
