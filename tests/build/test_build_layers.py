from pathlib import Path

import pytest

from build_tools import layers
from build_tools.commands import BuildError
from build_tools.layers import LAYERS, Result

JUNIT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests">
  <testsuite name="pytest" errors="1" failures="2" skipped="3" tests="10" time="1.0"/>
</testsuites>
"""


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "unit.xml"
    path.write_text(JUNIT)
    return path


def titles(*names: str) -> list[str]:
    return [step.title for step in layers.steps_for(layers.choose(names))]


def test_without_names_every_layer_runs() -> None:
    assert layers.choose([]) == list(LAYERS.values())


def test_named_layers_run_in_the_order_of_the_table() -> None:
    assert [layer.name for layer in layers.choose(["browser", "unit"])] == ["unit", "browser"]


def test_an_unknown_layer_is_named_with_those_allowed() -> None:
    with pytest.raises(BuildError, match="unknown test layer units") as caught:
        layers.choose(["unit", "units"])
    assert (
        "lint unit conformance pyodide browser worker page firefox journeys peers"
        in caught.value.hint
    )


def test_every_layer_either_checks_or_tests_and_its_needs_are_known() -> None:
    for layer in LAYERS.values():
        assert bool(layer.checks) != bool(layer.tests)
        assert set(layer.needs) <= set(layers.NEEDS)


def test_a_layer_sets_up_only_what_it_needs() -> None:
    assert titles("lint") == ["Python environment"]
    assert titles("unit") == [
        *("Python environment", "npm packages", "core wheel", "start images", "Chromium")
    ]


def test_a_step_that_two_needs_share_runs_once() -> None:
    everything = titles()
    assert len(everything) == len(set(everything))
    assert everything[:2] == ["Python environment", "npm packages"]
    assert everything[-6:-3] == ["checksums", "Pyodide for tests", "incumbents for tests"]
    assert everything[-3:] == ["Chromium", "Firefox", "ChromeDriver"]


def test_the_incumbents_are_bundled_for_their_layer_only() -> None:
    assert "incumbents for tests" in titles("peers")
    assert "incumbents for tests" not in titles("browser")  # has everything that makes dist/


def test_a_report_is_counted(report: Path) -> None:
    assert layers.count(report, exit_code=1) == (4, 3, 3)


def test_a_run_that_broke_without_a_failing_test_counts_as_a_failure(tmp_path: Path) -> None:
    assert layers.count(tmp_path / "missing.xml", exit_code=3) == (0, 1, 0)
    assert layers.count(tmp_path / "missing.xml", exit_code=0) == (0, 0, 0)


def test_the_last_line_adds_the_layers_up() -> None:
    results = [Result("lint", 3, 0, 0, 1.0), Result("unit", 10, 1, 2, 3.25)]
    assert layers.summary(results) == "13 passed, 1 failed, 2 skipped"
    assert layers.table(results).splitlines() == [
        "layer         passed  failed  skipped  seconds",
        "lint               3       0        0      1.0",
        "unit              10       1        2      3.2",
    ]


def test_a_missing_folder_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(layers, "ROOT", tmp_path)
    assert not layers.run_layers([LAYERS["conformance"]], [])
    printed = capsys.readouterr()
    assert "no folder tests/conformance" in printed.err
    assert printed.out.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"


@pytest.mark.parametrize(
    ("test", "arguments", "expected"),
    [
        ("def test_it(): pass", [], "1 passed, 0 failed, 0 skipped"),
        ("def test_it(): assert False", [], "0 passed, 1 failed, 0 skipped"),
        ("def test_it(): pass", ["-k", "other"], "0 passed, 0 failed, 0 skipped"),
        ("", [], "0 passed, 1 failed, 0 skipped"),
    ],
)
def test_what_pytest_says_becomes_the_summary(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    test: str,
    arguments: list[str],
    expected: str,
) -> None:
    folder = tmp_path / "tests" / "conformance"
    folder.mkdir(parents=True)
    (folder / "test_it.py").write_text(test)
    monkeypatch.setattr(layers, "ROOT", tmp_path)
    monkeypatch.setattr(layers, "REPORTS", tmp_path)
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:asyncio -p no:cacheprovider")
    layers.run_layers([LAYERS["conformance"]], arguments)
    assert capsys.readouterr().out.splitlines()[-1] == expected
