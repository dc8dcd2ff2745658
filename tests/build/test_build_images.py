"""The compiled files that pages start from: what is in them, and that each build makes the same."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

from build_tools.environment import node
from build_tools.images import CORE, LIBRARY, PLUGINS, SCRIPTS, wheel


@pytest.mark.parametrize("path", [CORE, LIBRARY, PLUGINS], ids=lambda path: path.name)
def test_it_holds_compiled_modules_that_are_not_compressed(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    assert {Path(entry.filename).suffix for entry in entries} == {".pyc"}
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}


def modules(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return {name.removesuffix("c") for name in archive.namelist() if ".py" in name}


def test_each_module_of_the_wheel_is_in_one_of_them() -> None:
    assert modules(CORE) | modules(PLUGINS) == modules(wheel())


def test_pages_without_plugins_do_not_download_what_runs_them() -> None:
    assert not modules(CORE) & modules(PLUGINS)
    assert modules(PLUGINS) == {
        "tracker/plugin.py",
        "tracker/python_plugins.py",
        "tracker/wheels.py",
    }


def test_another_build_makes_the_same(tmp_path: Path) -> None:
    images = (LIBRARY, CORE, PLUGINS)
    made = [tmp_path / path.name for path in images]
    subprocess.run([node(), SCRIPTS[0], wheel(), *made], check=True)
    assert [path.read_bytes() for path in made] == [path.read_bytes() for path in images]
