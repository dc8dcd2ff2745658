"""The `_sp_id` value: what is known of a visitor and the session he is in.

Stored as ten parts joined by dots; values of five and six parts are those of older versions. Rules:
Snowplow browser tracker, `id_cookie`; a value that is no number is an absent one, never an error.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, TypeGuard

from tracker.browser import Browser
from tracker.golden import derived_uuid

NIL_UUID = "00000000-0000-0000-0000-000000000000"
CLIENT_SESSION = "iglu:com.snowplowanalytics.snowplow/client_session/jsonschema/1-0-2"

MAX_COUNT = 2**31 - 1
MAX_TIME_MS = 8.64e15  # what JavaScript can tell as a date

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_USER_ID = re.compile(_UUID.pattern + "|[0-9a-f]{16}")
_INTEGER = re.compile(r"\s*([+-]?)(?:0[xX]([0-9a-fA-F]+)|0*(\d{1,20}))", re.ASCII)


@dataclass(slots=True)
class Visitor:
    """A visitor. Times in seconds since the epoch, but for `first_event_ms`."""

    found: bool
    user_id: str
    created_s: int
    visits: int
    now_s: int
    last_visit_s: int | None = None
    session_id: str = ""
    previous_session_id: str = ""
    first_event_id: str = ""
    first_event_ms: int | None = None
    event_index: int = 0

    def start_session(self, session_id: str) -> None:
        """Begin the next visit."""
        if self.found:
            self.previous_session_id = self.session_id
            self.last_visit_s = self.now_s
            self.visits += 1
        self.session_id = session_id
        self.event_index, self.first_event_id, self.first_event_ms = 0, "", None

    def count_event(self, event_id: str, time_ms: int) -> None:
        """Take an event into the session; the first one is remembered."""
        if self.event_index == 0:
            self.first_event_id, self.first_event_ms = event_id, time_ms
        self.event_index += 1

    def to_text(self, *, anonymous: bool) -> str:
        """The stored form; an anonymous one names neither the visitor nor former sessions."""
        values = [
            "" if anonymous else self.user_id,
            self.created_s,
            self.visits,
            self.now_s,
            self.last_visit_s,
            self.session_id,
            "" if anonymous else self.previous_session_id,
            self.first_event_id,
            self.first_event_ms,
            self.event_index,
        ]
        return ".".join("" if value is None else str(value) for value in values)

    def to_list(self) -> list[Any]:
        """The eleven items of `getDomainUserInfo`."""
        return [
            "0" if self.found else "1",
            self.user_id,
            self.created_s,
            self.visits,
            self.now_s,
            self.last_visit_s,
            self.session_id,
            self.previous_session_id,
            self.first_event_id,
            self.first_event_ms,
            self.event_index,
        ]

    def fields(self) -> dict[str, Any]:
        """`vid` and `sid` of an event."""
        return {"vid": _counted(self.visits), "sid": self.session_id}

    def entity(self, browser: Browser, *, anonymous: bool, mechanism: str) -> dict[str, Any]:
        """The data of the `client_session` entity, which its schema accepts in any case.

        Damaged ids were found in a cookie: the schema would refuse the whole event for them.
        """
        is_id = _UUID.fullmatch(self.session_id)
        first = self.first_event_ms
        known = not anonymous and _USER_ID.fullmatch(self.user_id)
        return {
            "userId": self.user_id if known else NIL_UUID,
            "sessionId": self.session_id if is_id else derived_uuid(self.session_id),
            "eventIndex": _counted(self.event_index),
            "sessionIndex": _counted(self.visits),
            "previousSessionId": None if anonymous else _uuid_or_none(self.previous_session_id),
            "storageMechanism": mechanism,
            "firstEventId": _uuid_or_none(self.first_event_id),
            "firstEventTimestamp": browser.iso_time(first) if _is_date(first) else None,
        }


def parse_visitor(text: str, *, now_s: int, visits: int, new_id: str) -> Visitor:
    """The visitor that a stored value means; `new_id` stands in for a missing session id."""
    parts = [*text.split("."), *[""] * 9]

    def integer(index: int, default: int | None) -> int | None:
        number = parse_int(parts[index])
        return default if number is None else number

    def id_(index: int, default: str = "") -> str:
        return default if parts[index] in ("", "undefined") else parts[index]

    return Visitor(
        found=True,
        user_id=parts[0],
        created_s=integer(1, now_s) or 0,
        visits=integer(2, visits) or 0,
        now_s=integer(3, now_s) or 0,
        last_visit_s=integer(4, None),
        session_id=id_(5, new_id),
        previous_session_id=id_(6),
        first_event_id=id_(7),
        first_event_ms=integer(8, None),
        event_index=integer(9, 0) or 0,
    )


def parse_int(text: str) -> int | None:
    """`parseInt`: a number at the beginning of a text, None if there is none."""
    match = _INTEGER.match(text)
    if match is None:
        return None
    sign, hexadecimal, digits = match.groups()
    number = int(hexadecimal, 16) if hexadecimal else int(digits)
    return -number if sign == "-" else number


def _counted(number: int) -> int:
    return min(max(number, 0), MAX_COUNT)


def _uuid_or_none(text: str) -> str | None:
    return text if _UUID.fullmatch(text) else None


def _is_date(time_ms: int | None) -> TypeGuard[int]:
    return time_ms is not None and 0 < time_ms <= MAX_TIME_MS


def to_seconds(time_ms: float) -> int:
    """Milliseconds as whole seconds; halves are rounded up, as JavaScript does."""
    return math.floor(time_ms / 1000 + 0.5)
