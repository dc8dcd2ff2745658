"""Which Chromium the tests and the build drive, and with which flags.

from build_tools.browsers import CHROMIUM_FLAGS, find_chromium
playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from build_tools import system_packages
from build_tools.commands import BuildError, Runner

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC_APPS = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)

CHROMIUM_FLAGS = [
    *(["--no-sandbox"] if os.geteuid() == 0 else []),  # Chromium refuses to start as root without
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",  # containers often have 64 MB there
]

HOW_TO_GET = (
    "install Chromium or Chrome (Debian: {apt}; Fedora: sudo dnf install chromium; "
    "macOS: brew install --cask chromium), or name one: CHROMIUM=/path/to/chromium"
)


def find_chromium() -> Path | None:
    """The browser that the variable CHROMIUM names, else the first one that is installed."""
    named = os.environ.get("CHROMIUM")
    if named:
        path = shutil.which(named)
        if path is None:
            raise BuildError(
                f"CHROMIUM={named} is not a program that can be run",
                hint="give the full path of a Chromium or Chrome, or unset CHROMIUM",
            )
        return Path(path)
    for name in NAMES:
        if path := shutil.which(name):
            return Path(path)
    return next((app for app in MAC_APPS if app.exists()), None)


def _version(chromium: Path) -> str | None:
    """What it says it is, or None if it does not start (Ubuntu has such a stub)."""
    try:
        done = subprocess.run(
            [chromium, "--version"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\S.*?\d[\d.]*", done.stdout)
    return found[0] if done.returncode == 0 and found else None


def ensure_chromium(runner: Runner) -> str:
    """Find a Chromium that starts, or install one; return its name and version."""
    chromium = find_chromium()
    if chromium and (version := _version(chromium)):
        return version
    hint = HOW_TO_GET.format(apt=system_packages.apt_command("chromium"))
    missing = f"{chromium} does not start" if chromium else "no Chromium or Chrome found"
    if not os.environ.get("CHROMIUM"):
        system_packages.install(runner, "chromium", missing=missing, hint=hint)
    chromium = find_chromium()
    version = _version(chromium) if chromium else None
    if version is None:
        raise BuildError(missing, hint=hint)
    return f"installed {version}"
