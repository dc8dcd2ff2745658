"""Calls as the page made them, the order in which they run, and how they are answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tracker.browser import Browser, Page
from tracker.errors import TrackerError

Message = dict[str, Any]

# Early calls are replayed in call order, except that these come first (decision D9).
CREATING = ("load", "newTracker")
REPLAYED_FIRST = (
    *CREATING,
    "setOptOutCookie",
    "enableAnonymousTracking",
    "clearUserData",
    "addSourceMiddleware",
    "addDestinationMiddleware",
    "register",
    "setAnonymousId",
)


# Calls that the next page may make for one that went away; the others mean that page only, or need
# a function that is gone with it.
KEPT_METHODS = frozenset(
    [
        *["track", "page", "screen", "identify", "group", "alias", "reset"],
        *["setAnonymousId", "queryString"],
        *["user.id", "user.anonymousId", "user.traits", "user.logout", "user.reset"],
        *["group.id", "group.traits", "group.logout", "group.reset"],
        *["trackPageView", "trackStructEvent", "trackSelfDescribingEvent", "setUserId"],
    ]
)


# Of these, what a page may hand over although it was handled: those that do something once.
DONE_ONCE = KEPT_METHODS - {"setUserId"}


ENOUGH_DIGITS = 24
_BITS = (1 << 128) - 1
_SMALL_ODD = 1_000_003
_ODD = 0x9E3779B97F4A7C15F39CC0605CEDC835


@dataclass(frozen=True, slots=True)
class Call:
    """One API call as the page made it. `at` is ms since the epoch.

    `with_function` says whether a function was among the arguments (it stays in the page);
    `kept` marks a call that a former page could not hand over, `from_link` one that the page's
    address asked for. `to` names the Snowplow trackers it is for; without names it is for all.
    `again` marks a call that was answered and is made anew, because the runtime was lost; `spare`
    is the anonymous id to use if the call brings a new one about.
    """

    id: str
    method: str
    args: list[Any]
    at: int
    page: Page
    with_function: bool = False
    kept: bool = False
    from_link: bool = False
    to: tuple[str, ...] = ()
    again: bool = False
    spare: str = ""

    def event_id(self, browser: Browser, maker: str = "") -> str:
        """The UUID of the event that this call makes: the same, whoever handles the call (D5).

        Each `maker` gets another one.

        A page that went away before it heard that a call was done has the next page make it again,
        perhaps in another runtime. Ids of calls that are too short to be unlike all others make
        way for random ones.
        """
        if browser.golden is not None and browser.golden.names_ids:
            return browser.golden.event_id(self.id, maker)
        digits = "".join(filter(str.isdecimal, self.id))
        if len(digits) < ENOUGH_DIGITS:
            return browser.uuid()
        bits = int(digits) & _BITS
        for char in self.id + maker:
            if not char.isdecimal():
                bits = (bits * _SMALL_ODD + ord(char)) & _BITS
        for _ in range(2):  # spread what tells calls apart over all bits, so that ids look random
            bits = bits * _ODD & _BITS
            bits ^= bits >> 67
        text = f"{bits:032x}"
        variant = "89ab"[int(text[16], 16) & 3]
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"

    @property
    def first(self) -> Any:
        """The first argument, None if there is none."""
        return self.args[0] if self.args else None


def replay_order(calls: list[Call]) -> list[Call]:
    """Early calls in the order in which they run (decision D9).

    Calls of a link come before others of their kind: an explicit `setAnonymousId` beats the link.
    """

    def rank(call: Call) -> tuple[int, bool]:
        if call.kept:  # a former page's calls, before this page's own
            return 2 * REPLAYED_FIRST.index("setAnonymousId") - 1, False
        first = call.method in REPLAYED_FIRST
        place = REPLAYED_FIRST.index(call.method) if first else len(REPLAYED_FIRST)
        return 2 * place, not call.from_link

    return sorted(calls, key=rank)


class Answers:
    """What the core tells the page, one method for each message of `tracker.bridge`."""

    def __init__(self, browser: Browser, send: Callable[[Message], None]) -> None:
        self._browser = browser
        self._send = send

    def result(self, call: Call, value: Any = None) -> None:
        """Settle a call."""
        self._send({"type": "result", "id": call.id, "value": value})

    def reject(self, call: Call, error: TrackerError) -> None:
        """Settle a call with an error that has been reported."""
        self._send({"type": "result", "id": call.id, "error": error.to_json()})

    def fail(self, call: Call, error: Exception) -> None:
        """Report an error and settle its call with it."""
        if not isinstance(error, TrackerError):
            error = TrackerError(
                "Internal error",
                f"{call.method}: the tracker failed with {type(error).__name__}: {error}; tracking "
                "goes on. Please report it. See CONTRIBUTING.md",
            )
        self.report(error)
        self.reject(call, error)

    def callback(self, call: Call, *args: Any) -> None:
        """Run the function that came with a call, if one did."""
        if call.with_function:
            self._send({"type": "callback", "id": call.id, "args": list(args)})

    def run(self, number: int, call_id: str, args: list[Any], **where: Any) -> None:
        """Ask for the answer of a function of the page."""
        self._send({"type": "run", "id": number, "call": call_id, "args": args, **where})

    def emit(self, name: str, *args: Any) -> None:
        """Tell the listeners of an event."""
        self._send({"type": "emit", "name": name, "args": list(args)})

    def report(self, error: TrackerError) -> None:
        """One console error, and `on('error')`."""
        self._browser.console("error", f"cioanalytics: {error.detail}")
        self.emit("error", error.to_json())
