"""Decides what a Customer.io request holds and which of its events are good.

Bodies: `POST /v1/{t,i,p,g,a,s}` (also `/v1/track` and so on) carry one event, `POST /v1/b` and
`/v1/batch` carry `{"batch": [event, ...], "writeKey"?, "sentAt"?, "context"?}`, whose members
apply to the events that lack them.

Answers, given after the events are on disk:

| request                  | status | body                                             |
|--------------------------|--------|--------------------------------------------------|
| one good event           | 200    | `{"success": true}`                              |
| one bad event            | 400    | `{"success": false, "errors": ["reason", ...]}`  |
| batch, all good          | 200    | `{"success": true}`                              |
| batch, some good         | 200    | `{"success": true, "errors": [FLAW, ...]}`       |
| batch, all bad           | 400    | `{"success": false, "errors": [FLAW, ...]}`      |
| not JSON, not an object  | 400    | `{"success": false, "errors": ["reason"]}`       |

where a FLAW is `{"index", "messageId", "reasons"}` of one bad event of the batch.

A mixed batch is a success because a retry could not make it better. Bad events are stored with
their reasons, unreadable bodies with the beginning of their text. An event that was stored before
(same messageId) is answered like a new one. `messageId` may be absent, as in Customer.io's HTTP
API; such an event cannot be recognised when it comes twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from collector.json_text import JsonError, raw_payload, read_json, shown, write_json
from collector.records import Event, Intake, RequestFacts

PROTOCOL = "customerio"
MAX_BATCH = 5000
MAX_SHARED_CONTEXT = 16 * 1024 * 1024

# Path segment below /v1 to the type of event it takes; None is a batch.
ENDPOINTS: dict[str, str | None] = {
    "t": "track",
    "i": "identify",
    "p": "page",
    "g": "group",
    "a": "alias",
    "s": "screen",
    "b": None,
}
ENDPOINTS |= {name: name for name in ENDPOINTS.values() if name} | {"batch": None}
TYPES = tuple(name for name in dict.fromkeys(ENDPOINTS.values()) if name)

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of JSON value that a member must be."""

    description: str
    accepts: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """What a member must be, and for which types of event it must be there."""

    path: str
    kind: Kind
    required_by: tuple[str, ...] = ()


def to_milliseconds(value: Any) -> int | None:
    """Give the time of ISO 8601 text or of a Unix number in milliseconds, or None.

    A number from 100,000,000,000 on is in milliseconds (as JavaScript counts), a smaller one in
    seconds. Text without an offset is UTC.
    """
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            return round(moment.timestamp() * 1000)
        if isinstance(value, int | float) and not isinstance(value, bool):
            milliseconds = round(value if value >= 1e11 else value * 1000)
            datetime.fromtimestamp(milliseconds / 1000, UTC)
            return milliseconds
    except (ValueError, OverflowError, OSError):
        pass
    return None


TEXT = Kind("non-empty text", lambda value: isinstance(value, str) and value != "")
OBJECT = Kind("an object", lambda value: isinstance(value, dict))
TIME = Kind("ISO 8601 text or a Unix time", lambda value: to_milliseconds(value) is not None)

# A member that is absent or null is wrong only for the types that require it.
RULES = (
    Rule("event", TEXT, required_by=("track",)),
    Rule("userId", TEXT, required_by=("alias",)),
    Rule("anonymousId", TEXT),
    Rule("groupId", TEXT, required_by=("group",)),
    Rule("previousId", TEXT),
    Rule("messageId", TEXT),
    Rule("writeKey", TEXT),
    Rule("properties", OBJECT),
    Rule("traits", OBJECT),
    Rule("context", OBJECT),
    Rule("context.ip", TEXT),
    Rule("context.page", OBJECT),
    Rule("timestamp", TIME),
    Rule("sentAt", TIME),
)
ENVELOPE_RULES = tuple(r for r in RULES if r.path in {"writeKey", "sentAt", "context"})


def take_single(body: bytes, facts: RequestFacts, request: str, *, expected: str) -> Intake:
    """Read the body of the endpoint for one type; `request` is JSON text kept with the event."""
    try:
        value = read_json(body)
        if not isinstance(value, dict):
            raise JsonError(f"the body is {_shown(value)}, must be an object")
    except JsonError as error:
        return _unreadable(body, expected, str(error), facts, request)
    event = _event(value, expected, (), facts, request)
    if event.reasons:
        return Intake([event], 400, {"success": False, "errors": list(event.reasons)})
    return Intake([event], 200, {"success": True})


def take_batch(body: bytes, facts: RequestFacts, request: str) -> Intake:
    """Read the body of a batch endpoint; `request` is JSON text kept with each event."""
    try:
        envelope = read_json(body)
        items = _batch_of(envelope)
    except JsonError as error:
        return _unreadable(body, None, str(error), facts, request)
    flaws = tuple(f"batch: {reason}" for reason in _broken(envelope, ENVELOPE_RULES, None))
    events = [_event(_inherit(item, envelope), None, flaws, facts, request) for item in items]
    errors = [
        {"index": index, "messageId": event.message_id, "reasons": list(event.reasons)}
        for index, event in enumerate(events)
        if event.reasons
    ]
    success = len(errors) < len(events)
    answer: dict[str, object] = {"success": success}
    if errors:
        answer["errors"] = errors
    return Intake(events, 200 if success else 400, answer)


