from collections.abc import Callable

import httpx
import pytest


@pytest.fixture
def filled(client: httpx.Client, event: Callable) -> httpx.Client:
    """A collector with one event of each sort that filters can tell apart."""
    for one in (
        event("track", event="Bought", messageId="m1", anonymousId="a1", properties={"n": "100%"}),
        event("page", messageId="m2", anonymousId="a2", userId="u1"),
        event("group", messageId="m3", anonymousId="a1", groupId="g1"),
        event("track", event=None, messageId="m4", anonymousId="a1"),
    ):
        client.post("/v1/b", json={"batch": [one]})
    return client


def found(client: httpx.Client, query: str) -> list[str]:
    return [row["messageId"] for row in client.get(f"/api/events?{query}").json()["events"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["m1", "m2", "m3", "m4"]),
        ("order=desc", ["m4", "m3", "m2", "m1"]),
        ("limit=2", ["m1", "m2"]),
        ("protocol=customerio&type=page", ["m2"]),
        ("protocol=snowplow", []),
        ("name=Bought", ["m1"]),
        ("valid=true", ["m1", "m2", "m3"]),
        ("valid=false", ["m4"]),
        ("id=a1", ["m1", "m3", "m4"]),
        ("id=u1", ["m2"]),
        ("id=g1", ["m3"]),
        ("id=m2", ["m2"]),
        ("id=a", []),
        ("text=bought", ["m1"]),
        ("text=100%25", ["m1"]),
        ("text=1__%25", []),
        ("text=event+missing", ["m4"]),
        ("id=a1&valid=true&type=track", ["m1"]),
    ],
)
def test_events_are_found_by_filters(filled: httpx.Client, query: str, expected: list[str]) -> None:
    assert found(filled, query) == expected


def test_events_are_paged_by_sequence_number(filled: httpx.Client) -> None:
    page = filled.get("/api/events?limit=3").json()
    assert page["last"] == page["events"][-1]["seq"] + 1
    assert found(filled, f"after={page['events'][-1]['seq']}") == ["m4"]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("limit=0", "limit is '0', must be a whole number from 1 to 1000"),
        ("limit=1e3", "limit is '1e3', must be a whole number from 1 to 1000"),
        ("limit=9999", "limit is '9999', must be a whole number from 1 to 1000"),
        ("after=-1", f"after is '-1', must be a whole number from 0 to {2**63 - 1}"),
        (
            "after=9223372036854775808",
            f"after is '9223372036854775808', must be a whole number from 0 to {2**63 - 1}",
        ),
        ("valid=yes", "valid is 'yes', must be true or false"),
        ("order=up", "order is 'up', must be asc or desc"),
        ("protocol=x", "protocol is 'x', must be customerio or snowplow"),
        ("id=", "id is '', must be text of 1 to 512 characters"),
        (f"text={'x' * 600}", f"text is '{'x' * 77}...', must be text of 1 to 512 characters"),
        (
            "typ=page",
            "parameter 'typ' is not known here, allowed are: "
            "protocol, type, name, id, text, valid, after, limit, order",
        ),
    ],
)
def test_a_bad_parameter_is_named_with_its_value_and_what_is_allowed(
    client: httpx.Client, query: str, error: str
) -> None:
    answer = client.get(f"/api/events?{query}")
    assert (answer.status_code, answer.json()["errors"]) == (400, [error])


def test_one_event_is_given_by_its_number(filled: httpx.Client) -> None:
    row = filled.get("/api/events?id=m1").json()["events"][0]
    assert filled.get(f"/api/events/{row['seq']}").json() == row
    assert row["payload"]["event"] == "Bought"
    assert row["valid"] is True
    assert row["reasons"] == []
    assert row["request"]["path"] == "/v1/b"


@pytest.mark.parametrize(("seq", "status"), [("999999", 404), ("x", 400), ("9" * 5000, 400)])
def test_an_event_that_is_not_there_is_an_error(
    client: httpx.Client, seq: str, status: int
) -> None:
    assert client.get(f"/api/events/{seq}").status_code == status


