"""A page with the tracker on it: calls in, messages and requests out.

>>> from tracker.testing import FakeSite
>>> site = FakeSite()
>>> _ = site.load()
>>> _ = site.post("track", "Signed up", {"plan": "gold"})
>>> site.settle()
>>> [body["event"] for body in site.sent]
['Signed up']
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tracker.bridge import Bridge
from tracker.plugin import Plugin
from tracker.testing.browser import FakeBrowser, FakeProfile

WRITE_KEY = "wk"
SETTINGS = "/projects/"


class FakeSite:
    """One page. `load` loads the tracker with options, other calls go by name.

    `plugins` are those in Python that the page has.
    """

    def __init__(
        self,
        browser: FakeBrowser | None = None,
        url: str = "https://www.site.example/",
        plugins: Sequence[Plugin] = (),
    ) -> None:
        self.browser = browser or FakeBrowser(url)
        self.messages: list[dict[str, Any]] = []
        tell = lambda text: self.messages.append(json.loads(text))  # noqa: E731
        self.bridge = Bridge(self.browser, tell, plugins=plugins)
        self._number = 0
        if not self.browser.network.exchanges:
            self.browser.network.route(lambda request: SETTINGS in request.url, 404)

    @classmethod
    def of(cls, profile: FakeProfile, url: str = "https://www.site.example/") -> FakeSite:
        """A page in a tab of a profile."""
        return cls(profile.open(url))

    def post(self, method: str, *args: Any, **more: Any) -> str:
        """Make a call and return its id; `more` are members of the call."""
        self._number += 1
        page = self.browser.page()
        facts = {"href": page.href, "title": page.title, "referrer": page.referrer}
        call = {
            "id": f"{id(self)}-{self._number}",
            "method": method,
            "args": list(args),
            "at": self.browser.now(),
            "page": {**facts, "canonical": page.canonical},
            **more,
        }
        self.bridge.post(json.dumps({"calls": [call]}))
        return str(call["id"])

    def call(self, method: str, *args: Any, **more: Any) -> dict[str, Any]:
        """Make a call and return the message that settled it."""
        id_ = self.post(method, *args, **more)
        return next(m for m in self.messages if m["type"] == "result" and m["id"] == id_)

    def load(self, **options: Any) -> dict[str, Any]:
        """Load the tracker."""
        return self.call("load", WRITE_KEY, options)

    def ask(self, method: str, *args: Any) -> Any:
        """Use a getter or setter."""
        answer = json.loads(self.bridge.ask(json.dumps({"method": method, "args": list(args)})))
        return answer["value"] if "value" in answer else answer["error"]

    def settle(self, ms: float = 1000) -> None:
        """Let time pass: timers fire, answers arrive."""
        self.browser.clock.advance(ms)

    def emitted(self, name: str) -> list[list[Any]]:
        """The arguments of each event of that name."""
        return [m["args"] for m in self.messages if m["type"] == "emit" and m["name"] == name]

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The bodies of all event requests, in order."""
        requests = self.browser.network.exchanges
        return [json.loads(each.request.body) for each in requests if each.request.body]

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that the page sees."""
        pairs = (pair.partition("=") for pair in self.browser.cookies().split("; ") if pair)
        return {name: value for name, _, value in pairs}

    @property
    def local(self) -> dict[str, str]:
        """The page's local storage."""
        storage = self.browser.local_storage
        return {key: storage.get(key) or "" for key in storage.keys()}

    @property
    def console(self) -> list[tuple[str, str]]:
        """What stands in the console."""
        return self.browser.console_messages
