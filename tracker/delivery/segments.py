"""The stored form of an out-queue (decision D1): JSON arrays of items in numbered segments.

The oldest segment stands under the queue's key, younger ones under `<key>.1`, `.2`, …; the time
when all of it ends is under `<key>.expires`. A change rewrites the segments that it touches, so
its cost does not grow with the queue. Each owner (see owner.py) has numbers of its own. Pages of
one owner share the segments: each change reads what is there and touches the items of its own page
only, which are told apart by their ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tracker.browser import Browser
from tracker.delivery.owner import SPAN
from tracker.storage.stores import Store
from tracker.text import from_json, to_json

SEGMENT_EVENTS = 16
SEGMENT_BYTES = 64_000
MAX_CORRUPT_BYTES = 2_000_000

# Gives the id of an item, None for something else.
ReadId = Callable[[object], "str | None"]


class Segments:
    """What is stored of a queue. Without a store nothing is read, and nothing is written.

    `base` is the first number of the segments that are written.
    """

    def __init__(
        self, browser: Browser, stores: Sequence[Store], key: str, read_id: ReadId
    ) -> None:
        self._browser = browser
        self._stores = stores
        self._key = key
        self._read_id = read_id
        self._places: dict[str, int] = {}  # id -> number of its segment, as last seen
        self._known: dict[int, tuple[str, dict[str, str]]] = {}  # number -> text, items by id
        self.base = self._youngest = 0

    @property
    def store(self) -> Store | None:
        """Where the queue may be kept at this moment."""
        return self._stores[0] if self._stores else None

    @property
    def expires(self) -> int | None:
        """When all of it ends, ms since the epoch."""
        text = self.store.get(self._key + ".expires") if self.store else None
        return int(text) if text and text.isdecimal() else None

    @property
    def bases(self) -> list[int]:
        """The first numbers of all owners of whom something is stored."""
        return sorted({number // SPAN * SPAN for number in self._all()})

    def items(self, base: int | None = None) -> list[object]:
        """All items of an owner, oldest first. A damaged segment is set aside (D11)."""
        if base is None:
            self._places = {}
        found = [self._read(number) for number in self._numbers(base)]
        return [from_json(text) for items in found for text in items.values()]

    def keeps(self, id_: str) -> bool:
        """Whether an item of this tab is stored."""
        return id_ in self._places

    def begin(self, base: int) -> None:
        """Write under these numbers."""
        self.base = self._youngest = base

    def drop(self, base: int) -> None:
        """Forget all items of an owner."""
        for number in self._numbers(base):
            self._write(number, {})
        if not self._all():
            self.clear()

    def change(
        self, added: Iterable[tuple[str, object]], removed: Iterable[str], ends: int
    ) -> None:
        """Append items (their ids and values), and take out those with some ids."""
        if self.store is None:
            return
        gone, new = set(removed), [(id_, to_json(value)) for id_, value in added]
        if any(id_ not in self._places for id_ in gone):
            self.items()
        for number in sorted({self._places[id_] for id_ in gone if id_ in self._places}):
            kept = self._read(number)
            self._write(number, {id_: text for id_, text in kept.items() if id_ not in gone})
        self._append(new)
        if any(id_ in self._places for id_, _ in new):
            self.store.set(self._key + ".expires", str(ends))
        elif not self._all():
            self.clear()

    def clear(self) -> None:
        """Forget everything that is stored, of all owners."""
        if self.store is not None:
            for number in self._all():
                self.store.remove(self._name(number))
            self.store.remove(self._key + ".expires")
        self._places, self._known, self._youngest = {}, {}, self.base

    def set_aside(self, key: str, text: str) -> None:
        """Keep a damaged text under another key, so that new events flow and nothing is lost."""
        assert self.store is not None
        self.store.set(key + ".corrupt", text[:MAX_CORRUPT_BYTES])
        self.store.remove(key)
        self._browser.console("warn", f"{key} was damaged; see {key}.corrupt")

    def _append(self, items: list[tuple[str, str]]) -> None:
        if not items:
            return
        assert self.store is not None
        while self.store.get(self._name(self._youngest + 1)) is not None:  # by another tab
            self._youngest += 1
        content, changed = self._read(self._youngest), False
        for id_, text in items:
            while content and (
                len(content) >= SEGMENT_EVENTS
                or sum(map(len, content.values())) + len(text) > SEGMENT_BYTES
            ):
                if changed:
                    self._write(self._youngest, content)
                self._youngest += 1
                content, changed = self._read(self._youngest), False  # of another tab, perhaps
            content[id_], changed = text, True
        self._write(self._youngest, content)

    def _read(self, number: int) -> dict[str, str]:
        """The items of a segment by their ids."""
        assert self.store is not None
        text = self.store.get(self._name(number))
        known = self._known.get(number)
        if known is None or known[0] != text:
            content = self._parsed(number, text) if text is not None else {}
            if text is None or not content:
                self._known.pop(number, None)
                return content
            known = self._known[number] = (text, content)
        self._places.update(dict.fromkeys(known[1], number))
        return dict(known[1])

    def _parsed(self, number: int, text: str) -> dict[str, str]:
        items = from_json(text)
        ids = [self._read_id(item) for item in items] if isinstance(items, list) else [None]
        if None in ids:
            self.set_aside(self._name(number), text)
            return {}
        return {str(id_): to_json(item) for id_, item in zip(ids, items, strict=True)}

    def _write(self, number: int, content: dict[str, str]) -> None:
        assert self.store is not None
        _, before = self._known.pop(number, ("", {}))
        for id_ in before:
            self._places.pop(id_, None)
        if not content:
            self.store.remove(self._name(number))
            return
        text = f"[{','.join(content.values())}]"
        if self.store.set(self._name(number), text):
            self._known[number] = (text, content)
            self._places.update(dict.fromkeys(content, number))

    def _numbers(self, base: int | None = None) -> list[int]:
        """The numbers of an owner's segments, oldest first; this one's if none is given."""
        mine = self.base if base is None else base
        found = [number for number in self._all() if mine <= number < mine + SPAN]
        if base is None:
            self._youngest = max([self._youngest, *found])
        return found

    def _all(self) -> list[int]:
        """The numbers of all segments, oldest first."""
        if self.store is None:
            return []
        rests = [key[len(self._key) :] for key in self.store.keys() if key.startswith(self._key)]
        numbers = [int(rest[1:]) for rest in rests if rest[:1] == "." and rest[1:].isdecimal()]
        return sorted([*numbers, *([0] if "" in rests else [])])

    def _name(self, number: int) -> str:
        return f"{self._key}.{number}" if number else self._key
