"""What the arguments of a call mean: the shapes of Customer.io's methods, as plain values.

Arguments arrive as JSON values; a function among them has been replaced by `FUNCTION`. Rules:
Customer.io client, arguments resolver, with its shifted shapes corrected (a `null` that stands for
a category, a name or an id never pushes properties into the options).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple


class _Function:
    def __repr__(self) -> str:
        return "a function"


FUNCTION: Final = _Function()

Json = dict[str, Any]


class TrackArguments(NamedTuple):
    """`track(event, properties, options)`; `event` is None where there is no usable name."""

    event: str | None
    properties: Json
    options: Json


class PageArguments(NamedTuple):
    """`page(category, name, properties, options)` and the same for screen."""

    category: str | None
    name: str | None
    properties: Json
    options: Json


class EntityArguments(NamedTuple):
    """`identify(id, traits, options)` and the same for group; `id` None means the current one."""

    id: str | None
    traits: Json
    options: Json


class AliasArguments(NamedTuple):
    """`alias(to, from, options)`; None means the current user."""

    to: str | None
    previous: str | None
    options: Json


def resolve_track(args: Sequence[Any]) -> TrackArguments:
    """`(name, properties?, options?)` or `({event, properties}, options?)`."""
    first = _at(args, 0)
    if isinstance(first, dict):
        event, properties, options = first.get("event"), first.get("properties"), _at(args, 1)
    else:
        event, properties, options = first, _at(args, 1), _at(args, 2)
    name = event if isinstance(event, str) and event else None
    return TrackArguments(name, _object(properties), _object(options))


def resolve_page(args: Sequence[Any]) -> PageArguments:
    """One text is the name, two are category and name; then properties and options."""
    texts = [arg for arg in args if isinstance(arg, str)]
    category, name = (texts[0], texts[1]) if len(texts) > 1 else (None, *texts, None)[:2]
    properties, options = _objects(args, names=2, null_counts=name is not None)
    return PageArguments(category, name, properties, options)


def resolve_entity(args: Sequence[Any], number_text: Callable[[float], str]) -> EntityArguments:
    """The id is the first text, else the first number; then traits and options."""
    id_ = next((arg for arg in args if isinstance(arg, str)), None)
    if id_ is None:
        id_ = next((number_text(arg) for arg in args if _is_number(arg)), None)
    traits, options = _objects(args, names=1, null_counts=True)
    return EntityArguments(id_, traits, options)


def resolve_alias(args: Sequence[Any], number_text: Callable[[float], str]) -> AliasArguments:
    """The first two texts or numbers; the first object is the options."""
    ids = [number_text(arg) if _is_number(arg) else arg for arg in args]
    texts = [arg for arg in ids if isinstance(arg, str)]
    options = next((arg for arg in args if isinstance(arg, dict)), {})
    to, previous = (*texts, None, None)[:2]
    return AliasArguments(to, previous, options)


def _objects(args: Sequence[Any], *, names: int, null_counts: bool) -> tuple[Json, Json]:
    """The two objects of a call; `null` counts as one only behind the first `names` positions."""
    objects = [
        arg
        for position, arg in enumerate(args)
        if isinstance(arg, dict) or (arg is None and null_counts and position >= names)
    ]
    return _object(_at(objects, 0)), _object(_at(objects, 1))


def _at(args: Sequence[Any], index: int) -> Any:
    return args[index] if index < len(args) else None


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
