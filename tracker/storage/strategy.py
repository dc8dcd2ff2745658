"""`stateStorageStrategy`: which stores each kind of state may use (decision S1)."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.browser import Browser
from tracker.storage.cookies import CookieAttributes, CookieStore
from tracker.storage.stores import CookieTextStore, LocalStore, Store

# kind of state -> strategy -> stores in the order in which they win (decision I3)
TABLE: dict[str, dict[str, tuple[str, ...]]] = {
    "id": {
        "cookieAndLocalStorage": ("cookie", "localStorage"),
        "localStorage": ("localStorage",),
        "cookie": ("cookie",),
        "none": (),
    },
    "traits": {
        "cookieAndLocalStorage": ("localStorage",),
        "localStorage": ("localStorage",),
        "cookie": ("cookie",),
        "none": (),
    },
    "queue": {
        "cookieAndLocalStorage": ("localStorage",),
        "localStorage": ("localStorage",),
        "cookie": (),
        "none": (),
    },
}

STRATEGIES = tuple(TABLE["id"])


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores of one page, made once and handed out by kind of state."""

    cookies: CookieStore
    strategy: str
    by_name: dict[str, Store]

    @classmethod
    def open(cls, browser: Browser, attributes: CookieAttributes, strategy: str) -> Stores:
        """The stores that `strategy` allows on this page."""
        cookies = CookieStore(browser, attributes)
        by_name: dict[str, Store] = {
            "cookie": CookieTextStore(cookies),
            "localStorage": LocalStore(browser.local_storage),
        }
        return cls(cookies, strategy, by_name)

    def of(self, kind: str, *, without: str | None = None) -> list[Store]:
        """The stores for a kind of state (`id`, `traits`, `queue`), less one by name."""
        names = TABLE[kind][self.strategy]
        return [self.by_name[name] for name in names if name != without]