def _batch_of(envelope: Any) -> list[Any]:
    if not isinstance(envelope, dict):
        raise JsonError(f"the body is {_shown(envelope)}, must be an object with a batch")
    items = envelope.get("batch")
    if not isinstance(items, list) or not items:
        raise JsonError(f"batch is {_shown(items)}, must be a list of events")
    if len(items) > MAX_BATCH:
        raise JsonError(f"batch holds {len(items)} events, allowed are {MAX_BATCH}")
    if len(write_json(envelope.get("context"))) * len(items) > MAX_SHARED_CONTEXT:
        # It is stored with each event, so a small body could fill the disk.
        raise JsonError(f"context is too large to be given to each of {len(items)} events")
    return items


def _inherit(item: Any, envelope: Body) -> Any:
    """Give an event what the batch says for all of them; its own members win."""
    if not isinstance(item, dict):
        return item
    full = dict(item)
    for key in ("writeKey", "sentAt"):
        if full.get(key) is None and envelope.get(key) is not None:
            full[key] = envelope[key]
    shared, own = envelope.get("context"), item.get("context")
    if isinstance(shared, dict) and isinstance(own, dict | None):
        full["context"] = shared | (own or {})
    return full


def _event(
    body: Any, expected: str | None, flaws: tuple[str, ...], facts: RequestFacts, request: str
) -> Event:
    """Make the record of one event of a request, with the reasons why it is bad, if it is."""
    if not isinstance(body, dict):
        reason = f"the event is {_shown(body)}, must be an object"
        return Event(
            protocol=PROTOCOL,
            received_ms=facts.received_ms,
            payload=write_json(body),
            request=request,
            ip=facts.ip,
            user_agent=facts.header("user-agent"),
            reasons=(*flaws, reason),
        )
    kind = expected if body.get("type") is None else body["type"]
    write_key = _text(body, "writeKey") or facts.user or None
    reasons = (*flaws, *_wrong_type(kind, expected), *_broken(body, RULES, kind))
    if write_key is None and body.get("writeKey") is None:
        reasons += ("writeKey missing",)
    if not _text(body, "userId") and not _text(body, "anonymousId"):
        reasons += ("userId and anonymousId are missing, one of them must be non-empty text",)
    return Event(
        protocol=PROTOCOL,
        received_ms=facts.received_ms,
        payload=write_json(body),
        request=request,
        type=kind if isinstance(kind, str) else expected,
        name=_text(body, "event" if kind == "track" else "name"),
        message_id=_text(body, "messageId"),
        user_id=_text(body, "userId"),
        anonymous_id=_text(body, "anonymousId"),
        group_id=_text(body, "groupId") or _text(body, "context.groupId"),
        previous_id=_text(body, "previousId"),
        write_key=write_key,
        event_time=to_milliseconds(body.get("timestamp")),
        sent_ms=to_milliseconds(body.get("sentAt")),
        # Customer.io: context.ip wins over the address of the request; 0.0.0.0 anonymizes.
        ip=_text(body, "context.ip") or facts.ip,
        user_agent=_text(body, "context.userAgent") or facts.header("user-agent"),
        reasons=reasons,
    )


def _unreadable(
    body: bytes, expected: str | None, reason: str, facts: RequestFacts, request: str
) -> Intake:
    event = Event(
        protocol=PROTOCOL,
        received_ms=facts.received_ms,
        payload=raw_payload(body),
        request=request,
        type=expected,
        write_key=facts.user or None,
        ip=facts.ip,
        user_agent=facts.header("user-agent"),
        reasons=(reason,),
    )
    return Intake([event], 400, {"success": False, "errors": [reason]})


def _wrong_type(kind: Any, expected: str | None) -> tuple[str, ...]:
    if not isinstance(kind, str) or kind not in TYPES:
        return (f"type is {_shown(kind)}, must be one of {', '.join(TYPES)}",)
    if expected is not None and kind != expected:
        return (f"type is {_shown(kind)}, this address takes {expected}",)
    return ()


def _broken(body: Body, rules: tuple[Rule, ...], kind: Any) -> tuple[str, ...]:
    reasons = []
    for rule in rules:
        value = _member(body, rule.path)
        if value is None:
            if kind in rule.required_by:
                reasons.append(f"{rule.path} missing, {kind} needs {rule.kind.description}")
        elif not rule.kind.accepts(value):
            reasons.append(f"{rule.path} is {_shown(value)}, must be {rule.kind.description}")
    return tuple(reasons)


def _member(body: Body, path: str) -> Any:
    value: Any = body
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _text(body: Body, path: str) -> str | None:
    value = _member(body, path)
    return value if isinstance(value, str) and value else None


def _shown(value: Any) -> str:
    return "missing" if value is None else shown(value)
