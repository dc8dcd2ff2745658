"""The core does what the recorded cases say, or deviates on purpose."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

from .runner import FAIL, Verdict, read_cases, run_case

CASES = Path(__file__).parent / "cases"
FILES = {name: read_cases(CASES / f"{name}.json") for name in ("customerio", "snowplow")}

# Areas whose features come with later versions: their cases may fail until then.
TO_COME = {
    "customerio": {},
    "snowplow": {"emitter": "delivery that loses nothing comes later"},
}

AREAS = [(name, area) for name, areas in TO_COME.items() for area in areas]


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
    reason = TO_COME[name].get(verdict.case["area"])
    if reason:
        pytest.xfail(f"{reason}: {verdict.reason}")
    pytest.fail(verdict.line, pytrace=False)


@pytest.mark.parametrize(("name", "area"), AREAS)
def test_an_area_that_is_done_is_not_listed_as_to_come(name: str, area: str) -> None:
    failed = [v for v in verdicts(name).values() if v.case["area"] == area and v.status == FAIL]
    assert failed, f"all cases of {name} {area} hold: take the area out of TO_COME"
