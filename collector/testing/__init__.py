"""Decides what test suites can ask about what a site tracked, and holds the plugin for pytest."""

from collector.testing.tracked import PlanError, Tracked, WaitedInVainError

__all__ = ["PlanError", "Tracked", "WaitedInVainError"]
