"""Which browsers the tests and the build drive, and with which flags.

from build_tools.browsers import CHROMIUM_FLAGS, find_chromium
playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from build_tools import system_packages
from build_tools.commands import BuildError, Runner


@dataclass(frozen=True)
class Engine:
    """A browser: its name, the programs that it may be, and what installs it."""

    name: str
    programs: tuple[str, ...]
    mac_apps: tuple[str, ...]
    debian: str
    elsewhere: str

    @property
    def variable(self) -> str:
        """The variable that names a program."""
        return self.name.upper()

    @property
    def how_to_get(self) -> str:
        """What a person would do."""
        apt = system_packages.apt_command(self.debian)
        path = f"/path/to/{self.programs[0]}"
        return (
            f"install {self.name} (Debian: {apt}; {self.elsewhere}), "
            f"or name one: {self.variable}={path}"
        )

    def find(self) -> Path | None:
        """The browser that the variable names, else the first one that is installed."""
        named = os.environ.get(self.variable)
        if named:
            path = shutil.which(named)
            if path is None:
                raise BuildError(
                    f"{self.variable}={named} is not a program that can be run",
                    hint=f"give the full path of a {self.name}, or unset {self.variable}",
                )
            return Path(path)
        for name in self.programs:
            if path := shutil.which(name):
                return Path(path)
        return next((app for app in map(Path, self.mac_apps) if app.exists()), None)

    def ensure(self, runner: Runner) -> str:
        """Find one that starts, or install one; return its name and version."""
        program = self.find()
        if program and (version := _version(program)):
            return version
        missing = f"{program} does not start" if program else f"no {self.name} found"
        if not os.environ.get(self.variable):
            system_packages.install(runner, self.debian, missing=missing, hint=self.how_to_get)
        program = self.find()
        version = _version(program) if program else None
        if version is None:
            raise BuildError(missing, hint=self.how_to_get)
        return f"installed {version}"


CHROMIUM = Engine(
    "Chromium",
    ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    (
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ),
    "chromium",
    "Fedora: sudo dnf install chromium; macOS: brew install --cask chromium",
)
FIREFOX = Engine(
    "Firefox",
    ("firefox-esr", "firefox"),
    ("/Applications/Firefox.app/Contents/MacOS/firefox",),
    "firefox-esr",
    "Fedora: sudo dnf install firefox; macOS: brew install --cask firefox",
)

CHROMEDRIVER = Engine(
    "ChromeDriver",
    ("chromedriver",),
    (),
    "chromium-driver",
    "Fedora: sudo dnf install chromedriver; macOS: brew install --cask chromedriver",
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

FIREFOX_CHANNEL = "moz-firefox"  # Playwright drives an installed Firefox through this one


def find_chromium() -> Path | None:
    """The Chromium that the variable CHROMIUM names, else the first one that is installed."""
    return CHROMIUM.find()


def find_firefox() -> Path | None:
    """The Firefox that the variable FIREFOX names, else the first one that is installed."""
    return FIREFOX.find()


def _version(program: Path) -> str | None:
    """What it says it is, or None if it does not start (Ubuntu has such a stub)."""
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\S.*?\d[\d.]*", done.stdout)
    return found[0] if done.returncode == 0 and found else None
