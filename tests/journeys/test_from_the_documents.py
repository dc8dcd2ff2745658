"""New users, from an empty folder and with what the documents say, and a release."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from build_tools.browsers import CHROMIUM_FLAGS, find_chromium
from build_tools.paths import ROOT, tracker_version
from build_tools.release import RELEASE, folder

DOCS = ROOT / "docs"


def blocks(document: Path, heading: str, kind: str) -> list[str]:
    """The code in a section of a document."""
    text = document.read_text(encoding="utf-8")
    section = re.split(r"\n## ", text.partition(f"\n## {heading}\n")[2])[0]
    assert section, f"{document.name} has no section {heading}"
    return re.findall(rf"```{kind}\n(.*?)```", section, re.DOTALL)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


class Shell:
    """A shell in an empty folder, with a Python that has nothing. pip finds the release."""

    def __init__(self, place: Path) -> None:
        self.place = place / "work"
        self.place.mkdir()
        subprocess.run([sys.executable, "-m", "venv", place / "venv"], check=True)
        path = f"{place / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        self.env = {**os.environ, "PATH": path, "PIP_FIND_LINKS": str(RELEASE)}
        for name in ("PYTHONPATH", "VIRTUAL_ENV", "PYTEST_ADDOPTS"):
            self.env.pop(name, None)

    def run(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-ec", command],
            cwd=self.place,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout


def test_a_team_writes_its_first_browser_test(shell: Shell) -> None:
    [install] = blocks(DOCS / "testing.md", "Browser tests", "sh")[:1]
    assert "pyodide-tracker[testing]" in install
    shell.run(install)
    shell.run("pip install -q playwright==1.64.1")
    shutil.copytree(ROOT / "examples" / "shop", shell.place / "site")
    with zipfile.ZipFile(RELEASE / f"pyodide-tracker-{tracker_version()}.zip") as archive:
        archive.extractall(shell.place)
    (shell.place / folder()).rename(shell.place / "dist")
    conftest, test = blocks(DOCS / "testing.md", "Browser tests", "python")[:2]
    launched = f"launch(executable_path={str(find_chromium())!r}, args={CHROMIUM_FLAGS})"
    assert test.count("launch()") == 1
    (shell.place / "conftest.py").write_text(conftest)
    (shell.place / "test_shop.py").write_text(test.replace("launch()", launched))
    assert "1 passed" in shell.run("pytest -q")


def test_a_python_team_writes_its_first_plugin(shell: Shell) -> None:
    shutil.copytree(ROOT / "examples" / "plugins" / "template", shell.place, dirs_exist_ok=True)
    commands = re.findall(r"```sh\n(.*?)```", (shell.place / "README.md").read_text(), re.DOTALL)
    assert "pytest" in commands[0]
    printed = shell.run(commands[0])
    assert "1 passed" in printed
    assert re.search(r"[0-9a-f]{64}  dist/my_plugin-1.0-py3-none-any.whl", printed)
    [test] = blocks(DOCS / "plugins.md", "Testing", "python")
    (shell.place / "tests" / "test_my_plugin.py").write_text(test)
    assert "1 passed" in shell.run("pytest -q")
