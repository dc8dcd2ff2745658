"""The collector: receives, checks, stores and shows events."""

from collector.app import create_app
from collector.settings import Mount, Settings, SettingsError

__all__ = ["Mount", "Settings", "SettingsError", "create_app"]
