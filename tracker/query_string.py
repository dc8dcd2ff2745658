"""What a page's address may ask for: `ajs_aid`, `ajs_uid`, `ajs_event` and what belongs to them.

Rules: Customer.io client, query-string API; decision I17 for stripping.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tracker.browser import Browser, Url

PREFIX = "ajs_"

_NAMED_GROUP = re.compile(r"\(\?<(?![=!])")  # JavaScript's form of Python's (?P<


@dataclass(frozen=True, slots=True)
class QueryStringRules:
    """What a link may do: `uid` and `aid` are searched in the id; `events` None allows all."""

    uid: re.Pattern[str] | None = None
    aid: re.Pattern[str] | None = None
    events: frozenset[str] | None = None
    strip: bool = True


@dataclass(frozen=True, slots=True)
class LinkCalls:
    """The calls that an address asks for, each None if it does not."""

    anonymous_id: str | None = None
    user_id: str | None = None
    traits: dict[str, str] = field(default_factory=dict)
    event: str | None = None
    properties: dict[str, str] = field(default_factory=dict)


def term(url: Url) -> str:
    """The part of an address that counts: the query, else what follows the last `?` of the hash."""
    if url.search:
        return url.search
    return "?" + url.hash.rpartition("?")[2] if "?" in url.hash else ""


def parse(text: str, decode: Callable[[str], str | None]) -> dict[str, str | None]:
    """Names and values of a query; later duplicates win, text behind a second `=` is lost."""
    values: dict[str, str | None] = {}
    for part in text.removeprefix("?").split("&"):
        name, *rest = part.split("=")
        if not rest:
            values[name] = None
            continue
        value = rest[0].replace("+", " ")
        decoded = decode(value)
        values[name] = value if decoded is None else decoded
    return values


def read(text: str, rules: QueryStringRules, decode: Callable[[str], str | None]) -> LinkCalls:
    """What a query asks for, as far as the rules allow it."""
    if PREFIX not in text:
        return LinkCalls()
    values = parse(text, decode)

    def allowed(name: str, pattern: re.Pattern[str] | None) -> str | None:
        value = values.get(name)
        return value if value and (pattern is None or pattern.search(value)) else None

    def starting_with(prefix: str) -> dict[str, str]:
        return {
            name.removeprefix(prefix): value or ""
            for name, value in values.items()
            if name.startswith(prefix) and len(name) > len(prefix)
        }

    event = values.get("ajs_event")
    if event and rules.events is not None and event not in rules.events:
        event = None
    return LinkCalls(
        allowed("ajs_aid", rules.aid),
        allowed("ajs_uid", rules.uid),
        starting_with("ajs_trait_"),
        event or None,
        starting_with("ajs_prop_"),
    )


def strip(browser: Browser, href: str) -> str:
    """An address without our parameters; the same text if it has none."""
    url = browser.parse_url(href)
    found = term(url) if url else ""
    if url is None or PREFIX not in found:
        return href
    kept = [part for part in found[1:].split("&") if not part.startswith(PREFIX)]
    return url.href.replace(found, "?" + "&".join(kept) if kept else "", 1)


MEMBERS = frozenset(("uid", "aid", "events", "strip"))


def to_rules(value: Any) -> QueryStringRules | None:
    """The rules that option `useQueryString` means, None for false. Raises ValueError."""
    if value is False:
        return None
    given = value if isinstance(value, dict) else {}
    unknown = given.keys() - MEMBERS
    if unknown:  # a limit that is misspelled would be none
        raise ValueError(f"there is no {', '.join(sorted(unknown))}")
    events = given.get("events")
    if events is not None and not (
        isinstance(events, list) and all(isinstance(each, str) for each in events)
    ):
        raise ValueError("events must be a list of event names")
    if not isinstance(given.get("strip", True), bool):
        raise ValueError("strip must be true or false")
    return QueryStringRules(
        _pattern("uid", given.get("uid")),
        _pattern("aid", given.get("aid")),
        None if events is None else frozenset(events),
        given.get("strip", True),
    )


def _pattern(name: str, value: Any) -> re.Pattern[str] | None:
    """A JavaScript regular expression, or its text."""
    if value is None:
        return None
    source, flags = (
        (value.get("$regex"), value.get("$flags", "")) if isinstance(value, dict) else (value, "")
    )
    if not isinstance(source, str):
        raise ValueError(f"{name} must be a regular expression")
    try:
        return re.compile(_NAMED_GROUP.sub("(?P<", source), re.I if "i" in flags else 0)
    except re.error as error:
        raise ValueError(f"{name} is a regular expression that cannot be read: {error}") from error
