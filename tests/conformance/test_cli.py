"""The command line: what it prints, and how it exits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
GOOD = {"id": "G1", "area": "loader", "calls": [["load"]], "expect": {"loaded": True}}
BAD = {"id": "B1", "area": "user", "calls": [["load"]], "expect": {"requestCount": 3}}
MARKED = {
    "id": "M1",
    "area": "user",
    "decision": "X9",
    "calls": [["load"]],
    "expect": {"requestCount": 3},
    "better": {"requestCount": 0, "note": "nothing to send"},
}
UNJUDGED = {"id": "M2", "area": "user", "verdict": "deviate", "calls": [["load"]], "expect": {}}
SNOWPLOW = {
    "id": "S1",
    "area": "page",
    "setup": {"url": "https://www.acme.test/", "now_ms": 1700000000000},
    "calls": [["@advance_ms", 5]],
    "expect": {"request_count": 0},
}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.conformance", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def write(path: Path, *cases: dict[str, Any], header: str = "howToRead") -> str:
    file = path / "cases.json"
    file.write_text(json.dumps({header: {}, "cases": list(cases)}))
    return str(file)


def test_one_line_for_each_case_and_a_summary(tmp_path: Path) -> None:
    result = run(write(tmp_path, GOOD, BAD, MARKED, UNJUDGED))
    assert result.stdout.splitlines() == [
        "G1 PASS",
        "B1 FAIL requestCount: expected 3, got 0",
        "M1 DEVIATES X9",
        "M2 DEVIATES unjudged",
        "1 passed, 1 failed, 2 deviates",
    ]
    assert (result.returncode, result.stderr) == (1, "")


def test_exit_status_0_without_a_failure(tmp_path: Path) -> None:
    assert run(write(tmp_path, GOOD, MARKED, UNJUDGED)).returncode == 0


def test_snowplow_cases_are_told_by_their_header(tmp_path: Path) -> None:
    result = run(write(tmp_path, SNOWPLOW, header="conventions"))
    assert result.stdout.splitlines() == ["S1 PASS", "1 passed, 0 failed, 0 deviates"]


def test_areas_and_ids_choose(tmp_path: Path) -> None:
    file = write(tmp_path, GOOD, BAD, MARKED)
    assert run(file, "--area", "loader").stdout.startswith("G1 PASS\n1 passed")
    assert run(file, "--area", "loader", "--area", "user").stdout.endswith("1 failed, 1 deviates\n")
    assert run(file, "--area", "user", "--id", "M1").stdout.startswith("M1 DEVIATES X9\n0 passed")


def test_verbose_shows_all_mismatches_and_the_observation(tmp_path: Path) -> None:
    worse = {**BAD, "expect": {"requestCount": 3, "loaded": False}}
    lines = run(write(tmp_path, worse), "--verbose").stdout.splitlines()
    assert "    requestCount: expected 3, got 0" in lines
    assert "    loaded: expected false, got true" in lines
    for name in ("requests", "cookies", "localStorage", "console", "log"):
        assert any(line.startswith(f"    {name}: ") for line in lines)
    assert lines[-1] == "0 passed, 1 failed, 0 deviates"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--area", "moon"], "--area moon matches no case"),
        (["--id", "Z9"], "--id Z9 matches no case"),
        (["--area", "loader", "--id", "B1"], "no case is in all that was asked for"),
    ],
)
def test_a_choice_of_nothing_is_an_error(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = run(write(tmp_path, GOOD, BAD), *arguments)
    assert result.returncode == 2
    assert message in result.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read"),
        ("[]", "no file of recorded cases"),
        ('{"cases": []}', "neither `howToRead` nor `conventions`"),
        ('{"howToRead": {}}', "has no list of `cases`"),
        ('{"howToRead": {}, "cases": []}', "has no list of `cases`, or an empty one"),
        ('{"howToRead": {}, "cases": [{"area": "user"}]}', "case number 1 is no object with an"),
    ],
)
def test_a_file_of_something_else_is_an_error(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "cases.json"
    file.write_text(content)
    result = run(str(file))
    assert result.returncode == 2
    assert message in result.stderr


def test_bad_usage_is_an_error(tmp_path: Path) -> None:
    assert run().returncode == 2
    assert run(str(tmp_path / "missing.json")).returncode == 2
    assert run(write(tmp_path, GOOD), "--fast").returncode == 2
