"""Whether a value is what a case expects, in the vocabulary of the Customer.io cases.

An ordinary object matches as a subset, a list element by element, anything else by equality. An
object whose keys begin with `$` is a matcher; RULES holds what each of them means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

SHORT = 160
_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.I)
_ISO_DATE = re.compile(r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d\.\d{3}Z")


class _Missing:
    """There is no value: not even null."""

    def __repr__(self) -> str:
        return "nothing"


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One place where an observation is not what a case expects."""

    path: str
    expected: Any
    got: Any

    def __str__(self) -> str:
        return f"{self.path}: expected {short(self.expected)}, got {short(self.got)}"


def short(value: Any, limit: int = SHORT) -> str:
    """A value in one line, cut to a readable length."""
    text = repr(value) if value is MISSING else json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def is_uuid4(value: Any) -> bool:
    """Whether a value is the text of a random UUID."""
    return isinstance(value, str) and _UUID4.fullmatch(value) is not None


def same(expected: Any, got: Any) -> bool:
    """Equality as JSON has it: true is not 1, 1 is 1.0, the order of members does not count."""
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    if isinstance(expected, dict) and isinstance(got, dict):
        return expected.keys() == got.keys() and all(same(expected[k], got[k]) for k in expected)
    if isinstance(expected, list) and isinstance(got, list):
        return len(expected) == len(got) and all(map(same, expected, got))
    return (type(expected) is type(got) and bool(expected == got)) or _same_number(expected, got)


def is_matcher(value: Any) -> bool:
    """Whether an expected value is a matcher object."""
    return isinstance(value, dict) and any(key.startswith("$") for key in value)


def unknown_matchers(expected: Any) -> list[str]:
    """The words of an expectation that begin with `$` and mean nothing here."""
    if isinstance(expected, list):
        return [word for item in expected for word in unknown_matchers(item)]
    if not isinstance(expected, dict):
        return []
    own = [key for key in expected if key.startswith("$") and key not in RULES]
    return own + [word for item in expected.values() for word in unknown_matchers(item)]


class Matching:
    """The comparison of one case. Variables hold over the whole case."""

    def __init__(self, variables: dict[str, Any] | None = None, *, bind: bool = True) -> None:
        self.mismatches: list[Mismatch] = []
        self._variables = {} if variables is None else variables
        self._bind = bind
        self._negations: list[tuple[str, Any, Any, bool]] = []

    def match(self, path: str, expected: Any, got: Any, exact: bool = False) -> None:
        """Compare one value; what does not match is kept in `mismatches`."""
        if isinstance(expected, dict):
            self._match_object(path, expected, got, exact)
        elif isinstance(expected, list):
            self._match_list(path, expected, got, exact)
        elif not same(expected, got):
            self.fail(path, expected, got)

    def finish(self) -> list[Mismatch]:
        """All mismatches. What must differ from a variable is only known when all are bound."""
        for path, expected, got, exact in self._negations:
            trial = Matching(self._variables, bind=False)
            trial.match(path, expected, got, exact)
            unbound = [m for m in trial.mismatches if isinstance(m.got, UnboundError)]
            if unbound:
                self.fail(path, {"$not": expected}, unbound[0].got)
            elif not trial.finish():
                self.fail(path, {"$not": expected}, got)
        self._negations = []
        return self.mismatches

    def fail(self, path: str, expected: Any, got: Any) -> None:
        """Note a mismatch."""
        self.mismatches.append(Mismatch(path, expected, got))

    def differ(self, path: str, expected: Any, got: Any, exact: bool) -> None:
        """Demand, once all variables are bound, that a value does not match."""
        self._negations.append((path, expected, got, exact))

    def variable(self, path: str, name: str, got: Any) -> None:
        """Demand the value that the variable has everywhere else."""
        if got is MISSING:
            self.fail(path, {"$var": name}, got)
        elif name in self._variables:
            if not same(self._variables[name], got):
                self.fail(path, self._variables[name], got)
        elif self._bind:
            self._variables[name] = got
        else:
            self.fail(path, {"$var": name}, UnboundError(name))

    def _match_object(self, path: str, expected: dict[str, Any], got: Any, exact: bool) -> None:
        members = {}
        for key, value in expected.items():
            if not key.startswith("$"):
                members[key] = value
            elif key in RULES:
                RULES[key](self, path, value, got, exact)
            else:
                self.fail(path, f"a known matcher instead of {key}", got)
        if len(members) < len(expected) and not members:
            return
        if not isinstance(got, dict):
            self.fail(path, expected, got)
            return
        for key, value in members.items():
            self.match(f"{path}.{key}", value, got.get(key, MISSING), exact)
        if exact:
            for key in [key for key in got if key not in members]:
                self.fail(f"{path}.{key}", MISSING, got[key])

    def _match_list(self, path: str, expected: list[Any], got: Any, exact: bool) -> None:
        if not isinstance(got, list):
            self.fail(path, expected, got)
            return
        for index, value in enumerate(expected):
            item = got[index] if index < len(got) else MISSING
            self.match(f"{path}[{index}]", value, item, exact)
        for index in range(len(expected), len(got)):
            self.fail(f"{path}[{index}]", MISSING, got[index])


