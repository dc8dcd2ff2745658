import json
from collections.abc import Callable

import pytest

from collector.customerio import MAX_BATCH, TYPES, take_batch, take_single, to_milliseconds
from collector.records import Intake, RequestFacts

FACTS = RequestFacts(
    method="POST",
    path="/v1/t",
    query="",
    content_type="text/plain",
    headers=(("user-agent", "Header UA"),),
    ip="203.0.113.9",
    user="",
    received_ms=1_800_000_000_000,
)


def single(body: object, expected: str = "track") -> Intake:
    return take_single(json.dumps(body).encode(), FACTS, "{}", expected=expected)


def batch(*events: object, **members: object) -> Intake:
    return take_batch(json.dumps({"batch": events} | members).encode(), FACTS, "{}")


@pytest.mark.parametrize("kind", TYPES)
def test_a_complete_event_of_each_type_is_good(event: Callable, kind: str) -> None:
    intake = single(event(kind), kind)
    assert (intake.status, intake.answer) == (200, {"success": True})
    assert intake.events[0].reasons == ()


FLAWS = [
    ("track", {"event": None}, "event missing, track needs non-empty text"),
    ("track", {"event": ""}, 'event is "", must be non-empty text'),
    ("track", {"event": 5}, "event is 5, must be non-empty text"),
    ("track", {"properties": []}, "properties is [], must be an object"),
    ("track", {"properties": "x" * 200}, f'properties is "{"x" * 76}..., must be an object'),
    ("identify", {"traits": "x"}, 'traits is "x", must be an object'),
    ("track", {"context": 1}, "context is 1, must be an object"),
    ("track", {"context": {"page": "/"}}, 'context.page is "/", must be an object'),
    ("track", {"context": {"ip": 7}}, "context.ip is 7, must be non-empty text"),
    ("track", {"messageId": 1}, "messageId is 1, must be non-empty text"),
    ("track", {"userId": ""}, 'userId is "", must be non-empty text'),
    ("track", {"userId": 42}, "userId is 42, must be non-empty text"),
    ("track", {"timestamp": "soon"}, 'timestamp is "soon", must be ISO 8601 text or a Unix time'),
    ("track", {"sentAt": True}, "sentAt is true, must be ISO 8601 text or a Unix time"),
    ("group", {"groupId": None}, "groupId missing, group needs non-empty text"),
    ("alias", {"userId": None}, "userId missing, alias needs non-empty text"),
    ("track", {"writeKey": None}, "writeKey missing"),
    ("track", {"type": "page"}, 'type is "page", this address takes track'),
    (
        "track",
        {"type": "click"},
        'type is "click", must be one of track, identify, page, group, alias, screen',
    ),
    (
        "page",
        {"anonymousId": None},
        "userId and anonymousId are missing, one of them must be non-empty text",
    ),
]


@pytest.mark.parametrize(("kind", "members", "reason"), FLAWS)
def test_a_bad_event_is_kept_with_the_reason_and_answered_400(
    event: Callable, kind: str, members: dict, reason: str
) -> None:
    body = event(kind) | members
    intake = single(body, kind)
    assert intake.status == 400
    assert intake.answer == {"success": False, "errors": [reason]}
    assert intake.events[0].reasons == (reason,)
    assert json.loads(intake.events[0].payload) == body


@pytest.mark.parametrize(
    "members",
    [
        {"userId": None},
        {"anonymousId": None, "userId": "u"},
        {"type": None},
        {"timestamp": 1768478401},
        {"properties": None, "timestamp": None},
        {"messageId": None},
    ],
)
def test_what_may_be_absent_may_be_null(event: Callable, members: dict) -> None:
    assert single(event() | members).status == 200


def test_the_facts_of_an_event_become_columns(event: Callable) -> None:
    body = event("page", name="Home", userId="u", context={"groupId": "g", "userAgent": "Own UA"})
    stored = single(body, "page").events[0]
    assert (stored.type, stored.name, stored.message_id) == ("page", "Home", body["messageId"])
    assert (stored.user_id, stored.anonymous_id, stored.group_id) == (
        "u",
        body["anonymousId"],
        "g",
    )
    assert (stored.event_time, stored.sent_ms) == (1768478401000, 1768478402000)
    assert stored.received_ms == FACTS.received_ms
    assert (stored.write_key, stored.user_agent, stored.ip) == ("key", "Own UA", "203.0.113.9")


