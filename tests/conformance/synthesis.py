"""Observations made up from expectations, and expectations made wrong: to prove the judge.

observation = observe_customerio(case["expect"])    # meets the expectation
for path, wrong in mutations(case["expect"]):       # each has one leaf changed
    assert customerio.compare(wrong, observation)
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

from .matchers import MISSING, is_matcher

PROBE = "probe"  # a field, header and key that every made-up observation has
UUID = "00000000-0000-4000-8000-{:012}"
DATE = "2026-01-15T12:00:00.000Z"
TEXTS = (
    "not a function",
    "1.2.3",
    "next-1.2.3",
    "ajs-next-0123456789abcdef0123456789abcdef",
    "2026-01-15T12:00:00.000Z",
    "2026-01-15T12:00:01.000Z",
    "2026-01-15T12:00:05.000Z",
    "2026-01-15T12:00:21.000Z",
    "1700000000000",
)
_PLACEHOLDER = re.compile(r"<uuid-(\d+)>")


class Values:
    """Values that match an expectation of the Customer.io vocabulary."""

    def __init__(self, odd_occurrence: int | None = None) -> None:
        self.occurrences = 0
        self._odd = odd_occurrence
        self._names: list[str] = []

    def match(self, expected: Any) -> Any:
        """A value that matches."""
        if isinstance(expected, list):
            return [self.match(item) for item in expected]
        if not isinstance(expected, dict):
            return expected
        if not is_matcher(expected):
            members = {key: self.match(value) for key, value in expected.items()}
            return {key: value for key, value in members.items() if value is not MISSING}
        ((name, value),) = expected.items()
        return getattr(self, f"_{name[1:]}")(value)

    def _any(self, _: Any) -> Any:
        return "anything"

    def _absent(self, _: Any) -> Any:
        return MISSING

    def _uuid4(self, _: Any) -> Any:
        return UUID.format(0)

    def _date(self, _: Any) -> Any:
        return DATE

    def _re(self, pattern: str) -> Any:
        return next(text for text in TEXTS if re.search(pattern, text))

    def _len(self, length: int) -> Any:
        return [None] * length

    def _json(self, value: Any) -> Any:
        return json.dumps(self.match(value))

    def _exact(self, value: Any) -> Any:
        return self.match(value)

    def _not(self, value: Any) -> Any:
        return 7 if isinstance(value, int) else f"not {value}"

    def _all(self, items: list[Any]) -> Any:
        variable = next((item for item in items if "$var" in item), items[0])
        return self.match(variable)

    def _var(self, name: str) -> Any:
        """The value of the variable; another one where it stands for the odd time."""
        if name not in self._names:
            self._names.append(name)
        self.occurrences += 1
        odd = self.occurrences - 1 == self._odd
        return UUID.format(999 if odd else self._names.index(name) + 1)


def observe_customerio(expectation: dict[str, Any], odd: int | None = None) -> dict[str, Any]:
    """An observation that meets an expectation; `odd` numbers a variable's place that does not."""
    values = Values(odd)
    observation: dict[str, Any] = {
        "returns": {},
        "cookies": {},
        "localStorage": {},
        "requests": [],
        "settingsUrl": None,
        "callbacks": {},
        "log": [],
        "console": [],
        "loaded": True,
    }
    for key, expected in expectation.items():
        if key in observation and key != "cookies":
            observation[key] = values.match(expected)
    cookies = expectation.get("cookies", {})
    for name, specification in cookies.get("$exact", cookies).items():
        value = values.match(specification)
        if value is not MISSING:
            plain = isinstance(specification, dict) and not is_matcher(specification)
            observation["cookies"][name] = value if plain else {"value": value}
    count = values.match(expectation.get("requestCount", 0))
    observation["requests"] += [{}] * (count - len(observation["requests"]))
    for name, number in expectation.get("callbackCount", {}).items():
        observation["callbacks"].setdefault(name, [[]] * number)
    return observation


def variable_places(expectation: dict[str, Any]) -> list[int]:
    """The numbers of the places where a variable stands that has other places as well."""
    names = re.findall(r'{"\$var": "(\w+)"}', json.dumps(expectation))
    return [index for index, name in enumerate(names) if names.count(name) > 1]


def observe_snowplow(expectation: dict[str, Any]) -> dict[str, Any]:
    """An observation that meets an expectation."""
    told = _filled(expectation)
    events = _make_events(told)
    local_storage = dict(told.get("localStorage_exactly", {PROBE: "1"}))
    local_storage |= {k: v for k, v in told.get("localStorage", {}).items() if v is not None}
    for key, value in told.get("localStorage_json", {}).items():
        local_storage[key] = json.dumps(value)
    queued = [{"evt": {"se_ca": name}} for name in told.get("queued_se_ca", [])]
    queued += [{"evt": {}}] * (told.get("queued_count", 0) - len(queued))
    if queued:
        local_storage["snowplowOutQueue_sp_post2"] = json.dumps(queued)
    cookies = {name: {"value": "*"} for name in told.get("cookie_names_exactly", [])}
    for name, attributes in told.get("cookie_attributes", {}).items():
        cookies[name] = {"value": "*", **attributes}
    for name, value in told.get("cookies", {}).items():
        if value is not None:
            cookies.setdefault(name, {})["value"] = value
    callbacks = [_make_callback(callback) for callback in told.get("callbacks", [])]
    callbacks += [{"name": "x", "args": []}] * (told.get("callback_count", 0) - len(callbacks))
    return {
        "requests": _make_requests(told, events),
        "cookies": cookies,
        "set_cookie_strings": told.get("set_cookie_strings", []),
        "localStorage": local_storage,
        "returns": told.get("returns", []),
        "snapshots": told.get("snapshots", []),
        "callbacks": callbacks,
        "throws": told.get("throws"),
    }


