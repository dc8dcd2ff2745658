"""The pages that are compared: one without a tracker, and one with each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.peers.pages import THEIRS

TAG = "<script>performance.mark('tag')</script>"
READY = "(performance.mark('ready'), setTimeout(() => navigator.sendBeacon('/ready')))"
SNOWPLOW_OPTIONS = '{cookieSecure: false, appId: "a", contexts: {session: true}}'
PROPERTIES = "{sku: 'A-1', price: 17.5}"


@dataclass(frozen=True)
class Contender:
    """A page with a tracker: its markup for an origin, and the calls to measure.

    The page tracks its view. It says so when the tracker has started: `ready()` of ours, the end
    of `AnalyticsBrowser.load` of Customer.io's, the end of `newTracker` of Snowplow's.
    """

    name: str
    markup: Callable[[str], str]
    track: str = ""
    id: str = ""
    color: str = ""

    @property
    def file(self) -> str:
        """The name of its page."""
        return self.name.lower().replace(".", "-") + ".html"

    def page(self, origin: str) -> str:
        """The whole page. What comes before the mark `tag` would be there without a tracker."""
        head = "<!doctype html><link rel=icon href=data:,><title>Page</title>"
        return head + TAG + self.markup(origin)


def ours(host: str) -> Contender:
    """Our tracker with a host."""
    tag = (
        '<script src="/tracker/loader.js" data-write-key="wk" data-api-host="/v1" '
        f'data-host="{host}"></script>'
        f"<script>(tracker = cioanalytics).ready(() => {READY})</script>"
    )
    return Contender(
        host, lambda _: tag, f"tracker.track('Viewed', {PROPERTIES})", "tracker.user().id()"
    )


NONE = Contender("none", lambda _: f"<script>addEventListener('load', () => {READY})</script>")
CUSTOMERIO = Contender(
    "Customer.io",
    lambda origin: (
        THEIRS.markup(origin, {}) + "<script>loading.then(([analytics]) => "
        f"{{ tracker = analytics; {READY}; tracker.page() }})</script>"
    ),
    f"tracker.track('Viewed', {PROPERTIES})",
    "tracker.user().id()",
)
SNOWPLOW = Contender(
    "Snowplow",
    lambda _: (
        '<script src="/peers/snowplow.js"></script><script>tracker = incumbentSnowplow;'
        f"tracker.newTracker('sp', location.origin, {SNOWPLOW_OPTIONS}); {READY};"
        "tracker.trackPageView()</script>"
    ),
    "tracker.trackStructEvent({category: 'shop', action: 'Viewed', label: 'A-1', value: 17.5})",
)
SHARED, WORKER, PAGE = (ours(host) for host in ("shared", "worker", "page"))
THEIRS_ALL = (CUSTOMERIO, SNOWPLOW)
TRACKERS = (*THEIRS_ALL, SHARED, WORKER, PAGE)
CONTENDERS = (NONE, *TRACKERS)
