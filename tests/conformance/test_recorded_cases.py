"""The core does what the recorded cases say, or deviates on purpose."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

from .runner import FAIL, Verdict, read_cases, run_case

CASES = Path(__file__).parent / "cases"
FILES = {name: read_cases(CASES / f"{name}.json") for name in ("customerio", "snowplow")}

# Cases that cannot be played as they were recorded, and why.
UNPLAYABLE = {
    "retry-overrides": "the answers of the collector are lost: an empty list stands in their place",
}


@functools.cache
def verdicts(name: str) -> dict[str, Verdict]:
    file = FILES[name]
    return {case["id"]: run_case(file.vocabulary, case, file.answers) for case in file.cases}


def all_cases() -> list[Any]:
    return [
        pytest.param(name, case["id"], id=f"{name}-{case['id']}")
        for name, file in FILES.items()
        for case in file.cases
    ]


@pytest.mark.parametrize(("name", "id_"), all_cases())
def test_case(name: str, id_: str) -> None:
    verdict = verdicts(name)[id_]
    if verdict.status != FAIL:
        return
    if id_ in UNPLAYABLE:
        pytest.skip(UNPLAYABLE[id_])
    pytest.fail(verdict.line, pytrace=False)


def test_what_cannot_be_played_lacks_the_answers_of_the_collector() -> None:
    cases = {case["id"]: case for file in FILES.values() for case in file.cases}
    for id_ in UNPLAYABLE:
        assert cases[id_]["setup"]["collector"] == []
        expected = cases[id_]["expect"]["events_per_request"]
        assert sum(expected) > len(cases[id_]["calls"])  # so some were answered otherwise
