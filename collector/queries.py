"""Decides how events are found: filters as data, and every SELECT of the collector."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from collector.snowplow_fields import read_fields

# The names that the API gives to columns.
NAMES = {
    "seq": "seq",
    "protocol": "protocol",
    "type": "type",
    "name": "name",
    "message_id": "messageId",
    "user_id": "userId",
    "anonymous_id": "anonymousId",
    "group_id": "groupId",
    "previous_id": "previousId",
    "write_key": "writeKey",
    "session_id": "sessionId",
    "network_id": "networkUserId",
    "event_time": "eventTime",
    "received_ms": "receivedTime",
    "sent_ms": "sentTime",
    "ip": "ip",
    "user_agent": "userAgent",
    "valid": "valid",
    "reasons": "reasons",
    "notes": "notes",
    "payload": "payload",
    "request": "request",
    "duplicates": "duplicates",
}
JSON_COLUMNS = {"reasons", "notes", "payload", "request"}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which events are asked for; None asks for all. `id` is any identifier, `text` any part."""

    protocol: str | None = None
    type: str | None = None
    name: str | None = None
    id: str | None = None
    text: str | None = None
    valid: bool | None = None


CONDITIONS = {
    "protocol": "protocol = :protocol",
    "type": "type = :type",
    "name": "name = :name",
    "id": "(user_id = :id OR anonymous_id = :id OR group_id = :id OR message_id = :id "
    "OR session_id = :id OR network_id = :id)",
    "text": "(payload LIKE :text ESCAPE '\\' OR reasons LIKE :text ESCAPE '\\')",
    "valid": "valid = :valid",
}


@dataclass(frozen=True, slots=True)
class Position:
    """Where a database stands: its identity, the first number that can exist and the last given."""

    database: str
    first: int
    last: int


def find(
    connection: sqlite3.Connection,
    filters: Filters,
    *,
    after: int = 0,
    limit: int | None = 100,
    newest_first: bool = False,
) -> Iterator[Row]:
    """Give the events after a sequence number that match, one by one."""
    conditions = ["seq > :after"]
    values: dict[str, object] = {"after": after, "limit": -1 if limit is None else limit}
    for name, condition in CONDITIONS.items():
        value = getattr(filters, name)
        if value is not None:
            conditions.append(condition)
            values[name] = _like(value) if name == "text" else value
    order = "DESC" if newest_first else "ASC"
    cursor = connection.execute(
        f"SELECT * FROM events WHERE {' AND '.join(conditions)} ORDER BY seq {order} LIMIT :limit",
        values,
    )
    return map(_shown, cursor)


def get(connection: sqlite3.Connection, seq: int) -> Row | None:
    """Give one event by its sequence number."""
    row = connection.execute("SELECT * FROM events WHERE seq = ?", (seq,)).fetchone()
    return None if row is None else _shown(row)


def position(connection: sqlite3.Connection) -> Position:
    """Tell which database this is and which sequence numbers it has."""
    facts = dict(connection.execute("SELECT key, value FROM facts").fetchall())
    last = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    return Position(facts["database"], int(facts["first"]), last[0] if last else 0)


def stats(connection: sqlite3.Connection) -> dict[str, Any]:
    """Count events: in all, good, bad, duplicates, per protocol and per type."""
    rows = connection.execute(
        "SELECT protocol, type, valid, count(*) FROM events GROUP BY type, valid, protocol"
    )
    protocols: Counter[str] = Counter()
    types: Counter[str] = Counter()
    outcomes: Counter[bool] = Counter()
    for protocol, kind, valid, count in rows:
        protocols[protocol] += count
        types[kind or ""] += count
        outcomes[bool(valid)] += count
    repeated = connection.execute("SELECT sum(duplicates) FROM events WHERE duplicates > 0")
    where = position(connection)
    return {
        "total": outcomes.total(),
        "good": outcomes[True],
        "bad": outcomes[False],
        "duplicates": repeated.fetchone()[0] or 0,
        "protocols": protocols,
        "types": types,
        "first": where.first,
        "last": where.last,
    }


# Ids of one visitor are linked by good events that carry two of them. A group only starts the
# search: following groups would make one person of all employees of a customer.
IDENTITIES = """
WITH RECURSIVE known (id) AS (
    SELECT :id
    UNION SELECT user_id FROM good WHERE group_id = :id AND user_id IS NOT NULL
    UNION SELECT anonymous_id FROM good WHERE group_id = :id AND anonymous_id IS NOT NULL
    UNION SELECT user_id FROM known, good WHERE anonymous_id = id AND user_id IS NOT NULL
    UNION SELECT anonymous_id FROM known, good WHERE user_id = id AND anonymous_id IS NOT NULL
    UNION SELECT user_id FROM known, good WHERE previous_id = id AND user_id IS NOT NULL
    UNION SELECT previous_id FROM known, good WHERE user_id = id AND previous_id IS NOT NULL
    LIMIT :limit
), linked (seq) AS (
    SELECT seq FROM known, good WHERE user_id = id
    UNION SELECT seq FROM known, good WHERE anonymous_id = id
    UNION SELECT seq FROM good WHERE group_id = :id
)
SELECT anonymous_id AS anonymousId, user_id AS userId, group_id AS groupId,
    min(coalesce(event_time, received_ms)) AS firstSeen,
    max(coalesce(event_time, received_ms)) AS lastSeen,
    count(*) AS events
FROM events WHERE seq IN linked
GROUP BY 1, 2, 3 ORDER BY firstSeen, min(seq)
"""
MAX_IDENTITIES = 1000


def identities(connection: sqlite3.Connection, identifier: str) -> list[Row]:
    """Give the identities over time that an id is linked to, by when they were first seen.

    Each row holds `anonymousId`, `userId`, `groupId`, `firstSeen` and `lastSeen` (milliseconds
    since the epoch, by the event's own clock) and the number of `events`.
    """
    values = {"id": identifier, "limit": MAX_IDENTITIES}
    return [dict(row) for row in connection.execute(IDENTITIES, values)]


def _shown(row: sqlite3.Row) -> Row:
    shown = {
        name: json.loads(row[column] or "[]") if column in JSON_COLUMNS else row[column]
        for column, name in NAMES.items()
    } | {"valid": bool(row["valid"])}
    return shown | {"fields": _fields(shown)}


def _fields(shown: Row) -> Row | None:
    """Give a Snowplow event's fields under Snowplow's names; None for other events."""
    if shown["protocol"] != "snowplow" or not isinstance(shown["payload"], dict):
        return None
    return read_fields(shown["payload"])[0] | {
        "network_userid": shown["networkUserId"],
        "user_ipaddress": shown["ip"],
        "useragent": shown["userAgent"],
    }


def _like(text: str) -> str:
    for mark in "\\%_":
        text = text.replace(mark, f"\\{mark}")
    return f"%{text}%"
