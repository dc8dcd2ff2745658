import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.json_text import MAX_DEPTH, JsonError, raw_payload, read_json, write_json

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # Lone surrogates and NUL included.
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b"[1,]", "not JSON"),
        (b'{"a": NaN}', "NaN is not a JSON value"),
        (b"[-Infinity]", "-Infinity is not a JSON value"),
        (b"[1e999]", "1e999 is out of range"),
        (b"1" * 5000, "too many digits"),
        (b'"\xff"', "not UTF-8"),
        (b"[" * 100_000, "nested deeper"),
        (b"[" * 300 + b"]" * 300, "nested deeper"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "nested deeper"),
    ],
)
def test_a_text_that_cannot_be_kept_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(JsonError, match=reason):
        read_json(body)


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert read_json(b"[" + b"[]," * 1000 + b"[]]") == [[]] * 1001


def test_the_deepest_allowed_text_is_read() -> None:
    assert read_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


def test_the_last_of_duplicate_keys_wins() -> None:
    assert read_json(b'{"a": 1, "a": 2}') == {"a": 2}


def test_half_a_surrogate_pair_becomes_the_replacement_character() -> None:
    assert read_json(rb'{"\udc00": ["a\uD83D"], "pair": "\ud83d\ude00"}') == {
        "�": ["a�"],
        "pair": "😀",
    }


@given(anything)
def test_what_was_read_can_be_written_and_read_again(value: object) -> None:
    read = read_json(json.dumps(value).encode())
    assert read_json(write_json(read).encode()) == read


@given(st.binary(max_size=6000))
def test_any_bytes_can_be_kept_as_the_text_of_an_unreadable_body(body: bytes) -> None:
    assert isinstance(json.loads(raw_payload(body)), str)
