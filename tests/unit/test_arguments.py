from __future__ import annotations

from typing import Any

import pytest

from tracker.arguments import FUNCTION, resolve_alias, resolve_entity, resolve_page, resolve_track

P, O = {"p": 1}, {"o": 2}  # noqa: E741


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["A"], ("A", {}, {})),
        (["A", P], ("A", P, {})),
        (["A", P, O], ("A", P, O)),
        (["A", None, O], ("A", {}, O)),
        (["A", [1], O], ("A", {}, O)),
        (["A", "text", O], ("A", {}, O)),
        (["A", FUNCTION], ("A", {}, {})),
        (["A", P, FUNCTION], ("A", P, {})),
        (["A", P, O, FUNCTION], ("A", P, O)),
        ([{"event": "A", "properties": P, "rest": 1}], ("A", P, {})),
        ([{"event": "A"}, O], ("A", {}, O)),
        ([{"event": "A"}, O, FUNCTION], ("A", {}, O)),
        ([], (None, {}, {})),
        ([""], (None, {}, {})),
        ([7, P], (None, P, {})),
        ([{}], (None, {}, {})),
        ([None], (None, {}, {})),
    ],
)
def test_track_takes_a_name_or_an_object(args: list[Any], expected: tuple[Any, ...]) -> None:
    assert resolve_track(args) == expected


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ([], (None, None, {}, {})),
        (["n"], (None, "n", {}, {})),
        (["n", P], (None, "n", P, {})),
        (["n", P, O], (None, "n", P, O)),
        (["c", "n", P, O], ("c", "n", P, O)),
        (["c", "n", None, O], ("c", "n", {}, O)),
        (["", "", None, O], ("", "", {}, O)),
        ([P, O], (None, None, P, O)),
        ([P, FUNCTION], (None, None, P, {})),
        ([None, "n", P, O], (None, "n", P, O)),
        (["n", None, P], (None, "n", P, {})),
        ([None, None, P, O], (None, None, P, O)),
        ([FUNCTION], (None, None, {}, {})),
    ],
)
def test_page_takes_category_and_name(args: list[Any], expected: tuple[Any, ...]) -> None:
    assert resolve_page(args) == expected


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["u1"], ("u1", {}, {})),
        (["u1", P, O], ("u1", P, O)),
        ([7, P, O], ("7", P, O)),
        (["u1", None, O], ("u1", {}, O)),
        ([P], (None, P, {})),
        ([P, O], (None, P, O)),
        ([None, P, O], (None, P, O)),
        ([None, None, O], (None, {}, O)),
        (["u1", FUNCTION], ("u1", {}, {})),
        ([], (None, {}, {})),
        ([True, P], (None, P, {})),
    ],
)
def test_identify_and_group_take_an_id_and_traits(
    args: list[Any], expected: tuple[Any, ...]
) -> None:
    assert resolve_entity(args, str) == expected


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ([], (None, None, {})),
        (["to"], ("to", None, {})),
        (["to", "from"], ("to", "from", {})),
        ([5, 6], ("5", "6", {})),
        (["to", O], ("to", None, O)),
        (["to", "from", O, FUNCTION], ("to", "from", O)),
    ],
)
def test_alias_takes_two_ids(args: list[Any], expected: tuple[Any, ...]) -> None:
    assert resolve_alias(args, str) == expected
