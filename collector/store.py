"""Decides when an event is safe: one thread writes, and nobody is answered before the commit.

Requests hand over their events and wait. The writer takes everything that waits, writes it in one
transaction (group commit) and then releases all of them, so that a single disk synchronisation
serves many requests.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import TypeVar

from collector import schema
from collector.json_text import write_json
from collector.records import Event

T = TypeVar("T")

READERS = 4
GROUP_LIMIT = 2000

JSON_FIELDS = ("reasons", "notes")
COLUMNS = tuple(field.name for field in fields(Event) if field.name not in JSON_FIELDS)

# A messageId that is there already counts as a duplicate. Good and bad events are told apart, so
# that a corrected event is stored although a bad one had its messageId.
INSERT = f"""
INSERT INTO events ({", ".join(COLUMNS)}, valid, reasons, notes)
VALUES ({", ".join("?" * len(COLUMNS))}, ?, ?, ?)
ON CONFLICT (protocol, message_id, valid) DO UPDATE SET duplicates = duplicates + 1
"""

RESET = (
    "UPDATE facts SET value = (SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence) "
    "WHERE key = 'first'",
    "DELETE FROM events",
)

log = logging.getLogger("collector")


class StoreBusyError(Exception):
    """Events cannot be taken now: too many wait for the disk, it failed, or the store is closed."""


class _Task:
    """One thing for the writer to do, and the promise that it was committed."""

    __slots__ = ("done", "events")

    def __init__(self, events: Sequence[Event] | None) -> None:
        self.events = events  # None is a reset
        self.done: Future[None] = Future()
        # A waiting request that goes away must not take its events with it.
        self.done.set_running_or_notify_cancel()


class Store:
    """Events on disk: `append` and `reset` write, `read` asks.

    `capacity` is how many events may wait to be written.
    """

    def __init__(self, path: Path, capacity: int) -> None:
        self.path = path
        self.capacity = capacity
        self._listeners: list[Callable[[], None]] = []
        self._waiting: deque[_Task] = deque()
        self._pending = 0
        self._state = threading.Condition()
        self._open = False
        self._writer: threading.Thread | None = None
        self._connection: sqlite3.Connection | None = None
        self._readers = ThreadPoolExecutor(READERS, "collector-read")
        self._local = threading.local()
        self._reading: list[sqlite3.Connection] = []

    def open(self) -> None:
        """Make or open the database and start writing. Raises `SettingsError`. Idempotent."""
        if self._writer is None:
            self._connection = schema.create(self.path)
            self._open = True
            self._writer = threading.Thread(target=self._write, name="collector-write")
            self._writer.start()

    def close(self) -> None:
        """Write what was taken, then let go of the database. Idempotent."""
        with self._state:
            self._open = False
            self._state.notify()
        if self._writer is not None:
            self._writer.join()
        self._readers.shutdown()
        for connection in [*self._reading, self._connection]:
            if connection is not None:
                connection.close()
        self._reading.clear()

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Have a function called in the writer's thread after every commit; it must not block."""
        self._listeners.append(listener)

    def submit(self, events: Sequence[Event]) -> Future[None]:
        """Hand over events; the future is done when they are on disk. Raises `StoreBusyError`.

        A request larger than the capacity is taken when nothing else waits.
        """
        return self._enqueue(_Task(events), len(events))

    async def append(self, events: Sequence[Event]) -> None:
        """Write events and return when they are on disk. Raises `StoreBusyError`."""
        await asyncio.wrap_future(self.submit(events))

    async def reset(self) -> None:
        """Delete all events and return when that is on disk. Raises `StoreBusyError`."""
        await asyncio.wrap_future(self._enqueue(_Task(None), 0))

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query in a reader's thread, within one transaction, and give its result."""
        return await asyncio.wrap_future(self._readers.submit(self._run, query))

    def _enqueue(self, task: _Task, size: int) -> Future[None]:
        with self._state:
            if not self._open:
                raise StoreBusyError("the collector is stopping")
            if self._pending and self._pending + size > self.capacity:
                raise StoreBusyError(f"{self._pending} events wait for the disk")
            self._waiting.append(task)
            self._pending += size
            self._state.notify()
        return task.done

    def _write(self) -> None:
        while group := self._next_group():
            self._commit(group)
            for listener in self._listeners:
                listener()

    def _next_group(self) -> list[_Task]:
        """Wait for work and take as much as fits one transaction; nothing is the end."""
        with self._state:
            self._state.wait_for(lambda: self._waiting or not self._open)
            group: list[_Task] = []
            size = 0
            while self._waiting and size < GROUP_LIMIT:
                task = self._waiting.popleft()
                group.append(task)
                size += len(task.events or ())
            return group

    def _commit(self, group: list[_Task]) -> None:
        failure: Exception | None = None
        try:
            self._transact(group)
        except Exception as error:  # whatever it is, the writer must live and somebody be told
            # One bad apple must not fail the others; a locked or full disk fails all of them.
            if len(group) > 1 and not isinstance(error, sqlite3.OperationalError):
                for task in group:
                    self._commit([task])
                return
            log.error("events could not be written: %s", error)
            failure = StoreBusyError(f"the database failed: {error}")
        with self._state:
            self._pending -= sum(len(task.events or ()) for task in group)
        for task in group:
            if failure:
                task.done.set_exception(failure)
            else:
                task.done.set_result(None)

    def _transact(self, group: list[_Task]) -> None:
        assert self._connection is not None
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            for task in group:
                if task.events is None:
                    for statement in RESET:
                        connection.execute(statement)
                else:
                    connection.executemany(INSERT, map(_row, task.events))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _run(self, query: Callable[[sqlite3.Connection], T]) -> T:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = schema.connect_reader(self.path)
            self._reading.append(connection)
        connection.execute("BEGIN")
        try:
            return query(connection)
        finally:
            connection.execute("COMMIT")


_columns = attrgetter(*COLUMNS)


def _row(event: Event) -> tuple[object, ...]:
    values: tuple[object, ...] = _columns(event)
    notes = write_json(event.notes) if event.notes else None
    return (*values, not event.reasons, write_json(event.reasons), notes)
