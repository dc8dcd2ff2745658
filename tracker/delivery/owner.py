"""Who owns what is stored of an out-queue (decision D6): one runtime each, as long as it lives.

The runtimes of an origin (a tab's own, or the one that tabs share) keep their events of the same
queue apart: each has a million numbers of segments, and holds a Web Lock with the name of the queue
and the first of these numbers. They take over what is stored where nobody holds that name: where
several live, they look every few seconds; one that is alone looks a few seconds after it has sent
something or came into view.
Where there are no Web Locks, see lease.py.
"""

from __future__ import annotations

from collections.abc import Callable

from tracker.browser import Browser
from tracker.tasks import Future, spawn

SPAN = 1_000_000  # numbers of segments that an owner has
OWNERS = 9_999
LOOK_MS = 5_000
HURRY_MS = 20


class Owner:
    """This runtime as one of the owners of the queue that is stored under `key`."""

    def __init__(self, browser: Browser, key: str) -> None:
        self._browser = browser
        self._key = key

    def base(self) -> Future[int]:
        """The first number of this runtime's segments: 0 for the first runtime of an origin.

        Calls are kept by the page until a worker has answered them. On the page's own thread
        nothing else keeps them, so this is known soon.
        """
        bases = self._browser.runtime.bases
        if self._key not in bases:
            bases[self._key] = spawn(self._claim())
            if not (bases[self._key].settled or self._browser.writes_later):
                self._browser.set_timer(HURRY_MS, self.hurry)
        return bases[self._key]

    def keep(self, needed: Callable[[], bool]) -> None:
        """Go on to own what is stored: a lock holds by itself."""

    def forget(self) -> None:
        """Leave no trace in storage: a lock leaves none."""

    async def held(self) -> frozenset[int]:
        """The bases that runtimes own at this moment, this one's among them."""
        names = await self._browser.claimed()
        mine = (name.rpartition(":") for name in names)
        return frozenset(int(base) for key, _, base in mine if key == self._key)

    def may_look(self) -> bool:
        """Whether it is time to look for orphans: no page of this runtime has just done it.

        Answers true once only; who asks then looks.
        """
        looks, now = self._browser.runtime.looks, self._browser.now()
        if abs(now - looks.get(self._key, 0)) < LOOK_MS / 2:
            return False
        looks[self._key] = now
        return True

    async def claim(self, base: int) -> bool:
        """Own what is stored there, too, until `release`; False if somebody else does."""
        return await self._browser.claim(self._name(base))

    def release(self, base: int) -> None:
        """What is stored there belongs to nobody."""
        self._browser.release(self._name(base))

    def hurry(self) -> None:
        """Own numbers that nobody has, without waiting to hear of it."""
        if self.base().settled:
            return
        base = self._other()
        self._browser.claim(self._name(base))
        self.base().resolve(base)

    async def _claim(self) -> int:
        base = 0
        while not await self.claim(base):
            base = self._other()
        hurried = self._browser.runtime.bases.get(self._key)
        if hurried is not None and hurried.settled:
            self.release(base)
        return base

    def _other(self) -> int:
        return (1 + int(self._browser.random() * OWNERS)) * SPAN

    def _name(self, base: int) -> str:
        return f"{self._key}:{base}"
