"""The stored form of a queue: what a change costs, and who may share it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tracker.delivery.owner import SPAN
from tracker.delivery.segments import SEGMENT_BYTES, SEGMENT_EVENTS, Segments
from tracker.storage.stores import LocalStore
from tracker.testing import FakeBrowser, FakeProfile

KEY = "queue"
ENDS = 1_800_000_000_000


@pytest.fixture
def page() -> FakeBrowser:
    return FakeProfile().open("https://www.site.example/")


def segments(page: FakeBrowser) -> Segments:
    def read_id(item: Any) -> str | None:
        return item.get("id") if isinstance(item, dict) else None

    return Segments(page, [LocalStore(page.local_storage)], KEY, read_id)


def items(*numbers: int) -> Iterator[tuple[str, object]]:
    for number in numbers:
        yield f"e{number}", {"id": f"e{number}"}


def ids(kept: Segments) -> list[Any]:
    return [item["id"] for item in kept.items() if isinstance(item, dict)]


def test_items_stand_in_order_and_end_with_the_last_one(page: FakeBrowser) -> None:
    kept = segments(page)
    kept.change(items(*range(40)), (), ENDS)
    assert ids(segments(page)) == [f"e{n}" for n in range(40)]
    assert json.loads(page.local_storage.items[KEY])[0] == {"id": "e0"}
    assert kept.expires == ENDS
    kept.change((), [f"e{n}" for n in range(40)], ENDS)
    assert page.local_storage.items == {}


def test_the_cost_of_a_change_does_not_grow_with_the_queue(page: FakeBrowser) -> None:
    kept = segments(page)
    kept.change(items(*range(1000)), (), ENDS)
    for change in (
        lambda: kept.change(items(1000), (), ENDS),
        lambda: kept.change((), ["e500"], ENDS),
    ):
        before = len(page.local_storage.writes)
        change()
        assert len(page.local_storage.writes) - before <= 3
    sizes = [
        len(json.loads(text)) for key, text in page.local_storage.items.items() if "ex" not in key
    ]
    assert max(sizes) <= SEGMENT_EVENTS


def test_large_items_make_short_segments(page: FakeBrowser) -> None:
    kept = segments(page)
    large = [(f"e{n}", {"id": f"e{n}", "text": "x" * (SEGMENT_BYTES // 2)}) for n in range(4)]
    kept.change(large, (), ENDS)
    assert ids(segments(page)) == ["e0", "e1", "e2", "e3"]
    texts = [text for key, text in page.local_storage.items.items() if "ex" not in key]
    assert max(map(len, texts)) < SEGMENT_BYTES


def test_two_tabs_keep_each_others_items(page: FakeBrowser) -> None:
    one, two = segments(page), segments(page)
    one.change(items(*range(20)), (), ENDS)
    two.change(items(*range(20, 60)), (), ENDS)
    one.change(items(60), ["e3"], ENDS)
    two.change((), ["e19", "e20"], ENDS)
    gone = {3, 19, 20}
    assert sorted(ids(segments(page))) == sorted(f"e{n}" for n in range(61) if n not in gone)


def test_a_damaged_segment_is_set_aside_and_the_others_stay(page: FakeBrowser) -> None:
    kept = segments(page)
    kept.change(items(*range(40)), (), ENDS)
    page.local_storage.set(KEY + ".1", '[{"id": "e16"}, 7]')
    left = ids(segments(page))
    assert left == [f"e{n}" for n in (*range(16), *range(32, 40))]
    assert page.local_storage.items[KEY + ".1.corrupt"] == '[{"id": "e16"}, 7]'
    assert any("damaged" in line[1] for line in page.console_messages)


def test_a_full_storage_loses_nothing_that_is_stored(page: FakeBrowser) -> None:
    kept = segments(page)
    kept.change(items(1), (), ENDS)
    page.profile.local_rules.full = True
    kept.change(items(2), (), ENDS)
    page.profile.local_rules.full = False
    assert ids(segments(page)) == ["e1"]
    kept.change(items(3), ["e1"], ENDS)
    assert ids(segments(page)) == ["e3"]


def test_nothing_is_left_behind_when_a_full_storage_takes_no_more(page: FakeBrowser) -> None:
    kept = segments(page)
    kept.change(items(1), (), ENDS)
    page.profile.local_rules.full = True
    kept.change(items(2), ["e1"], ENDS)
    assert page.local_storage.items == {}


def test_nothing_is_left_behind_of_an_owner_that_was_the_only_one(page: FakeBrowser) -> None:
    segments(page).change(items(1), (), ENDS)
    other = segments(page)
    other.begin(SPAN)
    other.drop(0)
    assert page.local_storage.items == {}


@given(st.lists(st.tuples(st.integers(0, 1), st.booleans(), st.integers(1, 40)), max_size=25))
@example([(1, True, 8), (0, True, 9), (0, False, 8), (0, True, 16), (0, False, 16), (1, True, 25)])
def test_what_tabs_add_and_take_is_what_is_there(steps: list[tuple[int, bool, int]]) -> None:
    page = FakeProfile().open("https://www.site.example/")
    tabs = [segments(page), segments(page)]
    mine: list[list[int]] = [[], []]
    made = 0
    for tab, adds, number in steps:
        if adds:
            new = range(made, made + number)
            made += number
            mine[tab] += new
            tabs[tab].change(items(*new), (), ENDS)
        else:
            done, mine[tab] = mine[tab][:number], mine[tab][number:]
            tabs[tab].change((), [f"e{n}" for n in done], ENDS)
    left = ids(segments(page))
    assert sorted(left) == sorted(f"e{n}" for n in (*mine[0], *mine[1]))
    assert (page.local_storage.items == {}) == (left == [])
