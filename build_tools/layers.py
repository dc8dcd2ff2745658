"""The layers of tests: what each needs, what it runs, and one table of results."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from build_tools.browsers import CHROMEDRIVER, CHROMIUM, FIREFOX
from build_tools.commands import BuildError
from build_tools.dist import build_steps
from build_tools.environment import npm_packages, python_environment
from build_tools.images import start_images
from build_tools.paths import REPORTS, ROOT, TEST_RUNTIME, VENV_PYTHON
from build_tools.peers import incumbent_bundles
from build_tools.release import release_steps
from build_tools.runtime import runtime_for_tests
from build_tools.steps import Step
from build_tools.wheel import core_wheel

MINUTES = 25  # a layer that takes longer hangs
NOTHING_COLLECTED = 5  # pytest's exit code
NO_PYODIDE = ("-p", "no:pytest_pyodide", "-p", "no:pytest_pyodide_hook")
TOGETHER = (*NO_PYODIDE, "-n", "2")  # tests mostly wait, for browsers and for time to pass
IN_PYODIDE = (
    *("--rt", "chrome-no-host", "--runner", "playwright"),
    *("--dist-dir", TEST_RUNTIME.relative_to(ROOT).as_posix()),
)


@dataclass(frozen=True)
class Layer:
    """Either `checks`, each a Python module with arguments, or folders of pytest `tests`."""

    name: str
    proves: str
    needs: tuple[str, ...] = ()
    checks: tuple[tuple[str, ...], ...] = ()
    tests: tuple[str, ...] = ()
    options: tuple[str, ...] = NO_PYODIDE
    host: str = ""  # where the tests have the core run
    engine: str = "chromium"  # in which browser


LAYERS = {
    layer.name: layer
    for layer in (
        Layer(
            "lint",
            "the code is uniform and its types fit",
            checks=(("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)),
        ),
        Layer(
            "unit",
            "every rule, in CPython with a fake browser",
            needs=("browser", "images"),
            tests=("tests/unit", "tests/collector", "tests/build"),
            options=TOGETHER,
        ),
        Layer(
            "conformance",
            "the behaviour recorded from the trackers that this one replaces",
            tests=("tests/conformance",),
        ),
        Layer(
            "pyodide",
            "the core in the real runtime, through the real bridge",
            needs=("dist", "pyodide", "browser"),
            tests=("tests/pyodide",),
            options=IN_PYODIDE,
        ),
        Layer(
            "browser",
            "what a site owner gets: real pages, the real collector",
            needs=("dist", "browser"),
            tests=("tests/browser",),
            host="shared",
            options=TOGETHER,
        ),
        Layer(
            "worker",
            "the same with the core in a worker of each page",
            needs=("dist", "browser"),
            tests=("tests/browser",),
            host="worker",
            options=TOGETHER,
        ),
        Layer(
            "page",
            "the same with the core on the page's own thread",
            needs=("dist", "browser"),
            tests=("tests/browser",),
            host="page",
            options=TOGETHER,
        ),
        Layer(
            "firefox",
            "what a site owner gets, in Firefox",
            needs=("dist", "firefox"),
            tests=("tests/browser",),
            host="shared",
            engine="firefox",
            options=TOGETHER,
        ),
        Layer(
            "journeys",
            "what users do: host a release, write a suite of browser tests",
            needs=("dist", "release", "browser", "driver"),
            tests=("tests/journeys",),
            host="shared",
        ),
        Layer(
            "peers",
            "visitors and events are the same with the two trackers that this one replaces",
            needs=("dist", "peers", "browser"),
            tests=("tests/peers",),
            host="page",  # both write while a call is made
            options=TOGETHER,
        ),
    )
}

NEEDS: dict[str, Callable[[], list[Step]]] = {
    "dist": build_steps,
    "release": release_steps,
    "pyodide": lambda: [npm_packages(), runtime_for_tests()],
    "peers": lambda: [npm_packages(), incumbent_bundles()],
    "images": lambda: [npm_packages(), core_wheel(), start_images()],
    "browser": lambda: [Step(CHROMIUM.name, CHROMIUM.ensure)],
    "firefox": lambda: [Step(FIREFOX.name, FIREFOX.ensure)],
    "driver": lambda: [Step(CHROMEDRIVER.name, CHROMEDRIVER.ensure)],
}


@dataclass(frozen=True)
class Result:
    """What came out of one layer, or of all."""

    layer: str
    passed: int
    failed: int
    skipped: int
    seconds: float = 0.0


def choose(names: Sequence[str]) -> list[Layer]:
    """The layers with these names in the table's order; all of them without names."""
    unknown = [name for name in names if name not in LAYERS]
    if unknown:
        raise BuildError(
            f"unknown test layer {', '.join(unknown)}",
            hint=f"allowed are: {' '.join(LAYERS)}; arguments for pytest come after --",
        )
    return [layer for layer in LAYERS.values() if not names or layer.name in names]


