"""The collector: receives, checks, stores and shows events."""

from collector.app import create_app
from collector.settings import Cookie, Mount, Settings, SettingsError

__all__ = ["Cookie", "Mount", "Settings", "SettingsError", "create_app"]
