"""Decides what developers and their tests can ask about the stored events, in JSON.

| address                  | gives                                                            |
|--------------------------|------------------------------------------------------------------|
| `GET /api/events`        | `{"events": [...], "last": SEQ}`                                  |
| `GET /api/events/{seq}`  | one event                                                        |
| `GET /api/identities?id=`| `{"id", "identities": [...]}`: who an id belonged to over time    |
| `GET /api/stats`         | counts                                                           |
| `GET /api/stream`        | server-sent events, see `collector.feed`                         |
| `POST /api/reset`        | deletes all events (also `DELETE`)                               |

`events` and `stream` take the filters `protocol`, `type`, `name`, `id` (any identifier, exactly),
`text` (any part of the payload or the reasons) and `valid`, and `after`, a sequence number;
`events` also takes `limit` (1 to 1000, default 100) and `order` (`asc` or `desc`). Bad parameters
are answered 400 with what is allowed.

No other origin may read any of this, or reset.
"""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from collector import queries
from collector.bodies import failure
from collector.feed import Feed, stream
from collector.intake import RETRY_AFTER
from collector.parameters import (
    CURSOR,
    FILTERS,
    PAGING,
    ParameterError,
    read_parameter,
    read_parameters,
    text,
)
from collector.queries import Filters
from collector.settings import Settings
from collector.store import Store, StoreBusyError


def api_routes(store: Store, feed: Feed, settings: Settings) -> list[Route]:
    """Give the routes below `/api`."""

    async def events(request: Request) -> Response:
        values = read_parameters(request, FILTERS | CURSOR | PAGING)
        filters = _filters(values)
        return JSONResponse(
            await store.read(
                partial(
                    _page,
                    filters=filters,
                    after=values.get("after", 0),
                    limit=values.get("limit", 100),
                    newest_first=values.get("order", False),
                )
            )
        )

    async def event(request: Request) -> Response:
        seq = read_parameter("seq", request.path_params["seq"], {"seq": CURSOR["after"]})
        row = await store.read(partial(queries.get, seq=seq))
        return failure(404, f"there is no event {seq}") if row is None else JSONResponse(row)

    async def identities(request: Request) -> Response:
        values = read_parameters(request, {"id": text()})
        if "id" not in values:
            raise ParameterError("id is missing, must be a user, anonymous or group id")
        rows = await store.read(partial(queries.identities, identifier=values["id"]))
        return JSONResponse({"id": values["id"], "identities": rows})

    async def stats(request: Request) -> Response:
        read_parameters(request, {})
        return JSONResponse(await store.read(queries.stats))

    async def live(request: Request) -> Response:
        values = read_parameters(request, FILTERS | CURSOR)
        after = values.get("after")
        if last := request.headers.get("last-event-id"):
            after = read_parameter("Last-Event-ID", last, {"Last-Event-ID": CURSOR["after"]})
        return StreamingResponse(
            stream(store, feed, _filters(values), after, settings.heartbeat),
            media_type="text/event-stream",
        )

    async def reset(request: Request) -> Response:
        if not _same_origin(request):
            return failure(403, "only pages of the collector itself and programs may reset it")
        try:
            await store.reset()
        except StoreBusyError as busy:
            return failure(503, f"try again: {busy}", {"Retry-After": RETRY_AFTER})
        return JSONResponse({"success": True})

    return [
        Route("/events", events),
        Route("/events/{seq}", event),
        Route("/identities", identities),
        Route("/stats", stats),
        Route("/stream", live),
        Route("/reset", reset, methods=["POST", "DELETE"]),
    ]


def _page(connection: sqlite3.Connection, **question: Any) -> dict[str, Any]:
    found = list(queries.find(connection, **question))
    return {"events": found, "last": queries.position(connection).last}


def _filters(values: dict[str, Any]) -> Filters:
    return Filters(**{name: value for name, value in values.items() if name in FILTERS})


def _same_origin(request: Request) -> bool:
    """Tell whether a request comes from the collector's own page, or from no page at all.

    Any website can make its visitor's browser send a POST here (cross-site request forgery);
    browsers then say where it came from.
    """
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host")
