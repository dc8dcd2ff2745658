"""Decides how events lie in SQLite, and opens connections to them.

The database is in WAL mode, so readers never wait for the writer, with full synchronisation:
what was committed survives a power cut.
"""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path

from collector.settings import SettingsError

VERSION = 2

# What turns an older layout into the next one.
MIGRATIONS = {
    1: (
        "ALTER TABLE events ADD COLUMN session_id TEXT",
        "ALTER TABLE events ADD COLUMN network_id TEXT",
        "ALTER TABLE events ADD COLUMN notes TEXT",
    ),
}

# AUTOINCREMENT: a sequence number is never given twice, not even after a reset, so that a live
# stream can go on from the last one it has seen.
TABLES = """
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    protocol TEXT NOT NULL,
    type TEXT,
    name TEXT,
    message_id TEXT,
    user_id TEXT,
    anonymous_id TEXT,
    group_id TEXT,
    previous_id TEXT,
    write_key TEXT,
    event_time INTEGER,
    received_ms INTEGER NOT NULL,
    sent_ms INTEGER,
    ip TEXT,
    user_agent TEXT,
    valid INTEGER NOT NULL,
    reasons TEXT NOT NULL,
    payload TEXT NOT NULL,
    request TEXT NOT NULL,
    duplicates INTEGER NOT NULL DEFAULT 0,
    session_id TEXT,
    network_id TEXT,
    notes TEXT,
    UNIQUE (protocol, message_id, valid)
);
CREATE INDEX IF NOT EXISTS events_message ON events (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS events_user ON events (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS events_anonymous ON events (anonymous_id) WHERE anonymous_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS events_group ON events (group_id) WHERE group_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS events_previous ON events (previous_id) WHERE previous_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS events_session ON events (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS events_network ON events (network_id) WHERE network_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS events_name ON events (name) WHERE name IS NOT NULL;
CREATE INDEX IF NOT EXISTS events_kind ON events (type, valid, protocol);
CREATE INDEX IF NOT EXISTS events_repeated ON events (duplicates) WHERE duplicates > 0;
CREATE INDEX IF NOT EXISTS events_bad ON events (seq) WHERE valid = 0;
CREATE VIEW IF NOT EXISTS good AS SELECT * FROM events WHERE valid;
CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


def create(path: Path) -> sqlite3.Connection:
    """Open a database for writing, made if absent. Raises `SettingsError`."""
    try:
        connection = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION, *MIGRATIONS):
            raise SettingsError(
                "database",
                path,
                f"has layout {version}, this collector reads {VERSION}; use a new file",
            )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if version in MIGRATIONS:
            script = "; ".join(MIGRATIONS[version])
            connection.executescript(f"BEGIN; {script}; PRAGMA user_version = {VERSION}; COMMIT")
        connection.executescript(TABLES)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        facts = [("database", secrets.token_hex(8)), ("first", "1")]
        connection.executemany("INSERT OR IGNORE INTO facts VALUES (?, ?)", facts)
    except sqlite3.Error as error:
        allowed = f"must be a writable SQLite file ({error})"
        raise SettingsError("database", path, allowed) from None
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open a connection that can read what `create` made, and nothing else."""
    connection = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA query_only = ON")
    return connection
