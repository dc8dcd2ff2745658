"""Decides how a Customer.io event looks as a Snowplow event, for readers of Snowplow Micro.

| type     | event       | self-describing data, `iglu:com.segment/…/jsonschema/1-0-0`     |
|----------|-------------|-----------------------------------------------------------------|
| page     | `page_view` | none; the page facts are atomic fields and the entity `page`    |
| track    | `unstruct`  | `event`: type, event, properties, channel and the times         |
| identify | `unstruct`  | `traits`: the traits                                            |
| group    | `unstruct`  | `group`: groupId, traits                                        |
| alias    | `unstruct`  | `alias`: from (previousId), to (userId)                         |
| screen   | `unstruct`  | `screen`: name and the properties                               |

The schemas are those that Iglu Central has for `com.segment`. It has none called track or
identify: `event` holds the common fields of all events and `traits` those of a person. Ids are
left out of `event`, whose schema wants UUIDs and at most 36 characters; they are the atomic fields
event_id, user_id and domain_userid. Properties and traits go as they came, so a site's own values
decide whether they fit the schema.

The atomic fields are in `ATOMIC`, name by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import SplitResult, urlsplit

from collector.json_text import write_json
from collector.queries import Row

SNOWPLOW = "com.snowplowanalytics.snowplow"
SEGMENT = "com.segment"
API = {"vendor": SEGMENT, "version": "v1"}
COLLECTOR = "pyodide-tracker-collector"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """One stored event, prepared for the tables below."""

    row: Row
    body: Json
    context: Json
    page: Json

    @classmethod
    def of(cls, row: Row) -> Facts:
        """Take a stored event apart. On page events the properties are page facts too."""
        body = row["payload"]
        context = _object(body, "context")
        page = _object(context, "page")
        if row["type"] == "page":
            page = page | _object(body, "properties")
        return cls(row, body, context, page)


Read = Callable[[Facts], Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a type becomes: the event, its vendor and name, its data and its entities."""

    event: str
    vendor: str
    name: str
    data: Read | None = None
    entities: tuple[tuple[str, Read], ...] = ()


def iglu(vendor: str, name: str) -> str:
    """Give the address of a schema."""
    return f"iglu:{vendor}/{name}/jsonschema/1-0-0"


def iso(milliseconds: int | None) -> str | None:
    """Give a time in the form that Snowplow writes, or None if there is none that fits a year."""
    if milliseconds is None:
        return None
    try:
        moment = EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _object(parent: Json, key: str) -> Json:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def _present(**members: Any) -> Json:
    return {key: value for key, value in members.items() if value is not None}


def _event_data(facts: Facts) -> Json:
    return _present(
        type=facts.row["type"],
        event=facts.row["name"],
        properties=facts.body.get("properties"),
        channel="browser",
        originalTimestamp=iso(facts.row["eventTime"]),
        sentAt=iso(facts.row["sentTime"]),
        receivedAt=iso(facts.row["receivedTime"]),
        timestamp=derived_time(facts.row),
    )


SHAPES = {
    "page": Shape(
        "page_view", SNOWPLOW, "page_view", entities=((iglu(SEGMENT, "page"), lambda f: f.page),)
    ),
    "track": Shape("unstruct", SEGMENT, "event", _event_data),
    "identify": Shape("unstruct", SEGMENT, "traits", lambda f: _object(f.body, "traits")),
    "group": Shape(
        "unstruct",
        SEGMENT,
        "group",
        lambda f: _present(groupId=f.row["groupId"], traits=f.body.get("traits")),
    ),
    "alias": Shape(
        "unstruct",
        SEGMENT,
        "alias",
        lambda f: _present(**{"from": f.row["previousId"], "to": f.row["userId"]}),
    ),
    "screen": Shape(
        "unstruct",
        SEGMENT,
        "screen",
        lambda f: _present(name=f.row["name"]) | _object(f.body, "properties"),
    ),
}


def _column(name: str) -> Read:
    return lambda facts: facts.row[name]


def _time(name: str) -> Read:
    return lambda facts: iso(facts.row[name])


def _page(name: str) -> Read:
    return lambda facts: _text(facts.page.get(name))


def _context(*path: str) -> Read:
    def read(facts: Facts) -> str | None:
        value: Any = facts.context
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return _text(value)

    return read


def url_part(url: Any, part: str) -> Any:
    """Give a part of a URL by the ending of its atomic field, or None if it has none."""
    try:
        return URL_PARTS[part](urlsplit(_text(url) or "")) or None
    except ValueError:  # urlsplit and .port on what is no URL
        return None


def _url(member: str, part: str) -> Read:
    return lambda facts: url_part(facts.page.get(member), part)


def _port(url: SplitResult) -> int | None:
    return url.port or {"http": 80, "https": 443}.get(url.scheme)


URL_PARTS: dict[str, Callable[[SplitResult], Any]] = {
    "urlscheme": lambda url: url.scheme,
    "urlhost": lambda url: url.hostname,
    "urlport": _port,
    "urlpath": lambda url: url.path,
    "urlquery": lambda url: url.query,
    "urlfragment": lambda url: url.fragment,
}


