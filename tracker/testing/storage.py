"""Local and session storage: text under keys, a quota, and browsers that refuse.

>>> area = FakeStorage(StorageRules(full_keys=["^queue"]))
>>> area.set("id", "42")
>>> area.set("queue.1", "[]")
Traceback (most recent call last):
tracker.browser.StorageError: the storage is full: no room for 'queue.1'
>>> area.items, area.writes
({'id': '42'}, [('set', 'id')])
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tracker.browser import StorageError

QUOTA = 5 * 1024 * 1024
"""What browsers allow an origin, in UTF-16 units. What makes it less is let in."""


@dataclass
class StorageRules:
    """How storage behaves. May be changed while pages are open."""

    quota: int = QUOTA
    denied: bool = False  # every access raises
    full: bool = False  # every `set` raises
    full_keys: Sequence[
        str
    ] = ()  # `set` raises for keys in which one of these expressions is found


class FakeStorage:
    """One storage area. `writes` is what changed it: `("set", key)`, `("remove", key)`, ..."""

    def __init__(self, rules: StorageRules | None = None) -> None:
        self.rules = rules or StorageRules()
        self.writes: list[tuple[str, str]] = []
        self._items: dict[str, str] = {}
        self._used = 0

    @property
    def items(self) -> dict[str, str]:
        """A copy of what is in it, also where the browser denies access."""
        return dict(self._items)

    def get(self, key: str) -> str | None:
        """The text under `key`, None if there is none."""
        self._check_access()
        return self._items.get(key)

    def set(self, key: str, value: str) -> None:
        """Keep a text under `key`."""
        self._check_access()
        used = self._used - self._size(key) + _units(key) + _units(value)
        if self._refuses(key) or used > max(self.rules.quota, self._used):
            raise StorageError(f"the storage is full: no room for {key!r}")
        self._items[key] = value
        self._used = used
        self.writes.append(("set", key))

    def remove(self, key: str) -> None:
        """Forget `key`."""
        self._check_access()
        if key in self._items:
            self._used -= self._size(key)
            del self._items[key]
            self.writes.append(("remove", key))

    def keys(self) -> list[str]:
        """All keys of the origin."""
        self._check_access()
        return list(self._items)

    def clear(self) -> None:
        """Forget all keys, as the visitor who clears the site's data does: never refused."""
        for key in self._items:
            self.writes.append(("remove", key))
        self._items.clear()
        self._used = 0

    def _check_access(self) -> None:
        if self.rules.denied:
            raise StorageError("the browser denies access to its storage")

    def _refuses(self, key: str) -> bool:
        return self.rules.full or any(re.search(rule, key) for rule in self.rules.full_keys)

    def _size(self, key: str) -> int:
        return _units(key) + _units(self._items[key]) if key in self._items else 0


def _units(text: str) -> int:
    if text.isascii():
        return len(text)
    return len(text) + sum(ord(character) > 0xFFFF for character in text)
