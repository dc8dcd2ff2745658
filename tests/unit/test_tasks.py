from __future__ import annotations

import pytest

from tracker.tasks import Future, spawn
from tracker.text import from_json, to_json


def test_a_coroutine_runs_at_once_and_goes_on_when_its_future_is_settled() -> None:
    first: Future[int] = Future()
    steps: list[str] = []

    async def work() -> int:
        steps.append("begun")
        value = await first
        steps.append("resumed")
        return value + await Future.of(1)

    outcome = spawn(work())
    assert steps == ["begun"]
    assert not outcome.settled
    first.resolve(41)
    assert outcome.result() == 42


def test_errors_travel_to_the_one_who_waits() -> None:
    failing: Future[int] = Future()

    async def work() -> str:
        try:
            await failing
        except ValueError as error:
            return str(error)
        return "nothing"

    outcome = spawn(work())
    failing.reject(ValueError("boom"))
    assert outcome.result() == "boom"

    async def raising() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        spawn(raising()).result()


def test_a_future_is_settled_once_and_its_result_has_to_be_there() -> None:
    future: Future[int] = Future()
    with pytest.raises(RuntimeError):
        future.result()
    future.resolve(1)
    future.resolve(2)
    assert future.result() == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, "é", None, True]}, '{"a":[1,"é",null,true]}'),
        ({"n": float("nan"), "i": [float("inf")]}, '{"n":null,"i":[null]}'),
        ("\ud800x", '"\\ud800x"'),
        ("😀", '"😀"'),
    ],
)
def test_json_is_written_as_browsers_write_it(value: object, text: str) -> None:
    assert to_json(value) == text


@pytest.mark.parametrize("text", [None, "", "{", "nope", "[" * 100_000])
def test_what_is_no_json_is_read_as_nothing(text: str | None) -> None:
    assert from_json(text) is None