# ---- identities ----


@pytest.fixture
def people(client: httpx.Client, event: Callable) -> httpx.Client:
    """Ann on two devices, one of which Bob uses later; a colleague; somebody else."""

    def at(minute: int, kind: str, **members: object) -> dict:
        return event(kind, timestamp=f"2026-01-15T12:{minute:02}:00Z", **members)

    batch = [
        at(1, "page", anonymousId="phone"),
        at(2, "page", anonymousId="phone"),
        at(3, "identify", anonymousId="phone", userId="ann"),
        at(4, "identify", anonymousId="laptop", userId="ann"),
        at(5, "group", anonymousId="laptop", userId="ann", groupId="acme"),
        at(6, "identify", anonymousId="laptop", userId="bob"),
        at(7, "alias", anonymousId="tv", userId="bob", previousId="robert"),
        at(8, "group", anonymousId="desk", userId="carl", groupId="acme"),
        at(9, "page", anonymousId="stranger"),
        at(9, "track", anonymousId="phone", userId="eve", event=None),  # bad: links nobody
    ]
    client.post("/v1/b", json={"batch": batch})
    return client


def identities(client: httpx.Client, identifier: str) -> list[tuple]:
    answer = client.get("/api/identities", params={"id": identifier}).json()
    assert answer["id"] == identifier
    return [
        (one["anonymousId"], one["userId"], one["groupId"], one["events"])
        for one in answer["identities"]
    ]


ANN_AND_BOB = [
    ("phone", None, None, 2),
    ("phone", "ann", None, 1),
    ("laptop", "ann", None, 1),
    ("laptop", "ann", "acme", 1),
    ("laptop", "bob", None, 1),
    ("tv", "bob", None, 1),
]


@pytest.mark.parametrize("identifier", ["phone", "ann", "laptop", "bob", "tv", "robert"])
def test_an_identity_over_time_is_the_same_from_each_of_its_ids(
    people: httpx.Client, identifier: str
) -> None:
    assert identities(people, identifier) == ANN_AND_BOB


def test_a_group_shows_its_members_but_does_not_make_them_one_person(
    people: httpx.Client,
) -> None:
    assert identities(people, "acme") == [*ANN_AND_BOB, ("desk", "carl", "acme", 1)]
    assert identities(people, "carl") == [("desk", "carl", "acme", 1)]


def test_an_identity_has_the_times_at_which_it_was_seen(people: httpx.Client) -> None:
    first = people.get("/api/identities?id=phone").json()["identities"][0]
    assert (first["firstSeen"], first["lastSeen"]) == (1768478460000, 1768478520000)


def test_an_unknown_id_has_no_identities(people: httpx.Client) -> None:
    assert identities(people, "nobody") == []
    assert people.get("/api/identities").status_code == 400


# ---- counts and reset ----


def test_stats_count_by_outcome_protocol_and_type(filled: httpx.Client) -> None:
    stats = filled.get("/api/stats").json()
    assert {key: stats[key] for key in ("total", "good", "bad", "duplicates")} == {
        "total": 4,
        "good": 3,
        "bad": 1,
        "duplicates": 0,
    }
    assert stats["protocols"] == {"customerio": 4}
    assert stats["types"] == {"track": 2, "page": 1, "group": 1}


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_reset_deletes_everything(filled: httpx.Client, method: str) -> None:
    assert filled.request(method, "/api/reset").json() == {"success": True}
    assert filled.get("/api/stats").json()["total"] == 0


def test_other_websites_cannot_reset_and_the_page_can(filled: httpx.Client) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        assert filled.post("/api/reset", headers={"Origin": origin}).status_code == 403
    assert filled.get("/api/stats").json()["total"] == 4
    own = str(filled.base_url).rstrip("/")
    assert filled.post("/api/reset", headers={"Origin": own}).status_code == 200
