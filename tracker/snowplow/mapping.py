"""How an event of `cioanalytics` is told in the terms of Snowplow.

| event      | becomes                                                                             |
|------------|-------------------------------------------------------------------------------------|
| `page`     | a page view                                                                         |
| `track`    | the self-describing event that `snowplow.schemas` names, else a structured event    |
| `identify` | `com.segment/traits` with the traits                                                |
| `group`    | `com.segment/group` with `groupId` and `traits`                                     |
| `alias`    | `com.segment/alias` with `from` and `to`                                            |
| `screen`   | `com.segment/screen` with `name`, `category` and `properties`                       |

Values that a schema would refuse under their names stand under `other`, so that no event is lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

SNOWPLOW_VENDOR = "iglu:com.snowplowanalytics.snowplow"
SEGMENT = "iglu:com.segment/{}/jsonschema/1-0-0"
DEFAULT_CATEGORY = "all"

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!#$%&'()*+,./0-9:;=?@A-Z_a-z~-]+")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_DATE_TIME = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?Z"
)


@dataclass(slots=True)
class Content:
    """What an event says: its kind (`e`), fields, and a self-describing event for `ue`.

    `title` is that of a page view, if the site gave one.
    """

    kind: str
    fields: Json = field(default_factory=dict)
    self_describing: Json | None = None
    title: str | None = None


def content_of(event: Json, schemas: dict[str, str]) -> Content:
    """The content of an event. `schemas` names the schema of an event's name."""
    return _CONTENT[event["type"]](event, schemas)


def web_page(id_: str) -> Json:
    """The entity that names a page view."""
    return _entity("web_page/jsonschema/1-0-0", {"id": id_})


def application(version: str) -> Json:
    """The entity that names the application's version."""
    return _entity("application/jsonschema/1-0-0", {"version": version})


def browser_context(facts: Json) -> Json:
    """The entity that describes the browser; what is not known is left out."""
    known = {name: value for name, value in facts.items() if value is not None or name == "tabId"}
    for name in ("browserLanguage", "documentLanguage"):
        if isinstance(known.get(name), str):
            known[name] = known[name][:20]
    return _entity("browser_context/jsonschema/2-0-0", known)


def _entity(path: str, data: Json) -> Json:
    return {"schema": f"{SNOWPLOW_VENDOR}/{path}", "data": data}


def _page(event: Json, schemas: dict[str, str]) -> Content:
    title = event["properties"].get("title")
    return Content("pv", title=title if isinstance(title, str) else None)


def _track(event: Json, schemas: dict[str, str]) -> Content:
    properties = event["properties"]
    schema = schemas.get(event["event"])
    if schema is not None:
        return Content("ue", self_describing={"schema": schema, "data": properties})
    value = _number(properties.get("value"))
    fields = {
        "se_ca": _text(properties.get("category")) or DEFAULT_CATEGORY,
        "se_ac": event["event"],
        "se_la": _text(properties.get("label")),
        "se_pr": _text(properties.get("property")),
        "se_va": _number(properties.get("revenue")) if value is None else value,
    }
    return Content("se", fields)


def _identify(event: Json, schemas: dict[str, str]) -> Content:
    return _segment("traits", _valid(event.get("traits"), _TRAITS))


def _group(event: Json, schemas: dict[str, str]) -> Content:
    data = {"groupId": event.get("groupId"), "traits": event.get("traits") or {}}
    return _segment("group", _valid(data, {"groupId": _up_to(512)}))


def _alias(event: Json, schemas: dict[str, str]) -> Content:
    data = {"from": event.get("previousId"), "to": event.get("userId")}
    return _segment("alias", _valid(data, {"from": _is_text, "to": _is_text}))


def _screen(event: Json, schemas: dict[str, str]) -> Content:
    members = ("name", "category", "properties")
    data = {name: event[name] for name in members if event.get(name) is not None}
    return _segment("screen", _valid(data, {"name": _is_text}))


_CONTENT: dict[str, Callable[[Json, dict[str, str]], Content]] = {
    "page": _page,
    "track": _track,
    "identify": _identify,
    "group": _group,
    "alias": _alias,
    "screen": _screen,
}


def _segment(name: str, data: Json) -> Content:
    return Content("ue", self_describing={"schema": SEGMENT.format(name), "data": data})


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _up_to(length: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and len(value) <= length


def _like(pattern: re.Pattern[str], length: int) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, str) and len(value) <= length and pattern.fullmatch(value) is not None
    )


def _is_address(value: Any) -> bool:
    parts = {
        "city": _up_to(512),
        **dict.fromkeys(("country", "postalCode", "state", "street"), _is_text),
    }
    return isinstance(value, dict) and all(
        accepts(value[name]) for name, accepts in parts.items() if name in value
    )


_TRAITS: dict[str, Callable[[Any], bool]] = {
    "address": _is_address,
    "age": lambda value: type(value) is int,
    "avatar": _like(_URI, 8192),
    "birthday": _like(_DATE_TIME, 64),
    "createdAt": _like(_DATE_TIME, 64),
    "email": _like(_EMAIL, 254),
    "phone": _up_to(128),
    "website": _like(_URI, 8192),
    **dict.fromkeys(("description", "firstName", "id", "lastName", "title", "username"), _is_text),
}


def _valid(data: Any, rules: dict[str, Callable[[Any], bool]]) -> Json:
    """Data that its schema accepts; the rest stands under `other`."""
    data = data if isinstance(data, dict) else {}
    refused = {n: v for n, v in data.items() if n in rules and not rules[n](v)}
    accepted = {n: v for n, v in data.items() if n not in refused}
    told = {n: v for n, v in refused.items() if v is not None}
    return {**accepted, "other": told} if told else accepted


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
