"""What users have: a browser, and the demo shop for a site."""

from pathlib import Path

import pytest

from build_tools.paths import DIST, ROOT
from tests.browser.conftest import browser, playwright

__all__ = ["browser", "playwright"]


@pytest.fixture(scope="session")
def tracked_site() -> dict[str, Path]:
    return {"/": ROOT / "examples" / "shop", "/tracker": DIST}
