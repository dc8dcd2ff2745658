"""The page view that the trackers of a page share."""

from __future__ import annotations

import pytest

from tracker.snowplow.page import PageViews
from tracker.testing import FakeBrowser

HERE, THERE = "https://www.site.example/a?x=1#p", "https://www.site.example/b"


@pytest.mark.parametrize(
    ("by", "address", "renewed"),
    [
        (None, THERE, False),
        ("full", HERE, False),
        ("full", "https://www.site.example/a?x=1", True),
        ("pathname", "https://www.site.example/a?x=2", False),
        ("pathname", THERE, True),
        ("pathnameAndSearch", "https://www.site.example/a?x=1", False),
        ("pathnameAndSearch", "https://www.site.example/a?x=2", True),
    ],
)
def test_a_part_of_the_address_makes_a_new_page_view(
    by: str | None, address: str, renewed: bool
) -> None:
    views = PageViews(FakeBrowser(HERE))
    first = views.id_for(HERE, by)
    assert (views.id_for(address, by) != first) == renewed


def test_a_tracker_that_does_not_look_at_the_address_hides_no_change() -> None:
    views = PageViews(FakeBrowser(HERE))
    first = views.id_for(HERE, "pathname")
    assert views.id_for(THERE, None) == first
    assert views.id_for(THERE, "pathname") != first


def test_the_address_is_that_for_which_the_id_was_made() -> None:
    views = PageViews(FakeBrowser(HERE))
    first = views.id_for(HERE, None)
    assert views.id_for(HERE, "pathname") == first
