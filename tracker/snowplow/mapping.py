"""How a Customer.io event becomes a Snowplow event, and what the tracker's own entities hold.

| event | Snowplow event | holds |
|---|---|---|
| `page` | page view | `title` of its properties (decision C7) |
| `track` named in option `schemas` | self-describing | all properties, under the site's schema |
| `track` | structured | see `STRUCTURED`; other properties are left out |
| `identify` | `com.segment/traits` | all traits; `id` is the user id |
| `group` | `com.segment/group` | `groupId`, and `traits` as an object |
| `alias` | `com.segment/alias` | `from` the previous id `to` the user id |
| `screen` | `com.segment/screen` | all properties, `name` and `category` |

A collector refuses a whole event for one member that breaks its schema. Such a member is therefore
left out; whole numbers become text where the schema wants text. Members that a schema does not
name are kept, because these schemas allow them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Fit = Callable[[Any], Any]  # the value as a schema wants it, None if it is none

_SEGMENT = "iglu:com.segment/{}/jsonschema/1-0-0"
_SNOWPLOW = "iglu:com.snowplowanalytics.snowplow/{}/jsonschema/{}"

# Structured events: the properties that a field is taken from, the first that fits. The category is
# never empty, because Snowplow wants one.
STRUCTURED = {
    "se_ca": ("category",),
    "se_la": ("label",),
    "se_pr": ("property",),
    "se_va": ("value", "revenue"),
}
NO_CATEGORY = "all"


@dataclass(frozen=True, slots=True)
class Content:
    """What an event says, in Snowplow's terms.

    `kind` is "pv" (page view), "se" (structured) or "ue" (self-describing); `fields` are the `se_…`
    fields. `title` is that of a page view; None asks for the tracker's own.
    """

    kind: str
    fields: Json = field(default_factory=dict)
    self_describing: Json | None = None
    title: str | None = None


def content_of(event: Json, schemas: Mapping[str, str]) -> Content:
    """The content of an event; `schemas` has the `iglu:` address for names of track events."""
    kind = event.get("type")
    properties = _dict(event.get("properties"))
    if kind == "page":
        return Content("pv", title=_text_or_none(properties.get("title")))
    if kind == "identify":
        traits = {**_dict(event.get("traits")), **_given(id=event.get("userId"))}
        return _segment("traits", _fitted(traits, _TRAITS))
    if kind == "group":
        group = {"groupId": event.get("groupId"), "traits": _dict(event.get("traits"))}
        return _segment("group", _fitted(group, _GROUP))
    if kind == "alias":
        ids = {"from": event.get("previousId"), "to": event.get("userId")}
        return _segment("alias", _fitted(ids, _ALIAS))
    if kind == "screen":
        named = _given(name=event.get("name"), category=event.get("category"))
        return _segment("screen", _fitted({**properties, **named}, _SCREEN))
    name = event.get("event")
    if isinstance(name, str) and name in schemas:
        return Content("ue", self_describing=_described(schemas[name], properties))
    return Content("se", _structured(name, properties))


def web_page(id_: str) -> Json:
    """The entity that all events of a page view share."""
    return _described(_SNOWPLOW.format("web_page", "1-0-0"), {"id": id_})


def application(version: str) -> Json:
    """The entity of option `appVersion`."""
    return _described(_SNOWPLOW.format("application", "1-0-0"), {"version": version})


def browser_context(facts: Json) -> Json | None:
    """The entity about browser and screen; None if a fact that it must have is not known.

    `facts` have the names of the schema; sizes are "WIDTHxHEIGHT" in CSS pixels, `deviceMemory` is
    in gigabytes. `tabId` None says that there is no tab id to tell.
    """
    data = _fitted({name: facts.get(name) for name in _BROWSER}, _BROWSER)
    if "tabId" in facts and facts["tabId"] is None:
        data["tabId"] = None
    if not data.keys() >= _BROWSER_REQUIRED:
        return None
    return _described(_SNOWPLOW.format("browser_context", "2-0-0"), data)


def _structured(name: Any, properties: Json) -> Json:
    fields: Json = {"se_ca": NO_CATEGORY, "se_ac": name if isinstance(name, str) else None}
    for key, sources in STRUCTURED.items():
        fits = _is_number if key == "se_va" else _is_scalar
        found = [properties[source] for source in sources if fits(properties.get(source))]
        fields |= {key: found[0]} if found else {}
    return {key: value for key, value in fields.items() if value is not None}


def _segment(name: str, data: Json) -> Content:
    return Content("ue", self_describing=_described(_SEGMENT.format(name), data))


def _described(schema: str, data: Json) -> Json:
    return {"schema": schema, "data": data}


def _fitted(data: Json, table: Mapping[str, Fit]) -> Json:
    """The data without members that would break their schema."""
    fitted = {name: table[name](value) if name in table else value for name, value in data.items()}
    return {name: value for name, value in fitted.items() if name not in table or value is not None}


def _given(**members: Any) -> Json:
    return {name: value for name, value in members.items() if value not in (None, "")}


def _dict(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float) and value != ""


# How a value becomes what a schema wants


def _text(longest: int | None = None, is_form: Callable[[str], bool] | None = None) -> Fit:
    """Text of at most so many characters, in a form if one is given."""

    def fit(value: Any) -> str | None:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(text, str) or (longest is not None and len(text) > longest):
            return None
        return text if is_form is None or is_form(text) else None

    return fit


def _between(low: float, high: float, *, whole: bool = False) -> Fit:
    """A number within limits; a whole one is rounded down."""

    def fit(value: Any) -> float | None:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return None
        if not low <= value <= high:
            return None
        return math.floor(value) if whole else value

    return fit


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _address(value: Any) -> Json | None:
    return _fitted(value, _ADDRESS) if isinstance(value, dict) else None


def _form(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


# The forms are stricter than their standards, because validators differ: what passes here passes
# everywhere.
_URI_REST = r"([A-Za-z0-9;/?:@&=+$,_.!~*'()-]|%[0-9A-Fa-f]{2})*"
_is_uri = _form(rf"[A-Za-z][A-Za-z0-9+.-]*://[A-Za-z0-9]{_URI_REST}(#{_URI_REST})?")
_is_email = _form(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]"
)
_is_uuid = _form(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DATE_TIME = re.compile(  # RFC 3339
    r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?"
    r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
_SHORT_MONTHS = (4, 6, 9, 11)


def _is_date_time(text: str) -> bool:
    match = _DATE_TIME.fullmatch(text)
    if match is None or match[1] == "0000":
        return False
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    last = 30 if month in _SHORT_MONTHS else 28 + leap if month == 2 else 31
    return day <= last


# What the schemas say of the members that they name: Iglu Central, com.segment

_ADDRESS: dict[str, Fit] = {
    "city": _text(512),
    "country": _text(),
    "postalCode": _text(),
    "state": _text(),
    "street": _text(),
}
_TRAITS: dict[str, Fit] = {
    "address": _address,
    "age": _between(0, 1000, whole=True),
    "avatar": _text(8192, _is_uri),
    "birthday": _text(None, _is_date_time),
    "createdAt": _text(None, _is_date_time),
    "description": _text(),
    "email": _text(512, _is_email),
    "firstName": _text(),
    "id": _text(),
    "lastName": _text(),
    "phone": _text(128),
    "title": _text(),
    "username": _text(),
    "website": _text(8192, _is_uri),
}
_GROUP: dict[str, Fit] = {"groupId": _text(512)}
_ALIAS: dict[str, Fit] = {"from": _text(), "to": _text()}
_SCREEN: dict[str, Fit] = {"name": _text()}

# com.snowplowanalytics.snowplow/browser_context 2-0-0; a number of processors of 0 is none
_BROWSER: dict[str, Fit] = {
    "viewport": _text(20),
    "documentSize": _text(20),
    "resolution": _text(20),
    "colorDepth": _between(0, 1000, whole=True),
    "devicePixelRatio": _between(0, 1000),
    "cookiesEnabled": _boolean,
    "online": _boolean,
    "browserLanguage": _text(20),
    "documentLanguage": _text(20),
    "webdriver": _boolean,
    "deviceMemory": _between(0, 1000),
    "hardwareConcurrency": _between(1, 1000, whole=True),
    "tabId": _text(None, _is_uuid),
}
_BROWSER_REQUIRED = frozenset(
    ["viewport", "documentSize", "cookiesEnabled", "online", "colorDepth", "resolution"]
)
