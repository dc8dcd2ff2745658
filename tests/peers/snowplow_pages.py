"""How a page includes Snowplow's tracker and ours.

Both end up as `tracker(call, …)`, called as Snowplow's tag is, and as `ask(namespace, getter)`.
"""

from __future__ import annotations

import json
from typing import Any

from tests.browser.conftest import snippet
from tests.peers.pages import Peer

Json = dict[str, Any]

# what the tests of interoperation give to all trackers; http on loopback takes no secure cookies
OPTIONS: Json = {"cookieSecure": False, "contexts": {"session": True}}

# the npm package takes the namespaces behind all arguments, the tag behind the name of the call
_INCUMBENT = """
trackers = {};
tracker = (call, ...args) => {
    const [method, names] = call.split(':');
    if (method == 'newTracker')
        return void (trackers[args[0]] = incumbentSnowplow.newTracker(...args));
    const run = incumbentSnowplow[method];
    while (args.length < run.length - 1) args.push(undefined);
    run(...args, names && names.split(';'));
};
ask = async (namespace, getter) => trackers[namespace][getter]();
"""

_TAG = """
window.GlobalSnowplowNamespace = ['snowplow'];
window.snowplow = function () { (window.snowplow.q = window.snowplow.q || []).push(arguments); };
tracker = (...args) => window.snowplow(...args);
ask = (namespace, getter) => new Promise((done) => window.snowplow(function () {
    done(this[namespace][getter]());
}));
"""

_DESTINATION = """
tracker = (call, ...args) => cioanalytics[call](...args);
ask = async (namespace, getter) => cioanalytics[`${getter}:${namespace}`]();
"""


def _new_tracker(options: Json) -> str:
    return f"tracker('newTracker', 'sp', location.origin, {json.dumps({**OPTIONS, **options})});"


def _incumbent(_: str, options: Json) -> str:
    return (
        f'<script src="/peers/snowplow.js"></script>'
        f"<script>{_INCUMBENT}{_new_tracker(options)}</script>"
    )


def _tag(_: str, options: Json) -> str:
    return (
        f"<script>{_TAG}{_new_tracker(options)}</script>"
        '<script async src="/tracker/loader.js"></script>'
    )


def _destination(origin: str, options: Json) -> str:
    given = {"collectorUrl": origin, **OPTIONS, **options}
    load = {"apiHost": "/v1", "customerio": False, "initialPageview": False, "snowplow": given}
    if "stateStorageStrategy" in given:
        load["stateStorageStrategy"] = given.pop("stateStorageStrategy")
    pasted = snippet(options=json.dumps(load)).replace("cio.page();", "")
    return f"{pasted}<script>{_DESTINATION}</script>"


THEIRS = Peer("theirs", _incumbent, "0")
TAG = Peer("ours, with the tag", _tag, "ask('sp', 'getCookieName')")
DESTINATION = Peer("ours, a destination of cioanalytics", _destination, "cioanalytics.ready()")
