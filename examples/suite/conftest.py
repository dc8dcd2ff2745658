"""What the tests share: the shop, and a visitor's browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from collector.testing import Tracked

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def tracked_site() -> dict[str, Path]:
    """The shop, served by the collector: what it posts to `/v1` arrives there."""
    return {"/": ROOT / "examples" / "shop", "/tracker": ROOT / "dist"}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        program = os.environ.get("CHROMIUM")
        flags = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def visitor(browser: Browser, tracked: Tracked) -> Iterator[BrowserContext]:
    """A visitor who has never been here."""
    context = browser.new_context(base_url=tracked.url, viewport={"width": 1280, "height": 900})
    yield context
    context.close()


@pytest.fixture
def page(visitor: BrowserContext) -> Page:
    return visitor.new_page()
