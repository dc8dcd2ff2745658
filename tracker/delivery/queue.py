"""The out-queue: events that wait for their destination, written through to storage.

Changes are collected and written by `save`, once for all calls of a batch. What was sent is taken
out a moment later, many at a time: if the page goes in between, it is sent again under the same
message id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from tracker.browser import Browser
from tracker.delivery.lease import LeaseOwner
from tracker.delivery.owner import Owner
from tracker.delivery.segments import Segments
from tracker.storage.stores import Store
from tracker.tasks import Future
from tracker.text import byte_length, from_json, to_json

MAX_EVENTS = 1000
MAX_BYTES = 2_000_000
MAX_AGE_MS = 7 * 86_400_000
SAVE_DELAY_MS = 10
REMOVE_DELAY_MS = 100
MOST_HELD = 10_000  # ids that a runtime remembers


@dataclass(slots=True, eq=False)
class Entry:
    """A waiting event. `limit` is the largest batch it may travel in.

    `anonymous` events ask the server to forget where they come from; they travel by themselves.
    """

    id: str
    event: dict[str, Any]
    bytes: int
    anonymous: bool = False
    limit: int = MAX_EVENTS
    claimed: bool = False
    attempts: int = 0


# What an item of another client's queue holds: an event, and whether it asks for anonymity.
ReadItem = Callable[[Any], tuple[dict[str, Any], bool] | None]


class Form(Protocol):
    """How the events of a destination stand in storage."""

    def to_entry(self, event: dict[str, Any], *, anonymous: bool = False) -> Entry:
        """A waiting event."""

    def to_item(self, entry: Entry) -> Any:
        """What is stored for it."""

    def read_item(self, item: Any) -> Entry | None:
        """What was stored, None for something else."""


class EventForm:
    """`{"evt": event, "bytes": n}`, for events with an id under `id_name`."""

    def __init__(self, id_name: str) -> None:
        self._id_name = id_name

    def to_entry(self, event: dict[str, Any], *, anonymous: bool = False) -> Entry:
        """A waiting event, sized as JSON."""
        return Entry(event[self._id_name], event, byte_length(to_json(event)), anonymous)

    def to_item(self, entry: Entry) -> Any:
        """The documented form; `svrAnon` only where it is true."""
        item: dict[str, Any] = {"evt": entry.event, "bytes": entry.bytes}
        return {**item, "svrAnon": True} if entry.anonymous else item

    def read_item(self, item: Any) -> Entry | None:
        """An event of this form."""
        event = item.get("evt") if isinstance(item, dict) else None
        if not isinstance(event, dict) or not isinstance(item.get("bytes"), int | float):
            return None
        id_ = event.get(self._id_name)
        if not isinstance(id_, str):
            return None
        return Entry(id_, event, int(item["bytes"]), item.get("svrAnon") is True)


class OutQueue:
    """Events in the order in which they were tracked.

    `dropped` is called with events that no longer fit, and the reason. At `most` so many wait.
    `former` are keys of other clients' queues, each with what reads one of its items.
    """

    def __init__(
        self,
        browser: Browser,
        stores: Sequence[Store],
        key: str,
        form: Form,
        dropped: Callable[[list[dict[str, Any]], str], None],
        *,
        most: int = MAX_EVENTS,
        former: Mapping[str, ReadItem] | None = None,
    ) -> None:
        self._browser = browser
        self._form = form
        self._kept = Segments(browser, stores, key, self._id_of)
        self._owner = (
            Owner(browser, key)
            if browser.has_locks
            else LeaseOwner(browser, key, lambda: self._kept.store)
        )
        self._owned = False
        self._dropped = dropped
        self._most = most
        self._former = former or {}
        self._entries: dict[str, Entry] = {}
        self._bytes = 0
        self._added: dict[str, Entry] = {}
        self._removed: set[str] = set()
        self._timer: Any = None
        self._delay_ms = 0
        if self._kept.store is not None:
            self._own()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def bytes(self) -> int:
        """The size of all waiting events as JSON."""
        return self._bytes

    @property
    def oldest(self) -> dict[str, Any] | None:
        """The event that has waited longest."""
        return next((entry.event for entry in self._entries.values()), None)

    def waiting(self, most: int) -> list[Entry]:
        """The first events that nobody is sending. What is being sent stands before them."""
        return list(islice((e for e in self._entries.values() if not e.claimed), most))

    def add(self, event: dict[str, Any], *, anonymous: bool = False) -> None:
        """Append an event; it is safe after the next `save`."""
        entry = self._form.to_entry(event, anonymous=anonymous)
        self._added[entry.id] = entry
        self._hold([entry])
        self._take([entry])
        self._save_after(SAVE_DELAY_MS)

    def remove(self, entries: Iterable[Entry]) -> None:
        """Forget events that were answered."""
        for entry in entries:
            if self._entries.pop(entry.id, None) is not None:
                self._bytes -= entry.bytes
            self._forget(entry)
        self._save_after(REMOVE_DELAY_MS)

    async def adopt_former(self) -> None:
        """Take over what other clients left unsent, once (D1)."""
        if self._kept.store is None:
            return
        await self._own()
        if (store := self._kept.store) is None:
            return
        found = []
        for key, read in self._former.items():
            text = store.get(key)
            items = from_json(text)
            if text and items is None:
                self._kept.set_aside(key, text)
            elif text:
                store.remove(key)
            for item in items if isinstance(items, list) else []:
                if (left := read(item)) is not None:
                    event, anonymous = left
                    found.append(self._form.to_entry(event, anonymous=anonymous))
        if not found:
            return
        mine, self._entries, self._bytes = list(self._entries.values()), {}, 0
        self._added = {entry.id: entry for entry in [*found, *self._added.values()]}
        self._hold(found)
        self._take([*found, *mine])
        self.save()

    async def adopt_leftovers(self) -> None:
        """Take over stored events that no call of this page made, unless they are too old."""
        if self._kept.store is not None:
            self.save()
            await self._own()
            self._adopt(self._kept.items())

    @property
    def is_kept(self) -> bool:
        """Whether events may be stored at this moment."""
        return self._kept.store is not None

    def may_look(self) -> bool:
        """Whether it is time to look for events that nobody owns any more (D6)."""
        return self._owner.may_look()

    async def adopt_orphans(self) -> bool:
        """Take over what is stored by runtimes that are gone (D6); whether there are others."""
        if self._kept.store is None:
            return False
        mine = await self._own()
        held = await self._owner.held()  # before the look: who goes after it is seen next time
        others = bool(held - {mine})
        await self._browser.refresh()
        for base in self._kept.bases:
            if base == mine or base in held:
                continue
            if not await self._owner.claim(base):
                others = True
                continue
            await self._browser.refresh()  # somebody else may have been faster
            if self._kept.store is not None:
                self._adopt(self._kept.items(base), base)
            self._owner.release(base)
        return others

    def _adopt(self, items: list[object], base: int | None = None) -> None:
        """Take over stored events: of this owner, or of another one, who has none from then on."""
        stored = [self._form.read_item(item) for item in items]
        others = {*self._entries, *self._browser.runtime.held}
        left = [entry for entry in stored if entry and entry.id not in others]
        expires = self._kept.expires
        if left and expires is not None and expires < self._browser.now():
            self._removed.update(entry.id for entry in left if base is None)
            self._dropped([entry.event for entry in left], "older than 7 days")
            left = []
        elif base is not None:
            self._added = {**{entry.id: entry for entry in left}, **self._added}
        mine, self._entries, self._bytes = list(self._entries.values()), {}, 0
        self._hold(left)
        self._take([*left, *mine])
        self.save()
        if base is not None:
            self._kept.drop(base)  # which makes room, if there was none
            self._added = {entry.id: entry for entry in left if not self._kept.keeps(entry.id)}
            self.save()

    def clear(self) -> None:
        """Forget everything, stored events included."""
        self._let_go()
        self._entries, self._bytes = {}, 0
        self._added, self._removed = {}, set()
        self._kept.clear()
        self._owner.forget()

    def release(self) -> None:
        """Leave the events to others; what is stored stays."""
        self.save()
        self._let_go()

    def withdraw(self) -> None:
        """Hold all events in memory only, before storage may no longer be used."""
        for base in self._kept.bases:
            self._adopt(self._kept.items(base))
        self._kept.clear()
        self._owner.forget()
        self._added, self._removed = dict(self._entries), set()

    def _take(self, entries: list[Entry]) -> None:
        """Append entries; the caps drop the oldest."""
        for entry in entries:
            self._entries[entry.id] = entry
            self._bytes += entry.bytes
        overflow = []
        while len(self._entries) > self._most or self._bytes > MAX_BYTES:
            oldest = self._entries.pop(next(iter(self._entries)))
            self._bytes -= oldest.bytes
            self._forget(oldest)
            overflow.append(oldest)
        if overflow:
            reason = f"more than {self._most} events or {MAX_BYTES} bytes wait"
            self._dropped([entry.event for entry in overflow], reason)

    def _hold(self, entries: Iterable[Entry]) -> None:
        """Let no other page of this runtime take these, not even when they are done.

        Their end reaches storage later than the pages that look for leftovers there.
        """
        held = self._browser.runtime.held
        held.update(dict.fromkeys(entry.id for entry in entries))
        while len(held) > MOST_HELD:
            del held[next(iter(held))]

    def _let_go(self) -> None:
        for id_ in self._entries:
            self._browser.runtime.held.pop(id_, None)

    def _save_after(self, delay_ms: int) -> None:
        if self._timer is not None:
            if self._delay_ms <= delay_ms:
                return
            self._browser.clear_timer(self._timer)
        self._delay_ms = delay_ms
        self._timer = self._browser.set_timer(delay_ms, self.save)

    def _forget(self, entry: Entry) -> None:
        """Take an event out of storage at the next `save`."""
        if self._added.pop(entry.id, None) is None:
            self._removed.add(entry.id)

    def save(self, *, leaving: bool = False) -> None:
        """Write what was added and removed since the last time.

        It waits until it is known where, unless the page is leaving.
        """
        if self._timer is not None:
            self._browser.clear_timer(self._timer)
            self._timer = None
        added, removed = self._added, self._removed
        if self._kept.store is None or not (added or removed):
            return
        if leaving and not self._own().settled:
            self._owner.hurry()  # saves, too
        elif self._own().settled:
            self._added, self._removed = {}, set()
            if added:
                self._owner.keep(lambda: self._kept.base in self._kept.bases)
            items = [(entry.id, self._form.to_item(entry)) for entry in added.values()]
            self._kept.change(items, removed, self._browser.now() + MAX_AGE_MS)

    def _own(self) -> Future[int]:
        """Find out which segments are this runtime's; nothing is written before that is known."""
        base = self._owner.base()
        if not self._owned:
            self._owned = True
            base.then(self._begin)
        return base

    def _begin(self, base: Future[int]) -> None:
        self._kept.begin(base.result())
        self.save()

    def _id_of(self, item: object) -> str | None:
        entry = self._form.read_item(item)
        return entry.id if entry else None
