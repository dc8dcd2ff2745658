"""The places a value can be kept in, all with the same three methods.

Ids are text everywhere: bare in a cookie, a JSON text in local storage (the form the incumbent
writes). Traits are a JSON object in both.
"""

from __future__ import annotations

import json
from typing import Any, Protocol

from tracker.browser import Storage, StorageError
from tracker.storage.cookies import CookieStore
from tracker.text import from_json, to_json


class Store(Protocol):
    """One place for values under keys. A place that refuses answers None or False, never raises."""

    def get(self, key: str) -> str | None:
        """The text as it is kept, None if absent."""

    def set(self, key: str, text: str) -> bool:
        """Keep a text. Returns whether it is kept; after False an older text may still be there."""

    def remove(self, key: str) -> None:
        """Forget the key."""

    def keys(self) -> list[str]:
        """The keys of all values that this place can list."""

    def id_text(self, value: str) -> str:
        """The form in which this place keeps an id."""


class LocalStore:
    """A `Storage` of the browser with every access guarded."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def get(self, key: str) -> str | None:
        """The text under `key`, None if absent or denied."""
        try:
            return self._storage.get(key)
        except StorageError:
            return None

    def set(self, key: str, text: str) -> bool:
        """Keep a text."""
        try:
            self._storage.set(key, text)
        except StorageError:
            return False
        return True

    def remove(self, key: str) -> None:
        """Forget the key."""
        try:
            self._storage.remove(key)
        except StorageError:
            return

    def keys(self) -> list[str]:
        """All keys of the origin, none if they are denied."""
        try:
            return self._storage.keys()
        except StorageError:
            return []

    def id_text(self, value: str) -> str:
        """A JSON text, as the incumbent writes it."""
        return to_json(value)


class CookieTextStore:
    """Cookies as a `Store`."""

    def __init__(self, cookies: CookieStore) -> None:
        self._cookies = cookies

    def get(self, key: str) -> str | None:
        """The decoded value of the cookie."""
        return self._cookies.get(key)

    def set(self, key: str, text: str) -> bool:
        """Write the cookie."""
        return self._cookies.set(key, text)

    def remove(self, key: str) -> None:
        """Delete every copy of the cookie."""
        self._cookies.remove_everywhere(key)

    def keys(self) -> list[str]:
        """None: a page cannot tell whose cookies it sees."""
        return []

    def id_text(self, value: str) -> str:
        """Bare (decision I2), or as JSON where a bare text would be read as something else."""
        return value if id_from_text(value) == value else to_json(value)


def id_from_text(text: str | None) -> str | None:
    """The id that a stored text means.

    Bare and JSON-quoted texts are read, numbers stay the digits they are (decisions I2, I10); the
    text `null` is an absent value (I14).
    """
    if not text or text in ("null", "undefined"):
        return None
    if text[0] in "{[":
        return None  # no id of ours: a cookie of something else, or a damaged one
    if text[0] == '"':
        try:
            unquoted = json.loads(text)
        except ValueError:
            return text
        return unquoted if isinstance(unquoted, str) and unquoted else None
    return text


def traits_from_text(text: str | None) -> dict[str, Any] | None:
    """The traits that a stored text means, None if it is no JSON object."""
    value = from_json(text)
    return value if isinstance(value, dict) else None
