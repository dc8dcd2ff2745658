"""What fails, one after the other. Each function tracks all events of a scenario."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from playwright.sync_api import Error

from benchmarks.faults.proxy import HANGS, LOSES_ANSWERS, REFUSES, RESETS
from benchmarks.faults.world import World

Scenario = Callable[[World], None]
A_WHILE = 4  # s
A_MOMENT = 0.05  # s; what a page has made safe by then, it can keep

FULL = """() => {
    for (let size = 5e6; size >= 1; size = Math.floor(size / 2)) {
        try {
            while (true) localStorage['x' + Math.random()] = 'x'.repeat(size);
        } catch {}
    }
}"""
DENIED = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('denied') }})"


def server(kind: int | str, **headers: str) -> Scenario:
    """The server or the network fails for a while, in the middle of a visit."""

    def play(it: World) -> None:
        page = it.open()
        it.track(page, it.part(4))
        with it.fault(kind, **headers):
            it.track(page, it.part(2))
            it.wait(A_WHILE)
        it.track(page, it.events - len(it.tracked))

    return play


def poison(it: World) -> None:
    """One event that the server refuses, among others; it is none of those that count."""
    page = it.open()
    it.gate.proxy.poison = "poison"
    it.track(page, it.part(2))
    page.evaluate(f"() => {{ const name = 'poison'; {it.contender.track} }}")
    it.track(page, it.events - len(it.tracked) - 1)  # a queue holds 1,000 events, this one, too


def offline(it: World) -> None:
    """An hour without a network, by the page's clock."""
    page = it.context.new_page()
    page.clock.install()
    it.go(page)
    it.context.set_offline(True)
    with it.fault(REFUSES):
        it.track(page, it.part(2))
        page.clock.fast_forward(3_600_000)
        it.track(page, it.part(4))
        it.wait(1)
    it.context.set_offline(False)
    it.track(page, it.events - len(it.tracked))


def clock(it: World) -> None:
    """The page's clock jumps by a day."""
    page = it.context.new_page()
    page.clock.install()
    it.go(page)
    it.track(page, it.part(2))
    page.clock.fast_forward(86_400_000)
    it.track(page, it.events - len(it.tracked))


def full(it: World) -> None:
    """No room in local storage."""
    page = it.context.new_page()
    page.goto(it.site.replace("page.html", "other.html"))
    page.evaluate(FULL)
    it.go(page)
    with it.fault(503):
        it.track(page, it.events)
        it.wait(1)


def denied(it: World) -> None:
    """The visitor lets no site keep anything."""
    it.context.add_init_script(DENIED)
    page = it.open()
    it.track(page, it.events)


def closed(it: World) -> None:
    """Ten tabs, each closed right after it has tracked."""
    for tab in [it.open() for _ in range(10)]:
        it.track(tab, it.part(10))
        tab.close()


def crashed(it: World) -> None:
    """The process of the page dies with events queued, and again a moment after the calls."""
    page = it.open()
    with it.fault(REFUSES):
        it.track(page, it.part(2))
        it.wait(A_WHILE)
        it.crash(page)
    page = it.open()
    it.track(page, it.events - len(it.tracked))
    it.wait(A_MOMENT)
    it.crash(page)


def killed(it: World) -> None:
    """The browser dies with events queued, and another time right after the calls."""
    page = it.open()
    with it.fault(REFUSES):
        it.track(page, it.part(2))
        it.wait(3 * A_WHILE)
        it.kill()
    it.start()
    page = it.open()
    it.track(page, it.events - len(it.tracked))
    it.kill()
    it.start()


def collector(it: World) -> None:
    """The collector dies under load, and starts again."""
    page = it.open()
    for _ in range(4):
        it.track(page, it.part(4))
        it.wait(0.3)
        it.collector.kill()
        it.wait(0.5)
        it.collector.start()


def tabs(it: World) -> None:
    """Ten tabs track at once."""
    opened = [it.open() for _ in range(10)]
    for tab in opened:
        it.track(tab, it.part(10))


def storm(it: World) -> None:
    """Twenty pages, a second each."""
    page = it.context.new_page()
    for _ in range(20):
        begin = time.monotonic()
        it.go(page, wait=False)
        it.track(page, it.part(20))
        page.wait_for_timeout(max(0.0, 1000 * (begin + 1 - time.monotonic())))


def cache(it: World) -> None:
    """Away and back again, to the page as it was."""
    page = it.open()
    other = it.site.replace("page.html", "other.html")
    for _ in range(5):
        it.track(page, it.part(10))
        page.goto(other)
        page.wait_for_timeout(300)
        with suppress(Error):
            page.go_back(wait_until="commit")
        it.track(page, it.part(10))


SCENARIOS: dict[str, Scenario] = {
    "500": server(500),
    "503, Retry-After": server(503, **{"retry-after": "3"}),
    "429": server(429),
    "408": server(408),
    "refused": server(REFUSES),
    "hangs": server(HANGS),
    "resets": server(RESETS),
    "answers lost": server(LOSES_ANSWERS),
    "413 on one event": poison,
    "offline for an hour": offline,
    "storage full": full,
    "storage denied": denied,
    "tab closed": closed,
    "renderer killed": crashed,
    "browser killed": killed,
    "collector killed": collector,
    "ten tabs": tabs,
    "twenty pages": storm,
    "back and forward": cache,
    "clock jumps": clock,
}
