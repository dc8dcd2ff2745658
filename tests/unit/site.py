"""The page of the unit tests."""

from tracker.testing.site import SETTINGS, WRITE_KEY
from tracker.testing.site import FakeSite as Site

__all__ = ["SETTINGS", "WRITE_KEY", "Site"]
