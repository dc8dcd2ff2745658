"""The compiled files that pages start from: what is in them, and that each build makes the same."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

from build_tools.environment import node
from build_tools.images import CORE, LIBRARY, SCRIPTS, wheel


@pytest.mark.parametrize("path", [CORE, LIBRARY], ids=lambda path: path.name)
def test_it_holds_compiled_modules_that_are_not_compressed(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    assert {Path(entry.filename).suffix for entry in entries} == {".pyc"}
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}


def test_the_core_holds_all_modules_of_the_wheel() -> None:
    with zipfile.ZipFile(wheel()) as archive:
        modules = {name for name in archive.namelist() if name.endswith(".py")}
    with zipfile.ZipFile(CORE) as archive:
        assert {name.removesuffix("c") for name in archive.namelist()} == modules


def test_another_build_makes_the_same(tmp_path: Path) -> None:
    made = tmp_path / LIBRARY.name, tmp_path / CORE.name
    subprocess.run([node(), SCRIPTS[0], wheel(), *made], check=True)
    assert [path.read_bytes() for path in made] == [LIBRARY.read_bytes(), CORE.read_bytes()]
