"""Decides what a Snowplow request holds and which of its events are good.

Bodies: `POST /com.snowplowanalytics.snowplow/tp2` carries `{"schema": payload_data, "data":
[parameters, ...]}`; `GET /i` carries the parameters of one event in its query.

As Snowplow's collector does, every request that can be read is answered 200, whatever its events
are worth: a tracker could not make them better by sending them again. Bad events are stored with
their reasons, unreadable bodies with the beginning of their text. One event that breaks
payload_data makes all events of its request bad, because a Snowplow pipeline loses them all.

Checks, in Snowplow's order: payload_data, the type of each parameter (`collector.snowplow_fields`),
the self-describing event and the entities (`collector.iglu`). Data whose schema is not known pass
with a note.

An event that was stored before (same `eid`) is counted as a duplicate.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from collector.iglu import ADDRESS, OWN, Schemas
from collector.json_text import (
    JsonError,
    raw_payload,
    read_json,
    shown,
    well_formed,
    write_json,
)
from collector.network_id import Visitor
from collector.records import Event, Intake, RequestFacts
from collector.snowplow_fields import Fields, read_fields

PROTOCOL = "snowplow"
VENDOR = "com.snowplowanalytics.snowplow"
MAX_BATCH = 5000
MAX_PARAMETERS = 1000
UNKNOWN_IP = "unknown"

PAYLOAD = f"{VENDOR}/payload_data/jsonschema/1-0-4"
# Snowplow takes all versions up to the one that it knows: 1-0-4 only adds parameters.
PAYLOAD_VERSIONS = re.compile(rf"iglu:{re.escape(VENDOR)}/payload_data/jsonschema/1-0-[0-9]{{1,4}}")
_ITEM = json.loads((OWN / PAYLOAD).read_text(encoding="utf-8"))["items"]
PAYLOAD_NAMES = frozenset(_ITEM["properties"])
PAYLOAD_REQUIRED = tuple(_ITEM["required"])

# What identifies a visitor beside the request itself; never kept under SP-Anonymous.
IDENTIFYING = ("ip", "nuid", "tnuid")

Parameters = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Context:
    """What all events of a request share."""

    facts: RequestFacts
    request: str
    visitor: Visitor
    schemas: Schemas


def take_post(
    body: bytes, facts: RequestFacts, request: str, *, visitor: Visitor, schemas: Schemas
) -> Intake:
    """Read the body of a POST; `request` is JSON text kept with each event."""
    context = _context(facts, request, visitor, schemas)
    try:
        items = _events_of(read_json(body))
    except JsonError as error:
        return Intake([_unreadable(body, str(error), context)], 200)
    flaws = [tuple(payload_flaws(item)) for item in items]
    broken = next((index for index, found in enumerate(flaws) if found), None)
    if broken is not None:
        sibling = (f"event {broken} of the request breaks payload_data, so all its events are bad",)
        flaws = [found or sibling for found in flaws]
    events = [_event(item, found, context) for item, found in zip(items, flaws, strict=True)]
    return Intake(events, 200)


def take_get(
    _: bytes, facts: RequestFacts, request: str, *, visitor: Visitor, schemas: Schemas
) -> Intake:
    """Read the query of a GET as one event; `request` is JSON text kept with it."""
    context = _context(facts, request, visitor, schemas)
    try:
        pairs = parse_qsl(facts.query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        reason = f"the query holds more than {MAX_PARAMETERS} parameters"
        return Intake([_unreadable(facts.query.encode(), reason, context)], 200)
    parameters = {name: well_formed(value) for name, value in pairs}
    # A GET is checked by its types only: payload_data is the schema of bodies.
    flaws = () if parameters.get("e") else ("e missing",)
    return Intake([_event(parameters, flaws, context)], 200)


def payload_flaws(item: Any) -> Iterator[str]:
    """Say what of an event breaks payload_data 1-0-4, as its schema would, but faster."""
    if not isinstance(item, dict):
        yield f"the event is {shown(item)}, must be an object"
        return
    yield from (f"{name} missing" for name in PAYLOAD_REQUIRED if name not in item)
    for name, value in item.items():
        if name not in PAYLOAD_NAMES:
            yield f"parameter {shown(name)} is not known to payload_data 1-0-4"
        elif not isinstance(value, str):
            yield f"{name} is {shown(value)}, must be text"


def _events_of(envelope: Any) -> list[Any]:
    if not isinstance(envelope, dict):
        raise JsonError(f"the body is {shown(envelope)}, must be an object with schema and data")
    schema, items = envelope.get("schema"), envelope.get("data")
    if not isinstance(schema, str) or not PAYLOAD_VERSIONS.fullmatch(schema):
        raise JsonError(f"schema is {shown(schema)}, must be iglu:{PAYLOAD}")
    if not isinstance(items, list) or not items:
        raise JsonError(f"data is {shown(items)}, must be a list of events")
    if len(items) > MAX_BATCH:
        raise JsonError(f"data holds {len(items)} events, allowed are {MAX_BATCH}")
    return items


def _context(facts: RequestFacts, request: str, visitor: Visitor, schemas: Schemas) -> _Context:
    if visitor.anonymous and any(name in facts.query for name in IDENTIFYING):
        pairs = parse_qsl(facts.query, keep_blank_values=True)
        kept = urlencode([pair for pair in pairs if pair[0] not in IDENTIFYING])
        request = write_json(json.loads(request) | {"query": kept[:1000]})
    return _Context(facts, request, visitor, schemas)


def _event(item: Any, flaws: tuple[str, ...], context: _Context) -> Event:
    """Make the record of one event, with the reasons why it is bad, if it is."""
    if not isinstance(item, dict):
        return _bad(write_json(item), flaws, context)
    facts, visitor = context.facts, context.visitor
    if visitor.anonymous:
        item = {name: value for name, value in item.items() if name not in IDENTIFYING}
    fields, wrong = read_fields(item)
    reasons = [*flaws, *wrong]
    notes: list[str] = []
    for name in ("unstruct_event", "contexts"):
        if name in fields:
            _check(fields[name], name, context.schemas, reasons, notes)
    if fields.get("event") == "unstruct" and not (item.get("ue_pr") or item.get("ue_px")):
        reasons.append("ue_pr and ue_px are missing, ue needs one of them")
    schema, data = inner_event(fields)
    segment = data if schema.startswith("iglu:com.segment/") else {}
    return Event(
        protocol=PROTOCOL,
        received_ms=facts.received_ms,
        payload=write_json(item),
        request=context.request,
        type=fields.get("event"),
        name=_name(fields, schema),
        # Snowplow gives an id to an event that has none.
        message_id=fields.get("event_id") or str(uuid.uuid4()),
        user_id=fields.get("user_id"),
        anonymous_id=fields.get("domain_userid"),
        group_id=_text(segment.get("groupId")),
        previous_id=_text(segment.get("from")),
        write_key=fields.get("app_id"),
        session_id=fields.get("domain_sessionid"),
        network_id=fields.get("network_userid") or visitor.network_id,
        event_time=fields.get("dvce_created_tstamp", fields.get("true_tstamp")),
        sent_ms=fields.get("dvce_sent_tstamp"),
        ip=_address(fields, context),
        user_agent=fields.get("useragent") or facts.header("user-agent"),
        reasons=tuple(reasons),
        notes=tuple(dict.fromkeys(notes)),
    )


def inner_event(fields: Fields) -> tuple[str, dict[str, Any]]:
    """Give the schema and the data of a self-describing event; nothing where there is none."""
    envelope = fields.get("unstruct_event")
    inner = envelope.get("data") if isinstance(envelope, dict) else None
    if not isinstance(inner, dict) or not isinstance(inner.get("schema"), str):
        return "", {}
    data = inner.get("data")
    return inner["schema"], data if isinstance(data, dict) else {}


def _name(fields: Fields, schema: str) -> str | None:
    """Give what the event is called: the action, or the name of the schema."""
    if match := ADDRESS.fullmatch(schema):
        return match["name"]
    return fields.get("se_action")


def _address(fields: Fields, context: _Context) -> str:
    if context.visitor.anonymous:
        return UNKNOWN_IP
    address: str = fields.get("user_ipaddress") or context.facts.ip
    return address


def _check(
    envelope: Any, name: str, schemas: Schemas, reasons: list[str], notes: list[str]
) -> None:
    """Check an envelope and what is in it; adds to the reasons and to the notes."""
    expected = f"iglu:{VENDOR}/{name}/jsonschema/1-0-0"
    schema = envelope.get("schema") if isinstance(envelope, dict) else None
    # Snowplow takes 1-0-1 and so on too, which only add to it.
    if not isinstance(schema, str) or schema.rpartition("-")[0] != expected[:-2]:
        reasons.append(f"{name}: the schema is {shown(schema)}, must be {expected}")
        return
    data = envelope.get("data")
    if flaws := schemas.flaws(expected, data):
        reasons += (f"{name}: {flaw}" for flaw in flaws)
        return
    for inner in data if isinstance(data, list) else [data]:
        address = inner["schema"]
        found = schemas.flaws(address, inner["data"])
        if found is None:
            notes.append(f"not checked, the schema is not known: {address[:200]}")
        else:
            reasons += (f"{name}: {address[:200]}: {flaw}" for flaw in found)


def _unreadable(body: bytes, reason: str, context: _Context) -> Event:
    return _bad(raw_payload(body), (reason,), context)


def _bad(payload: str, reasons: tuple[str, ...], context: _Context) -> Event:
    facts, visitor = context.facts, context.visitor
    return Event(
        protocol=PROTOCOL,
        received_ms=facts.received_ms,
        payload=payload,
        request=context.request,
        network_id=visitor.network_id,
        ip=UNKNOWN_IP if visitor.anonymous else facts.ip,
        user_agent=facts.header("user-agent"),
        reasons=reasons,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
