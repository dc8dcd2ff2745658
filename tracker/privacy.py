"""What the visitor and the site owner allow: may we track, keep, identify.

`PRECHECK` is also built into the loader, which asks the same questions before it downloads or
writes anything (decision S13); here they are asked again at every event.
"""

from __future__ import annotations

from typing import Any

from tracker.browser import Browser
from tracker.settings import Settings
from tracker.storage.cookies import CookieStore
from tracker.storage.strategy import TABLE

# A signal refuses tracking when its option is on and one of its sources holds a refusing value.
# `default` names the option whose value counts while the option is not given. A source is an object
# of the page and a member of it, or a cookie named by the option itself.
_SIGNALS: list[dict[str, object]] = [
    {
        "option": "respectDoNotTrack",
        "sources": [
            ["navigator", "doNotTrack"],
            ["navigator", "msDoNotTrack"],
            ["window", "doNotTrack"],
        ],
        "refuse": ["1", "yes"],
    },
    {
        "option": "respectGlobalPrivacyControl",
        "default": "respectDoNotTrack",
        "sources": [["navigator", "globalPrivacyControl"]],
        "refuse": ["true", "1"],
    },
    {"option": "optOutCookie", "sources": [["cookie", ""]]},
]

# Calls may be kept in the browser before the core has run only where each of these options has one
# of its values, or is not given (decisions S13, S15).
_KEEP: list[list[object]] = [
    ["anonymousTracking", [False]],
    ["disableClientPersistence", [False]],
    ["stateStorageStrategy", [name for name, stores in TABLE["queue"].items() if stores]],
]

PRECHECK: dict[str, Any] = {"signals": _SIGNALS, "keep": _KEEP}


class Privacy:
    """The one place that decides privacy. Asked before the first write and at every event."""

    def __init__(self, browser: Browser, settings: Settings) -> None:
        self._browser = browser
        self._settings = settings
        self._cookies = CookieStore(browser, settings.cookie)

    def refused_by(self) -> str | None:
        """The option through which the visitor refuses to be tracked, None if he does not."""
        for signal in _SIGNALS:
            option = str(signal["option"])
            value = self._settings.privacy.get(option)
            if value is None and "default" in signal:
                value = self._settings.privacy.get(str(signal["default"]))
            if value and self._refuses(signal, value):
                return option
        return None

    @property
    def may_track(self) -> bool:
        """Whether events may be made and sent."""
        return self.refused_by() is None

    @property
    def may_identify(self) -> bool:
        """Whether ids and traits may be read, kept and sent (decision S5)."""
        return not self._settings.anonymous

    def _refuses(self, signal: dict[str, object], option_value: object) -> bool:
        sources = signal["sources"]
        assert isinstance(sources, list)
        for place, member in sources:
            if place == "cookie":
                return self._cookies.get(str(option_value)) is not None
            read = self._browser.navigator if place == "navigator" else self._browser.window
            value = read(member)
            text = "true" if value is True else value if isinstance(value, str) else ""
            if text and text in signal["refuse"]:  # type: ignore[operator]
                return True
        return False
