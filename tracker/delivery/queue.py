"""The out-queue: events that wait for their destination, written through to storage.

Stored form (decision D1): a JSON array of items (`Form`) under the queue's key, with the time it
ends under `<key>.expires`. Several tabs may share the key: each write changes only the events of
its own tab, which are told apart by their ids.

Changes are collected and written by `save`, once for all calls of a batch. What was sent is taken
out a moment later: if the page goes in between, it is sent again under the same message id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tracker.browser import Browser
from tracker.storage.stores import Store
from tracker.text import byte_length, from_json, to_json

MAX_EVENTS = 1000
MAX_BYTES = 2_000_000
MAX_AGE_MS = 7 * 86_400_000
SAVE_DELAY_MS = 100


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

    `dropped` is called with events that no longer fit, and the reason.
    """

    def __init__(
        self,
        browser: Browser,
        stores: Sequence[Store],
        key: str,
        form: Form,
        dropped: Callable[[list[dict[str, Any]], str], None],
    ) -> None:
        self._browser = browser
        self._stores = stores
        self._key = key
        self._form = form
        self._dropped = dropped
        self._entries: dict[str, Entry] = {}
        self._bytes = 0
        self._added: dict[str, Entry] = {}
        self._removed: set[str] = set()
        self._timer: Any = None

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def bytes(self) -> int:
        """The size of all waiting events as JSON."""
        return self._bytes

    @property
    def _store(self) -> Store | None:
        return self._stores[0] if self._stores else None

    def waiting(self) -> list[Entry]:
        """The events that nobody is sending."""
        return [entry for entry in self._entries.values() if not entry.claimed]

    def add(self, event: dict[str, Any], *, anonymous: bool = False) -> None:
        """Append an event; it is safe after the next `save`."""
        entry = self._form.to_entry(event, anonymous=anonymous)
        self._added[entry.id] = entry
        self._take([entry])
        self._save_soon()

    def remove(self, entries: Iterable[Entry]) -> None:
        """Forget events that were answered."""
        for entry in entries:
            if self._entries.pop(entry.id, None) is not None:
                self._bytes -= entry.bytes
            self._forget(entry)
        self._save_soon()

    def adopt_leftovers(self) -> None:
        """Take over stored events that no call of this page made, unless they are too old."""
        if self._store is None:
            return
        self.save()
        left = [entry for entry in self._stored() if entry.id not in self._entries]
        expires = self._store.get(self._key + ".expires")
        if left and expires and expires.isdecimal() and int(expires) < self._browser.now():
            for entry in left:
                self._forget(entry)
            self.save()
            self._dropped([entry.event for entry in left], "older than 7 days")
            return
        mine, self._entries, self._bytes = list(self._entries.values()), {}, 0
        self._take([*left, *mine])
        self.save()

    def clear(self) -> None:
        """Forget everything, stored events included."""
        self._entries, self._bytes = {}, 0
        self._added, self._removed = {}, set()
        if self._store is not None:
            self._store.remove(self._key)
            self._store.remove(self._key + ".expires")

    def withdraw(self) -> None:
        """Hold all events in memory only, before storage may no longer be used."""
        self.adopt_leftovers()
        if self._store is not None:
            self._store.remove(self._key)
            self._store.remove(self._key + ".expires")
        self._added, self._removed = dict(self._entries), set()

    def _take(self, entries: list[Entry]) -> None:
        """Append entries; the caps drop the oldest."""
        for entry in entries:
            self._entries[entry.id] = entry
            self._bytes += entry.bytes
        overflow = []
        while len(self._entries) > MAX_EVENTS or self._bytes > MAX_BYTES:
            oldest = self._entries.pop(next(iter(self._entries)))
            self._bytes -= oldest.bytes
            self._forget(oldest)
            overflow.append(oldest)
        if overflow:
            reason = f"more than {MAX_EVENTS} events or {MAX_BYTES} bytes wait"
            self._dropped([entry.event for entry in overflow], reason)

    def _save_soon(self) -> None:
        if self._timer is None:
            self._timer = self._browser.set_timer(SAVE_DELAY_MS, self.save)

    def _forget(self, entry: Entry) -> None:
        """Take an event out of storage at the next `save`."""
        if self._added.pop(entry.id, None) is None:
            self._removed.add(entry.id)

    def save(self) -> None:
        """Write what was added and removed since the last time."""
        if self._timer is not None:
            self._browser.clear_timer(self._timer)
            self._timer = None
        added, removed = self._added, self._removed
        if self._store is None or not (added or removed):
            return
        self._added, self._removed = {}, set()
        entries = [entry for entry in self._stored() if entry.id not in removed]
        entries += added.values()
        if entries:
            self._store.set(self._key, to_json([self._form.to_item(entry) for entry in entries]))
            self._store.set(self._key + ".expires", str(self._browser.now() + MAX_AGE_MS))
        else:
            self._store.remove(self._key)
            self._store.remove(self._key + ".expires")

    def _stored(self) -> list[Entry]:
        assert self._store is not None
        text = self._store.get(self._key)
        items = from_json(text)
        entries = [self._form.read_item(item) for item in items] if isinstance(items, list) else []
        read = [entry for entry in entries if entry is not None]
        if isinstance(items, list) and len(read) == len(items):
            return read
        if text:  # damaged: set aside, so that new events flow and nothing is lost (D11)
            self._store.set(self._key + ".corrupt", text[:MAX_BYTES])
            self._store.remove(self._key)
            self._browser.console("warn", f"{self._key} was damaged; see {self._key}.corrupt")
        return []
