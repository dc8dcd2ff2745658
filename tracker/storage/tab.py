"""The id of a browser tab, kept in session storage."""

from __future__ import annotations

from tracker.browser import Browser, StorageError

TAB_KEY = "_sp_tab_id"


def tab_id(browser: Browser) -> str | None:
    """The id of the tab, made and kept in session storage if there is none."""
    storage = browser.session_storage
    try:
        known = storage.get(TAB_KEY)
        if known is None:
            known = browser.uuid()
            storage.set(TAB_KEY, known)
        return known
    except StorageError:
        return None


def forget_tab(browser: Browser) -> None:
    """Forget the tab's id."""
    try:
        browser.session_storage.remove(TAB_KEY)
    except StorageError:
        return
