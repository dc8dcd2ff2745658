"""Teams that check with a browser what their site tracks: the example suite, run as they would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from build_tools.browsers import CHROMEDRIVER, CHROMIUM_FLAGS, find_chromium
from build_tools.paths import ROOT
from collector.testing import Tracked

SUITE = ROOT / "examples" / "suite"
EVENTS = 31  # tests of the suite


def test_the_example_suite_passes_in_two_processes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", SUITE, "-p", "no:cacheprovider"],
        env={**os.environ, "CHROMIUM": str(find_chromium())},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert re.search(rf"\b{EVENTS} passed\b", done.stdout), done.stdout[-4000:] + done.stderr
    assert done.returncode == 0


@pytest.fixture
def driver() -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = str(find_chromium())
    for flag in (*CHROMIUM_FLAGS, "--headless=new", "--window-size=1280,900"):
        options.add_argument(flag)
    driver = Chrome(options=options, service=Service(str(CHROMEDRIVER.find())))
    yield driver
    driver.quit()


def test_selenium_is_as_good(driver: Chrome, tracked: Tracked) -> None:
    driver.get(f"{tracked.url}/product.html?id=assam")
    driver.find_element("id", "buy").click()
    driver.switch_to.new_window("tab")
    driver.get(f"{tracked.url}/")
    tracked.settled(driver)
    tracked.expect({"properties": {"total": 7.8}}, name="Order Completed", count=1, timeout=0)
    assert len(tracked.events(type="page")) == 2
