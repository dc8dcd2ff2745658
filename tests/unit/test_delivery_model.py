"""The promise of delivery: whatever happens to tabs, network, server and storage, in any order."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    precondition,
    rule,
)

from tests.unit.site import SETTINGS, WRITE_KEY, Site
from tracker.browser import Request
from tracker.delivery.owner import HURRY_MS
from tracker.testing import FakeProfile, Reply
from tracker.testing.storage import QUOTA

COLLECTOR = "https://collector.example"
HOUR = 3_600_000
LATER = 120_000  # ms; longer than every wait between two attempts
ANSWERS = (200, 500, 503, 429, 408, "fail", "hang", "lost")


class Delivery(RuleBasedStateMachine):
    """One visitor, both destinations, up to a few tabs; the server remembers what it has stored."""

    tabs = Bundle("tabs")

    has_locks = True

    def __init__(self) -> None:
        super().__init__()
        self.profile = FakeProfile()
        self.profile.has_locks = self.has_locks
        self.answer: Any = 200
        self.full = False
        self.stored: dict[str, list[str]] = {"Customer.io": [], "Snowplow": []}
        self.tracked = 0
        self.open = 0
        self.expected: set[str] = set()
        self.young: set[str] = set()  # called less than a moment ago
        self.unsafe: set[str] = set()  # in the memory of a page that died, by a full storage
        self.live: list[Site] = []
        self.profile.network.route(lambda request: SETTINGS in request.url, 404)
        self.profile.network.answer(self.serve)

    def serve(self, request: Request) -> Any:
        """The server: stores what it accepts, even if its answer is lost."""
        if self.answer not in (200, "lost"):
            return Reply(503, headers={"retry-after": "2"}) if self.answer == 503 else self.answer
        body = json.loads(request.body or "null")
        if request.url.startswith(COLLECTOR):
            self.stored["Snowplow"] += [event["se_ac"] for event in body["data"]]
        else:
            self.stored["Customer.io"].append(body["event"])
        return 200 if self.answer == 200 else "fail"

    @rule(target=tabs)
    def open_tab(self) -> Site:
        """Another tab, or a page after another one."""
        site = Site.of(self.profile)
        site.load(snowplow={"collectorUrl": COLLECTOR})
        site.settle(10)
        self.live.append(site)
        return site

    @rule(tab=tabs, number=st.integers(1, 5))
    def track(self, tab: Site, number: int) -> None:
        """Calls in one go, as a page hands them over."""
        for _ in range(number):
            name = f"E{self.tracked}"
            self.tracked += 1
            tab.post("track", name)
            self.expected.add(name)
            self.young.add(name)
            if self.full:
                self.unsafe.add(name)

    @rule(answer=st.sampled_from(ANSWERS))
    def server_changes(self, answer: Any) -> None:
        """From now on the server answers so."""
        self.answer = answer

    @rule(online=st.booleans())
    def network_changes(self, online: bool) -> None:
        """The visitor's network goes or comes."""
        (self.profile.go_online if online else self.profile.go_offline)()

    @rule(full=st.booleans())
    def quota_changes(self, full: bool) -> None:
        """Local storage takes no more, or does again. What was called just before is at risk."""
        if full:
            self.unsafe |= self.young
        self.full = full
        self.profile.local_rules.quota = 0 if full else QUOTA

    @rule(ms=st.sampled_from([1, 20, 600, 5_000, LATER]))
    def time_passes(self, ms: int) -> None:
        """Timers fire, answers arrive."""
        self.profile.clock.advance(ms)
        if ms > HURRY_MS + 10:
            self.young.clear()

    @rule(ms=st.sampled_from([None, 1, 50]))
    def locks_take_longer(self, ms: float | None) -> None:
        """A worker, or a busy browser, answers later who owns a queue."""
        self.profile.lock_delay_ms = ms

    @rule(hours=st.integers(-24, 24))
    def clock_jumps(self, hours: int) -> None:
        """Somebody sets the clock."""
        self.profile.clock.shift(hours * HOUR)

    @rule(tab=tabs)
    def look_away_and_back(self, tab: Site) -> None:
        """Another window, then this one again."""
        tab.browser.hide()
        tab.browser.show()

    @rule(tab=consumes(tabs))
    def close_tab(self, tab: Site) -> None:
        """The visitor goes."""
        self.live.remove(tab)
        tab.browser.close()

    @rule(tab=consumes(tabs))
    def crash(self, tab: Site) -> None:
        """The page is gone without a word, a moment after its last call."""
        self.profile.clock.advance(HURRY_MS + 10)
        self.young.clear()
        self.live.remove(tab)
        tab.browser.crash()

    @precondition(lambda self: len(self.live) > 4)
    @rule(tab=consumes(tabs))
    def too_many_tabs(self, tab: Site) -> None:
        """Keeps the number of tabs small."""
        self.close_tab(tab)

    @invariant()
    def nothing_is_made_up(self) -> None:
        """The server stores what was tracked only."""
        for names in self.stored.values():
            assert set(names) <= self.expected

    def teardown(self) -> None:
        """In the end all is well again, and one more page is opened: everything arrives."""
        self.profile.local_rules.quota = QUOTA
        self.profile.go_online()
        self.answer = 200
        last = Site.of(self.profile)
        last.load(snowplow={"collectorUrl": COLLECTOR})
        for _ in range(4):
            self.profile.clock.advance(LATER)
        for destination, names in self.stored.items():
            missing = self.expected - self.unsafe - set(names)
            assert not missing, (destination, sorted(missing))
        keys = [key for key in last.local if "OutQueue" in key and "corrupt" not in key]
        assert keys == [], (WRITE_KEY, keys)


class WithoutLocks(Delivery):
    """The same on a site without HTTPS."""

    has_locks = False


LONG = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestDelivery, TestWithoutLocks = Delivery.TestCase, WithoutLocks.TestCase
TestDelivery.settings = TestWithoutLocks.settings = LONG
