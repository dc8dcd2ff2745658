"""Pages with our tracker and with the one that it replaces, for the same visitor."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from build_tools.peers import PEERS
from collector.server import running
from collector.settings import Mount, Settings
from tests.browser.conftest import ROOT, Collector, browser, collector, playwright, visitor

__all__ = ["browser", "collector", "playwright", "running_collector", "visitor"]


@pytest.fixture(scope="session")
def running_collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A collector whose site holds the scripts of both trackers."""
    mounts = (Mount("/tracker", ROOT / "dist"), Mount("/peers", PEERS))
    settings = Settings(tmp_path_factory.mktemp("collector") / "events.sqlite", mounts=mounts)
    with running(settings) as running_one:
        yield Collector(running_one.url)
