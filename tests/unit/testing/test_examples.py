"""The examples in the documentation of `tracker.testing` do what they say."""

import doctest
import importlib
import pkgutil

import pytest

import tracker.testing

pytestmark = pytest.mark.sends_flaws  # requests that are no events

MODULES = ["tracker.testing"] + [
    f"tracker.testing.{module.name}"
    for module in pkgutil.iter_modules(tracker.testing.__path__)
    if module.name != "pytest_plugin"  # fixtures
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0


def test_everything_public_is_exported():
    assert all(hasattr(tracker.testing, name) for name in tracker.testing.__all__)
