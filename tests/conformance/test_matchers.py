"""What each matcher accepts, and what it does not."""

from __future__ import annotations

from typing import Any

import pytest

from .matchers import MISSING, RULES, Matching, same, short, unknown_matchers
from .snowplow import Comparison

UUID = "39ee7ea5-b6d8-4174-b612-04e1ef3fa952"
OTHER = "49ee7ea5-b6d8-4174-b612-04e1ef3fa952"

ACCEPTED: list[tuple[Any, Any]] = [
    (1, 1.0),
    (None, None),
    ("a", "a"),
    ([1, {"a": 1}], [1, {"a": 1, "b": 2}]),
    ({}, {"a": 1}),
    ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}, "d": 3}),
    ({"$any": True}, None),
    ({"$any": True}, 0),
    ({"$absent": True}, MISSING),
    ({"a": {"$absent": True}}, {}),
    ({"$uuid4": True}, UUID),
    ({"$uuid4": True}, UUID.upper()),
    ({"$re": "^a+$"}, "aaa"),
    ({"$re": "b"}, "abc"),
    ({"$re": r"^(?<year>\d{4})-"}, "2026-01"),
    ({"$date": True}, "2026-01-15T12:00:00.000Z"),
    ({"$len": 2}, [1, 2]),
    ({"$len": 3}, "abc"),
    ({"$json": {"a": 1}}, '{"a": 1, "b": 2}'),
    ({"$json": [{"id": {"$any": True}}]}, '[{"id": 1, "x": 2}]'),
    ({"$json": "AA"}, '"AA"'),
    ({"$exact": {"a": {"b": 1}}}, {"a": {"b": 1}}),
    ({"$exact": {"a": {"$json": {"b": 1}}}}, {"a": '{"b": 1}'}),
    ({"$exact": {"a": 1, "b": {"$absent": True}}}, {"a": 1}),
    ({"$not": "a"}, "b"),
    ({"$not": {"a": 1}}, {"a": 2}),
    ({"$not": {"$re": "x"}}, "abc"),
    ({"$all": [{"$uuid4": True}, {"$var": "n"}]}, UUID),
    ({"$any": True, "$len": 1}, [1]),
    ({"$any": True, "a": 1}, {"a": 1, "b": 2}),
    ([{"$var": "n"}, {"$var": "n"}], [UUID, UUID]),
    ([{"$var": "n"}, {"$json": {"$var": "n"}}], ["x", '"x"']),
    ([{"$not": {"$var": "n"}}, {"$var": "n"}], ["x", "y"]),
    ([{"$var": "n"}, {"$var": "m"}], ["x", "x"]),
]

REFUSED: list[tuple[Any, Any]] = [
    (1, True),
    (0, False),
    (None, MISSING),
    (None, 0),
    ("1", 1),
    ([1], [1, 2]),
    ([1, 2], [1]),
    ([], {}),
    ({}, []),
    ({}, MISSING),
    ({"a": 1}, {"b": 1}),
    ({"a": None}, {}),
    ({"$any": True}, MISSING),
    ({"$any": False}, 1),
    ({"$absent": True}, None),
    ({"$uuid4": True}, "39ee7ea5-b6d8-1174-b612-04e1ef3fa952"),
    ({"$uuid4": True}, UUID + " "),
    ({"$uuid4": True}, MISSING),
    ({"$re": "^a$"}, "ab"),
    ({"$re": "1"}, 1),
    ({"$re": "("}, "("),
    ({"$re": "a"}, MISSING),
    ({"$date": True}, "2026-01-15T12:00:00Z"),
    ({"$date": True}, 1768478400000),
    ({"$len": 2}, [1]),
    ({"$len": 0}, MISSING),
    ({"$json": {"a": 1}}, "{"),
    ({"$json": {"a": 1}}, {"a": 1}),
    ({"$json": {"a": 1}}, MISSING),
    ({"$exact": {"a": {"b": 1}}}, {"a": {"b": 1, "c": 2}}),
    ({"$exact": {}}, {"a": 1}),
    ({"$exact": {"a": {"$json": {"b": 1}}}}, {"a": '{"b": 1, "c": 2}'}),
    ({"$exact": [{"a": 1}]}, [{"a": 1, "b": 2}]),
    ({"$not": "a"}, "a"),
    ({"$not": {"a": 1}}, {"a": 1, "b": 2}),
    ({"$not": "a"}, MISSING),
    ({"$not": {"$var": "nowhere"}}, "a"),
    ({"$all": [{"$uuid4": True}, "x"]}, UUID),
    ({"$all": []}, UUID),
    ({"$any": True, "$len": 1}, [1, 2]),
    ({"$any": True, "a": 1}, {"a": 2}),
    ([{"$var": "n"}, {"$var": "n"}], [UUID, OTHER]),
    ([{"$not": {"$var": "n"}}, {"$var": "n"}], ["x", "x"]),
    ({"$var": "n"}, MISSING),
    ({"$size": 1}, [1]),
]


