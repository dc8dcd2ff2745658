"""The plugin for pytest: the fixture `tracked`, without any configuration.

Each process of a test run (there are several with pytest-xdist) has a collector of its own, on a
free port of this machine. It is empty when a test begins. It can serve the site as well: a fixture
`tracked_site` of your own says which folders.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collector.testing.tracked import Tracked


@pytest.fixture(scope="session")
def tracked_site() -> Mapping[str, str | Path]:
    """Folders that the collector serves, by URL path: none, unless a conftest.py says otherwise."""
    return {}


@pytest.fixture(scope="session")
def tracked_collector(
    tmp_path_factory: pytest.TempPathFactory, tracked_site: Mapping[str, str | Path]
) -> Iterator[Tracked]:
    """The collector of this process. Raises SettingsError for a folder that is none."""
    try:  # pytest imports this module wherever the package is installed, with or without extras
        from collector.server import running
        from collector.settings import Mount, Settings
        from collector.testing.tracked import Tracked
    except ImportError as error:
        raise pytest.UsageError(
            f'tracked: {error}; allowed: pip install "pyodide-tracker[testing]". '
            "See docs/testing.md#browser-tests"
        ) from None
    folder = tmp_path_factory.mktemp("tracked")
    mounts = tuple(Mount(path, Path(directory)) for path, directory in tracked_site.items())
    with running(Settings(folder / "events.sqlite", mounts=mounts)) as collector:
        yield Tracked(collector.url)


@pytest.fixture
def tracked(tracked_collector: Tracked) -> Tracked:
    """What the pages of this test track: `tracked.url` is the collector to give them."""
    tracked_collector.reset()
    return tracked_collector
