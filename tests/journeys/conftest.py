"""What users have: a browser, and the demo shop for a site, with a folder for plugins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from build_tools.paths import DIST, ROOT
from tests.browser.conftest import browser, playwright

__all__ = ["browser", "playwright"]


@pytest.fixture(scope="session")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of wheels."""
    return tmp_path_factory.mktemp("plugins")


@pytest.fixture(scope="session")
def tracked_site(plugins: Path) -> dict[str, Path]:
    return {"/": ROOT / "examples" / "shop", "/tracker": DIST, "/plugins": plugins}


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    contexts = []

    def open_page(lacks: tuple[str, ...] = ()) -> Page:
        contexts.append(browser.new_context())
        contexts[-1].add_init_script("".join(f"delete window.{name};" for name in lacks))
        return contexts[-1].new_page()

    yield open_page
    for context in contexts:
        context.close()
