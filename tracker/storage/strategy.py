"""`stateStorageStrategy`: which stores each kind of state may use (decision S1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, overload

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
    # with `storage: {traits: 'cookie'}`
    "cookieTraits": {
        "cookieAndLocalStorage": ("cookie",),
        "localStorage": ("localStorage",),
        "cookie": ("cookie",),
        "none": (),
    },
    # the second store only where the first does not keep what it is given
    "session": {
        "cookieAndLocalStorage": ("cookie", "localStorage"),
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


class Places(Sequence[Store]):
    """The stores that a kind of state may use at this moment."""

    def __init__(self, choose: Callable[[], list[Store]]) -> None:
        self._choose = choose

    def __len__(self) -> int:
        return len(self._choose())

    @overload
    def __getitem__(self, index: int) -> Store: ...
    @overload
    def __getitem__(self, index: slice) -> list[Store]: ...
    def __getitem__(self, index: Any) -> Any:
        return self._choose()[index]


class Stores:
    """The stores of one page, made once and handed out by kind of state.

    `places` answers the names that a kind may use at this moment; privacy changes them.
    """

    def __init__(
        self,
        browser: Browser,
        attributes: CookieAttributes,
        places: Callable[[str], Sequence[str]],
    ) -> None:
        self.cookies = CookieStore(browser, attributes)
        self.by_name: dict[str, Store] = {
            "cookie": CookieTextStore(self.cookies),
            "localStorage": LocalStore(browser.local_storage),
        }
        self._places = places

    def of(self, kind: str | None, *, without: str | None = None) -> Places:
        """The stores for a kind of state (a row of `TABLE`), less one by name; None: no store."""

        def choose() -> list[Store]:
            names = self._places(kind) if kind is not None else ()
            return [self.by_name[name] for name in names if name != without]

        return Places(choose)