def mismatches(expected: Any, got: Any) -> list[str]:
    matching = Matching()
    matching.match("it", expected, got)
    return [str(mismatch) for mismatch in matching.finish()]


@pytest.mark.parametrize(("expected", "got"), ACCEPTED)
def test_what_matches(expected: Any, got: Any) -> None:
    assert mismatches(expected, got) == []


@pytest.mark.parametrize(("expected", "got"), REFUSED)
def test_what_does_not_match(expected: Any, got: Any) -> None:
    assert mismatches(expected, got)


def test_every_matcher_is_in_both_tables() -> None:
    for name in RULES:
        assert name in str(ACCEPTED)
        assert name in str(REFUSED)


def test_a_mismatch_tells_where_and_what() -> None:
    assert mismatches({"a": [{"b": 1}]}, {"a": [{"b": "x"}]}) == ['it.a[0].b: expected 1, got "x"']
    assert mismatches({"$exact": {}}, {"a": 1}) == ["it.a: expected nothing, got 1"]
    assert mismatches({"a": 1}, {}) == ["it.a: expected 1, got nothing"]


def test_long_values_are_cut() -> None:
    assert len(short("x" * 1000)) < 200


def test_unknown_matchers_are_named_wherever_they_stand() -> None:
    assert unknown_matchers({"a": [{"$exact": {"b": {"$size": 1, "$any": True}}}]}) == ["$size"]


def test_equality_is_that_of_json() -> None:
    assert same({"a": [1, {"b": None}]}, {"a": [1.0, {"b": None}]})
    assert not same({"a": 1}, {"a": 1, "b": 1})
    assert not same([True], [1])


# The placeholders of the Snowplow cases


def differences(pairs: list[tuple[Any, Any]], given: list[str] | None = None) -> int:
    comparison = Comparison({}, {"requests": [], "given": given or []})
    for expected, got in pairs:
        comparison.equal("it", expected, got)
    return len(comparison.mismatches)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("<uuid-1>", UUID)], 0),
        ([("<uuid-1>", "no uuid")], 1),
        ([("<uuid-1>", UUID), ("<uuid-1>", UUID)], 0),
        ([("<uuid-1>", UUID), ("<uuid-1>", OTHER)], 1),
        ([("<uuid-1>", UUID), ("<uuid-2>", OTHER)], 0),
        ([("<uuid-1>", UUID), ("<uuid-2>", UUID)], 1),
        ([("<uuid-1>.1.2..<uuid-2>..", f"{UUID}.1.2..{OTHER}..")], 0),
        ([("<uuid-1>.1.2..<uuid-2>..", f"{UUID}.1.2..{UUID}..")], 1),
        ([("<uuid-1>.1.2", f"{UUID}.1x2")], 1),
        ([({"a": ["<uuid-1>"]}, {"a": [UUID]})], 0),
        ([({"a": 1}, {"a": 1, "b": 1})], 1),
        ([({"a": 1, "b": 1}, {"a": 1})], 1),
        ([([1, 2], [1])], 1),
        ([({"tv": "js-4.10.1"}, {"tv": "pt-0.1.0"})], 0),
        ([("1", 1)], 1),
        ([(None, "")], 1),
    ],
)
def test_placeholders(pairs: list[tuple[Any, Any]], expected: int) -> None:
    assert differences(pairs) == expected


def test_a_placeholder_is_no_id_that_was_there_before() -> None:
    assert differences([("<uuid-1>", UUID)], given=[UUID]) == 1
    assert differences([(UUID, UUID)], given=[UUID]) == 0
