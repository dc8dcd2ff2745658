import base64
import hashlib
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from build_tools.commands import BuildError
from build_tools.wheel import browser_wheel

INFO = "pyodide_tracker-1.2.3.dist-info"
METADATA = """\
Metadata-Version: 2.4
Name: pyodide-tracker
Version: 1.2.3
License-Expression: Apache-2.0
License-File: LICENSE
Requires-Dist: starlette==1.10.0; extra == 'dev'
Provides-Extra: dev
Description-Content-Type: text/markdown

# A long description
Name: not a header
"""
COMPLETE = {
    "tracker/__init__.py": '__version__ = "1.2.3"\n',
    "tracker/storage/__init__.py": "",
    "tracker/storage/cookies.py": "JAR = {}\n",
    "tracker/testing/__init__.py": "",
    "tracker/testing/browser.py": "class FakeBrowser: ...\n",
    "tracker/testing_notes.py": "",
    "collector/__init__.py": "",
    f"{INFO}/METADATA": METADATA,
    f"{INFO}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    f"{INFO}/RECORD": "stale",
    f"{INFO}/licenses/LICENSE": "Apache",
}


def wheel(files: dict[str, str], year: int = 2024) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0)), content)
    return target.getvalue()


@pytest.fixture
def content() -> bytes:
    return browser_wheel(wheel(COMPLETE))


@pytest.fixture
def archive(content: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(content))


def test_only_what_runs_in_the_browser_is_in_it(archive: zipfile.ZipFile) -> None:
    assert archive.namelist() == [
        f"{INFO}/METADATA",
        f"{INFO}/WHEEL",
        "tracker/__init__.py",
        "tracker/storage/__init__.py",
        "tracker/storage/cookies.py",
        "tracker/testing_notes.py",
        f"{INFO}/RECORD",
    ]


def test_the_metadata_asks_for_no_package_and_carries_no_readme(archive: zipfile.ZipFile) -> None:
    assert archive.read(f"{INFO}/METADATA").decode().splitlines() == [
        "Metadata-Version: 2.4",
        "Name: pyodide-tracker",
        "Version: 1.2.3",
        "License-Expression: Apache-2.0",
    ]


def test_the_record_lists_every_file_with_its_hash_and_size(archive: zipfile.ZipFile) -> None:
    lines = archive.read(f"{INFO}/RECORD").decode().splitlines()
    assert lines.pop() == f"{INFO}/RECORD,,"
    names = []
    for line in lines:
        name, hashed, size = line.split(",")
        content = archive.read(name)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        assert (hashed, int(size)) == (f"sha256={digest}", len(content))
        names.append(name)
    assert names == archive.namelist()[:-1]


def test_the_same_sources_make_the_same_bytes(content: bytes) -> None:
    reordered = dict(reversed(COMPLETE.items()))
    assert browser_wheel(wheel(reordered, year=2026)) == content


def test_python_imports_it_as_it_is(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "tracker.whl"
    path.write_bytes(content)
    code = "import tracker, tracker.storage.cookies as c; print(tracker.__version__, c.__file__)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path[:0] = [{str(path)!r}]; {code}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert done.stdout.split() == ["1.2.3", f"{path}/tracker/storage/cookies.py"]


def test_a_file_that_is_no_wheel_is_refused() -> None:
    with pytest.raises(BuildError, match=r"no \.dist-info/METADATA"):
        browser_wheel(wheel({"tracker/__init__.py": ""}))
