"""Decides what Snowplow Micro's API answers, so that test suites written for it work here.

| address        | gives                                                                     |
|----------------|---------------------------------------------------------------------------|
| `/micro/all`   | `{"total", "good", "bad"}`                                                |
| `/micro/good`  | good events; POST filters by `{event_type, schema, contexts, limit}`      |
| `/micro/bad`   | bad events; POST filters by `{vendor, version, limit}`                    |
| `/micro/reset` | deletes everything, answers the counts                                    |

All take GET and POST; lists begin with the newest event and give at most 10,000. Events of every
protocol are counted and shown; `collector.enriched` says what a Customer.io event looks like,
`collector.enriched_snowplow` a Snowplow event.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collector import enriched, enriched_snowplow, queries
from collector.bodies import EarlyFailure, RefusedError, failure, read_body
from collector.intake import RETRY_AFTER
from collector.json_text import JsonError, read_json, write_json
from collector.queries import Filters, Row
from collector.settings import Settings
from collector.store import Store, StoreBusyError

MAX_EVENTS = 10_000

# Who knows how an event of a protocol looks: a module with good_event and raw_event.
PROTOCOLS = {"customerio": enriched, "snowplow": enriched_snowplow}

Json = dict[str, Any]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


# Filter to what it must be.
Allowed = dict[str, tuple[str, Callable[[Any], bool]]]
LIMIT: Allowed = {"limit": ("a whole number from 0", _is_count)}
GOOD: Allowed = LIMIT | {
    "event_type": ("text", _is_text),
    "schema": ("text", _is_text),
    "contexts": ("a list of texts", _are_texts),
}
BAD: Allowed = LIMIT | {"vendor": ("text", _is_text), "version": ("text", _is_text)}


def micro_routes(store: Store, settings: Settings) -> list[Route]:
    """Give the routes below `/micro`."""

    async def counts(_: Request) -> Response:
        return JSONResponse(await store.read(_counts))

    async def reset(_: Request) -> Response:
        try:
            await store.reset()
        except StoreBusyError as busy:
            return failure(503, f"try again: {busy}", {"Retry-After": RETRY_AFTER})
        return JSONResponse(await store.read(_counts))

    def listing(find: Callable[[sqlite3.Connection, Json], list[Json]], allowed: Allowed) -> Any:
        async def endpoint(request: Request) -> Response:
            try:
                filters = await _read_filters(request, allowed, settings.max_body)
            except RefusedError as refused:
                return EarlyFailure(refused)
            except JsonError as error:
                return failure(400, str(error))
            return JSONResponse(await store.read(lambda connection: find(connection, filters)))

        return endpoint

    both = ["GET", "POST"]
    return [
        Route("/all", counts, methods=both),
        Route("/good", listing(_good, GOOD), methods=both),
        Route("/bad", listing(_bad, BAD), methods=both),
        Route("/reset", reset, methods=both),
    ]


async def _read_filters(request: Request, allowed: Allowed, limit: int) -> Json:
    """Read the filters of a POST; null is no filter. Raises `RefusedError` and `JsonError`."""
    body = await read_body(request, limit)
    filters = read_json(body) if body.strip() else {}
    if not isinstance(filters, dict):
        raise JsonError("filters must be an object")
    for name, value in filters.items():
        if name not in allowed:
            raise JsonError(f"filter {name!r} is not known, allowed are: {', '.join(allowed)}")
        description, accepts = allowed[name]
        if value is not None and not accepts(value):
            raise JsonError(f"{name} is {write_json(value)[:80]}, must be {description}")
    return {name: value for name, value in filters.items() if value is not None}


def _counts(connection: sqlite3.Connection) -> Json:
    stats = queries.stats(connection)
    return {name: stats[name] for name in ("total", "good", "bad")}


def _good(connection: sqlite3.Connection, filters: Json) -> list[Json]:
    rows = queries.find(connection, Filters(valid=True), limit=None, newest_first=True)
    events = (PROTOCOLS[row["protocol"]].good_event(row) for row in rows)
    matching = (event for event in events if _matches(event, filters))
    return list(islice(matching, _limit(filters)))


def _matches(event: Json, filters: Json) -> bool:
    return (
        filters.get("event_type", event["eventType"]) == event["eventType"]
        and filters.get("schema", event["schema"]) == event["schema"]
        and set(filters.get("contexts", ())) <= set(event["contexts"])
    )


def _bad(connection: sqlite3.Connection, filters: Json) -> list[Json]:
    rows = queries.find(connection, Filters(valid=False), limit=None, newest_first=True)
    matching = (event for event in map(_bad_event, rows) if _comes_from(event, filters))
    return list(islice(matching, _limit(filters)))


def _comes_from(event: Json, filters: Json) -> bool:
    api = event["rawEvent"]["api"]
    return all(filters.get(name, api[name]) == api[name] for name in ("vendor", "version"))


def _bad_event(row: Row) -> Json:
    raw: Json = PROTOCOLS[row["protocol"]].raw_event(row)
    body = row["payload"]
    payload = {
        "api": raw["api"],
        "querystring": [],
        "contentType": raw["contentType"],
        "body": enriched.as_text(body),
        "source": raw["source"],
        "context": raw["context"],
    }
    return {"collectorPayload": payload, "rawEvent": raw, "errors": row["reasons"]}


def _limit(filters: Json) -> int:
    limit: int = filters.get("limit", MAX_EVENTS)
    return min(limit, MAX_EVENTS)
