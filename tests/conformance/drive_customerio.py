"""Driving the Customer.io cases: a visitor's browser as the case sets it up, its calls, and what
can be observed of them. Whether that is right is not decided here.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from tracker.browser import Request
from tracker.testing import (
    Cookie,
    FakeBrowser,
    FakeProfile,
    FakeStorage,
    Reply,
    StorageRules,
)

from .client import Client, Promise
from .values import Function, Json, Plugin, read

WRITE_KEY = "wk_test"
DEFAULT_URL = "https://www.site.example/"
DEFAULT_SETTINGS = {"integrations": {"Customer.io Data Pipelines": {"apiKey": WRITE_KEY}}}


def drive(case: Json) -> Json:
    """Run a case and return its observation."""
    visit = Visit(case.get("setup", {}))
    for index, (name, *args) in enumerate(case["calls"]):
        if name.startswith("@"):
            STEPS[name](visit, *args)
        else:
            visit.returns[str(index)] = visit.call(name, args)
    visit.page.clock.advance(case.get("settle", 1000))
    return visit.observe()


class Recorder:
    """The functions that a case names, and what they noted."""

    def __init__(self) -> None:
        self.callbacks: dict[str, list[list[Any]]] = {}
        self.log: list[str] = []
        self._functions: dict[str, Function] = {}

    def function(self, name: str) -> Function:
        """The recording callback of that name; the same one each time."""

        def record(*args: Any) -> None:
            self.callbacks.setdefault(name, []).append(list(args))

        return self._functions.setdefault(name, Function(record))

    def middleware(self, spec: Json) -> Function:
        """A source middleware function. Its answer says what it did with `next`."""

        def run(payload: Json, integrations: Any = None) -> Json:
            del integrations
            if "name" in spec:
                self.log.append(f"mw:{spec['name']}")
            event = edited(payload.get("obj", payload), spec.get("set", {}))
            return {"next": spec.get("next", "payload"), "obj": event}

        return Function(run)

    def run(self, args: list[Any], message: Json) -> Json | None:
        """Run what a message asks for: a function of the call, or a hook of a plugin."""
        if "plugin" in message:
            return self._run_hook(args[message["plugin"]], message["hook"], message["args"])
        function = next(value for value in args if isinstance(value, Function))
        return {"value": function.call(*message["args"])}

    def _run_hook(self, plugin: Plugin, hook: str, args: list[Any]) -> Json | None:
        if hook == "ready":
            hangs, error = "readyHang", plugin.spec.get("readyReject")
        else:
            self.log.append(f"{plugin.name}:{hook}")
            hangs, error = "loadHang", plugin.spec.get("loadThrow") if hook == "load" else None
        if hook in ("load", "ready"):
            if plugin.spec.get(hangs):
                return None
            return {"error": error if isinstance(error, str) else "Error"} if error else {}
        does = plugin.spec.get("hooks", {}).get(hook, {})
        if "throw" in does:
            return {"error": does["throw"]}
        if "cancel" in does:
            return {"cancel": does["cancel"]}
        return {"value": {"event": edited(args[0], does.get("set", {}))}}


class Visit:
    """One visitor, who looks at one page after the other in one tab."""

    def __init__(self, setup: Json) -> None:
        self.setup = setup
        self.returns: Json = {}
        self.recorder = Recorder()
        self.profile = FakeProfile()
        self.pages: list[FakeBrowser] = []
        self.clients: list[Client] = []
        self._fill_profile()
        page = self.profile.open(
            setup.get("url", DEFAULT_URL),
            referrer=setup.get("referrer", ""),
            title=setup.get("title", ""),
            canonical=setup.get("canonical", ""),
        )
        self._restrict()
        for key, text in setup.get("localStorage", {}).items():
            put(page.local_storage, key, text)
        self.enter(page)

    @property
    def page(self) -> FakeBrowser:
        """The page that is open."""
        return self.pages[-1]

    def enter(self, page: FakeBrowser) -> None:
        """Look at a page, which includes the snippet."""
        self.pages.append(page)
        self.clients.append(Client(page, len(self.pages), self.recorder.run))

    def call(self, name: str, args: list[Any]) -> Any:
        """Make a call of the page; what `load` is not given comes from the setup."""
        if name == "load":
            given = [WRITE_KEY, self.setup.get("options", {})]
            args = [*args, *given[len(args) :]]
        return self.clients[-1].call(name, [read(arg, self.recorder) for arg in args])

    def navigate(self, url: str | None = None) -> None:
        """Load a page in the same tab: another one, or the same again."""
        same_title = self.setup.get("title", "")
        self.enter(self.page.navigate(url, title=same_title) if url else self.page.reload())

    def observe(self) -> Json:
        """All that the vocabulary of the cases can speak of."""
        exchanges = self.profile.network.exchanges
        posts = [exchange for exchange in exchanges if exchange.request.method != "GET"]
        gets = [exchange.url for exchange in exchanges if exchange.request.method == "GET"]
        return {
            "returns": {index: seen(value) for index, value in self.returns.items()},
            "cookies": self._cookies(),
            "localStorage": self.page.local_storage.items,
            "requests": [request_facts(post.url, post.request) for post in posts],
            "settingsUrl": gets[0] if gets else None,
            "callbacks": self.recorder.callbacks,
            "log": self.recorder.log,
            "console": [list(line) for page in self.pages for line in page.console_messages],
            "loaded": self.clients[-1].loaded,
            "problems": [text for client in self.clients for text in client.rejections],
            "missing": [name for client in self.clients for name in client.missing],
        }

    def _fill_profile(self) -> None:
        url = self.setup.get("url", DEFAULT_URL)
        for name, cookie in self.setup.get("cookies", {}).items():
            facts = cookie if isinstance(cookie, dict) else {"value": cookie}
            text = f"{name}={facts['value']}; Path={facts.get('path', '/')}"
            text += f"; Domain={facts['domain']}" if facts.get("domain") else ""
            if not self.profile.jar.assign(url, text):
                raise ValueError(f"setup: the browser refuses the cookie {text!r} at {url}")

    def _restrict(self) -> None:
        setup, network = self.setup, self.profile.network
        network.online = not setup.get("offline", False)
        self.profile.jar.access = "disabled" if setup.get("cookiesDisabled") else "normal"
        self.profile.local_rules.denied = bool(setup.get("lsUnavailable"))
        self.profile.local_rules.full = bool(setup.get("lsFull"))
        self.profile.local_rules.full_keys = setup.get("lsFullKeys", ())
        network.answer(*setup.get("network", []), setup.get("networkDefault", "ok"))
        settings = json.dumps(setup.get("settings", DEFAULT_SETTINGS))
        status = setup.get("settingsStatus", 200)
        network.route(
            lambda request: request.method == "GET",
            Reply(status, settings if 200 <= status < 300 else "no settings"),
        )

    def _cookies(self) -> Json:
        """What the page sees, then what its host has at other paths."""
        if self.profile.jar.access != "normal":
            return {}
        host = self.page.url.partition("://")[2].partition("/")[0].partition(":")[0]
        of_host = [
            cookie
            for cookie in self.profile.jar
            if cookie.domain == host or (not cookie.host_only and host.endswith(cookie.domain))
        ]
        cookies: Json = {}
        for cookie in [*self.profile.jar.visible(self.page.url), *of_host]:
            cookies.setdefault(cookie.name, cookie_facts(cookie))
        return cookies


STEPS: dict[str, Any] = {
    "@wait": lambda visit, ms: visit.page.clock.advance(ms),
    "@navigate": Visit.navigate,
    "@pushState": lambda visit, url, title=None: visit.page.push_state(url, title),
    "@pagehide": lambda visit: visit.page.page_hide(),
    "@hidden": lambda visit: visit.page.hide(),
    "@visible": lambda visit: visit.page.show(),
    "@offline": lambda visit: visit.profile.go_offline(),
    "@online": lambda visit: visit.profile.go_online(),
    "@snippet": lambda visit: visit.clients[-1].include_snippet(),
    "@deleteCookie": lambda visit, name: visit.profile.jar.delete(name),
    "@setCookie": lambda visit, text: visit.page.set_cookie(text),
    "@clearLocalStorage": lambda visit: visit.page.local_storage.clear(),
    "@setLocalStorage": lambda visit, key, raw: put(visit.page.local_storage, key, raw),
    "@advanceDays": lambda visit, days: visit.page.clock.advance_days(days),
}


def put(storage: FakeStorage, key: str, text: str) -> None:
    """Store a text, whatever pages may not do."""
    rules, storage.rules = storage.rules, StorageRules()
    storage.set(key, text)
    storage.rules = rules


def edited(value: Any, changes: Json) -> Any:
    """A copy with members set; a path is written with dots."""
    result = copy.deepcopy(value)
    for path, new in changes.items():
        *parents, last = path.split(".")
        target = result
        for name in parents:
            target = target.setdefault(name, {})
        target[last] = new
    return result


def seen(value: Any) -> Any:
    """A returned value as cases write it."""
    return value.outcome if isinstance(value, Promise) else value


def cookie_facts(cookie: Cookie) -> Json:
    """A cookie as cases write it; `days` is the lifetime it was written with."""
    return {
        "value": cookie.value,
        "domain": cookie.domain,
        "hostOnly": cookie.host_only,
        "path": cookie.path,
        "sameSite": cookie.same_site or None,
        "secure": cookie.secure,
        "days": None if cookie.days is None else round(cookie.days, 3),
    }


def request_facts(url: str, request: Request) -> Json:
    """An event request as cases write it."""
    try:
        body = json.loads(request.body or "")
    except ValueError:
        body = request.body
    headers = {name.title(): value for name, value in request.headers.items()}
    facts = {"method": request.method, "url": url, "headers": headers, "body": body}
    return {**facts, "keepalive": True} if request.keepalive else facts
