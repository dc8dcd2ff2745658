"""Real browsers with settings of their own, Chromium and Firefox in the same words."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright

from build_tools.browsers import CHROMIUM_FLAGS, FIREFOX_CHANNEL, find_chromium, find_firefox

# The engine of this run of the tests.
ENGINE = os.environ.get("TRACKER_ENGINE", "chromium")


def only_chromium(reason: str) -> pytest.MarkDecorator:
    """What other engines are not asked, or cannot be asked through Playwright."""
    return pytest.mark.skipif(ENGINE != "chromium", reason=reason)


# where a visitor switches a signal on; Chromium knows no Global Privacy Control
PREFERENCES: dict[str, dict[str, dict[str, Any]]] = {
    "doNotTrack": {
        "chromium": {"enable_do_not_track": True},
        "firefox": {"privacy.donottrackheader.enabled": True},
    },
    "globalPrivacyControl": {
        "chromium": {},
        "firefox": {
            "privacy.globalprivacycontrol.enabled": True,
            "privacy.globalprivacycontrol.functionality.enabled": True,
        },
    },
}
GPC_SCRIPT = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {value: true})"


def launch(
    playwright: Playwright, flags: Sequence[str] = (), preferences: dict[str, Any] | None = None
) -> Browser:
    """A browser of this run's engine. `flags` are for Chromium, `preferences` for Firefox."""
    if ENGINE == "chromium":
        args = [*CHROMIUM_FLAGS, *flags]
        return playwright.chromium.launch(executable_path=find_chromium(), args=args)
    return playwright.firefox.launch(
        channel=FIREFOX_CHANNEL,
        executable_path=find_firefox(),
        firefox_user_prefs=preferences or {},
    )


@contextmanager
def profile(
    playwright: Playwright, folder: Path, signal: str | None = None
) -> Iterator[BrowserContext]:
    """A fresh profile in a browser of its own, whose visitor has switched a signal on."""
    preferences = PREFERENCES[signal][ENGINE] if signal else {}
    if ENGINE == "firefox":
        browser = launch(playwright, preferences=preferences)
        yield browser.new_context()
        browser.close()
        return
    (folder / "Default").mkdir(parents=True)
    (folder / "Default" / "Preferences").write_text(json.dumps(preferences))
    context = playwright.chromium.launch_persistent_context(
        folder, executable_path=find_chromium(), args=CHROMIUM_FLAGS
    )
    if signal == "globalPrivacyControl":
        context.add_init_script(GPC_SCRIPT)
    yield context
    context.close()


def memory_of_pages(browser: Browser) -> float:
    """Memory (MB) that the processes of a Chromium's pages and workers share with no other."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    total = 0
    for process in processes:
        if process["type"] == "renderer":
            text = Path(f"/proc/{process['id']}/smaps_rollup").read_text(encoding="ascii")
            private = [line for line in text.splitlines() if line.startswith("Private_")]
            total += sum(int(line.split()[1]) for line in private)
    return total / 1000
