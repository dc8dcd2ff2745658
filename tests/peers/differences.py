"""Every difference between the bodies of Customer.io's tracker and ours, and why it is one.

Each names the row of docs/compatibility.md that tells sites of it.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from tests.peers.comparing import ABSENT, BODY, PRESENT, Difference

Json = dict[str, Any]


UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
MESSAGE_ID = re.compile(r"ajs-next-[0-9a-f]{32}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def kind(body: Json) -> tuple[Any, Any]:
    """What two bodies of the same call have in common."""
    return body.get("type"), body.get("event")


def normalised(body: Json, begin: datetime, end: datetime) -> Json:
    """A body with marks for what can never be equal, where that has the right form."""

    def is_now(value: str) -> bool:
        return bool(TIME.fullmatch(value)) and begin <= datetime.fromisoformat(value) <= end

    body = dict(body)
    for name, is_right in (
        ("messageId", MESSAGE_ID.fullmatch),
        ("anonymousId", UUID.fullmatch),
        ("timestamp", is_now),
        ("sentAt", is_now),
    ):
        value = body.get(name)
        if isinstance(value, str) and is_right(value):
            body[name] = f"<some {name}>"
    return body


GIVEN = ("options: own context",)  # where the caller gives the context itself
SCREENS = (
    "screen",
    "screen: name, properties",
    "screen: properties, options",
    "screen: category, name, properties, options",
)
ELSEWHERE = (
    "page: no query",
    "page: a query without campaign",
    "page: a strange campaign",
    "page: a campaign with a prefix",
    "page: an old advertising network",
)
NULL_FIRST = ("page: null, name, properties, options",)
NULL_SECOND = ("page: name, null, options",)
NULL_ID = ("identify: null, traits, options of a known user",)
NULL_GROUP = ("group: null, traits of a known group",)
RELATIVE = ("page: relative canonical address",)
FACTS = ("values: names of page facts",)
OLD_NETWORK = ("page: an old advertising network",)
CLASSES = ("values: objects with toJSON",)
ALIAS_NOTHING = ("alias: nothing",)

MORE_CONTEXT = "the context says more about the device"
SHIFTED = "`null` in place of a name or an id pushes what follows into the options"
COPIED = "the incumbent copies objects member by member, so their toJSON gets lost"
EMPTY_ALIAS = "without arguments the incumbent loses the options, those of load included"
NO_PAGE_LOAD = "where the address changes without a page load, the one before is the referrer"
OWN_FACTS = "C7 properties"
ONLY_PAGES = "only a page event has properties that are facts about the page"


def table(origin: str, version: str, incumbent: str) -> list[Difference]:
    """All known differences on pages of `origin`, for the versions of both trackers."""
    canonical = "/canonical?utm_source=news"
    address = f"{origin}/page.html?utm_source=news"
    before = f"{origin}/before.html"
    network = {"id": "77", "type": "millennial-media"}
    resolved = "a relative canonical link is resolved"
    return [
        Difference(
            "context.library.version",
            f"npm:next-{incumbent}",
            f"next-{version}",
            "another product",
            "`context.library`",
            but=GIVEN,
        ),
        Difference("context.timezone", ABSENT, PRESENT, MORE_CONTEXT, "C4 context", but=GIVEN),
        Difference("context.screen", ABSENT, PRESENT, MORE_CONTEXT, "C4 context", but=GIVEN),
        Difference("context.userAgentData", ABSENT, PRESENT, MORE_CONTEXT, "C4 context", but=GIVEN),
        Difference(
            "context.page", ABSENT, PRESENT, "screens have page facts", "C3 `screen`", SCREENS
        ),
        Difference(
            "userId",
            "u1",
            None,
            "an event keeps the user of the moment of its call",
            "D5 identity of an event",
            ("a track before an identify",),
        ),
        Difference(
            BODY,
            ABSENT,
            PRESENT,
            "an id that is a number becomes text; the incumbent never sends the event",
            "`userId` as a number",
            ("options: userId as a number",),
        ),
        Difference("context.referrer", network, ABSENT, "dropped", "C6 ad-network", OLD_NETWORK),
        Difference("context.page.title", "Song", "Page", ONLY_PAGES, OWN_FACTS, FACTS),
        Difference("context.page.path", "/p", "/page.html", ONLY_PAGES, OWN_FACTS, FACTS),
        Difference(
            "context.page.url", "https://song.example/", address, ONLY_PAGES, OWN_FACTS, FACTS
        ),
        Difference("properties.referrer", before, address, NO_PAGE_LOAD, "referrer", ELSEWHERE),
        Difference("context.page.referrer", before, address, NO_PAGE_LOAD, "referrer", ELSEWHERE),
        Difference("context.p", 1, ABSENT, SHIFTED, "arguments", NULL_FIRST),
        Difference("context.ip", ABSENT, "192.0.2.1", SHIFTED, "arguments", NULL_FIRST + NULL_ID),
        Difference("properties.p", ABSENT, 1, SHIFTED, "arguments", NULL_FIRST),
        Difference("context.ip", "192.0.2.1", ABSENT, SHIFTED, "arguments", NULL_SECOND),
        Difference("properties.ip", ABSENT, "192.0.2.1", SHIFTED, "arguments", NULL_SECOND),
        Difference("context.plan", "paid", ABSENT, SHIFTED, "arguments", NULL_ID),
        Difference("traits.plan", "free", "paid", SHIFTED, "arguments", NULL_ID),
        Difference("context.city", "Oslo", ABSENT, SHIFTED, "arguments", NULL_GROUP),
        Difference("traits.city", ABSENT, "Oslo", SHIFTED, "arguments", NULL_GROUP),
        Difference(
            "properties.url", canonical, origin + canonical, resolved, "canonical", RELATIVE
        ),
        Difference(
            "context.page.url", canonical, origin + canonical, resolved, "canonical", RELATIVE
        ),
        Difference(
            "context.campaign._foo",
            "9",
            ABSENT,
            "only a parameter that begins with utm_ is one of a campaign",
            "campaign",
            ("page: a campaign with a prefix",),
        ),
        Difference("properties.price.amount", 1, ABSENT, COPIED, "objects", CLASSES),
        Difference("properties.price.eur", ABSENT, 1, COPIED, "objects", CLASSES),
        Difference("integrations.Tool", ABSENT, True, EMPTY_ALIAS, "`alias()`", ALIAS_NOTHING),
        Difference("integrations.Off", ABSENT, False, EMPTY_ALIAS, "`alias()`", ALIAS_NOTHING),
    ]
