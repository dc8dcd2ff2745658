"""How a page includes each of the two trackers; both end up as `tracker` with the same methods."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.browser.conftest import Tab, snippet

Json = dict[str, Any]

DESTINATION = "Customer.io Data Pipelines"


@dataclass(frozen=True)
class Peer:
    """A tracker: its markup for an origin and options, and the promise that it has started."""

    name: str
    markup: Callable[[str, Json], str]
    started: str


def _incumbent(origin: str, options: Json) -> str:
    """The tracker to replace, told to send to the same collector."""
    host = origin.partition("//")[2]
    destination = {"apiKey": "wk", "apiHost": f"{host}/v1", "protocol": "http"}
    settings = {
        "writeKey": "wk",
        "cdnSettings": {"integrations": {DESTINATION: destination}},
    }
    arguments = f"{json.dumps(settings)}, {json.dumps(options)}"
    return (
        '<script src="/peers/incumbent.js"></script>'
        f"<script>loading = incumbent.AnalyticsBrowser.load({arguments})</script>"
    )


def _attributes(_: str, options: Json) -> str:
    """Our tracker in the attribute form, without the page view that comes with it."""
    escaped = html.escape(json.dumps({"apiHost": "/v1", **options}))
    return (
        '<script src="/tracker/loader.js" data-write-key="wk" data-initial-pageview="false" '
        f'data-options="{escaped}"></script>'
    )


def _snippet(_: str, options: Json) -> str:
    """Our tracker as the pasted snippet."""
    return snippet(options=json.dumps({"apiHost": "/v1", **options}))


THEIRS = Peer("theirs", _incumbent, "loading.then(([analytics]) => (tracker = analytics))")
OURS = Peer("ours", _attributes, "(tracker = cioanalytics).ready()")
PASTED = Peer("ours, pasted", _snippet, OURS.started)


# What a page reads of the identity in its storage.
HELD = """() => [
    document.cookie.split('; ').sort(),
    Object.entries(localStorage).filter(([key]) => /^(ajs_[agu]|crm)/.test(key)).sort(),
]"""


@dataclass
class Visit:
    """A page of a visitor, with one of the trackers running in it."""

    tab: Tab

    def run(self, statements: str) -> Any:
        """Run statements that use `tracker`; give what they return."""
        return self.tab.run(f"async () => {{ {statements} }}")

    def identity(self) -> Json:
        """Everything that the tracker says about the visitor."""
        answer: Json = self.run(
            """return {
                user: tracker.user().id(),
                anonymous: tracker.user().anonymousId(),
                group: tracker.group().id(),
                traits: tracker.user().traits(),
                groupTraits: tracker.group().traits(),
            }"""
        )
        return answer

    def become(self, who: Json) -> None:
        """Make the visitor somebody else, in the order that leaves this very anonymous id."""
        self.run(
            f"""const who = {json.dumps(who)};
            await tracker.reset();
            await tracker.identify(who.user, who.traits);
            await tracker.group(who.group, who.groupTraits);
            await tracker.setAnonymousId(who.anonymous);"""
        )
        self.be_heard()

    def be_heard(self) -> None:
        """Wait until the other pages of the origin read what this one has written.

        Chromium tells pages in other processes of cookies and local storage a moment later,
        without any tracker, too.
        """
        held = self.tab.run(HELD)
        origin = urlsplit(self.tab.page.url)[:2]
        others = [page for page in self.tab.context.pages if urlsplit(page.url)[:2] == origin]
        self.tab.wait_for(
            lambda: all(page.evaluate(HELD) == held for page in others), "other pages to hear of it"
        )


def visit(
    tab: Tab,
    peer: Peer,
    *,
    origin: str = "",
    path: str = "/page.html",
    options: Json | None = None,
    referrer: str | None = None,
) -> Visit:
    """Go on to a page with a tracker in it and wait until it has started."""
    origin = origin or tab.origin
    tab.page.unroute_all()
    markup = f"<!doctype html><title>Page</title>{peer.markup(origin, options or {})}"
    tab.page.route(
        f"{origin}{path.partition('?')[0]}*",
        lambda route: route.fulfill(body=markup, content_type="text/html"),
    )
    tab.page.goto(origin + path, referer=referrer)
    tab.run(f"async () => {{ await {peer.started} }}")
    return Visit(tab)
