from __future__ import annotations

import pytest

from tests.unit.site import Site


@pytest.fixture
def site() -> Site:
    """A page of https://www.site.example/ before `load`."""
    return Site()
