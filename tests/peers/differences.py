"""Every difference between the bodies of the two trackers, and why it is one.

Each names the row of docs/compatibility.md that tells sites of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class _Mark:
    name: str

    def __repr__(self) -> str:
        return self.name


ABSENT = _Mark("absent")
PRESENT = _Mark("present")

BODY = "the whole body"


@dataclass(frozen=True)
class Found:
    """One place where two bodies of the same call differ."""

    call: str
    path: str
    theirs: Any
    ours: Any

    def __str__(self) -> str:
        return f"{self.call}: {self.path} is {self.theirs!r} in theirs, {self.ours!r} in ours"


@dataclass(frozen=True)
class Difference:
    """A known difference; without `calls` it is in every body but those of `but`."""

    path: str
    theirs: Any
    ours: Any
    why: str
    row: str  # how the row of docs/compatibility.md begins
    calls: tuple[str, ...] = ()
    but: tuple[str, ...] = ()

    def explains(self, found: Found) -> bool:
        """Whether this is the reason for a difference that was found."""
        return (
            self.path == found.path
            and (found.call in self.calls if self.calls else found.call not in self.but)
            and _is(found.theirs, self.theirs)
            and _is(found.ours, self.ours)
        )

    def expected_in(self, call: str) -> bool:
        """Whether the bodies of a call must show it."""
        return call in self.calls if self.calls else call not in self.but


def _is(value: Any, expected: Any) -> bool:
    return value is not ABSENT if expected is PRESENT else bool(value == expected)


def compare(call: str, theirs: list[Json], ours: list[Json]) -> Iterator[Found]:
    """Where the bodies of a call differ; they are paired by type and name, in order."""
    for their, our in _pairs(theirs, ours):
        if their is ABSENT or our is ABSENT:
            yield Found(call, BODY, their, our)
        else:
            yield from _differences(call, "", their, our)


def _pairs(theirs: list[Json], ours: list[Json]) -> Iterator[tuple[Any, Any]]:
    waiting = list(ours)
    for body in theirs:
        kinds = [_kind(other) for other in waiting]
        pair = waiting.pop(kinds.index(_kind(body))) if _kind(body) in kinds else ABSENT
        yield body, pair
    yield from ((ABSENT, body) for body in waiting)


def _kind(body: Json) -> tuple[Any, Any]:
    return body.get("type"), body.get("event")


def _differences(call: str, path: str, theirs: Any, ours: Any) -> Iterator[Found]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in {**theirs, **ours}:
            inside = f"{path}.{name}" if path else name
            yield from _differences(call, inside, theirs.get(name, ABSENT), ours.get(name, ABSENT))
    elif type(theirs) is not type(ours) or theirs != ours:
        yield Found(call, path, theirs, ours)


UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
MESSAGE_ID = re.compile(r"ajs-next-[0-9a-f]{32}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


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