def test_an_address_in_the_context_wins_over_that_of_the_request(event: Callable) -> None:
    assert single(event(context={"ip": "0.0.0.0"})).events[0].ip == "0.0.0.0"


@pytest.mark.parametrize("body", ["[]", "5", "null", '"text"', "{", ""])
def test_a_body_that_is_no_object_is_kept_as_text(body: str) -> None:
    for intake in (
        take_single(body.encode(), FACTS, "{}", expected="page"),
        take_batch(body.encode(), FACTS, "{}"),
    ):
        assert intake.status == 400
        assert json.loads(intake.events[0].payload) == body
        assert intake.events[0].reasons


def test_an_unreadable_body_is_kept_only_in_part() -> None:
    intake = take_single(b"x" * 100_000, FACTS, "{}", expected="track")
    assert len(intake.events[0].payload) < 5000


@pytest.mark.parametrize("value", [None, [], {}, "x", [{}] * (MAX_BATCH + 1)])
def test_a_batch_must_be_a_list_of_a_bounded_number_of_events(value: object) -> None:
    intake = take_batch(json.dumps({"batch": value}).encode(), FACTS, "{}")
    assert intake.status == 400
    assert len(intake.events) == 1
    assert intake.events[0].reasons[0].startswith("batch ")


def test_events_take_from_their_batch_what_they_lack(event: Callable) -> None:
    bare = {k: v for k, v in event().items() if k not in ("writeKey", "sentAt")}
    own = event(writeKey="own", context={"locale": "fr"})
    intake = batch(
        bare, own, writeKey="shared", sentAt=1768478400000, context={"locale": "en", "a": 1}
    )
    first, second = intake.events
    assert (first.write_key, first.sent_ms) == ("shared", 1768478400000)
    assert json.loads(first.payload)["context"] == {"locale": "en", "a": 1}
    assert second.write_key == "own"
    assert json.loads(second.payload)["context"] == {"locale": "fr", "a": 1}


def test_a_batch_with_some_good_events_succeeds_and_tells_the_bad_ones(event: Callable) -> None:
    bad = event(userId=7)
    intake = batch(event(), bad, 5)
    assert intake.status == 200
    assert intake.answer["success"] is True
    assert intake.answer["errors"] == [
        {
            "index": 1,
            "messageId": bad["messageId"],
            "reasons": ["userId is 7, must be non-empty text"],
        },
        {"index": 2, "messageId": None, "reasons": ["the event is 5, must be an object"]},
    ]
    assert [bool(stored.reasons) for stored in intake.events] == [False, True, True]


def test_a_batch_without_a_good_event_fails(event: Callable) -> None:
    intake = batch({}, event(event=None))
    assert (intake.status, intake.answer["success"]) == (400, False)


def test_a_flaw_of_the_batch_is_a_flaw_of_each_of_its_events(event: Callable) -> None:
    intake = batch(event(), event(), context=5)
    for stored in intake.events:
        assert stored.reasons == ("batch: context is 5, must be an object",)


def test_a_context_cannot_be_multiplied_until_it_fills_the_disk() -> None:
    intake = batch(*[{}] * 1000, context={"big": "x" * 100_000})
    assert intake.events[0].reasons == ("context is too large to be given to each of 1000 events",)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-15T12:00:01.123Z", 1768478401123),
        ("2026-01-15T13:00:01.123+01:00", 1768478401123),
        ("2026-01-15T12:00:01", 1768478401000),
        (1768478401, 1768478401000),
        (1768478401.5, 1768478401500),
        (1768478401123, 1768478401123),
        (-1, -1000),
        (True, None),
        (1e300, None),
        (10**400, None),
        ("", None),
        ("yesterday", None),
        ("9999-99-99T00:00:00Z", None),
        (["2026"], None),
        (None, None),
    ],
)
def test_times_are_read_as_iso_text_or_unix_numbers(value: object, expected: int | None) -> None:
    assert to_milliseconds(value) == expected
