"""Values kept in several stores at once: which copy wins, and how the others are repaired."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tracker.browser import Browser
from tracker.storage.stores import Store, id_from_text, traits_from_text
from tracker.text import to_json

# Copies are rewritten this often, so that cookie lifetimes slide without a write for every event.
REFRESH_MS = 3_600_000


class KeptId:
    """An id under one key in every store of `stores`, and in memory.

    The first store that has a value wins (decision I3); reading repairs the others. The stores are
    the truth, because other tabs and the server write them too; memory answers where no store took
    the value.
    """

    def __init__(self, browser: Browser, key: str, stores: Sequence[Store]) -> None:
        self.key = key
        self.memory: str | None = None
        self._browser = browser
        self._stores = stores
        self._held = False
        self._refreshed: int | None = None
        self._refused: dict[Store, str] = {}

    def stored(self) -> str | None:
        """The value of the first store that has one."""
        texts = [store.get(self.key) for store in self._stores]
        values = [id_from_text(text) for text in texts]
        for text, value in zip(texts, values, strict=True):
            if value is not None:
                # a quoted cookie: the quotes belong to the id if another store says so
                return text if text != value and text in values else value
        return None

    def read(self, *, memory_counts: bool) -> str | None:
        """The id, None if there is none.

        `memory_counts` says whether memory answers for stores that held the value and lost it.
        """
        value = self.stored()
        if value is None and (memory_counts or not self._held):
            value = self.memory
        if value is None:
            self.memory = None
        else:
            self.write(value)
        return value

    def write(self, value: str) -> None:
        """Keep an id in every store that takes it, and in memory."""
        now = self._browser.now()
        fresh = (
            self._refreshed is not None
            and 0 <= now - self._refreshed < REFRESH_MS
            and value == self.memory
        )
        if not fresh:
            self._refreshed, self._refused = now, {}
        self.memory = value
        self._held = False
        for store in self._stores:
            text = store.id_text(value)
            if fresh and (store.get(self.key) == text or self._refused.get(store) == text):
                self._held = self._held or self._refused.get(store) != text
            elif store.set(self.key, text):
                self._held = True
            else:
                store.remove(self.key)  # an older value must not win
                self._refused[store] = text

    def clear(self, everywhere: Sequence[Store] = ()) -> None:
        """Forget the id in its stores, or in all those given."""
        self.memory, self._held = None, False
        for store in everywhere or self._stores:
            store.remove(self.key)

    def settle(self) -> None:
        """Write what is in memory only, now that stores may be used."""
        if self.memory is not None and self.stored() is None:
            self.write(self.memory)


class KeptTraits:
    """A JSON object under one key in one store at most, and in memory."""

    def __init__(self, key: str, stores: Sequence[Store]) -> None:
        self.key = key
        self._stores = stores
        self._held = False
        self._memory: dict[str, Any] | None = None

    def stored(self) -> dict[str, Any] | None:
        """The object of the first store that has one."""
        for store in self._stores:
            value = traits_from_text(store.get(self.key))
            if value is not None:
                return value
        return None

    def read(self, *, memory_counts: bool) -> dict[str, Any]:
        """The object, {} if there is none; a copy that the caller may change."""
        value = self.stored()
        if value is None and (memory_counts or not self._held):
            value = self._memory
        return dict(value or {})

    def write(self, traits: dict[str, Any]) -> None:
        """Replace the object."""
        self._memory = dict(traits)
        self._held = False
        for store in self._stores:
            if store.set(self.key, to_json(traits)):
                self._held = True
            else:
                store.remove(self.key)  # an older value must not win

    def clear(self, everywhere: Sequence[Store] = ()) -> None:
        """Forget the object in its stores, or in all those given."""
        self._memory, self._held = None, False
        for store in everywhere or self._stores:
            store.remove(self.key)

    def settle(self) -> None:
        """Write what is in memory only, now that stores may be used."""
        if self._memory is not None and self.stored() is None:
            self.write(self._memory)

    def forget_memory(self) -> None:
        """Drop the copy in memory; what the stores hold stays."""
        if self._held:
            self._memory = None
