"""Judging a file of recorded cases: which expectation holds for a case, and whether it is met."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from . import customerio, drive_customerio, drive_snowplow, snowplow
from .matchers import Mismatch

Json = dict[str, Any]
PASS, FAIL, DEVIATES = "PASS", "FAIL", "DEVIATES"
ANSWERS = Path(__file__).parent / "answers"
PROSE = ("note", "why")


class CaseFileError(Exception):
    """A file, or a selection of its cases, that cannot be run."""


@dataclass(frozen=True)
class Vocabulary:
    """One of the two ways in which cases are written: how to judge them and how to drive them."""

    judging: ModuleType
    drive: Callable[[Json], Json]

    @property
    def name(self) -> str:
        """Its name, which is also that of its file of answers."""
        return str(self.judging.NAME)


VOCABULARIES = (
    Vocabulary(customerio, drive_customerio.drive),
    Vocabulary(snowplow, drive_snowplow.drive),
)


@dataclass(frozen=True)
class CaseFile:
    """The cases of a file, and the project's own answers to cases of their vocabulary."""

    vocabulary: Vocabulary
    cases: list[Json]
    answers: Json

    def select(self, areas: Sequence[str] = (), ids: Sequence[str] = ()) -> list[Json]:
        """The cases of these areas and with these ids. Raises CaseFileError if there are none."""
        for option, key, wanted in (("--area", "area", areas), ("--id", "id", ids)):
            there = {case.get(key) for case in self.cases}
            for value in [value for value in wanted if value not in there]:
                known = ", ".join(sorted(map(str, there)))
                raise CaseFileError(f"{option} {value} matches no case; there are: {known}")
        chosen = [
            case
            for case in self.cases
            if (not areas or case.get("area") in areas) and (not ids or case["id"] in ids)
        ]
        if not chosen:
            raise CaseFileError("no case is in all that was asked for")
        return chosen


@dataclass(frozen=True)
class Verdict:
    """What came out of a case."""

    case: Json
    status: str
    reason: str = ""
    mismatches: list[Mismatch] = field(default_factory=list)
    observation: Json | None = None

    @property
    def line(self) -> str:
        """The verdict as it is printed."""
        parts = [str(self.case["id"]), self.status, " ".join(self.reason.split())]
        return " ".join(part for part in parts if part)


def read_cases(path: Path) -> CaseFile:
    """Read a file of cases. Raises CaseFileError with the reason if it is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CaseFileError(f"{path} cannot be read: {error}") from error
    headers = content if isinstance(content, dict) else {}
    vocabulary = next((one for one in VOCABULARIES if one.judging.HEADER in headers), None)
    if vocabulary is None:
        known = " nor ".join(f"`{one.judging.HEADER}`" for one in VOCABULARIES)
        raise CaseFileError(f"{path} is no file of recorded cases: it has neither {known}")
    cases = headers.get("cases")
    if not isinstance(cases, list) or not cases:
        raise CaseFileError(f"{path} has no list of `cases`, or an empty one")
    for number, case in enumerate(cases, 1):
        if not isinstance(case, dict) or not isinstance(case.get("id"), str):
            raise CaseFileError(f"{path}: case number {number} is no object with an `id`")
    return CaseFile(vocabulary, cases, read_answers(vocabulary.name))


def read_answers(name: str) -> Json:
    """The project's own answers to the cases of a vocabulary, by id."""
    answers: Json = json.loads((ANSWERS / f"{name}.json").read_text(encoding="utf-8"))
    return answers


def is_marked(case: Json) -> bool:
    """Whether the recorded behaviour is not to be copied. Only the case itself can say so."""
    return "decision" in case or case.get("verdict") == "deviate" or case.get("quirk") is True


def expectation_of(case: Json, answers: Json) -> Json | None:
    """What the core must do; None if nobody has said what, of a case that is not to be copied."""
    if not is_marked(case):
        return _facts(case["expect"])
    return _facts(case.get("better", {})) or _facts(answers.get(case["id"], {})) or None


def judge(vocabulary: Vocabulary, case: Json, answers: Json, observation: Json) -> Verdict:
    """The verdict on a case, from what was observed of it.

    A core that lacks a method which the case calls fails, even if nothing else can be seen of it.
    """
    missing = [f"(the core has no method {name})" for name in observation.get("missing", ())]
    problems = [*missing, *(f"({problem})" for problem in observation.get("problems", ()))][:1]
    expectation = expectation_of(case, answers)
    if expectation is None:
        return Verdict(case, DEVIATES, "unjudged", observation=observation)
    mismatches: list[Mismatch] = vocabulary.judging.compare(expectation, observation)
    if mismatches or missing:
        reason = " ".join([*map(str, mismatches[:1]), *problems])
        return Verdict(case, FAIL, reason, mismatches, observation)
    if is_marked(case):
        return Verdict(case, DEVIATES, str(case.get("decision", "")), observation=observation)
    return Verdict(case, PASS, observation=observation)


def run_case(vocabulary: Vocabulary, case: Json, answers: Json) -> Verdict:
    """Drive a case and judge it. Whatever happens is a verdict."""
    try:
        unknown = vocabulary.judging.unknown_words(case)
        missing = [key for key in ("calls", "expect") if key not in case]
    except Exception as error:
        return Verdict(case, FAIL, f"malformed case: {_told(error)}")
    if missing:
        return Verdict(case, FAIL, f"malformed case: it has no `{missing[0]}`")
    if unknown:
        return Verdict(case, FAIL, f"unknown word: {', '.join(unknown)}")
    try:
        observation = vocabulary.drive(case)
    except Exception as error:
        return Verdict(case, FAIL, f"driving it failed: {_told(error)}")
    try:
        return judge(vocabulary, case, answers, observation)
    except Exception as error:
        return Verdict(case, FAIL, f"judging it failed: {_told(error)}", observation=observation)


def summary(verdicts: list[Verdict]) -> str:
    """How many cases came out how."""
    counts = [sum(verdict.status == status for verdict in verdicts) for status in _STATUSES]
    return f"{counts[0]} passed, {counts[1]} failed, {counts[2]} deviates"


_STATUSES = (PASS, FAIL, DEVIATES)


def _facts(expectation: Json) -> Json:
    return {key: value for key, value in expectation.items() if key not in PROSE}


def _told(error: Exception) -> str:
    """An exception in one line, with the place it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"
