"""What the visitor and the site owner allow: may we track, identify, and what may be kept where.

`PRECHECK` is also built into the loader, which asks the same questions before it downloads or
writes anything (decision S13); here they are asked again at every event.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tracker.browser import Browser
from tracker.settings import PrivacySettings
from tracker.storage.cookies import CookieStore
from tracker.storage.strategy import TABLE

# A signal refuses tracking when its option is on and its source holds a refusing value: the first
# source that holds anything counts. `default` names the option whose value counts while the option
# is not given. A source is an object of the page and a member of it, or a cookie named by the
# option itself.
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

# Early calls that count as options before anything is read or written (decision D9): the option,
# the member of the call's argument that holds its value ("": the argument), and what stands in for
# it.
_CALLS: dict[str, list[list[object]]] = {
    "setOptOutCookie": [["optOutCookie", ""]],
    "enableAnonymousTracking": [
        ["anonymousTracking", "options", True],
        ["stateStorageStrategy", "stateStorageStrategy"],
    ],
}

# Names of what is kept, apart from those that options give
_KEYS = "^(ajs_|cio(Calls|OutQueue|Testing)|snowplowOutQueue_)"

PRECHECK: dict[str, Any] = {
    "signals": _SIGNALS,
    "keep": _KEEP,
    "calls": _CALLS,
    "keys": _KEYS,
}


@dataclass(frozen=True, slots=True)
class Anonymity:
    """`anonymousTracking`: whether it is on, keeps sessions, and hides the visitor's address."""

    on: bool = False
    session: bool = False
    server: bool = False

    @classmethod
    def of(cls, option: Any) -> Anonymity:
        """Anonymity as the option says: true, false, or an object (`{}` is on)."""
        if not isinstance(option, dict):
            return cls(bool(option))
        return cls(
            True,
            option.get("withSessionTracking") is True,
            option.get("withServerAnonymisation") is True,
        )


class Privacy:
    """The one place that decides privacy. Asked before the first write and at every event."""

    def __init__(self, browser: Browser, settings: PrivacySettings) -> None:
        self.strategy = settings.strategy
        self.anonymity = Anonymity.of(settings.anonymous)
        self.opt_out_cookie: str | None = settings.signals.get("optOutCookie")
        self._browser = browser
        self._signals = settings.signals
        self._cookies = CookieStore(browser)

    def refused_by(self) -> str | None:
        """The option through which the visitor refuses to be tracked, None if he does not."""
        for signal in _SIGNALS:
            option = str(signal["option"])
            value = self._value(option)
            if value is None and "default" in signal:
                value = self._value(str(signal["default"]))
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
        return not self.anonymity.on

    @property
    def may_follow(self) -> bool:
        """Whether the events of a session may be told to belong together (decision S4)."""
        return not self.anonymity.on or self.anonymity.session

    @property
    def may_keep_session(self) -> bool:
        """Whether a session may be begun or gone on with now."""
        return self.may_follow and self.may_track

    @property
    def may_tell(self) -> bool:
        """Whether the site and its links may be told who the visitor is."""
        return self.may_identify and self.may_track

    @property
    def may_mark_tab(self) -> bool:
        """Whether the tab may have an id: under `none` nothing is kept (decision S15)."""
        return self.may_tell and self.strategy != "none"

    @property
    def may_receive_cookies(self) -> bool:
        """Whether answers may set cookies: not where nothing at all may be kept (decision S15).

        A collector that is asked for anonymity sets none.
        """
        return self.anonymity.server or bool(self.places("session"))

    def places(self, kind: str) -> tuple[str, ...]:
        """The stores that a kind of state may use now, in the order in which they win.

        Kinds are the rows of `TABLE` (decisions S1, S4 to S6, S15).
        """
        identifies = kind not in ("session", "queue")
        allowed = self.may_identify if identifies else self.may_follow
        return TABLE[kind][self.strategy] if allowed else ()

    def _value(self, option: str) -> Any:
        return self.opt_out_cookie if option == "optOutCookie" else self._signals.get(option)

    def _refuses(self, signal: dict[str, object], option_value: object) -> bool:
        sources = signal["sources"]
        assert isinstance(sources, list)
        for place, member in sources:
            if place == "cookie":
                return self._cookies.get(str(option_value)) is not None
            read = self._browser.navigator if place == "navigator" else self._browser.window
            value = read(member)
            if value:
                text = "true" if value is True else str(value)
                return text in signal["refuse"]  # type: ignore[operator]
        return False
