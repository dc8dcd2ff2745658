"""Decides what is kept of an event and of the request that brought it, whatever the protocol."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What a protocol needs to know about the HTTP request that carried events.

    `ip` is the visitor's address as far as the collector can tell, `user` the name given by
    HTTP basic authentication, `received_ms` milliseconds since the epoch.
    """

    method: str
    path: str
    query: str
    content_type: str
    headers: tuple[tuple[str, str], ...]
    ip: str
    user: str
    received_ms: int

    def header(self, name: str) -> str | None:
        """Give the first value of a header by its lower-case name, or None."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event, good or bad, in the form in which it is stored.

    `payload` is JSON text: the event as it came, or a JSON string of the raw body where it could
    not be read. `reasons` says what is wrong; an event without reasons is valid. `notes` says what
    else a developer should know. Times are milliseconds since the epoch.
    """

    protocol: str
    received_ms: int
    payload: str
    request: str
    type: str | None = None
    name: str | None = None
    message_id: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    group_id: str | None = None
    previous_id: str | None = None
    write_key: str | None = None
    session_id: str | None = None
    network_id: str | None = None
    event_time: int | None = None
    sent_ms: int | None = None
    ip: str | None = None
    user_agent: str | None = None
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Intake:
    """What a protocol made of one request: the events to store and the answer once they are."""

    events: list[Event]
    status: int
    answer: dict[str, object] = field(default_factory=dict)