def mutations(expectation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Expectations that are like the given one but for one leaf."""
    present = expectation.get("query_keys_in_order", [[PROBE]])[0][0]
    for path in _leaves(expectation, ()):
        wrong = copy.deepcopy(expectation)
        target = wrong
        for step in path[:-1]:
            target = target[step]
        absence = path[0] in _ABSENCES
        target[path[-1]] = present if absence else _wrong(target[path[-1]])
        yield ".".join(map(str, path)), wrong


# Lists of what must not be there: wrong is what is there.
_ABSENCES = (
    "absent_in_every_event",
    "fields_listed_exhaustively",
    "headers_absent",
    "localStorage_absent",
)


def _leaves(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    if is_matcher(value) and path:
        ((name, inner),) = value.items()
        if name == "$var":
            return
        if isinstance(inner, dict | list) and name != "$not":
            yield from _leaves(inner, (*path, name))
        else:
            yield path
        return
    items = list(value.items() if isinstance(value, dict) else enumerate(value))
    for key, item in items:
        if key == "tv":
            continue
        if isinstance(item, dict | list) and item:
            yield from _leaves(item, (*path, key))
        else:
            yield (*path, key)


def _wrong(value: Any) -> Any:
    if is_matcher(value):
        return {"$any": True} if "$absent" in value else {"$absent": True}
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1000
    if isinstance(value, str):
        return value + "~"
    if isinstance(value, dict):
        return {"mutated": "1"}
    return ["mutated"] if isinstance(value, list) else "mutated"


def _filled(value: Any) -> Any:
    text = json.dumps(value)
    return json.loads(_PLACEHOLDER.sub(lambda match: UUID.format(int(match[1])), text))


def _make_events(told: dict[str, Any]) -> list[dict[str, Any]]:
    per_event = ("events", "event_types", "page_view_ids", "event_indexes", "client_session")
    lengths = [len(told.get(key, [])) for key in (*per_event, "entities", "entity_schemas")]
    categories = [name for names in told.get("se_ca_per_request", []) for name in names]
    at_least = 1 if "absent_in_every_event" in told else 0
    number = max(at_least, *lengths, len(categories), sum(told.get("events_per_request", [])))
    return [_make_event(told, index, categories) for index in range(number)]


def _make_event(told: dict[str, Any], index: int, categories: list[str]) -> dict[str, Any]:
    def item(key: str, default: Any) -> Any:
        items = told.get(key, [])
        return items[index] if index < len(items) else default

    fields = {PROBE: "1", **item("events", {})}
    tracker, kind, page_id = item("page_view_ids", [None, item("event_types", None), None])
    fields |= {k: v for k, v in {"tna": tracker, "e": kind}.items() if v is not None}
    if index < len(categories):
        fields["se_ca"] = categories[index]
    entities = item("entities", None)
    if entities is None:
        schemas = item("entity_schemas", [])
        entities = [{"schema": schema, "data": {}} for schema in schemas]
        session = item("client_session", {"eventIndex": item("event_indexes", None)})
        if session.get("eventIndex") is not None:
            entities.append({"schema": "iglu:x/client_session/jsonschema/1-0-2", "data": session})
        if page_id is not None:
            entities.append({"schema": "iglu:x/web_page/jsonschema/1", "data": {"id": page_id}})
    if entities and "co" not in fields:
        fields["co"] = json.dumps({"data": entities})
    return fields


def _make_requests(told: dict[str, Any], events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    sizes = told.get("events_per_request") or [len(x) for x in told.get("se_ca_per_request", [])]
    listed = told.get("requests", [])
    number = told.get("request_count", len(listed) or len(sizes) or len(events))
    sizes = sizes or [1] * min(number, len(events)) + [0] * (number - len(events))
    times = told.get("request_times_ms", [])
    number = max(number, len(times))
    requests, queries = [], iter(told.get("query_keys_in_order", []))
    for index in range(number):
        size = sizes[index] if index < len(sizes) else 0
        sent, events = events[:size], events[size:]
        facts: dict[str, Any] = {"method": "POST", "url": "https://c.example/", "headers": {}}
        facts |= {"keepalive": False, "credentials": "include", "aborted": False}
        facts |= listed[index] if index < len(listed) else {}
        if facts["method"] == "GET" and sent:
            keys = next(queries, list(sent[0]))
            query = "&".join(f"{key}={sent[0].get(key, '')}" for key in keys)
            facts["url"] = f"{facts['url']}?{query}"
        facts["headers"] = {PROBE: "1", **facts.get("headers", {})}
        time = times[index] if index < len(times) else 0
        requests.append({**facts, "body": json.dumps({"data": sent}), "time_ms": time})
    return requests


def _make_callback(told: dict[str, Any]) -> dict[str, Any]:
    if "args" in told:
        return told
    facts = {**told, "events": [{}] * told["events"]} if "events" in told else told
    return {"name": told["name"], "args": [facts]}
