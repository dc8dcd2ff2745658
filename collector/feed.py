"""Decides what a live stream sends: every matching event once, in order, across reconnections.

A stream is a cursor over the database, not a queue of messages: it reads what lies after the last
sequence number it sent and then sleeps until a commit wakes it. So a slow reader costs no memory
and a reconnecting one (`Last-Event-ID`) misses nothing.

Messages: unnamed ones are events, with their sequence number as id. `start` comes first and
`reset` when all events were deleted; both carry `{"database", "first"}`: what the reader has with
a number below `first`, or of another database, exists no more. Silence is broken by comments.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from collector.json_text import write_json
from collector.queries import Filters, Position, Row, find, position
from collector.store import Store

CHUNK = 100
RECONNECT_MS = 1000


class Feed:
    """Wakes the live streams of one store after every commit, and ends them at the close."""

    def __init__(self) -> None:
        self.closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners: set[asyncio.Event] = set()

    def attach(self, store: Store) -> None:
        """Begin to listen to a store. Call it in the event loop that runs the streams."""
        self._loop = asyncio.get_running_loop()
        store.on_commit(self.announce)

    def announce(self) -> None:
        """Tell all streams that there is news. May be called in any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended, and the streams with it
                self._loop.call_soon_threadsafe(self._wake)

    def close(self) -> None:
        """Let all streams end. Call it in the event loop."""
        self.closed = True
        self._wake()

    @contextmanager
    def listen(self) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever there is news."""
        news = asyncio.Event()
        self._listeners.add(news)
        try:
            yield news
        finally:
            self._listeners.discard(news)

    def _wake(self) -> None:
        for news in self._listeners:
            news.set()


async def stream(
    store: Store, feed: Feed, filters: Filters, after: int | None, heartbeat: float
) -> AsyncIterator[str]:
    """Give server-sent events from a sequence number on; None starts with the next new event."""
    with feed.listen() as news:
        where = await store.read(position)
        # A number that was never given comes from another database: start at the beginning.
        cursor = where.last if after is None else after if after <= where.last else 0
        yield f"retry: {RECONNECT_MS}\nid: {cursor}\n{_control('start', where)}"
        first = where.first
        while not feed.closed:
            news.clear()
            where, rows = await store.read(partial(_next_rows, filters=filters, after=cursor))
            if where.first != first:
                first = where.first
                yield _control("reset", where)
            for row in rows:
                yield f"id: {row['seq']}\ndata: {write_json(row)}\n\n"
            if len(rows) == CHUNK:
                cursor = rows[-1]["seq"]
                continue
            cursor = where.last
            try:
                await asyncio.wait_for(news.wait(), heartbeat)
            except TimeoutError:
                yield ": still here\n\n"


def _next_rows(
    connection: sqlite3.Connection, *, filters: Filters, after: int
) -> tuple[Position, list[Row]]:
    return position(connection), list(find(connection, filters, after=after, limit=CHUNK))


def _control(name: str, where: Position) -> str:
    return (
        f"event: {name}\ndata: {write_json({'database': where.database, 'first': where.first})}\n\n"
    )
