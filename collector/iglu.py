"""Decides whether self-describing data fit the schema that they name.

A schema is looked for in the site's own folder, then in `collector/schemas`. Both are laid out as
an Iglu registry is: `vendor/name/jsonschema/1-0-0`, or that below `schemas/`. A file that changes
is read again. No schema is ever asked for over the network.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator, FormatChecker  # type: ignore[import-untyped]
from jsonschema.exceptions import SchemaError, ValidationError  # type: ignore[import-untyped]
from referencing import Registry as References
from referencing.exceptions import Unresolvable

from collector.json_text import JsonError, read_json, shown

OWN = Path(__file__).parent / "schemas"
MAX_FLAWS = 5
MAX_MESSAGE = 200

# A vendor may not begin with a dot: it becomes the name of a folder.
ADDRESS = re.compile(
    r"iglu:(?P<vendor>[A-Za-z0-9_-][A-Za-z0-9_.-]*)/(?P<name>[A-Za-z0-9_-]+)/"
    r"(?P<format>[A-Za-z0-9_-]+)/(?P<version>(0|[1-9][0-9]*)(-(0|[1-9][0-9]*)){2})",
    re.ASCII,
)
SHAPE = "must be iglu:vendor/name/jsonschema/1-0-0"

_FORMATS = FormatChecker(("uuid", "ipv4", "ipv6", "date", "email"))


@_FORMATS.checks("date-time", raises=ValueError)  # type: ignore[untyped-decorator]
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


class Schemas:
    """The schemas that a collector knows: those of a site, if it has a folder, and its own."""

    def __init__(self, folder: Path | None = None) -> None:
        roots = (folder, folder / "schemas", OWN) if folder else (OWN,)
        self._roots = tuple(root for root in roots if root.is_dir())

    def flaws(self, address: str, data: Any) -> list[str] | None:
        """Say what of the data breaks a schema; None if the schema is not known."""
        if not ADDRESS.fullmatch(address):
            return [f"the schema {SHAPE}"]
        try:
            validator = self._validator(address)
            if validator is None:
                return None
            return list(map(_explain, islice(validator.iter_errors(data), MAX_FLAWS)))
        except (_UnusableError, Unresolvable, re.error, RecursionError) as error:
            return [f"the schema cannot be used: {str(error)[:MAX_MESSAGE]}"]

    def _validator(self, address: str) -> Draft4Validator | None:
        for root in self._roots:
            path = root / address.removeprefix("iglu:")
            try:
                changed = path.stat().st_mtime_ns
            except OSError:  # absent, or a name that is too long for a file
                continue
            return _load(path, changed)
        return None


class _UnusableError(Exception):
    """A file is no JSON Schema."""


@lru_cache(maxsize=512)
def _load(path: Path, _changed: int) -> Draft4Validator:
    try:
        schema = read_json(path.read_bytes())
        Draft4Validator.check_schema(schema)
    except (OSError, JsonError) as error:
        raise _UnusableError(str(error)) from None
    except SchemaError as error:
        raise _UnusableError(error.message) from None
    # With a registry of its own it does not look for references in the network.
    return Draft4Validator(schema, registry=References(), format_checker=_FORMATS)


def _explain(error: ValidationError) -> str:
    place = ".".join(map(str, error.absolute_path))
    message = error.message
    if len(message) > MAX_MESSAGE:
        message = f"{shown(error.instance)} breaks {error.validator} {shown(error.validator_value)}"
    return f"{place}: {message}" if place else message
