"""Decisions S1 and S2 cell by cell: what each strategy keeps where, and with a store gone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.snowplow.site import SnowplowSite, page_of, validate_all
from tracker.testing import FakeProfile

KINDS = {
    "anonymous id": "ajs_anonymous_id",
    "user id": "ajs_user_id",
    "group id": "ajs_group_id",
    "traits": "ajs_user_traits",
    "group traits": "ajs_group_properties",
    "_sp_id": "_sp_id.",
    "_sp_ses": "_sp_ses.",
}
IDS = ("anonymous id", "user id", "group id")
TRAITS = ("traits", "group traits")
SESSION = ("_sp_id", "_sp_ses")

STRATEGIES: dict[str, dict[str, Any]] = {
    "cookieAndLocalStorage": {"stateStorageStrategy": "cookieAndLocalStorage"},
    "localStorage": {"stateStorageStrategy": "localStorage"},
    "cookie": {"stateStorageStrategy": "cookie"},
    "none": {"stateStorageStrategy": "none"},
    "disabled": {"disableClientPersistence": True},
    "disabled beats": {"disableClientPersistence": True, "stateStorageStrategy": "cookie"},
}
NOTHING: dict[str, str] = dict.fromkeys(KINDS, "")


def _cells(ids: str, traits: str, session: str) -> dict[str, str]:
    kinds = {**dict.fromkeys(IDS, ids), **dict.fromkeys(TRAITS, traits)}
    return {**kinds, **dict.fromkeys(SESSION, session)}


# strategy -> missing store -> cells; c: cookie, l: local storage, nothing: memory
TABLE: list[tuple[str, str, dict[str, str]]] = [
    ("cookieAndLocalStorage", "", _cells("cl", "l", "c")),
    ("cookieAndLocalStorage", "cookies blocked", _cells("l", "l", "l")),
    ("cookieAndLocalStorage", "cookies throw", _cells("l", "l", "l")),
    ("cookieAndLocalStorage", "storage denied", _cells("c", "", "c")),
    ("cookieAndLocalStorage", "storage full", _cells("c", "", "c")),
    ("cookieAndLocalStorage", "all gone", NOTHING),
    ("localStorage", "", _cells("l", "l", "l")),
    ("localStorage", "cookies blocked", _cells("l", "l", "l")),
    ("localStorage", "storage denied", NOTHING),
    ("localStorage", "storage full", NOTHING),
    ("cookie", "", _cells("c", "c", "c")),
    ("cookie", "cookies blocked", NOTHING),
    ("cookie", "cookies throw", NOTHING),
    ("cookie", "storage denied", _cells("c", "c", "c")),
    ("none", "", NOTHING),
    ("none", "all gone", NOTHING),
    ("disabled", "", NOTHING),
    ("disabled beats", "", NOTHING),
]


def _profile(missing: str) -> FakeProfile:
    profile = FakeProfile()
    if missing in ("cookies blocked", "all gone"):
        profile.jar.access = "blocked"
    if missing == "cookies throw":
        profile.jar.access = "throws"
    profile.local_rules.denied = missing in ("storage denied", "all gone")
    profile.local_rules.full = missing == "storage full"
    return profile


def _visit(profile: FakeProfile, strategy: str) -> SnowplowSite:
    page = page_of(profile)
    page.load(**STRATEGIES[strategy], snowplow={"contexts": {"session": True}})
    page.post("identify", "u1", {"name": "Ann"})
    page.post("group", "g1", {"size": 3})
    page.settle()
    return page


def _kept(page: SnowplowSite) -> dict[str, str]:
    jar = page.browser.jar
    cookies = {c.name for c in jar.visible(page.browser.url)} if jar.access == "normal" else set()
    local = set(page.browser.local_storage.items)
    return {
        kind: "c" * any(name.startswith(key) for name in cookies)
        + "l" * any(name.startswith(key) for name in local)
        for kind, key in KINDS.items()
    }


@pytest.mark.parametrize(("strategy", "missing", "cells"), TABLE)
def test_each_kind_of_state_is_kept_where_the_strategy_says(
    strategy: str, missing: str, cells: dict[str, str]
) -> None:
    page = _visit(_profile(missing), strategy)
    assert _kept(page) == cells


@pytest.mark.parametrize(("strategy", "missing", "cells"), TABLE)
def test_memory_answers_on_the_page_whatever_is_kept(
    strategy: str, missing: str, cells: dict[str, str]
) -> None:
    page = _visit(_profile(missing), strategy)
    page.post("track", "A")
    page.settle()
    assert page.ask("user.id") == "u1"
    assert page.ask("group.id") == "g1"
    assert page.ask("user.traits") == {"name": "Ann"}
    assert page.ask("group.traits") == {"size": 3}
    events = page.events
    assert [event["e"] for event in events] == ["ue", "ue", "se"]
    assert len({event["duid"] for event in events}) == 1
    assert len({event["sid"] for event in events}) == 1
    assert {event["vid"] for event in events} == {"1"}
    assert {event["uid"] for event in events} == {"u1"}
    for event in events:
        validate_all(event)


@pytest.mark.parametrize(("strategy", "missing", "cells"), TABLE)
def test_the_next_page_knows_exactly_what_a_store_kept(
    strategy: str, missing: str, cells: dict[str, str]
) -> None:
    profile = _profile(missing)
    first = _visit(profile, strategy)
    ids = first.ask("user.anonymousId"), first.events[0]["duid"], first.events[0]["sid"]
    second = page_of(profile)
    second.load(**STRATEGIES[strategy])
    second.post("track", "B")
    second.settle()
    event = second.events[-1]
    kept = [bool(cells[kind]) for kind in ("anonymous id", "_sp_id", "_sp_ses")]
    again = [
        second.ask("user.anonymousId") == ids[0],
        event["duid"] == ids[1],
        event["sid"] == ids[2],
    ]
    assert again == kept
    assert (second.ask("user.id") == "u1") == bool(cells["user id"])
    assert (second.ask("group.id") == "g1") == bool(cells["group id"])
    assert (second.ask("user.traits") == {"name": "Ann"}) == bool(cells["traits"])
    assert (second.ask("group.traits") == {"size": 3}) == bool(cells["group traits"])


@pytest.mark.parametrize("strategy", ["none", "disabled", "disabled beats"])
def test_without_persistence_nothing_is_written_ever(strategy: str) -> None:
    page = _visit(FakeProfile(), strategy)
    page.post("reset")
    page.post("newSession")
    page.settle(60_000)
    assert page.browser.jar.assignments == []
    assert page.browser.local_storage.writes == []
    assert page.browser.session_storage.writes == []


@pytest.mark.parametrize("strategy", ["cookie", "localStorage"])
def test_a_strategy_never_writes_to_a_store_that_it_excludes(strategy: str) -> None:
    page = _visit(FakeProfile(), strategy)
    page.browser.network.answer(503)
    page.post("track", "Waits")
    page.settle(5000)
    if strategy == "cookie":
        assert [w for w in page.browser.local_storage.writes if w[0] == "set"] == []
    else:
        # the probe tells the widest domain, which is part of the names in local storage too
        assert [each for each in page.browser.jar.assignments if not each.probe] == []
        assert page.cookies == {}


def test_an_unknown_strategy_is_an_error_and_nothing_is_kept() -> None:
    page = page_of(FakeProfile())
    answer = page.load(stateStorageStrategy="cookies")
    page.post("track", "A")
    page.settle()
    assert "stateStorageStrategy" in answer["error"]["detail"]
    assert page.browser.jar.assignments == []
    assert page.browser.local_storage.writes == []
    assert len(page.events) == 1


@pytest.mark.parametrize(
    ("own", "companions"), [("localStorage", True), ("cookieAndLocalStorage", False)]
)
def test_session_values_in_local_storage_say_when_they_end(own: str, companions: bool) -> None:
    page = _visit(FakeProfile(), own)
    expires = [key for key in page.local if key.endswith(".expires") and key.startswith("_sp_")]
    assert len(expires) == (2 if companions else 0)


@pytest.mark.parametrize("kind", ["user", "group"])
def test_persist_false_keeps_that_object_in_memory_under_every_strategy(kind: str) -> None:
    page = page_of(FakeProfile())
    page.load(**{kind: {"persist": False}})
    page.post("identify", "u1", {"name": "Ann"})
    page.post("group", "g1", {"size": 3})
    page.settle()
    cells = _kept(page)
    mine = ("user id", "traits") if kind == "user" else ("group id", "group traits")
    assert {cells[each] for each in mine} == {""}
    assert cells["_sp_id"] == "c"
