"""The calls that Snowplow's tracker and ours get, by name.

JavaScript in which `tracker` is the tracker. A call begins with a tracker of its own, whose
namespace stands where the text has NS, on the same page of the same visitor.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

ELSEWHERE = "const here = location.href; history.replaceState({}, '', %r);"
SETTLED = "await settled();"
BACK = "history.replaceState({}, '', here);"
VIEW = "tracker('trackPageView:NS');"
STRUCT = "tracker('trackStructEvent:NS', {category: 'c', action: 'a'});"
ENTITY = "{schema: 'iglu:com.acme/entity/jsonschema/1-0-0', data: %s}"
SCHEMA = "iglu:com.acme/ev/jsonschema/1-0-0"


def view(argument: str) -> str:
    """A page view."""
    return f"tracker('trackPageView:NS', {argument});"


def struct(argument: str) -> str:
    """A structured event."""
    return f"tracker('trackStructEvent:NS', {argument});"


def event(data: str, more: str = "") -> str:
    """A self-describing event."""
    return (
        f"tracker('trackSelfDescribingEvent:NS', {{event: {{schema: '{SCHEMA}', data: {data}}}"
        f"{', ' if more else ''}{more}}});"
    )


def at(address: str, statements: str) -> str:
    """An event, then statements for when the page has another address."""
    return STRUCT + SETTLED + ELSEWHERE % address + SETTLED + statements + SETTLED + BACK + SETTLED


PAGE = {
    "page view": VIEW,
    "page view: empty object": view("{}"),
    "page view: null": view("null"),
    "page view: title": view("{title: 'Given'}") + VIEW + STRUCT,
    "page view: empty title": view("{title: ''}"),
    "page view: title is a number": view("{title: 5}"),
    "page view: entities": view(f"{{context: [{ENTITY % '{a: 1}'}, {ENTITY % '{b: [1, null]}'}]}}"),
    "page view: twice": VIEW + STRUCT + VIEW + STRUCT,
    "page view: events before it": STRUCT + VIEW + STRUCT + VIEW,
    "page view: unknown members": view("{url: 'https://own.example/', more: 1}"),
    "page view: another address": at("/other.html?x=1#part", VIEW) + VIEW,
    "page view: another address before any event": (
        ELSEWHERE % "/other.html" + VIEW + SETTLED + BACK + SETTLED
    ),
    "page view: another address at once": (
        STRUCT + SETTLED + VIEW + ELSEWHERE % "/other.html" + SETTLED + BACK + SETTLED
    ),
    "page view: a referrer in the address": at("/p?referrer=https%3A%2F%2Fr.example%2F%3Fq", VIEW),
    "page view: the title of the document changes": (
        "document.title = 'Changed';" + VIEW + "await settled(); document.title = 'Page';"
    ),
}

STRUCTURED = {
    "struct: category, action": STRUCT,
    "struct: all parts": struct(
        "{category: 'c', action: 'a', label: 'l', property: 'p', value: 1.5}"
    ),
    "struct: value zero": struct("{category: 'c', action: 'a', value: 0}"),
    "struct: value negative": struct("{category: 'c', action: 'a', value: -12.25}"),
    "struct: large and small values": "".join(
        struct(f"{{category: 'c', action: 'a', value: {value}}}")
        for value in ("1e21", "1e-7", "123456789012", "0.1 + 0.2", "17.0")
    ),
    "struct: value no number": "".join(
        struct(f"{{category: 'c', action: 'a', value: {value}}}")
        for value in ("'12'", "'x'", "true", "false", "NaN", "Infinity")
    ),
    "struct: empty parts": struct(
        "{category: 'c', action: 'a', label: '', property: null, value: undefined}"
    ),
    "struct: numbers as parts": struct("{category: 1, action: 0, label: 2.5, property: false}"),
    "struct: objects as parts": struct("{category: 'c', action: 'a', label: {x: 1}}"),
    "struct: no parts": struct("{}"),
    "struct: unicode": struct(
        "{category: 'Zoë 你好', action: '😀 \"q\" \\'s\\'', label: '<&>%20+\\n'}"
    ),
    "struct: half of a pair": struct("{category: 'c', action: 'a\\ud83d'}"),
    "struct: long": struct("{category: 'c', action: 'x'.repeat(5000), label: '😀'.repeat(1000)}"),
    "struct: entities": struct(f"{{category: 'c', action: 'a', context: [{ENTITY % '{a: 1}'}]}}"),
    "struct: blanks": struct("{category: ' ', action: '  a ', label: '\\t'}"),
}

SELF_DESCRIBING = {
    "self-describing": event("{a: 1}"),
    "self-describing: nested": event("{a: {b: [1, {c: null}], d: 1.5}, e: [], f: {}}"),
    "self-describing: undefined, null, empty": event("{a: undefined, b: null, c: '', d: 0}"),
    "self-describing: unicode": event("{'ключ': 'Zoë 😀 \\u2028 \"q\" / \\\\'}"),
    "self-describing: numbers": event("{a: 1.0, b: 1e21, c: 1e-7, d: -0, e: 2**53, f: NaN}"),
    "self-describing: dates": event("{at: new Date(0)}"),
    "self-describing: no data": event("{}"),
    "self-describing: long": event("{text: 'ä'.repeat(9000)}"),
    "self-describing: entities": event("{a: 1}", f"context: [{ENTITY % '{b: 2}'}]"),
    "self-describing: data is a list": event("[1, 2]"),
    "self-describing: data is null": event("null"),
    "self-describing: data is text": event("'text'"),
    "self-describing: no schema": (
        "for (const event of [undefined, null, {}, {data: {a: 1}}])"
        "    tracker('trackSelfDescribingEvent:NS', {event});"
    ),
}

ENTITIES = {
    "entities: empty list": struct("{category: 'c', action: 'a', context: []}"),
    "entities: null": struct("{category: 'c', action: 'a', context: null}"),
    "entities: data is a list": struct(
        f"{{category: 'c', action: 'a', context: [{ENTITY % '[1]'}]}}"
    ),
    "entities: empty data": struct(f"{{category: 'c', action: 'a', context: [{ENTITY % '{}'}]}}"),
    "entities: more members": struct(
        "{category: 'c', action: 'a', context: [{schema: "
        f"'{SCHEMA}', data: {{a: 1}}, more: 1}}]}}"
    ),
    "entities: not self-describing": struct(
        f"{{category: 'c', action: 'a', context: [{{a: 1}}, {ENTITY % '{ok: 1}'}]}}"
    ),
    "entities: global": (
        f"tracker('addGlobalContexts:NS', [{ENTITY % '{g: 1}'}, (facts) => "
        f"({ENTITY % '{kind: facts.eventType}'})]);" + VIEW + STRUCT
    ),
}

TIMES = {
    "time: a number": struct("{category: 'c', action: 'a', timestamp: 1600000000000}"),
    "time: ttm": struct(
        "{category: 'c', action: 'a', timestamp: {type: 'ttm', value: 1600000000001}}"
    ),
    "time: dtm": view("{timestamp: {type: 'dtm', value: 1600000000002}}"),
    "time: zero": struct("{category: 'c', action: 'a', timestamp: 0}"),
    "time: dtm zero": struct("{category: 'c', action: 'a', timestamp: {type: 'dtm', value: 0}}"),
    "time: null": event("{a: 1}", "timestamp: null"),
    "time: a fraction": event("{a: 1}", "timestamp: 1600000000000.6"),
    "time: of a self-describing event": event("{a: 1}", "timestamp: {type: 'ttm', value: 5}"),
}

USER = {
    "user: setUserId": "tracker('setUserId:NS', 'Zoë 1');" + VIEW + STRUCT,
    "user: a number": "tracker('setUserId:NS', 42);" + STRUCT,
    "user: unset": "".join(
        f"tracker('setUserId:NS', 'u1'); tracker('setUserId:NS', {value});" + STRUCT
        for value in ("null", "undefined", "''")
    ),
    "user: from the address": at(
        "/p?user=Zo%C3%AB+1", "tracker('setUserIdFromLocation:NS', 'user');" + STRUCT
    ),
    "user: not in the address": "tracker('setUserIdFromLocation:NS', 'nobody');" + STRUCT,
    "user: from the referrer": "tracker('setUserIdFromReferrer:NS', 'ref');" + STRUCT,
    "user: from a cookie": (
        "document.cookie = 'member=m%201'; tracker('setUserIdFromCookie:NS', 'member');" + STRUCT
    ),
    "user: not in a cookie": "tracker('setUserIdFromCookie:NS', 'nobody');" + STRUCT,
}

SITE = {
    "site: custom address": "".join(
        f"tracker('setCustomUrl:NS', {url!r});" + VIEW
        for url in ("https://own.example/a?b#c", "/path?x", "leaf", "mailto:a@example.com", "")
    ),
    "site: custom title": (
        "tracker('setDocumentTitle:NS', 'Own');" + VIEW + STRUCT + view("{title: 'Given'}") + VIEW
    ),
    "site: custom referrer": "tracker('setReferrerUrl:NS', 'https://r.example/');" + VIEW + STRUCT,
    "site: no hash": at("/p{a}?b={c}#d", "tracker('discardHashTag:NS', true);" + VIEW),
    "site: no braces": at("/p?b={c}#d{e}", "tracker('discardBrace:NS', true);" + VIEW),
    "site: braces": at("/p?b={c}#d{e}", VIEW),
    "site: no hash, and back": (
        "tracker('discardHashTag:NS', true); tracker('discardHashTag:NS', false);" + VIEW
    ),
}

SESSION = {
    "session: newSession": STRUCT + "tracker('newSession:NS');" + STRUCT + STRUCT,
    "session: cookie path": "tracker('setCookiePath:NS', '/page.html');" + STRUCT + STRUCT,
    "session: visitor cookie": "tracker('setVisitorCookieTimeout:NS', 100);" + STRUCT,
    "session: clearUserData": (
        "tracker('setUserId:NS', 'u1');" + STRUCT + "tracker('clearUserData:NS');" + STRUCT
    ),
    "session: clearUserData keeps both": (
        "tracker('setUserId:NS', 'u1');" + STRUCT + "tracker('clearUserData:NS', "
        "{preserveUser: true, preserveSession: true});" + STRUCT
    ),
}

OPTIONED = {
    "option: platform, app": STRUCT + VIEW,
    "option: base64": (
        event("{a: 'Zoë 😀', b: [1]}", f"context: [{ENTITY % '{c: 1}'}]")
        + struct("{category: 'c', action: 'a'}")
    ),
    "option: GET": (
        event("{a: 'Zoë 😀'}")
        + view("{title: 'a b&c=d+é'}")
        + struct("{category: 'c?', action: '&'}")
    ),
    "option: GET without base64": event("{a: 'Zoë 😀 &='}") + VIEW,
    "option: no web page": VIEW + STRUCT,
    "option: no session entity": VIEW + STRUCT,
    "option: no entities": VIEW + event("{a: 1}"),
    "option: browser entity": VIEW,
    "option: app version": VIEW,
    "option: anonymous": "tracker('setUserId:NS', 'u1');" + VIEW + STRUCT,
    "option: anonymous with sessions": "tracker('setUserId:NS', 'u1');" + VIEW + STRUCT,
    "option: strategy none": VIEW + STRUCT,
    "option: batches": STRUCT + VIEW + STRUCT + "tracker('flushBuffer:NS');",
    "option: page view id for the path": (VIEW + at("/other.html?x=1", STRUCT) + STRUCT),
    "option: original referrer": at("/other.html", VIEW),
}

WAIT = "await new Promise((done) => setTimeout(done, %s));"

ACTIVITY = {
    "activity: a page ping": (
        "tracker('enableActivityTracking:NS', {minimumVisitLength: 1, heartbeatDelay: 60});"
        + view(f"{{title: 'Given', context: [{ENTITY % '{a: 1}'}]}}")
        + WAIT % 700
        + "tracker('updatePageActivity:NS');"
        + WAIT % 1300
        + "tracker('disableActivityTracking:NS');"
    ),
}

PLUGINS = {
    "plugin: entities, filter": (
        "tracker('addPlugin:NS', {plugin: {contexts: () => ["
        + ENTITY % "{plugin: 1}"
        + "], filter: (fields) => fields.se_ac != 'no'}});"
        + STRUCT
        + struct("{category: 'c', action: 'no'}")
        + VIEW
    ),
}

# Last: these concern the page views of all trackers.
LAST = {
    "page view id: preserved": "tracker('preservePageViewId:NS');" + VIEW + VIEW + STRUCT,
}

CALLS = (
    PAGE
    | STRUCTURED
    | SELF_DESCRIBING
    | ENTITIES
    | TIMES
    | USER
    | SITE
    | SESSION
    | OPTIONED
    | ACTIVITY
    | PLUGINS
    | LAST
)

OPTIONS: dict[str, Json] = {
    "option: platform, app": {"platform": "mob", "appId": "Zoë's shop"},
    "option: base64": {"encodeBase64": True},
    "option: GET": {"eventMethod": "get"},
    "option: GET without base64": {"eventMethod": "get", "encodeBase64": False},
    "option: no web page": {"contexts": {"webPage": False, "session": True}},
    "option: no session entity": {"contexts": {"session": False}},
    "option: no entities": {"contexts": {"webPage": False}},
    "option: browser entity": {"contexts": {"browser": True, "session": True}},
    "option: app version": {"appVersion": "1.2"},
    "option: anonymous": {"anonymousTracking": True},
    "option: anonymous with sessions": {
        "anonymousTracking": {"withSessionTracking": True},
    },
    "option: strategy none": {"stateStorageStrategy": "none"},
    "option: batches": {"bufferSize": 10},
    "option: page view id for the path": {"preservePageViewIdForUrl": "pathname"},
    "option: original referrer": {"preserveOriginalReferrer": True},
}
