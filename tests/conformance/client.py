"""The page's side of the core: what the JavaScript loader does, for pages of a FakeBrowser.

`Client` is the global `cioanalytics` of one page. Before `load` it keeps calls; `load` hands all of
them over in one batch, and each later call at once. Functions stay here and run when the core says.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import tracker
from tracker.bridge import Bridge
from tracker.browser import StorageError
from tracker.testing import FakeBrowser

from .values import Function, Json, to_wire

CLIENT = "<cioanalytics>"
UNKNOWN_METHOD = "Unknown method"  # how the core refuses a call to a method that it does not have

# Answer with a promise.
METHODS = [
    "track",
    "page",
    "identify",
    "group",
    "alias",
    "screen",
    "reset",
    "ready",
    "register",
    "deregister",
    "addSourceMiddleware",
    "addDestinationMiddleware",
    "addIntegrationMiddleware",
    "timeout",
    "trackLink",
    "trackClick",
    "trackForm",
    "trackSubmit",
    "pageview",
    "queryString",
    "use",
    "newSession",
    "setOptOutCookie",
    "enableAnonymousTracking",
    "disableAnonymousTracking",
    "clearUserData",
    "setSessionCookieTimeout",
    "setVisitorCookieTimeout",
]

# Answer with the client itself.
CHAINED = ("on", "once", "off", "debug")

# Answer with a value, at once.
OBJECTS = ("user", "group")
MEMBERS = ("id", "anonymousId", "traits", "logout", "reset")
SYNCHRONOUS = (*(f"{thing}.{member}" for thing in OBJECTS for member in MEMBERS), "setAnonymousId")

_KEYS = {
    "user.id": "ajs_user_id",
    "user.anonymousId": "ajs_anonymous_id",
    "user.traits": "ajs_user_traits",
    "group.id": "ajs_group_id",
    "group.traits": "ajs_group_properties",
}

# Runs what a `run` message asks for, given the arguments of its call; None if it never answers.
Run = Callable[[list[Any], Json], Json | None]


class Promise:
    """What a call gives back; the core settles it later."""

    def __init__(self) -> None:
        self.outcome: Json = {"pending": True}


class Client:
    """`cioanalytics` of one page.

    `rejections` says which calls the core refused, `missing` which methods it does not have.
    """

    def __init__(self, browser: FakeBrowser, page_number: int, run: Run) -> None:
        self.loaded = False
        self.rejections: list[str] = []
        self.missing: list[str] = []
        self._browser = browser
        self._bridge = Bridge(browser, self._receive)
        self._page_number = page_number
        self._run = run
        self._handed_over = False
        self._kept: list[Json] = []
        self._calls: dict[str, tuple[str, list[Any], Promise]] = {}
        self._listeners: dict[str, list[tuple[Function, bool]]] = {}

    def call(self, name: str, args: list[Any]) -> Any:
        """Call a method of the global, or read a property, and return what page code gets."""
        if name == "VERSION":
            return tracker.__version__ if self.loaded else None
        if name == "load" and not self.loaded:
            return self._load(args)
        if name == "push":
            return self._push(args)
        if name in OBJECTS and not args:
            return f"<{name}>"
        if name in SYNCHRONOUS:
            return self._synchronous(name, args)
        if name in CHAINED:
            return self._chained(name, args)
        if name in METHODS:
            return self.forward(name, args)
        return {"threw": f"cioanalytics.{name} is not a function"}

    def forward(self, name: str, args: list[Any]) -> Promise:
        """Hand a call over to the core, or keep it until `load`."""
        promise, id_ = Promise(), f"p{self._page_number}c{len(self._calls) + 1}"
        self._calls[id_] = name, args, promise
        wire, position = to_wire(args)
        page = self._browser.page()
        call = {
            "id": id_,
            "method": name,
            "args": wire,
            "at": self._browser.now(),
            "page": {
                "href": page.href,
                "title": page.title,
                "referrer": page.referrer,
                "canonical": page.canonical,
            },
        }
        self._hand_over(call if position is None else {**call, "fn": position})
        return promise

    def ask(self, name: str, args: list[Any]) -> Any:
        """The core's answer to a getter or setter, None if it refuses."""
        answer = json.loads(
            self._bridge.ask(json.dumps({"method": name, "args": to_wire(args)[0]}))
        )
        if "error" in answer:
            self._note_rejection(name, answer["error"]["message"])
        return answer.get("value")

    def include_snippet(self) -> None:
        """Include the snippet once more."""
        if not self.loaded:
            self._browser.console("error", "Snippet included twice.")

    def _load(self, args: list[Any]) -> Promise:
        return self._create("load", args)

    def create_tracker(self, args: list[Any]) -> Promise:
        """Make a Snowplow tracker."""
        return self._create("newTracker", args)

    def _create(self, name: str, args: list[Any]) -> Promise:
        """Make a call after which the core takes over all others."""
        promise = self.forward(name, args)
        if not self._handed_over:
            self._handed_over = True
            kept, self._kept = self._kept, []
            self._post({"calls": kept})
        return promise

    def _push(self, args: list[Any]) -> Any:
        name, *rest = args[0] if args and args[0] else [None]
        if name in (*METHODS, *CHAINED, *SYNCHRONOUS, *OBJECTS):
            self.call(name, rest)
        return None

    def _synchronous(self, name: str, args: list[Any]) -> Any:
        if self._handed_over:
            return self.ask(name, args)
        if args or name not in _KEYS:
            return self.forward(name, args)
        return stored_identity(self._browser, name)

    def _chained(self, name: str, args: list[Any]) -> str:
        if name == "debug":
            self.forward(name, args)
            return CLIENT
        event, function = (*args, None, None)[:2]
        listeners = self._listeners.setdefault(event, [])
        if name == "off":
            self._listeners[event] = [entry for entry in listeners if entry[0] is not function]
        elif isinstance(function, Function):
            listeners.append((function, name == "once"))
        return CLIENT

    def _hand_over(self, call: Json) -> None:
        if self._handed_over:
            self._post({"calls": [call]})
        else:
            self._kept.append(call)

    def _post(self, message: Json) -> None:
        self._bridge.post(json.dumps(message))

    # What the core says

    def _receive(self, text: str) -> None:
        message = json.loads(text)
        _MESSAGES[message["type"]](self, message)

    def _settle(self, message: Json) -> None:
        name, _, promise = self._calls.get(message["id"], ("", [], Promise()))
        if "error" in message:
            promise.outcome = {"rejected": message["error"]["message"]}
            self._note_rejection(name, message["error"]["message"])
        else:
            promise.outcome = {"resolved": message.get("value")}
        self.loaded = self.loaded or name == "load"

    def _note_rejection(self, name: str, text: str) -> None:
        self.rejections.append(f"{name}: {text}")
        if text == UNKNOWN_METHOD:
            self.missing.append(name)

    def _call_back(self, message: Json) -> None:
        _, args, _ = self._calls[message["id"]]
        function = next(value for value in args if isinstance(value, Function))
        function.call(*message["args"])

    def _emit(self, message: Json) -> None:
        for entry in list(self._listeners.get(message["name"], [])):
            function, once = entry
            if once:
                self._listeners[message["name"]].remove(entry)
            function.call(*message["args"])

    def _run_later(self, message: Json) -> None:
        """Run a function of the page. Its answer arrives later, as from another thread."""
        self._browser.set_timer(0, lambda: self._answer(message))

    def _answer(self, message: Json) -> None:
        _, args, _ = self._calls.get(message["call"], ("", [], None))
        answer = self._run(args, message)
        if answer is not None:
            self._post({"answers": [{"id": message["id"], **answer}]})


_MESSAGES: dict[str, Callable[[Client, Json], None]] = {
    "result": Client._settle,
    "callback": Client._call_back,
    "emit": Client._emit,
    "run": Client._run_later,
}


def stored_identity(browser: FakeBrowser, name: str) -> Any:
    """What a getter answers before the core is there: storage as it stands, nothing written."""
    empty: Any = {} if name.endswith("traits") else None
    pairs = (pair.partition("=") for pair in browser.cookies().split("; "))
    cookies = {key: browser.decode_component(value) for key, _, value in pairs}
    text = None if name.endswith("traits") else cookies.get(_KEYS[name])
    try:
        text = text or browser.local_storage.get(_KEYS[name])
    except StorageError:
        return empty
    try:
        value = json.loads(text or "null")
    except ValueError:
        value = text
    if name.endswith("traits"):
        return value if isinstance(value, dict) else empty
    return (value if isinstance(value, str) else text) if value is not None else empty
