"""Where things are, and which versions are pinned where."""

import json
import re
from pathlib import Path

from build_tools.commands import BuildError

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
WORK = ROOT / ".build"
VENV = ROOT / ".venv"
NODE_MODULES = ROOT / "node_modules"

LOADER_BUNDLE = WORK / "loader"
WHEELS = WORK / "wheel"
IMAGES = WORK / "images"
COMPRESSED = WORK / "compressed"
PLUGIN_FILES = WORK / "plugins"
TEST_RUNTIME = WORK / "pyodide-test"
REPORTS = WORK / "reports"
STAMPS = WORK / "stamps"

VENV_PYTHON = VENV / "bin" / "python"


def npm_version(package: str) -> str:
    """The version of an npm package that `package.json` pins."""
    pins = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    return str(pins[package])


def tracker_version() -> str:
    """The version of the tracker, read without importing it."""
    source = ROOT / "tracker" / "__init__.py"
    found = re.search(r'^__version__ = "([^"]+)"$', source.read_text(), re.MULTILINE)
    if found is None:
        raise BuildError(
            f'{source.relative_to(ROOT)} has no line like __version__ = "1.2.3"',
            hint="add it: the wheel and the loader take their version from there",
        )
    return found[1]
