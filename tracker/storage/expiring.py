"""Values that end: session state in cookies, else in local storage (decision S1).

Local storage keeps the time a value ends under `<name>.expires`, as the Snowplow tracker does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from tracker.browser import Browser, StorageError
from tracker.storage.cookies import DAY_MS, CookieAttributes, CookieStore
from tracker.storage.domain import PROBE_NAME
from tracker.storage.stores import LocalStore

_NUMBER = re.compile(r"\d+(\.\d*)?", re.ASCII)  # ms since the epoch

# Local storage does not know when a browser is closed: what would end then ends after this time.
BROWSER_SESSION_S = 1800


class Place(Protocol):
    """A store whose values expire."""

    def read(self, name: str) -> str | None:
        """The value, None if absent or expired."""

    def write(self, name: str, text: str, lifetime_s: float) -> bool:
        """Keep a value. Returns whether it is kept."""

    def remove(self, name: str) -> None:
        """Forget a value."""


class CookiePlace:
    """Cookies; a lifetime of 0 is that of the browser's session (decision S7)."""

    def __init__(self, cookies: CookieStore) -> None:
        self.cookies = cookies

    def read(self, name: str) -> str | None:
        """The decoded value."""
        return self.cookies.get(name)

    def write(self, name: str, text: str, lifetime_s: float) -> bool:
        """Write the cookie."""
        days = lifetime_s * 1000 / DAY_MS if lifetime_s else None
        return self.cookies.set(name, text, replace(self.cookies.attributes, days=days))

    def remove(self, name: str) -> None:
        """Delete every copy."""
        self.cookies.remove_everywhere(name)


class LocalPlace:
    """Local storage, with the time a value ends (ms since the epoch) under `<name>.expires`."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._store = LocalStore(browser.local_storage)

    def read(self, name: str) -> str | None:
        """The value; an expired one is removed."""
        expires = self._store.get(name + ".expires")
        if expires is not None and not self._is_to_come(expires):
            self.remove(name)
            return None
        return self._store.get(name) or None

    def _is_to_come(self, time: str) -> bool:
        return bool(_NUMBER.fullmatch(time)) and float(time) > self._browser.now()

    def write(self, name: str, text: str, lifetime_s: float) -> bool:
        """Keep a value, its end first."""
        end = self._browser.now() + int((lifetime_s or BROWSER_SESSION_S) * 1000)
        return self._store.set(name + ".expires", str(end)) and self._store.set(name, text)

    def remove(self, name: str) -> None:
        """Forget value and end."""
        self._store.remove(name)
        self._store.remove(name + ".expires")


class SessionStore:
    """Where session state is kept at the moment: cookies, else local storage (decision S1)."""

    def __init__(
        self, browser: Browser, attributes: CookieAttributes, places: Callable[[], tuple[str, ...]]
    ) -> None:
        self._browser = browser
        self._places = places
        self._cookies = CookiePlace(CookieStore(browser, attributes))
        self._by_name: dict[str, Place] = {
            "cookie": self._cookies,
            "localStorage": LocalPlace(browser),
        }
        self._cookies_work = True

    @property
    def attributes(self) -> CookieAttributes:
        """The attributes of the cookies."""
        return self._cookies.cookies.attributes

    def use(self, **attributes: Any) -> None:
        """Write cookies with these attributes from now on."""
        self._cookies.cookies.attributes = replace(self.attributes, **attributes)

    def cookie(self, name: str) -> str | None:
        """The value of any cookie of the page."""
        return self._cookies.read(name)

    @property
    def mechanism(self) -> str:
        """What the session entity calls the store in use."""
        return "LOCAL_STORAGE" if self._used()[:1] == ["localStorage"] else "COOKIE_1"

    async def look(self, names: tuple[str, ...]) -> None:
        """Find out whether cookies work, where only local storage holds something of `names`."""
        if len(self._used()) < 2 or any(self._cookies.read(name) for name in names):
            return
        if any(self._by_name["localStorage"].read(name) for name in names):
            attributes = self._cookies.cookies.attribute_text(replace(self.attributes, days=None))
            self._cookies_work = await self._browser.try_cookie(PROBE_NAME, attributes)

    def read(self, name: str) -> str | None:
        """The value in the store that counts, None without one."""
        used = self._used()
        return self._by_name[used[0]].read(name) if used else None

    def write(self, name: str, text: str, lifetime_s: float) -> bool:
        """Keep a value in the first store that takes it. Returns whether one did."""
        for place in self._used():
            if self._by_name[place].write(name, text, lifetime_s):
                return True
            if place == "cookie":
                self._cookies_work = False
        return False

    def remove(self, name: str, *, but: tuple[str, ...] = ()) -> None:
        """Forget a value everywhere, `but` in these stores."""
        for place_name, place in self._by_name.items():
            if place_name not in but:
                place.remove(name)

    def remove_like(self, pattern: re.Pattern[str]) -> None:
        """Forget all values whose names match."""
        try:
            keys = self._browser.local_storage.keys()
        except StorageError:
            keys = []
        for name in filter(pattern.fullmatch, [*self._cookies.cookies.names(), *keys]):
            self.remove(name)

    def _used(self) -> list[str]:
        places = list(self._places())
        if len(places) > 1 and not self._cookies_work:
            places.remove("cookie")
        return places
