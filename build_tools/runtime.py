"""Pyodide: what of it pages download as it is, and a copy with packages for the tests inside it."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from build_tools.commands import Runner
from build_tools.paths import (
    NODE_MODULES,
    PLUGIN_FILES,
    ROOT,
    STAMPS,
    TEST_RUNTIME,
    VENV_PYTHON,
)
from build_tools.steps import Step, digest, stamped

SOURCE = NODE_MODULES / "pyodide"
LIBRARY = "python_stdlib.zip"
FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", LIBRARY)
LOCK = "pyodide-lock.json"
TEST_PACKAGES = ("micropip", "tblib")  # installs our wheel; brings tracebacks out of Pyodide
PYTHON_IN_PYODIDE = "3.14"


def runtime_files() -> dict[str, Path]:
    """The files of Pyodide that a page needs to start Python, by name."""
    return {name: SOURCE / name for name in FILES if name != LIBRARY}


def files_for_plugins() -> dict[str, Path]:
    """What plugins in Python need besides, by name: all of the library, and micropip."""
    return {name: PLUGIN_FILES / name for name in ("stdlib.zip", "micropip.whl", "packaging.whl")}


def runtime_for_plugins() -> Step:
    """The files of `files_for_plugins`, in `.build/plugins/`."""
    return stamped(
        "library for plugins",
        _make_for_plugins,
        stamp=STAMPS / "plugins",
        inputs=lambda: digest(ROOT / "package-lock.json", Path(__file__)),
        products=lambda: files_for_plugins().values(),
    )


def empty_lock() -> str:
    """The text of a lock file without packages: pages would never load one."""
    return json.dumps(_lock({}), separators=(",", ":"))


def runtime_for_tests() -> Step:
    """The folder that pytest-pyodide serves, in `.build/pyodide-test/`."""
    return stamped(
        "Pyodide for tests",
        _make,
        stamp=STAMPS / "pyodide-test",
        inputs=lambda: digest(ROOT / "package-lock.json", Path(__file__)),
        products=lambda: [TEST_RUNTIME / name for name in (*FILES, LOCK)],
    )


def with_dependencies(packages: dict[str, Any], wanted: tuple[str, ...]) -> dict[str, Any]:
    """The entries of a lock file's `packages` that `wanted` needs."""
    found: dict[str, Any] = {}
    waiting = list(wanted)
    while waiting:
        name = waiting.pop().lower()
        if name not in found:
            found[name] = packages[name]
            waiting += packages[name]["depends"]
    return found


def _lock(packages: dict[str, Any]) -> dict[str, Any]:
    return {**json.loads((SOURCE / LOCK).read_text()), "packages": packages}


def _make_for_plugins(runner: Runner) -> None:
    shutil.rmtree(PLUGIN_FILES, ignore_errors=True)
    PLUGIN_FILES.mkdir(parents=True)
    shutil.copy2(SOURCE / LIBRARY, PLUGIN_FILES / "stdlib.zip")
    for name in _download(runner, ("micropip", "packaging"), PLUGIN_FILES):
        wheel = next(PLUGIN_FILES.glob(f"{name}-*.whl"))
        wheel.rename(PLUGIN_FILES / f"{name}.whl")


def _make(runner: Runner) -> None:
    shutil.rmtree(TEST_RUNTIME, ignore_errors=True)
    TEST_RUNTIME.mkdir(parents=True)
    for name in FILES:
        shutil.copy2(SOURCE / name, TEST_RUNTIME / name)
    packages = _download(runner, TEST_PACKAGES, TEST_RUNTIME)
    for package in packages.values():
        # Pyodide repacks wheels, so the ones from PyPI have other hashes than its lock file.
        wheel = TEST_RUNTIME / package["file_name"]
        package["sha256"] = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (TEST_RUNTIME / LOCK).write_text(json.dumps(_lock(packages), separators=(",", ":")))


def _download(runner: Runner, wanted: tuple[str, ...], folder: Path) -> dict[str, Any]:
    """Get wheels in the versions of Pyodide's lock file; answers their entries there."""
    lock = json.loads((SOURCE / LOCK).read_text())
    packages = with_dependencies(lock["packages"], wanted)
    pins = [f"{package['name']}=={package['version']}" for package in packages.values()]
    runner.run(
        [
            VENV_PYTHON,
            *("-m", "pip", "download", "--disable-pip-version-check", "-q"),
            *("--no-deps", "--only-binary=:all:", "--python-version", PYTHON_IN_PYODIDE),
            *("-d", str(folder), *pins),
        ],
        hint="read pip's output above; it needs a network, or a package index that it can reach",
    )
    return packages
