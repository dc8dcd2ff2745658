"""Real browsers with settings of their own, Chromium and Firefox in the same words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Playwright

from build_tools.browsers import CHROMIUM_FLAGS, FIREFOX_CHANNEL, find_chromium, find_firefox

ENGINES = ("chromium", "firefox")

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


@contextmanager
def profile(
    playwright: Playwright, engine: str, folder: Path, signal: str | None = None
) -> Iterator[BrowserContext]:
    """A fresh profile in a browser of its own, whose visitor has switched a signal on."""
    preferences = PREFERENCES[signal][engine] if signal else {}
    if engine == "firefox":
        browser = playwright.firefox.launch(
            channel=FIREFOX_CHANNEL,
            executable_path=find_firefox(),
            firefox_user_prefs=preferences,
        )
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
