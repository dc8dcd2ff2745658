"""Storage keeps texts, has a quota, and refuses where a browser refuses."""

import pytest

from tracker.browser import StorageError
from tracker.testing import FakeStorage, StorageRules


@pytest.fixture
def area():
    return FakeStorage()


def test_it_keeps_texts_under_keys(area):
    area.set("b", "1")
    area.set("a", "2")
    area.set("b", "3")
    assert (area.get("b"), area.get("a"), area.get("c")) == ("3", "2", None)
    assert area.keys() == ["b", "a"]
    assert area.items == {"b": "3", "a": "2"}


def test_it_forgets(area):
    area.set("a", "1")
    area.remove("a")
    area.remove("never there")
    assert area.items == {}


def test_writes_are_logged_if_they_change_something(area):
    area.set("a", "1")
    area.get("a")
    area.remove("a")
    area.remove("a")
    assert area.writes == [("set", "a"), ("remove", "a")]


def test_the_visitor_clears_everything(area):
    area.set("a", "1")
    area.set("b", "1")
    area.clear()
    assert area.keys() == []
    assert area.writes[-2:] == [("remove", "a"), ("remove", "b")]


def test_the_quota_counts_keys_and_values():
    area = FakeStorage(StorageRules(quota=10))
    area.set("key", "1234567")
    with pytest.raises(StorageError, match="no room for 'k'"):
        area.set("k", "")
    assert area.items == {"key": "1234567"}


def test_replacing_and_removing_frees_room():
    area = FakeStorage(StorageRules(quota=10))
    area.set("a", "123456789")
    area.set("a", "987654321")
    area.remove("a")
    area.set("b", "123456789")
    area.clear()
    area.set("c", "123456789")
    assert area.items == {"c": "123456789"}


def test_the_quota_counts_utf_16_units():
    area = FakeStorage(StorageRules(quota=4))
    area.set("a", "\U0001f600ü")
    with pytest.raises(StorageError):
        area.set("a", "\U0001f600\U0001f600")


def test_the_quota_is_that_of_browsers(area):
    area.set("a", "x" * (5_242_880 - 1))
    with pytest.raises(StorageError):
        area.set("b", "")


def test_a_text_may_become_shorter_where_there_is_no_room():
    area = FakeStorage(rules := StorageRules())
    area.set("a", "123")
    rules.quota = 0
    area.set("a", "45")
    with pytest.raises(StorageError):
        area.set("a", "123")
    assert area.items == {"a": "45"}


def test_a_full_storage_takes_nothing_but_gives():
    rules = StorageRules()
    area = FakeStorage(rules)
    area.set("a", "1")
    rules.full = True
    with pytest.raises(StorageError):
        area.set("a", "1")
    assert area.get("a") == "1"
    area.remove("a")
    assert area.items == {}


def test_it_may_be_full_for_some_keys_only():
    area = FakeStorage(StorageRules(full_keys=[r"^queue\.", "x$"]))
    area.set("a.queue.", "1")
    for key in ("queue.1", "ax"):
        with pytest.raises(StorageError):
            area.set(key, "1")
    assert area.keys() == ["a.queue."]


@pytest.mark.parametrize(
    "access",
    [lambda s: s.get("a"), lambda s: s.set("a", "1"), lambda s: s.remove("a"), lambda s: s.keys()],
    ids=["get", "set", "remove", "keys"],
)
def test_where_access_is_denied_every_access_raises(access):
    with pytest.raises(StorageError, match="denies access"):
        access(FakeStorage(StorageRules(denied=True)))
