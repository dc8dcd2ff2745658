"""Judging the Snowplow cases: their vocabulary, and whether an observation meets an expectation.

An observation is a dict of plain data:

    requests            [{method, url, headers, credentials, keepalive, body, time_ms, aborted}]
    cookies             {name: {value, domain, path, samesite, secure, expires_ms}}, if visible
    set_cookie_strings  every assignment to document.cookie but the root-domain probes
    localStorage        {key: text}
    returns             values of getters and clicked links, in order
    snapshots           [{cookies: [names], ls: [keys]}]
    callbacks           [{name, args}]
    throws              text or None: what creating a tracker failed with
    given               UUIDs of the setup: ids that are not newly made
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from . import snowplow_facts as facts
from .matchers import MISSING, Mismatch, is_uuid4, same

NAME = "snowplow"
HEADER = "conventions"

SETUP_KEYS = frozenset(
    [
        "url",
        "referrer",
        "title",
        "cookies",
        "localStorage",
        "options",
        "navigator",
        "window",
        "collector",
        "cookiesBlocked",
        "links",
        "now_ms",
    ]
)
STEPS = frozenset(
    [
        "@advance_ms",
        "@collector",
        "@release",
        "@navigate",
        "@reload",
        "@title",
        "@set_cookie",
        "@dom",
        "@scroll",
        "@hidden",
        "@click_link",
        "@snapshot",
    ]
)
FUNCTIONS = frozenset(["@record", "@all", "@filter_pv", "@context"])
REQUEST_KEYS = frozenset(["method", "url", "credentials", "keepalive", "headers"])
MODIFIERS = frozenset(["fields_listed_exhaustively"])
IGNORED_FIELDS = frozenset(["tv"])  # the version of the tracker

_PLACEHOLDER = re.compile(r"<uuid-(\d+)>")
_FUNCTION_NAME = re.compile(r"@\w+")


def unknown_words(case: dict[str, Any]) -> list[str]:
    """The words of a case that this runner does not know, each with the place it stands in."""
    setup, calls = case.get("setup", {}), case.get("calls", [])
    words = [f"setup key {key}" for key in setup if key not in SETUP_KEYS]
    words += [f"step {call[0]}" for call in calls if call[0][:1] == "@" and call[0] not in STEPS]
    created = [call[3:] for call in calls if call[0] == "newTracker"]
    words += [f"function {name}" for name in _unknown_functions([setup.get("options"), created])]
    for part in ("expect", "better"):
        words += unknown_expectations(case.get(part, {}))
    return words


def unknown_expectations(expectation: dict[str, Any]) -> list[str]:
    """The unknown words of an expectation."""
    known = (*COMPARISONS, *MODIFIERS, "note")
    words = [f"expectation {key}" for key in expectation if key not in known]
    listed = expectation.get("requests", [])
    return words + [f"requests {key}" for one in listed for key in one if key not in REQUEST_KEYS]


def compare(expectation: dict[str, Any], observation: dict[str, Any]) -> list[Mismatch]:
    """Where an observation is not what is expected. Only what is listed is looked at."""
    comparison = Comparison(expectation, observation)
    for key, expected in expectation.items():
        if key in COMPARISONS:
            COMPARISONS[key](comparison, key, expected)
        elif key not in MODIFIERS:
            comparison.fail(key, "a known expectation", key)
    return comparison.mismatches


class Comparison:
    """The comparison of one case. Placeholders hold over the whole case."""

    def __init__(self, expectation: dict[str, Any], observation: dict[str, Any]) -> None:
        self.expectation = expectation
        self.observation = observation
        self.events = facts.all_events(observation)
        self.mismatches: list[Mismatch] = []
        self._uuids: dict[str, str] = {}
        self._given = frozenset(observation.get("given", ()))

    def fail(self, path: str, expected: Any, got: Any) -> None:
        """Note a mismatch."""
        self.mismatches.append(Mismatch(path, expected, got))

    def equal(self, path: str, expected: Any, got: Any) -> None:
        """Demand equality, with placeholders in texts and without the ignored fields."""
        if isinstance(expected, str) and isinstance(got, str):
            if not self._same_text(expected, got):
                self.fail(path, expected, got)
        elif isinstance(expected, dict) and isinstance(got, dict):
            keys = [*expected, *(key for key in got if key not in expected)]
            for key in keys:
                if key not in IGNORED_FIELDS:
                    values = expected.get(key, MISSING), got.get(key, MISSING)
                    self.equal(f"{path}.{key}", *values)
        elif isinstance(expected, list) and isinstance(got, list):
            for index in range(max(len(expected), len(got))):
                self.equal(f"{path}[{index}]", _item(expected, index), _item(got, index))
        elif not same(expected, got):
            self.fail(path, expected, got)

    def _same_text(self, expected: str, got: str) -> bool:
        """Equality of texts. A placeholder is a newly made UUID: the same one wherever it stands,
        another than that of every other placeholder.
        """
        names = _PLACEHOLDER.findall(expected)
        pattern = "(.{36})".join(map(re.escape, _PLACEHOLDER.split(expected)[::2]))
        match = re.fullmatch(pattern, got, re.DOTALL)
        if match is None:
            return False
        for name, value in zip(names, match.groups(), strict=True):
            taken = value in self._given or value in self._uuids.values()
            if not is_uuid4(value) or (name not in self._uuids and taken):
                return False
            if self._uuids.setdefault(name, value) != value:
                return False
        return True


def _events(comparison: Comparison, key: str, expected: Any) -> None:
    exhaustive = comparison.expectation.get("fields_listed_exhaustively", ())
    for index in range(max(len(expected), len(comparison.events))):
        wanted, got = _item(expected, index), _item(comparison.events, index)
        path = f"{key}[{index}]"
        if wanted is MISSING or got is MISSING:
            comparison.fail(path, wanted, got)
            continue
        for name in [name for name in wanted if name not in IGNORED_FIELDS]:
            comparison.equal(f"{path}.{name}", wanted[name], got.get(name, MISSING))
        for name in [name for name in exhaustive if name in got and name not in wanted]:
            comparison.fail(f"{path}.{name}", MISSING, got[name])


def _absent_fields(comparison: Comparison, key: str, expected: Any) -> None:
    for index, event in enumerate(comparison.events):
        for name in [name for name in expected if name in event]:
            comparison.fail(f"{key}: events[{index}].{name}", MISSING, event[name])


def _per_event(fact: Callable[[dict[str, Any]], Any]) -> Callable[[Comparison, str, Any], None]:
    """A list with one item for each event; a shorter list tells about the last events only."""

    def compare_items(comparison: Comparison, key: str, expected: Any) -> None:
        got = [fact(event) for event in comparison.events]
        if len(expected) < len(got):
            told = [item for item in got if item is not None]
            got = told if len(told) == len(expected) else got[len(got) - len(expected) :]
        comparison.equal(key, expected, got)

    return compare_items


def _fact(read: Callable[[Comparison], Any]) -> Callable[[Comparison, str, Any], None]:
    def compare_fact(comparison: Comparison, key: str, expected: Any) -> None:
        comparison.equal(key, expected, read(comparison))

    return compare_fact


def _cookies(comparison: Comparison, key: str, expected: Any) -> None:
    for name, value in expected.items():
        cookie = comparison.observation["cookies"].get(name)
        comparison.equal(f"{key}.{name}", value, cookie["value"] if cookie else None)


def _cookie_attributes(comparison: Comparison, key: str, expected: Any) -> None:
    for name, attributes in expected.items():
        cookie = comparison.observation["cookies"].get(name)
        if cookie is None or attributes is None:
            comparison.equal(f"{key}.{name}", attributes, cookie)
            continue
        for attribute, value in attributes.items():
            got = cookie.get(attribute, MISSING)
            if attribute == "expires_ms":
                value, got = _whole_second(value), _whole_second(got)
            comparison.equal(f"{key}.{name}.{attribute}", value, got)


def _local_storage(comparison: Comparison, key: str, expected: Any) -> None:
    for name, text in expected.items():
        comparison.equal(f"{key}.{name}", text, comparison.observation["localStorage"].get(name))


def _local_storage_json(comparison: Comparison, key: str, expected: Any) -> None:
    for name, value in expected.items():
        text = comparison.observation["localStorage"].get(name)
        try:
            got = json.loads(text or "")
        except ValueError:
            got = text
        comparison.equal(f"{key}.{name}", value, got)


def _local_storage_absent(comparison: Comparison, key: str, expected: Any) -> None:
    for name in expected:
        comparison.equal(f"{key}.{name}", None, comparison.observation["localStorage"].get(name))


def _requests(comparison: Comparison, key: str, expected: Any) -> None:
    """A header that is listed for one request must be missing where it is not listed."""
    selected = {name for request in expected for name in request.get("headers", {})}
    for index in range(max(len(expected), len(comparison.observation["requests"]))):
        wanted, got = _item(expected, index), _item(comparison.observation["requests"], index)
        path = f"{key}[{index}]"
        if wanted is MISSING or got is MISSING:
            comparison.fail(path, wanted, got)
            continue
        seen = {**got, "url": got["url"].partition("?")[0]}
        if "headers" in wanted:
            seen["headers"] = {k: v for k, v in got["headers"].items() if k in selected}
        for name, value in wanted.items():
            comparison.equal(f"{path}.{name}", value, seen.get(name, MISSING))


def _absent_headers(comparison: Comparison, key: str, expected: Any) -> None:
    for index, request in enumerate(comparison.observation["requests"]):
        for name in [name for name in expected if name in request["headers"]]:
            comparison.fail(f"{key}: requests[{index}].{name}", MISSING, request["headers"][name])


def _callbacks(comparison: Comparison, key: str, expected: Any) -> None:
    got = [facts.callback_facts(callback) for callback in comparison.observation["callbacks"]]
    for index in range(max(len(expected), len(got))):
        wanted, seen = _item(expected, index), _item(got, index)
        if wanted is not MISSING and seen is not MISSING:
            seen = {name: seen.get(name, MISSING) for name in wanted}
        comparison.equal(f"{key}[{index}]", wanted, seen)


def _aborted(comparison: Comparison, key: str, expected: Any) -> None:
    flags = [request["aborted"] for request in comparison.observation["requests"]]
    if isinstance(expected, bool):
        comparison.equal(key, expected, any(flags))
    else:
        comparison.equal(key, expected, flags if isinstance(expected, list) else sum(flags))


def _snapshots(comparison: Comparison, key: str, expected: Any) -> None:
    got = [_sorted_snapshot(snapshot) for snapshot in comparison.observation["snapshots"]]
    comparison.equal(key, [_sorted_snapshot(snapshot) for snapshot in expected], got)


def _cookie_names(comparison: Comparison, key: str, expected: Any) -> None:
    comparison.equal(key, sorted(expected), sorted(comparison.observation["cookies"]))


def _requests_of(comparison: Comparison) -> list[dict[str, Any]]:
    requests: list[dict[str, Any]] = comparison.observation["requests"]
    return requests


COMPARISONS: dict[str, Callable[[Comparison, str, Any], None]] = {
    "events": _events,
    "absent_in_every_event": _absent_fields,
    "entities": _per_event(facts.entities_of),
    "entity_schemas": _per_event(lambda event: [e.get("schema") for e in facts.entities_of(event)]),
    "client_session": _per_event(lambda event: facts.entity_data(event, "client_session")),
    "cookies": _cookies,
    "cookie_names_exactly": _cookie_names,
    "cookie_attributes": _cookie_attributes,
    "set_cookie_strings": _fact(
        lambda c: facts.without_duplicates(c.observation["set_cookie_strings"])
    ),
    "localStorage": _local_storage,
    "localStorage_json": _local_storage_json,
    "localStorage_exactly": _fact(lambda c: c.observation["localStorage"]),
    "localStorage_absent": _local_storage_absent,
    "returns": _fact(lambda c: c.observation["returns"]),
    "snapshots": _snapshots,
    "requests": _requests,
    "headers_absent": _absent_headers,
    "request_count": _fact(lambda c: len(_requests_of(c))),
    "events_per_request": _fact(lambda c: [len(facts.events_of(r)) for r in _requests_of(c)]),
    "se_ca_per_request": _fact(lambda c: [facts.categories_of(r) for r in _requests_of(c)]),
    "request_times_ms": _fact(lambda c: [r["time_ms"] for r in _requests_of(c)]),
    "query_keys_in_order": _fact(
        lambda c: [list(facts.query_of(r["url"])) for r in _requests_of(c) if r["method"] == "GET"]
    ),
    "queued_se_ca": _fact(
        lambda c: [e.get("se_ca") for e in facts.queued_events(c.observation["localStorage"])]
    ),
    "queued_count": _fact(lambda c: len(facts.queued_events(c.observation["localStorage"]))),
    "callbacks": _callbacks,
    "callback_count": _fact(lambda c: len(c.observation["callbacks"])),
    "aborted": _aborted,
    "event_types": _fact(lambda c: [event.get("e") for event in c.events]),
    "event_indexes": _per_event(facts.event_index),
    "page_view_ids": _fact(lambda c: [facts.page_view_id(event) for event in c.events]),
    "throws": _fact(lambda c: c.observation["throws"]),
}


def _item(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else MISSING


def _whole_second(value: Any) -> Any:
    return int(value // 1000 * 1000) if isinstance(value, int | float) else value


def _sorted_snapshot(snapshot: dict[str, Any]) -> dict[str, Any]:
    return {name: sorted(values) for name, values in snapshot.items()}


def _unknown_functions(value: Any) -> list[str]:
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        return [name for item in items for name in _unknown_functions(item)]
    is_name = isinstance(value, str) and _FUNCTION_NAME.fullmatch(value)
    return [str(value)] if is_name and value not in FUNCTIONS else []
