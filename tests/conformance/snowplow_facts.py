"""What an observation of a Snowplow case says: events, entities and queues out of raw traffic."""

from __future__ import annotations

import base64
import json
import re
from typing import Any
from urllib.parse import unquote

QUEUE_KEY = re.compile(r"(snowplowOutQueue_.+?)(?:\.(\d+))?")
CALLBACK_FIELDS = ("events", "status", "message", "willRetry")


def events_of(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of one request, fields as they were sent; a request without events has none."""
    if request["method"] == "GET":
        fields = query_of(request["url"])
        return [fields] if "e" in fields else []
    body = _parsed(request.get("body"))
    data = body.get("data") if isinstance(body, dict) else None
    return [event for event in data if isinstance(event, dict)] if isinstance(data, list) else []


def query_of(url: str) -> dict[str, str]:
    """The decoded fields of a query, in their order."""
    query = url.partition("#")[0].partition("?")[2]
    pairs = [part.partition("=") for part in query.split("&") if part]
    return {unquote(name): unquote(value) for name, _, value in pairs}


def all_events(observation: dict[str, Any]) -> list[dict[str, Any]]:
    """Every sent event, in sending order."""
    return [event for request in observation["requests"] for event in events_of(request)]


def entities_of(event: dict[str, Any]) -> list[dict[str, Any]]:
    """The entities of an event, from plain or base64url context fields."""
    wrapper = _parsed(event.get("co")) or _parsed(_from_base64url(event.get("cx")))
    data = wrapper.get("data") if isinstance(wrapper, dict) else None
    return [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []


def entity_data(event: dict[str, Any], name: str) -> Any:
    """The data of an event's entity of that name, None without one."""
    for entity in entities_of(event):
        if f"/{name}/" in str(entity.get("schema")):
            return entity.get("data")
    return None


def page_view_id(event: dict[str, Any]) -> list[Any]:
    """Which tracker sent which kind of event in which page view."""
    page = entity_data(event, "web_page")
    return [event.get("tna"), event.get("e"), page.get("id") if isinstance(page, dict) else None]


def event_index(event: dict[str, Any]) -> Any:
    """The event's number in its session, None without a session entity."""
    session = entity_data(event, "client_session")
    return session.get("eventIndex") if isinstance(session, dict) else None


def categories_of(request: dict[str, Any]) -> list[Any]:
    """The categories of the structured events of a request."""
    return [event["se_ca"] for event in events_of(request) if "se_ca" in event]


def queued_events(local_storage: dict[str, str]) -> list[dict[str, Any]]:
    """The events that wait in local storage, oldest first, in any form an out-queue has had."""
    segments = []
    for key, text in local_storage.items():
        match = QUEUE_KEY.fullmatch(key)
        if match and not key.endswith((".expires", ".corrupt")):
            segments.append((match[1], int(match[2] or 0), _parsed(text)))
    segments.sort(key=lambda segment: segment[:2])
    items = [item for *_, content in segments if isinstance(content, list) for item in content]
    return [_queued_event(item) for item in items]


def callback_facts(callback: dict[str, Any]) -> dict[str, Any]:
    """A recorded callback with the facts that cases tell about those of requests."""
    args = callback["args"]
    told = args[0] if args and isinstance(args[0], dict) else {}
    if args and isinstance(args[0], list):
        told = {"events": args[0], **(args[1] if len(args) > 1 and args[1] else {})}
    facts = {name: told.get(name) for name in CALLBACK_FIELDS}
    facts["events"] = len(told["events"]) if isinstance(told.get("events"), list) else None
    return {**callback, **facts}


def without_duplicates(texts: list[str]) -> list[str]:
    """Each text once, where it came first."""
    return list(dict.fromkeys(texts))


def _queued_event(item: Any) -> dict[str, Any]:
    if isinstance(item, str):
        return dict(query_of(item))
    payload = item.get("evt", item.get("payload")) if isinstance(item, dict) else None
    return payload if isinstance(payload, dict) else {}


def _from_base64url(text: Any) -> str | None:
    if not isinstance(text, str):
        return None
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:
        return None


def _parsed(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return None