def steps_for(layers: Iterable[Layer]) -> list[Step]:
    """What must be there before these layers run, each step once."""
    wanted = {need for layer in layers for need in layer.needs}
    steps = [python_environment()]
    for need, steps_of in NEEDS.items():
        steps += steps_of() if need in wanted else []
    return list({step.title: step for step in steps}.values())


def run_layers(layers: Iterable[Layer], pytest_arguments: Sequence[str]) -> bool:
    """Run them all, whatever fails; print the table; tell whether everything passed."""
    results = []
    for layer in layers:
        print(f"\n=== {layer.name}: {layer.proves}", flush=True)
        start = time.monotonic()
        result = _check(layer) if layer.checks else _pytest(layer, pytest_arguments)
        seconds = time.monotonic() - start
        results.append(Result(layer.name, *result, seconds))
        print(f"=== {layer.name}: {seconds:.1f} s", flush=True)
    print(f"\n{table(results)}\n\n{summary(results)}", flush=True)
    return not any(result.failed for result in results)


def table(results: Iterable[Result]) -> str:
    """One line per layer."""
    lines = [f"{'layer':12}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}"]
    lines += [
        f"{r.layer:12}{r.passed:>8}{r.failed:>8}{r.skipped:>9}{r.seconds:>9.1f}" for r in results
    ]
    return "\n".join(lines)


def summary(results: Sequence[Result]) -> str:
    """The last line, in a form that programs read."""
    passed = sum(result.passed for result in results)
    failed = sum(result.failed for result in results)
    skipped = sum(result.skipped for result in results)
    return f"{passed} passed, {failed} failed, {skipped} skipped"


def count(report: Path, exit_code: int) -> tuple[int, int, int]:
    """Passed, failed and skipped of one JUnit report; a run that broke counts as a failure."""
    tests = failed = skipped = 0
    if report.exists():
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):
            tests += int(suite.get("tests", 0))
            failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            skipped += int(suite.get("skipped", 0))
    passed = max(tests - failed - skipped, 0)  # a test can both fail and break its teardown
    return passed, failed or int(exit_code != 0), skipped


def _run(command: Sequence[str | Path], **variables: str) -> int:
    try:
        # The environment's programs come first, for tests that start some.
        path = f"{VENV_PYTHON.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        env = {**os.environ, "PATH": path, **variables}
        done = subprocess.run(command, cwd=ROOT, env=env, timeout=MINUTES * 60, check=False)
    except subprocess.TimeoutExpired:
        print(f"stopped: not finished after {MINUTES} minutes", file=sys.stderr, flush=True)
        return 1
    return done.returncode


def _check(layer: Layer) -> tuple[int, int, int]:
    codes = []
    for check in layer.checks:
        print(f"$ {' '.join(check)}", flush=True)
        codes.append(_run([VENV_PYTHON, "-m", *check]))
    failed = sum(code != 0 for code in codes)
    return len(codes) - failed, failed, 0


def _pytest(layer: Layer, arguments: Sequence[str]) -> tuple[int, int, int]:
    missing = [folder for folder in layer.tests if not (ROOT / folder).is_dir()]
    if missing:
        print(f"no folder {', '.join(missing)}", file=sys.stderr, flush=True)
    there = [folder for folder in layer.tests if folder not in missing]
    if not there:
        return 0, len(missing), 0
    report = REPORTS / f"{layer.name}.xml"
    report.unlink(missing_ok=True)
    code = _run(
        [
            *(VENV_PYTHON, "-m", "pytest", "-q", "--continue-on-collection-errors"),
            f"--junitxml={report}",
            *layer.options,
            *there,
            *arguments,
        ],
        **({"TRACKER_HOST": layer.host, "TRACKER_ENGINE": layer.engine} if layer.host else {}),
    )
    if code == NOTHING_COLLECTED and arguments:
        code = 0  # what was asked for may be in another layer
    passed, failed, skipped = count(report, code)
    return passed, failed + len(missing), skipped
