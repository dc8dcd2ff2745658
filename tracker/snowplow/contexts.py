"""Global contexts: entities that are added to every event, or to those a rule or a function names.

Rules: Snowplow tracker core, global contexts. Two of its defects are repaired: a rule set that only
rejects attaches to all other events, and a wildcard in a vendor matches what it says.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from tracker.errors import shown
from tracker.options import is_function

Json = dict[str, Any]

# Runs a function of the page by its mark.
Run = Callable[[Any, list[Any]], Awaitable[Any]]

_ADDRESS = re.compile(r"iglu:([a-zA-Z0-9-_.]+)/([a-zA-Z0-9-_]+)/jsonschema/(\d+)-(\d+)-(\d+)")
_RULE = re.compile(
    r"iglu:([a-zA-Z0-9-_.]+(?:\.\*)*)/([a-zA-Z0-9-_]+|\*)/jsonschema/"
    r"([1-9]\d*|\*)-(\d+|\*)-(\d+|\*)"
)

Provider = tuple[Any, Any]  # a condition (None: always), and what it adds


def is_self_describing(value: Any) -> bool:
    """Whether a value is `{schema, data}` with the address of a schema."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("schema"), str)
        and _ADDRESS.fullmatch(value["schema"]) is not None
        and isinstance(value.get("data"), dict)
    )


class GlobalContexts:
    """The providers of a tracker, in the order in which they were added."""

    def __init__(self) -> None:
        self._unnamed: list[Any] = []
        self._named: dict[str, Any] = {}

    def add(self, value: Any) -> list[str]:
        """Add providers: a list of them, or an object that names each.

        Returns what is wrong with those that are not added.
        """
        problems: list[str] = []
        if isinstance(value, dict):
            for name, provider in value.items():
                if _read(provider) is None:
                    problems.append(f"the provider '{name}' is {shown(provider)}")
                else:
                    self._named[name] = provider
        elif isinstance(value, list):
            for index, provider in enumerate(value):
                if _read(provider) is None:
                    problems.append(f"the provider at {index} is {shown(provider)}")
                else:
                    self._unnamed.append(provider)
        else:
            problems.append(f"the argument is {shown(value)}")
        return problems

    def remove(self, value: Any) -> None:
        """Remove providers by name, or by being equal to those given."""
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str):
                self._named.pop(item, None)
            elif item in self._unnamed:
                self._unnamed.remove(item)

    def clear(self) -> None:
        """Remove all."""
        self._unnamed.clear()
        self._named.clear()

    async def entities(self, payload: Json, event_schema: str, run: Run) -> list[Json]:
        """What is added to an event: first what is added always, then what has a condition."""
        providers = [_read(each) for each in (*self._unnamed, *self._named.values())]
        told = {
            "event": payload,
            "eventType": payload.get("e", ""),
            "eventSchema": event_schema,
        }
        found: list[Json] = []
        for conditional in (False, True):
            for provider in providers:
                if provider is not None and (provider[0] is not None) == conditional:
                    found += await _entities_of(provider, told, event_schema, run)
        return found


async def _entities_of(provider: Provider, told: Json, schema: str, run: Run) -> list[Json]:
    condition, primitives = provider
    if condition is not None and not await _holds(condition, told, schema, run):
        return []
    found: list[Json] = []
    for primitive in primitives:
        made = await _answer(primitive, told, run) if is_function(primitive) else primitive
        found += [item for item in _items(made) if is_self_describing(item)]
    return found


async def _holds(condition: Any, told: Json, schema: str, run: Run) -> bool:
    if is_function(condition):
        return await _answer(condition, told, run) is True
    accept, reject = _items(condition.get("accept")), _items(condition.get("reject"))
    accepted = not accept or any(_matches(rule, schema) for rule in accept)
    return schema != "" and accepted and not any(_matches(rule, schema) for rule in reject)


async def _answer(mark: Any, told: Json, run: Run) -> Any:
    try:
        return await run(mark, [told])
    except Exception:
        return None  # a function that fails adds nothing


def _read(provider: Any) -> Provider | None:
    """Condition and primitives of a provider, None for what is none."""
    if is_self_describing(provider) or is_function(provider):
        return None, [provider]
    if not isinstance(provider, list) or len(provider) != 2:
        return None
    condition, primitives = provider[0], _items(provider[1])
    valid = primitives and all(is_self_describing(p) or is_function(p) for p in primitives)
    return (condition, primitives) if valid and _is_condition(condition) else None


def _is_condition(value: Any) -> bool:
    if is_function(value):
        return True
    if not isinstance(value, dict) or not value or set(value) - {"accept", "reject"}:
        return False
    return all(_is_rule(rule) for rules in value.values() for rule in _items(rules))


def _is_rule(rule: Any) -> bool:
    match = _RULE.fullmatch(rule) if isinstance(rule, str) else None
    if match is None:
        return False
    labels = match[1].split(".")
    return len(labels) > 1 and "*" not in labels[:2]


def _matches(rule: str, schema: str) -> bool:
    wanted, found = _RULE.fullmatch(rule), _ADDRESS.fullmatch(schema)
    if wanted is None or found is None:
        return False
    wanted_labels, labels = wanted[1].split("."), found[1].split(".")
    pairs = [
        *zip(wanted_labels, labels, strict=False),
        *zip(wanted.groups()[1:], found.groups()[1:], strict=True),
    ]
    return len(wanted_labels) == len(labels) and all(w in ("*", f) for w, f in pairs)


def _items(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
