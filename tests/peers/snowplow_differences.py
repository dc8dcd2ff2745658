"""Every difference between the payloads of Snowplow's tracker and ours, and why it is one.

Each names the row of docs/compatibility.md that tells sites of it.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from tests.peers.comparing import ABSENT, BODY, PRESENT, Difference

Json = dict[str, Any]

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
ISO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

# what the ids in a payload are ids of
IDS = {
    "eid": "event",
    "firstEventId": "event",
    "duid": "visitor",
    "userId": "visitor",
    "sid": "session",
    "sessionId": "session",
    "previousSessionId": "session",
    "id": "view",
    "tabId": "tab",
}
TIMES = ("dtm", "stm")


def kind(body: Json) -> tuple[Any, Any]:
    """What two payloads of the same call have in common."""
    return body.get("e"), body.get("se_ac")


def opened(payload: Json) -> Json:
    """A payload whose JSON is read; base64 has its own names, so they stay."""
    payload = dict(payload)
    for name in ("co", "ue_pr"):
        if name in payload:
            payload[name] = json.loads(payload[name])
    for name in ("cx", "ue_px"):
        if name in payload:
            text = payload[name]
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            payload[name] = json.loads(raw)
    return payload


class Marks:
    """Marks for what two trackers can never say alike, where that has the right form.

    Ids are numbered by their first occurrence in the payloads of a call, so that two payloads
    with the same id stay two with the same id. Times between `begin` and `end` are now.
    """

    def __init__(self, begin_ms: float, end_ms: float) -> None:
        self._begin, self._end = begin_ms, end_ms
        self._known: dict[str, list[str]] = {}

    def marked(self, payload: Json) -> Json:
        """A payload with the marks."""
        payload = opened(payload)
        if re.fullmatch(r"js-4\.10\.1|py-\d+\.\d+\.\d+", payload["tv"]):
            payload["tv"] = "<some version>"
        marked: Json = self._marked("", payload)
        return marked

    def _marked(self, name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._marked(key, inside) for key, inside in value.items()}
        if isinstance(value, list):
            return [self._marked(name, inside) for inside in value]
        if not isinstance(value, str):
            return value
        if name in IDS and UUID.fullmatch(value):
            known = self._known.setdefault(IDS[name], [])
            if value not in known:
                known.append(value)
            return f"<{IDS[name]} {known.index(value) + 1}>"
        if name in TIMES and value.isdigit() and self._begin <= int(value) <= self._end:
            return "<now>"
        if name == "firstEventTimestamp" and ISO_TIME.fullmatch(value):
            return "<some time>"
        return value


NONE = ("option: strategy none",)
NO_DATA = ("self-describing: data is null",)
FILTER = ("plugin: entities, filter",)
VIEW_OF_PATH = ("option: page view id for the path",)

SESSION = "co.data.1.data"
IN_MEMORY = "without a store, visitor and session are those of this page's memory"
REFUSED = "pipelines refuse what the incumbent sends"
FIRST_THERE = "the incumbent looks at the address when it has made the entity"


def table(origin: str) -> list[Difference]:
    """All known differences on pages of `origin`."""
    page = f"{origin}/page.html?utm_source=news#top"
    return [
        Difference(
            BODY,
            ABSENT,
            PRESENT,
            "null is no argument",
            "`trackPageView(null)`",
            ("page view: null",),
        ),
        *(
            Difference(
                "se_va", text, ABSENT, REFUSED, "no number as `value`", ("struct: value no number",)
            )
            for text in ("NaN", "Infinity", "x", "true", "false")
        ),
        Difference(
            "se_la",
            "[object Object]",
            '{"x":1}',
            "an object becomes JSON",
            "objects as parts",
            ("struct: objects as parts",),
        ),
        Difference("ue_pr.data.data", None, {}, REFUSED, "`data: null`", NO_DATA),
        Difference(
            BODY,
            PRESENT,
            ABSENT,
            REFUSED,
            "self-describing events",
            ("self-describing: no schema",),
        ),
        Difference(
            "co.data",
            PRESENT,
            PRESENT,
            REFUSED,
            "entities of a call",
            ("entities: not self-describing",),
        ),
        Difference(
            "dtm",
            "1600000000000.6",
            "1600000000000",
            REFUSED,
            "a time with a fraction",
            ("time: a fraction",),
        ),
        Difference(
            "url",
            f"{origin}/",
            page,
            "an empty text ends the custom address",
            "`setCustomUrl('')`",
            ("site: custom address",),
        ),
        Difference("duid", ABSENT, "<visitor 1>", IN_MEMORY, "S8 strategy", NONE),
        Difference(f"{SESSION}.userId", "", "<visitor 1>", IN_MEMORY, "S8 strategy", NONE),
        Difference(f"{SESSION}.sessionId", "", "<session 1>", IN_MEMORY, "S8 strategy", NONE),
        Difference(f"{SESSION}.sessionIndex", 0, 1, IN_MEMORY, "S8 strategy", NONE),
        Difference(f"{SESSION}.eventIndex", 1, 2, IN_MEMORY, "S8 strategy", NONE),
        Difference(
            f"{SESSION}.firstEventId", "<event 2>", "<event 1>", IN_MEMORY, "S8 strategy", NONE
        ),
        Difference(
            "co.data.2.data.eventIndex", 3, 2, "a filtered event is none", "S10 an event", FILTER
        ),
        *(
            Difference(
                "co.data.0.data.id",
                f"<view {number}>",
                f"<view {number + 1}>",
                FIRST_THERE,
                "`preservePageViewIdForUrl`",
                VIEW_OF_PATH,
            )
            for number in (1, 2)
        ),
    ]
