from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.snowplow.links import basic, decorated, extended

USER = "11111111-1111-4111-8111-000000000001"
NOW = 1_700_000_000_000


def value(options: dict[str, Any] | None = None, **facts: Any) -> str:
    known: dict[str, Any] = {
        "user_id": USER,
        "now_ms": NOW,
        "session_id": "S",
        "business_id": "U1234",
        "app_id": "my-app",
        "platform": "web",
        "reason": "Go",
    }
    return extended(options or {}, **(known | facts))


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("https://b.test/", "https://b.test/?_sp=v"),
        ("https://b.test/p?", "https://b.test/p?_sp=v"),
        ("https://b.test/p#f", "https://b.test/p?_sp=v#f"),
        ("https://b.test/p?x=1#f?_sp=no", "https://b.test/p?_sp=v&x=1#f?_sp=no"),
        ("https://b.test/?_sp=old&y=2", "https://b.test/?_sp=v&y=2"),
        ("https://b.test/?y=2&_sp=old#f", "https://b.test/?y=2&_sp=v#f"),
        ("https://b.test/?_sp=1&_sp=2", "https://b.test/?_sp=v&_sp=2"),
        ("https://b.test/?a?b=1&x", "https://b.test/?_sp=v&a?b=1&x"),
        ("https://b.test/?_spy=1", "https://b.test/?_sp=v&_spy=1"),
    ],
)
def test_a_link_gets_the_parameter_at_its_place(href: str, expected: str) -> None:
    assert decorated(href, "v") == expected


def test_a_link_without_a_value_stays_as_it_is() -> None:
    assert decorated("https://b.test/?x=1#f", "") == "https://b.test/?x=1#f"


@given(st.text(), st.text("abc.123", min_size=1))
def test_decorating_twice_is_decorating_once(href: str, value: str) -> None:
    once = decorated(href, value)
    assert decorated(once, value) == once


def test_the_basic_value_is_the_user_and_the_time() -> None:
    assert basic(USER, NOW) == f"{USER}.{NOW}"


def test_an_anonymous_visitor_leaves_no_value() -> None:
    assert basic("", NOW) == basic(None, NOW) == ""
    assert value(user_id="") == value(user_id=None) == ""


def test_the_extended_value_has_session_and_application_by_default() -> None:
    assert value() == f"{USER}.{NOW}.S..bXktYXBw"


def test_parts_are_switched_on_and_off() -> None:
    everything = dict.fromkeys(
        ("userId", "sessionId", "sourceId", "sourcePlatform", "reason"), True
    )
    assert value(everything) == f"{USER}.{NOW}.S.VTEyMzQ.bXktYXBw.web.R28"
    assert value(dict.fromkeys(everything, False)) == f"{USER}.{NOW}"
    assert value({"sessionId": None, "sourceId": False, "reason": True}) == f"{USER}.{NOW}.....R28"
    assert value({"reason": {"$fn": 1}}).endswith(".R28")


def test_unknown_parts_are_empty_and_dots_at_the_end_are_cut() -> None:
    assert value(session_id=None, app_id="") == f"{USER}.{NOW}"
    assert value({"userId": True}, business_id=None) == f"{USER}.{NOW}.S..bXktYXBw"


@given(st.text(min_size=1).filter(lambda text: text.strip() == text))
def test_any_text_can_be_a_reason(reason: str) -> None:
    encoded = value({"reason": True}, reason=reason).rpartition(".")[2]
    assert base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode() == reason


def test_a_lone_surrogate_is_replaced() -> None:
    assert value({"reason": True}, reason="\ud800") == value({"reason": True}, reason="\ufffd")