class UnboundError(LookupError):
    """A variable that no value of the case has given a meaning to."""

    def __repr__(self) -> str:
        return f"no value for the variable {self.args[0]!r}"


Rule = Callable[[Matching, str, Any, Any, bool], None]


def _test(name: str, holds: Callable[[Any], bool]) -> Rule:
    """A matcher without a parameter: written as `{"$name": true}`."""

    def rule(matching: Matching, path: str, value: Any, got: Any, exact: bool) -> None:
        del exact
        if value is not True or not holds(got):
            matching.fail(path, {name: value}, got)

    return rule


def _match_regex(matching: Matching, path: str, value: Any, got: Any, exact: bool) -> None:
    del exact
    if not isinstance(got, str) or not found(value, got):
        matching.fail(path, {"$re": value}, got)


def _match_length(matching: Matching, path: str, value: Any, got: Any, exact: bool) -> None:
    del exact
    if not isinstance(got, str | list) or not same(value, len(got)):
        matching.fail(path, {"$len": value}, got)


def _match_json(matching: Matching, path: str, value: Any, got: Any, exact: bool) -> None:
    try:
        parsed = json.loads(got)
    except (TypeError, ValueError):
        matching.fail(path, {"$json": value}, got)
        return
    matching.match(f"{path}.$json", value, parsed, exact)


def _match_exact(matching: Matching, path: str, value: Any, got: Any, exact: bool) -> None:
    del exact
    matching.match(path, value, got, exact=True)


def _match_variable(matching: Matching, path: str, value: Any, got: Any, exact: bool) -> None:
    del exact
    matching.variable(path, str(value), got)


def _match_not(matching: Matching, path: str, value: Any, got: Any, exact: bool) -> None:
    if got is MISSING:
        matching.fail(path, {"$not": value}, got)  # different means that there is something
    else:
        matching.differ(path, value, got, exact)


def _match_all(matching: Matching, path: str, value: Any, got: Any, exact: bool) -> None:
    if not isinstance(value, list) or not value:
        matching.fail(path, {"$all": value}, got)
        return
    for item in value:
        matching.match(path, item, got, exact)


RULES: dict[str, Rule] = {
    "$any": _test("$any", lambda got: got is not MISSING),
    "$absent": _test("$absent", lambda got: got is MISSING),
    "$uuid4": _test("$uuid4", is_uuid4),
    "$date": _test("$date", lambda got: isinstance(got, str) and bool(_ISO_DATE.fullmatch(got))),
    "$re": _match_regex,
    "$len": _match_length,
    "$json": _match_json,
    "$exact": _match_exact,
    "$var": _match_variable,
    "$not": _match_not,
    "$all": _match_all,
}


def found(pattern: Any, text: str) -> bool:
    """Whether a JavaScript expression is found in a text; a bad expression is found nowhere."""
    try:
        return re.search(re.sub(r"\(\?<(?![=!])", "(?P<", pattern), text) is not None
    except (re.error, TypeError):
        return False


def _same_number(expected: Any, got: Any) -> bool:
    numbers = isinstance(expected, int | float) and isinstance(got, int | float)
    return numbers and bool(expected == got)
