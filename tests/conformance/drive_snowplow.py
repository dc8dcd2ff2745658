"""Driving the Snowplow cases: a page with one tracker as the case sets it up, its calls, and what
can be observed of them. Whether that is right is not decided here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from tracker.testing import Exchange, FakeBrowser, FakeProfile

from .client import Client, Promise
from .page_watch import ActivityWatch
from .values import Json

NAMESPACE = "sp"
ENDPOINT = "collector.acme.test"
COOKIES_OF = "https://www.acme.test/"
END_MS = 120  # what was sent is taken out of storage by then

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PLUGINS = {"@filter_pv": "filter", "@context": "contexts"}
_NAVIGATOR = {"cookieEnabled": True, "language": "en-GB", "onLine": True}
_WINDOW = {"innerWidth": 1200, "innerHeight": 800}
_SCREEN = {"width": 1920.0, "height": 1080.0, "colorDepth": 24.0}
_ENTITY = {"schema": "iglu:test.acme/plug/jsonschema/1-0-0", "data": {"p": 1}}
_OUTCOMES = {"network-error": "fail", "hang": "hang", "defer": "defer"}


def drive(case: Json) -> Json:
    """Run a case and return its observation."""
    visit = Visit(case.get("setup", {}))
    for name, *args in case["calls"]:
        if name.startswith("@"):
            STEPS[name](visit, *args)
        else:
            visit.call(name, args)
        visit.profile.clock.run_pending()
    visit.profile.clock.advance(END_MS)
    return visit.observe()


class Functions:
    """The functions of options: told to the core by name, run when it asks."""

    def __init__(self) -> None:
        self.callbacks: list[Json] = []

    def marked(self, value: Any, key: str = "") -> Any:
        """Options in which each function is `{"$fn": name}`, a plugin an object of functions."""
        if isinstance(value, list):
            return [self.marked(item, key) for item in value]
        if isinstance(value, dict):
            return {name: self.marked(item, name) for name, item in value.items()}
        if value in ("@record", "@all"):
            return {"$fn": key}
        if isinstance(value, str) and value in _PLUGINS:
            return {_PLUGINS[value]: {"$fn": value[1:]}}
        return value

    def run(self, args: list[Any], message: Json) -> Json:
        """Run what a message asks for, by the name in the options."""
        del args
        return {"value": self._run(message["fn"], message["args"])}

    def _run(self, name: str, args: list[Any]) -> Any:
        if name == "filter_pv":
            return args[0].get("e") != "pv"
        if name == "context":
            return [_ENTITY]
        self.callbacks.append({"name": name, "args": args})
        return None


class Visit:
    """One visitor on one page; all calls go to the page's client by name."""

    def __init__(self, setup: Json) -> None:
        self.setup = setup
        self.returns: list[Any] = []
        self.snapshots: list[Json] = []
        self.functions = Functions()
        self.unmet: list[str] = []
        self.links: list[Json] = [dict(link) for link in setup.get("links", [])]
        self.document_listeners: dict[str, list[Callable[[Json], None]]] = {}
        self.profile = FakeProfile(
            now=setup["now_ms"],
            navigator={**_NAVIGATOR, **setup.get("navigator", {})},
            window={**_WINDOW, **setup.get("window", {})},
            screen={**_SCREEN, "density": setup.get("window", {}).get("devicePixelRatio", 1)},
        )
        for name, value in setup.get("cookies", {}).items():
            self.profile.jar.assign(COOKIES_OF, f"{name}={value}; Path=/; Domain=acme.test")
        self.profile.jar.assignments.clear()
        self.profile.jar.access = "blocked" if setup.get("cookiesBlocked") else "normal"
        self.script_collector(setup.get("collector", 200))
        self.page: FakeBrowser = self.profile.open(
            setup["url"], referrer=setup.get("referrer", ""), title=setup.get("title", "Home")
        )
        self.page.written_address = setup["url"]  # as it stands in the case
        for key, text in setup.get("localStorage", {}).items():
            self.page.local_storage.set(key, text)
        self.clients: list[Client] = []
        self.created: list[Promise] = []
        self.create_tracker()

    def create_tracker(self) -> None:
        """Load the client of the page, with the tracker of the case."""
        self.watches: dict[str, ActivityWatch] = {}
        self.client = Client(self.page, len(self.clients) + 1, self.run)
        self.clients.append(self.client)
        options = self.functions.marked(self.setup.get("options", {}))
        self.created.append(self.client.create_tracker([NAMESPACE, ENDPOINT, options]))
        self.profile.clock.run_pending()

    def call(self, name: str, args: list[Any]) -> None:
        """Make a call; what getters answer is noted."""
        args = [self.functions.marked(arg, name) for arg in args]
        if name.startswith("get"):
            self.returns.append(self.client.ask(name, args))
        elif name == "newTracker":
            self.created.append(self.client.forward(name, args))
        else:
            self.client.forward(name, args)

    def run(self, args: list[Any], message: Json) -> Json:
        """Run what the core asks for: a function of the site, or code that watches the page."""
        if message.get("job") == "links":
            name = message["tracker"]
            self.listen("click", lambda event: self.decorate(event, name))
            return {}
        if message.get("job") == "activity":
            name = message["tracker"]
            if name not in self.watches:
                self.watches[name] = ActivityWatch(self.listen, self.page.now, self.scrolled)
            return {"value": self.watches[name].read()}
        return self.functions.run(args, message)

    def listen(self, type_: str, listener: Callable[[Json], None]) -> None:
        """Listen to an event of the document."""
        self.document_listeners.setdefault(type_, []).append(listener)

    def decorate(self, event: Json, tracker: str) -> None:
        """Give a clicked link the address that a tracker says."""
        link = event["target"]
        args = [link["href"], link.get("text", "")]
        link["href"] = self.client.ask(f"getDecoratedLink:{tracker}", args)

    def scrolled(self) -> tuple[float, float]:
        """How far the page is scrolled."""
        window = self.profile.window
        return window.get("pageXOffset", 0), window.get("pageYOffset", 0)

    def script_collector(self, behaviour: Any) -> None:
        """How the collector answers from now on."""
        outcomes = [*behaviour, 200] if isinstance(behaviour, list) else [behaviour]
        self.profile.network.answer(*map(_outcome, outcomes))

    def release(self, status: Any) -> None:
        """Answer the oldest deferred request."""
        try:
            self.profile.network.release(_outcome(status))
        except LookupError:
            self.unmet.append("@release: no request waits for an answer")

    def reload(self) -> None:
        """Load the page again, and its tracker."""
        self.page = self.page.reload()
        self.document_listeners.clear()
        self.create_tracker()

    def dispatch(self, type_: str, properties: Json | None = None) -> None:
        """Let an event happen on the document."""
        event = {"type": type_, **(properties or {})}
        for listener in list(self.document_listeners.get(type_, [])):
            listener(event)

    def scroll(self, x: float, y: float) -> None:
        """Scroll the page."""
        self.profile.window.update(pageXOffset=x, pageYOffset=y, scrollX=x, scrollY=y)
        self.dispatch("scroll")

    def click_link(self, index: int) -> None:
        """Click a link of the document and note where it leads."""
        self.dispatch("click", {"target": self.links[index]})
        self.returns.append(self.links[index]["href"])

    def look_away(self) -> None:
        """Hide the tab and come back."""
        self.page.hide()
        self.page.show()

    def snapshot(self) -> None:
        """Note which cookies and local storage keys there are."""
        self.snapshots.append(
            {"cookies": list(self._cookies()), "ls": list(self.page.local_storage.items)}
        )

    def observe(self) -> Json:
        """All that the vocabulary of the cases can speak of."""
        failed = [promise.outcome.get("rejected") for promise in self.created]
        assignments = [entry for entry in self.profile.jar.assignments if not entry.probe]
        return {
            "requests": [exchange_facts(one) for one in self.profile.network.exchanges],
            "cookies": self._cookies(),
            "set_cookie_strings": [entry.text for entry in assignments],
            "localStorage": self.page.local_storage.items,
            "returns": self.returns,
            "snapshots": self.snapshots,
            "callbacks": self.functions.callbacks,
            "throws": next((text for text in failed if text), None),
            "given": _UUID.findall(json.dumps(self.setup)),
            "console": [list(line) for line in self.page.console_messages],
            "problems": [text for one in self.clients for text in one.rejections] + self.unmet,
            "missing": [name for one in self.clients for name in one.missing],
        }

    def _cookies(self) -> Json:
        if self.profile.jar.access != "normal":
            return {}
        cookies: Json = {}
        for cookie in self.profile.jar.visible(self.page.url):
            value = self.page.decode_component(cookie.value)
            facts = {
                "value": cookie.value if value is None else value,
                "domain": None if cookie.host_only else cookie.domain,
                "path": cookie.path,
                "samesite": cookie.same_site or None,
                "secure": cookie.secure,
                "expires_ms": cookie.expires_ms,
            }
            cookies.setdefault(cookie.name, facts)
        return cookies


STEPS: dict[str, Any] = {
    "@advance_ms": lambda visit, ms: visit.profile.clock.advance(ms),
    "@collector": Visit.script_collector,
    "@release": Visit.release,
    "@navigate": lambda visit, url: visit.page.push_state(url),
    "@reload": Visit.reload,
    "@title": lambda visit, title: setattr(visit.page, "title", title),
    "@set_cookie": lambda visit, text: visit.page.set_cookie(text),
    "@dom": Visit.dispatch,
    "@scroll": Visit.scroll,
    "@hidden": Visit.look_away,
    "@click_link": Visit.click_link,
    "@snapshot": Visit.snapshot,
}


def exchange_facts(exchange: Exchange) -> Json:
    """A request as cases write it."""
    request = exchange.request
    return {
        "method": request.method,
        "url": exchange.url,
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "credentials": request.credentials or "same-origin",
        "keepalive": request.keepalive,
        "body": request.body,
        "time_ms": exchange.sent_at_ms,
        "aborted": exchange.outcome == "timeout",
    }


def _outcome(behaviour: Any) -> Any:
    return _OUTCOMES.get(behaviour, behaviour) if isinstance(behaviour, str) else behaviour
