"""Decides what test suites can ask about what a site tracked."""

from collector.testing.tracked import PlanError, Tracked, WaitedInVainError

__all__ = ["PlanError", "Tracked", "WaitedInVainError"]
