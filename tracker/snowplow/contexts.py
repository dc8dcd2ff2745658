"""Which entities are added to every event: global contexts, their filters and rule sets.

A provider is a primitive (an entity, or a function that gives entities) or a conditional
(`[filter function or rule set, primitive or primitives]`). Functions stay in the page; here they
are marks, `{"$fn": key}`. Rules: Snowplow tracker v4, global contexts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from tracker.errors import shown

Json = dict[str, Any]

# Runs the function of a mark, by its key, with these arguments. Raises what the function raises.
Run = Callable[[Any, list[Any]], Awaitable[Any]]

_ALLOWED = (
    "an object with schema and data, a function, or "
    "[function or rule set, one or several of these]. See docs/snowplow.md#global-contexts"
)

# schemas contexts 1-0-0 and unstruct_event 1-0-0
_SCHEMA = re.compile(r"iglu:[A-Za-z0-9_.-]+/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+/[0-9]+-[0-9]+-[0-9]+")

# The first two labels of a vendor are no wildcards, and what follows a wildcard is one.
_LABEL = "[A-Za-z0-9_-]+"
_RULE = re.compile(
    rf"iglu:{_LABEL}\.{_LABEL}(\.{_LABEL})*(\.\*)*/({_LABEL}|\*)/jsonschema"
    r"/([0-9]+|\*)-([0-9]+|\*)-([0-9]+|\*)"
)


def is_self_describing(value: Any) -> bool:
    """Whether a value is `{schema, data}` with a complete `iglu:` address and data as JSON."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("schema"), str)
        and _SCHEMA.fullmatch(value["schema"]) is not None
        and isinstance(value.get("data"), dict | list)
    )


class GlobalContexts:
    """The providers of a tracker."""

    def __init__(self) -> None:
        self._unnamed: list[Any] = []
        self._named: dict[str, Any] = {}

    def add(self, value: Any) -> list[str]:
        """Add a list of providers, or an object of named ones that replace those of the same name.

        Returns what is wrong, a sentence for each value that is not added.
        """
        if isinstance(value, list):
            self._unnamed += filter(_is_provider, value)
            return [_problem(item) for item in value if not _is_provider(item)]
        if isinstance(value, dict):
            self._named |= {name: item for name, item in value.items() if _is_provider(item)}
            return [
                _problem(item, f"'{name}' is ")
                for name, item in value.items()
                if not _is_provider(item)
            ]
        return [
            f"addGlobalContexts: {shown(value)}; allowed: a list, or an object of named "
            f"contexts; each is {_ALLOWED}"
        ]

    def remove(self, value: Any) -> None:
        """Remove providers: a list of names and of values equal to those that were added."""
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str):
                self._named.pop(item, None)
            else:
                text = _canonical(item)
                self._unnamed = [kept for kept in self._unnamed if _canonical(kept) != text]

    def clear(self) -> None:
        """Remove all providers."""
        self._unnamed.clear()
        self._named.clear()

    async def entities(self, payload: Json, event_schema: str, run: Run) -> list[Json]:
        """The entities for an event.

        `event_schema` is the one of a self-describing event, else "". Order: primitives, then
        conditionals, of each kind the unnamed ones first. Functions that fail add nothing.
        """
        providers = [*self._unnamed, *self._named.values()]
        providers.sort(key=_is_conditional)
        facts = {"event": payload, "eventType": payload.get("e"), "eventSchema": event_schema}
        found: list[Json] = []
        for provider in providers:
            if not _is_conditional(provider):
                found += await _entities_of(provider, facts, run)
            elif await _applies(provider[0], facts, run):
                for primitive in _listed(provider[1]):
                    found += await _entities_of(primitive, facts, run)
        return found


async def _entities_of(primitive: Json, facts: Json, run: Run) -> list[Json]:
    value = await _result(primitive, facts, run) if _is_function(primitive) else primitive
    # the schema of contexts allows these two members only
    return [
        {"schema": item["schema"], "data": item["data"]}
        for item in _listed(value)
        if is_self_describing(item)
    ]


async def _applies(condition: Json, facts: Json, run: Run) -> bool:
    if _is_function(condition):
        return await _result(condition, facts, run) is True
    schema = facts["eventSchema"]
    if _matches(condition.get("reject", []), schema):
        return False
    # The incumbent attaches nothing where `accept` is not given, which is a defect.
    return "accept" not in condition or _matches(condition["accept"], schema)


async def _result(function: Json, facts: Json, run: Run) -> Any:
    try:
        return await run(function["$fn"], [facts])
    except Exception:  # the page's own code, or a page that does not answer
        return None


def _matches(rules: Any, schema: str) -> bool:
    """Whether a schema, one of an event, is what some rule names. A wildcard is one label."""
    if not _SCHEMA.fullmatch(schema):
        return False
    patterns = (re.escape(rule).replace(r"\*", _LABEL) for rule in _listed(rules))
    return any(re.fullmatch(pattern, schema) for pattern in patterns)


def _is_provider(value: Any) -> bool:
    if not _is_conditional(value):
        return _is_primitive(value)
    if len(value) != 2 or not (_is_function(value[0]) or _is_rule_set(value[0])):
        return False
    primitives = _listed(value[1])
    return bool(primitives) and all(map(_is_primitive, primitives))


def _is_conditional(value: Any) -> bool:
    return isinstance(value, list)


def _is_primitive(value: Any) -> bool:
    return _is_function(value) or is_self_describing(value)


def _is_function(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"$fn"}


def _is_rule_set(value: Any) -> bool:
    if not isinstance(value, dict) or not value.keys() & {"accept", "reject"}:
        return False
    rules = [*_listed(value.get("accept", [])), *_listed(value.get("reject", []))]
    return all(isinstance(rule, str) and _RULE.fullmatch(rule) for rule in rules)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _problem(value: Any, name: str = "") -> str:
    return f"addGlobalContexts: {name}{shown(value)}; allowed: {_ALLOWED}"
