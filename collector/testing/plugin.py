"""The plugin for pytest: the fixture `tracked`, without any configuration.

Each process of a test run (there are several with pytest-xdist) has a collector of its own, on a
free port of this machine. It is empty when a test begins.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from collector.server import running
from collector.settings import Settings
from collector.testing.tracked import Tracked


@pytest.fixture(scope="session")
def tracked_collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracked]:
    """The collector of this process."""
    folder = tmp_path_factory.mktemp("tracked")
    with running(Settings(folder / "events.sqlite")) as collector:
        yield Tracked(collector.url)


@pytest.fixture
def tracked(tracked_collector: Tracked) -> Tracked:
    """What the pages of this test track: `tracked.url` is the collector to give them."""
    tracked_collector.reset()
    return tracked_collector