def derived_time(row: Row) -> str | None:
    """Give Snowplow's derived_tstamp: the arrival less the time the event waited to be sent."""
    created, sent = row["eventTime"], row["sentTime"]
    waited = 0 if created is None or sent is None else sent - created
    return iso(row["receivedTime"] - waited)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def as_text(value: Any) -> str:
    """Give a value as text: text itself, or its JSON."""
    return value if isinstance(value, str) else write_json(value)


# Atomic field of the enriched event to how it is read; those that Customer.io has no word for
# are there and null, as in Snowplow's own JSON.
ATOMIC: dict[str, Read] = {
    "app_id": _column("writeKey"),
    "platform": lambda _: "web",
    "collector_tstamp": _time("receivedTime"),
    "dvce_created_tstamp": _time("eventTime"),
    "dvce_sent_tstamp": _time("sentTime"),
    "derived_tstamp": lambda facts: derived_time(facts.row),
    "true_tstamp": lambda _: None,
    "event_id": _column("messageId"),
    "name_tracker": _context("library", "name"),
    "v_tracker": _context("library", "version"),
    "user_id": _column("userId"),
    "domain_userid": _column("anonymousId"),
    "domain_sessionid": lambda _: None,
    "domain_sessionidx": lambda _: None,
    "network_userid": lambda _: None,
    "user_ipaddress": _column("ip"),
    "useragent": _column("userAgent"),
    "page_url": _page("url"),
    "page_urlscheme": _url("url", "urlscheme"),
    "page_urlhost": _url("url", "urlhost"),
    "page_urlport": _url("url", "urlport"),
    "page_urlpath": _url("url", "urlpath"),
    "page_urlquery": _url("url", "urlquery"),
    "page_urlfragment": _url("url", "urlfragment"),
    "page_title": _page("title"),
    "page_referrer": _page("referrer"),
    "refr_urlscheme": _url("referrer", "urlscheme"),
    "refr_urlhost": _url("referrer", "urlhost"),
    "refr_urlport": _url("referrer", "urlport"),
    "refr_urlpath": _url("referrer", "urlpath"),
    "refr_urlquery": _url("referrer", "urlquery"),
    "refr_urlfragment": _url("referrer", "urlfragment"),
    "br_lang": _context("locale"),
    "os_timezone": _context("timezone"),
    "mkt_medium": _context("campaign", "medium"),
    "mkt_source": _context("campaign", "source"),
    "mkt_term": _context("campaign", "term"),
    "mkt_content": _context("campaign", "content"),
    "mkt_campaign": _context("campaign", "name"),
}


def schema_of(kind: str) -> str:
    """Give the schema of the event that a type becomes."""
    shape = SHAPES[kind]
    return iglu(shape.vendor, shape.name)


def good_event(row: Row) -> Json:
    """Give a stored good Customer.io event in the form of `/micro/good`."""
    facts = Facts.of(row)
    shape = SHAPES[row["type"]]
    entities = [{"schema": schema, "data": read(facts)} for schema, read in shape.entities]
    event = {name: read(facts) for name, read in ATOMIC.items()} | {
        "event": shape.event,
        "event_vendor": shape.vendor,
        "event_name": shape.name,
        "event_format": "jsonschema",
        "event_version": "1-0-0",
        # The schema forbids an empty list of entities; Snowplow's own JSON then has no members.
        "contexts": {"schema": iglu(SNOWPLOW, "contexts"), "data": entities} if entities else {},
        "unstruct_event": None,
        "derived_contexts": {},
    }
    if shape.data:
        data = {"schema": schema_of(row["type"]), "data": shape.data(facts)}
        event["unstruct_event"] = {"schema": iglu(SNOWPLOW, "unstruct_event"), "data": data}
    return {
        "rawEvent": raw_event(row),
        "eventType": shape.event,
        "schema": schema_of(row["type"]),
        "contexts": [entity["schema"] for entity in entities],
        "event": event,
    }


def raw_event(row: Row) -> Json:
    """Give the request side of a Customer.io event: its members as text, and who sent them."""
    body = row["payload"] if isinstance(row["payload"], dict) else {}
    return request_side(
        row, API, body, [f"{name}: {value}" for name, value in row["request"]["headers"]]
    )


def request_side(row: Row, api: Json, parameters: Json, headers: list[str]) -> Json:
    """Give the request side of an event in the form of Snowplow Micro."""
    kept = dict(row["request"]["headers"])
    return {
        "api": api,
        "parameters": {key: as_text(value) for key, value in parameters.items()},
        "contentType": row["request"]["contentType"] or None,
        "source": {"name": COLLECTOR, "encoding": "UTF-8", "hostname": kept.get("host")},
        "context": {
            "timestamp": iso(row["receivedTime"]),
            "ipAddress": row["ip"],
            "useragent": row["userAgent"],
            "refererUri": kept.get("referer"),
            "headers": headers,
            "userId": row["networkUserId"],
        },
    }
