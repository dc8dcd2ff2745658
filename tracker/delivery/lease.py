"""Who owns what is stored of an out-queue where there are no Web Locks (decision D6).

Browsers have no locks on pages without HTTPS. There a runtime's segments are its own as long as
`<key>.<base>.lease` names a time (ms since the epoch) that is still to come. It is written before
the first event, renewed while events are stored, and removed with the last one. A runtime that is
held up for longer, as in a tab that sleeps, may find that another one sent its events, too: under
the same ids.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracker.browser import Browser
from tracker.delivery.owner import Owner
from tracker.storage.stores import Store
from tracker.tasks import Future

LEASE_MS = 10_000
RENEW_MS = 3_000
SETTLE_MS = 50  # of several that claim at once, the last one to write has it
END = ".lease"


class LeaseOwner(Owner):
    """An owner by leases in `store`."""

    def __init__(self, browser: Browser, key: str, store: Callable[[], Store | None]) -> None:
        super().__init__(browser, key)
        self._store = store
        self._timer: Any = None

    def base(self) -> Future[int]:
        """Numbers that nobody has, most likely: there is nobody to ask."""
        bases = self._browser.runtime.bases
        if self._key not in bases:
            bases[self._key] = Future.of(self._other())
        return bases[self._key]

    def keep(self, needed: Callable[[], bool]) -> None:
        """Hold this runtime's segments as long as they are `needed`."""
        if self._timer is None:
            self._extend(self.base().result())
            self._timer = self._browser.set_timer(RENEW_MS, lambda: self._again(needed))

    async def held(self) -> frozenset[int]:
        """The bases whose leases have not ended, as seen at this moment; forgets the others."""
        await self._browser.refresh()
        store = self._store()
        leases = [key for key in store.keys() if self._is_lease(key)] if store else []
        bases = [int(key[len(self._key) + 1 : -len(END)]) for key in leases]
        for base in bases:
            if not self._is_held(base):
                self.release(base)
        return frozenset(base for base in bases if self._is_held(base))

    async def claim(self, base: int) -> bool:
        """Take a lease if nobody has it, and see after a moment who got it."""
        if (store := self._store()) is None or self._is_held(base):
            return False
        mine = self._extend(base)
        settled: Future[None] = Future()
        self._browser.set_timer(SETTLE_MS, lambda: settled.resolve(None))
        await settled
        await self._browser.refresh()
        return store.get(self._name(base)) == mine

    def release(self, base: int) -> None:
        """End a lease."""
        if (store := self._store()) is not None:
            store.remove(self._name(base))

    def forget(self) -> None:
        """Leave no lease in the store."""
        store = self._store()
        for key in list(store.keys()) if store else []:
            if store and self._is_lease(key):
                store.remove(key)

    def _again(self, needed: Callable[[], bool]) -> None:
        self._timer = None
        if needed():
            self.keep(needed)
        else:
            self.release(self.base().result())

    def _extend(self, base: int) -> str:
        """Write a lease: when it ends, and a fraction that tells it from others."""
        text = f"{self._browser.now() + LEASE_MS}:{self._browser.random()}"
        if (store := self._store()) is not None:
            store.set(self._name(base), text)
        return text

    def _is_held(self, base: int) -> bool:
        text = store.get(self._name(base)) if (store := self._store()) else None
        end = (text or "").partition(":")[0]
        return end.isdecimal() and 0 < int(end) - self._browser.now() <= LEASE_MS

    def _is_lease(self, key: str) -> bool:
        base = key[len(self._key) + 1 : -len(END)]
        return key.startswith(self._key + ".") and key.endswith(END) and base.isdecimal()

    def _name(self, base: int) -> str:
        return f"{self._key}.{base}{END}"
