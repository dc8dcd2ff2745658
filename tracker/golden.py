"""The same ids and times in each run of a test: option `testing` of `load`.

Only for pages of this machine, so that no visitor gets them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Protocol

PAGES = "cioTesting"
LOCAL = re.compile(r"localhost|(.+\.)?localhost|127(\.\d+){3}|\[::1\]")


class Pages(Protocol):
    """Where the pages of a visit are counted."""

    def get(self, key: str) -> str | None:
        """What is stored under a key."""

    def set(self, key: str, text: str) -> bool:
        """Store a text."""


class Golden:
    """What ids and times are made of. `now` is ms since the epoch, None for the real time.

    Pages are counted in a store, so that the pages of a visit have different ids, and a call has
    the same one when another page makes it again.
    """

    def __init__(self, seed: str | float | None, now: int | None, stores: Sequence[Pages]) -> None:
        self.now = now
        self._seed = seed
        self._stores = stores
        self._pages: list[str] = []
        self._page = 0
        self._ids = 0

    @property
    def names_ids(self) -> bool:
        """Whether ids are made of a seed."""
        return self._seed is not None

    def begin(self, call_id: str) -> None:
        """The page that made this call is the one that ids are for."""
        self._page = self._number(call_id)

    def uuid(self) -> str:
        """The next id of this page."""
        self._ids += 1
        return self._made(f"{self._page}:{self._ids}")

    def event_id(self, call_id: str, maker: str) -> str:
        """The id of the event that a call makes."""
        return self._made(f"{self._number(call_id)}-{call_id.partition('-')[2]}:{maker}")

    def _number(self, call_id: str) -> int:
        page = call_id.partition("-")[0]
        store = self._stores[0] if self._stores else None
        text = store.get(PAGES) if store else None
        pages = text.split(" ") if text else self._pages
        if page not in pages:
            pages = self._pages = [*pages, page]
            if store is not None:
                store.set(PAGES, " ".join(pages))
        return pages.index(page)

    def _made(self, purpose: str) -> str:
        return derived_uuid(f"{self._seed}:{purpose}")


def is_local(hostname: str) -> bool:
    """Whether pages of a host come from this machine."""
    return LOCAL.fullmatch(hostname) is not None


def derived_uuid(salt: str, purpose: str = "") -> str:
    """A UUID that stands for a salt, from which the salt cannot be told (decision S4)."""
    digest = bytearray(hashlib.sha256((purpose + salt).encode()).digest()[:16])
    digest[6], digest[8] = digest[6] & 0x0F | 0x40, digest[8] & 0x3F | 0x80
    digits = digest.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
