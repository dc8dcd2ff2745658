"""The judge accepts what a case expects, and notices every single thing that differs."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from . import customerio, snowplow
from .runner import (
    VOCABULARIES,
    CaseFile,
    expectation_of,
    is_marked,
    judge,
    read_answers,
    read_cases,
    run_case,
)
from .synthesis import (
    mutations,
    observe_customerio,
    observe_snowplow,
    variable_places,
)

CASES = Path(__file__).parent / "cases"
MAKERS = {"customerio": observe_customerio, "snowplow": observe_snowplow}
FILES = {name: read_cases(CASES / f"{name}.json") for name in MAKERS}


def expectations(name: str) -> list[Any]:
    """Everything that is expected of a case: as recorded, as better, and as we answer."""
    file = FILES[name]
    found = []
    for case in file.cases:
        found.append(pytest.param(case["expect"], id=f"{case['id']}-expect"))
        own = expectation_of(case, file.answers) if is_marked(case) else None
        if own:
            found.append(pytest.param(own, id=f"{case['id']}-own"))
    return found


@pytest.mark.parametrize("expectation", expectations("customerio"))
def test_a_customerio_expectation_is_met_by_what_it_says_and_by_nothing_else(
    expectation: dict[str, Any],
) -> None:
    observation = observe_customerio(expectation)
    assert customerio.compare(expectation, observation) == []
    for path, wrong in mutations(expectation):
        assert customerio.compare(wrong, observation), f"{path} may be anything"


@pytest.mark.parametrize("expectation", expectations("customerio"))
def test_a_variable_has_one_value_in_a_case(expectation: dict[str, Any]) -> None:
    for place in variable_places(expectation):
        assert customerio.compare(expectation, observe_customerio(expectation, odd=place))


@pytest.mark.parametrize("expectation", expectations("snowplow"))
def test_a_snowplow_expectation_is_met_by_what_it_says_and_by_nothing_else(
    expectation: dict[str, Any],
) -> None:
    observation = observe_snowplow(expectation)
    assert snowplow.compare(expectation, observation) == []
    for path, wrong in mutations(expectation):
        assert snowplow.compare(wrong, observation), f"{path} may be anything"


@pytest.mark.parametrize("name", FILES)
def test_all_words_of_the_given_cases_are_known(name: str) -> None:
    file = FILES[name]
    words = {case["id"]: file.vocabulary.judging.unknown_words(case) for case in file.cases}
    assert {id_: unknown for id_, unknown in words.items() if unknown} == {}


@pytest.mark.parametrize("name", FILES)
def test_every_answer_is_needed_and_says_why(name: str) -> None:
    file = FILES[name]
    marked = {case["id"]: case for case in file.cases if is_marked(case)}
    for id_, answer in read_answers(name).items():
        facts = {key: value for key, value in answer.items() if key != "why"}
        assert facts and answer["why"], id_
        assert file.vocabulary.judging.unknown_expectations(facts) == [], id_
        assert expectation_of(marked[id_], file.answers) == facts, f"{id_} has a better of its own"


# Which expectation holds

CUSTOMERIO = VOCABULARIES[0]
MET, MISSED = {"requestCount": 0}, {"requestCount": 1}


def verdict(case: dict[str, Any], answers: dict[str, Any] | None = None) -> str:
    observation = {**observe_customerio({}), "problems": ["track: Event missing"]}
    return judge(CUSTOMERIO, {"id": "X", **case}, answers or {}, observation).line


def test_an_unmarked_case_is_judged_by_its_expectation() -> None:
    assert verdict({"expect": MET}) == "X PASS"
    assert verdict({"expect": MET, "better": MISSED, "verdict": "match"}) == "X PASS"
    assert verdict({"expect": MISSED}, {"X": MET}) == (
        "X FAIL requestCount: expected 1, got 0 (track: Event missing)"
    )


@pytest.mark.parametrize("mark", [{"decision": "D9"}, {"verdict": "deviate"}, {"quirk": True}])
def test_a_marked_case_is_judged_by_its_better(mark: dict[str, Any]) -> None:
    reason = mark.get("decision", "")
    assert verdict({"expect": MISSED, "better": MET, **mark}) == f"X DEVIATES {reason}".strip()
    failed = verdict({"expect": MET, "better": MISSED, **mark}, {"X": MET})
    assert failed.startswith("X FAIL requestCount: expected 1, got 0")


@pytest.mark.parametrize("better", [{}, {"better": {"note": "prose"}}, {"better": {}}])
def test_a_marked_case_without_better_is_judged_by_the_answer(better: dict[str, Any]) -> None:
    case = {"expect": MISSED, "decision": "D1", **better}
    assert verdict(case, {"X": {"why": "D1: so", **MET}}) == "X DEVIATES D1"
    assert verdict(case, {"X": {"why": "D1: so", **MISSED}}).startswith("X FAIL")
    assert verdict(case, {"Y": MISSED}) == "X DEVIATES unjudged"


def test_the_note_of_a_better_is_prose() -> None:
    assert (
        verdict({"expect": MISSED, "quirk": True, "better": {"note": "x", **MET}}) == "X DEVIATES"
    )


def test_a_better_is_judged_on_its_own_keys_only() -> None:
    case = {"expect": {**MISSED, "loaded": False}, "verdict": "deviate", "better": MET}
    assert verdict(case) == "X DEVIATES"


def test_a_core_without_the_method_fails_even_where_nothing_shows() -> None:
    observation = {**observe_customerio({}), "missing": ["register"]}
    line = judge(CUSTOMERIO, {"id": "X", "expect": MET}, {}, observation).line
    assert line == "X FAIL (the core has no method register)"


# Cases that cannot be judged

BROKEN = [
    ({"expect": {}}, "malformed case: it has no `calls`"),
    ({"calls": []}, "malformed case: it has no `expect`"),
    ({"calls": [[]], "expect": {}}, "malformed case: IndexError"),
    ({"calls": [["@fly"]], "expect": {}}, "unknown word: step @fly"),
    ({"calls": [], "expect": {"colour": 1}}, "unknown word: expectation colour"),
    ({"calls": [], "expect": {"log": {"$size": 1}}}, "unknown word: matcher $size"),
    ({"calls": [], "expect": {}, "better": {"smell": 1}}, "unknown word: expectation smell"),
    ({"calls": [], "expect": {}, "setup": {"moon": 1}}, "unknown word: setup key moon"),
    ({"calls": [["track", {"$fun": 1}]], "expect": {}}, "unknown word: token $fun"),
    (
        {"calls": [["register", {"$plugin": {"hooks": {"track": {"fail": 1}}}}]], "expect": {}},
        "unknown word: token $plugin.hooks.fail",
    ),
    ({"calls": [["@wait", -1]], "expect": {}}, "driving it failed: ValueError"),
    ({"calls": [["@navigate", "http://[/"]], "expect": {}}, "driving it failed: ValueError"),
    ({"calls": [], "expect": {"cookies": 5}}, "cookies: expected 5"),
]


@pytest.mark.parametrize(("case", "reason"), BROKEN)
def test_a_case_that_cannot_be_judged_fails_and_says_why(case: Any, reason: str) -> None:
    line = run_case(CUSTOMERIO, {"id": "X", **copy.deepcopy(case)}, {}).line
    assert line.startswith(f"X FAIL {reason}")


SNOWPLOW_BROKEN = [
    ({"calls": [["@jump"]], "expect": {}}, "unknown word: step @jump"),
    ({"calls": [], "expect": {"colour": 1}}, "unknown word: expectation colour"),
    ({"calls": [], "expect": {"requests": [{"verb": "GET"}]}}, "unknown word: requests verb"),
    ({"calls": [], "expect": {}, "setup": {"moon": 1}}, "unknown word: setup key moon"),
    (
        {"calls": [], "expect": {}, "setup": {"options": {"plugins": ["@filter_all"]}}},
        "unknown word: function @filter_all",
    ),
    ({"calls": [], "expect": {}}, "driving it failed: KeyError: 'now_ms'"),
]


@pytest.mark.parametrize(("case", "reason"), SNOWPLOW_BROKEN)
def test_a_snowplow_case_that_cannot_be_judged_fails_and_says_why(case: Any, reason: str) -> None:
    line = run_case(VOCABULARIES[1], {"id": "X", **copy.deepcopy(case)}, {}).line
    assert line.startswith(f"X FAIL {reason}")


def test_files_are_told_apart_by_their_header() -> None:
    kinds: list[CaseFile] = list(FILES.values())
    assert [file.vocabulary.name for file in kinds] == ["customerio", "snowplow"]
