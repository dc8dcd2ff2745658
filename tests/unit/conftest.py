from __future__ import annotations

import pytest

from tests.unit.site import Site
from tests.wire import only_good_events

__all__ = ["only_good_events"]


@pytest.fixture
def site() -> Site:
    """A page of https://www.site.example/ before `load`."""
    return Site()
