from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.snowplow.contexts import GlobalContexts, is_self_describing
from tracker.tasks import Future, spawn

Json = dict[str, Any]

EVENT = "iglu:com.acme.marketing/ev/jsonschema/1-0-2"
ALL = "iglu:com.acme.marketing/*/jsonschema/*-*-*"


def entity(name: str, **data: Any) -> Json:
    return {"schema": f"iglu:test.acme/{name}/jsonschema/1-0-0", "data": data}


def function(key: Any) -> Json:
    return {"$fn": key}


class Page:
    """Runs the functions of marks, by their key."""

    def __init__(self, **functions: Callable[[Json], Any]) -> None:
        self.functions = functions

    async def run(self, key: Any, args: list[Any]) -> Any:
        return self.functions[key](*args)


def entities(
    contexts: GlobalContexts, schema: str = EVENT, page: Page | None = None, **payload: Any
) -> list[Json]:
    run = (page or Page()).run
    return spawn(contexts.entities({"e": "ue", **payload}, schema, run)).result()


def names(contexts: GlobalContexts, schema: str = EVENT, page: Page | None = None) -> list[str]:
    return [item["schema"].split("/")[1] for item in entities(contexts, schema, page)]


def of(*values: Any) -> GlobalContexts:
    contexts = GlobalContexts()
    assert contexts.add(list(values)) == []
    return contexts


def attached(rules: Json, schema: str = EVENT) -> bool:
    return names(of([rules, entity("a")]), schema) == ["a"]


def test_an_entity_is_added_to_every_event() -> None:
    assert entities(of(entity("a", x=1)), "") == [entity("a", x=1)]


def test_primitives_come_before_conditionals_and_unnamed_before_named() -> None:
    contexts = GlobalContexts()
    contexts.add({"c": [{"accept": ALL}, entity("named-conditional")], "p": entity("named")})
    contexts.add([[{"accept": ALL}, entity("conditional")], entity("one"), entity("two")])
    expected = ["one", "two", "named", "conditional", "named-conditional"]
    assert names(contexts) == expected


def test_a_name_is_replaced_and_removed() -> None:
    contexts = GlobalContexts()
    contexts.add({"n": entity("n", v=1), "m": entity("m")})
    contexts.add({"n": entity("n", v=2)})
    assert entities(contexts) == [entity("n", v=2), entity("m")]
    contexts.remove(["n", "unknown"])
    assert names(contexts) == ["m"]


def test_unnamed_ones_may_occur_twice_and_are_removed_by_value() -> None:
    contexts = of(entity("a", x=1), entity("a", x=1), entity("a", x=2), function(1))
    contexts.remove([{"data": {"x": 1}, "schema": entity("a")["schema"]}, function(2)])
    assert entities(contexts, page=Page()) == [entity("a", x=2)]
    contexts.remove(entity("a", x=True))
    assert names(contexts) == ["a"]


def test_all_are_cleared() -> None:
    contexts = of(entity("a"))
    contexts.add({"n": entity("n")})
    contexts.clear()
    assert entities(contexts) == []


def test_a_function_gives_entities_for_the_event() -> None:
    seen: list[Json] = []

    def make(facts: Json) -> Any:
        seen.append(facts)
        return [entity("a"), entity("b")]

    page = Page(make=make, one=lambda _: entity("c"), none=lambda _: None)
    contexts = of(function("make"), function("one"), function("none"))
    assert names(contexts, page=page) == ["a", "b", "c"]
    assert seen == [{"event": {"e": "ue"}, "eventType": "ue", "eventSchema": EVENT}]


def test_failures_and_invalid_results_are_ignored() -> None:
    results = [5, "text", {"schema": "x"}, [entity("a"), 5], {"schema": "no iglu", "data": {}}]
    page = Page(**{str(i): lambda _, value=value: value for i, value in enumerate(results)})
    keys = [*page.functions, "fails"]  # there is no such function: it raises
    assert names(of(*map(function, keys)), page=page) == ["a"]


def test_a_filter_has_to_say_exactly_true() -> None:
    page = Page(true=lambda _: True, one=lambda _: 1, text=lambda _: "true")
    contexts = of(*([function(key), entity(key)] for key in ("true", "one", "text", "fails")))
    assert names(contexts, page=page) == ["true"]


def test_a_conditional_may_have_several_primitives() -> None:
    contexts = of([{"accept": ALL}, [entity("a"), function("f")]])
    assert names(contexts, page=Page(f=lambda _: entity("b"))) == ["a", "b"]


def test_what_is_not_of_the_schema_of_contexts_stays_out_of_an_entity() -> None:
    assert entities(of({**entity("a"), "more": 1})) == [entity("a")]


def test_functions_may_answer_later_and_what_is_added_meanwhile_waits_for_the_next_event() -> None:
    answer: Future[Any] = Future()

    async def run(key: Any, args: list[Any]) -> Any:
        return await answer

    contexts = of(function(1))
    found = spawn(contexts.entities({"e": "pv"}, "", run))
    contexts.add([entity("late")])
    assert not found.settled
    answer.resolve(entity("a"))
    assert found.result() == [entity("a")]


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        (EVENT, True),
        ("iglu:com.acme.marketing/*/jsonschema/1-*-*", True),
        ("iglu:com.acme.marketing/ev/jsonschema/*-*-2", True),
        ("iglu:com.acme.marketing/ev/jsonschema/2-*-*", False),
        ("iglu:com.acme.marketing/other/jsonschema/*-*-*", False),
        ("iglu:com.acme.*/ev/jsonschema/*-*-*", True),
        ("iglu:com.acme/ev/jsonschema/*-*-*", False),
        ("iglu:com.acme.*.*/ev/jsonschema/*-*-*", False),
        ("iglu:com.other.*/ev/jsonschema/*-*-*", False),
    ],
)
def test_rules_match_label_by_label(rule: str, matches: bool) -> None:
    assert attached({"accept": rule}) is matches
    assert attached({"reject": rule}) is not matches


def test_one_of_several_rules_is_enough_and_rejecting_wins() -> None:
    other = "iglu:com.other/*/jsonschema/*-*-*"
    assert attached({"accept": [other, ALL]})
    assert attached({"accept": ALL, "reject": other})
    assert not attached({"accept": ALL, "reject": [other, EVENT]})
    assert not attached({"accept": []})


def test_rules_match_no_page_views_so_that_only_rejecting_attaches_to_them() -> None:
    assert not attached({"accept": ALL}, "")
    assert attached({"reject": ALL}, "")


@pytest.mark.parametrize(
    "rule",
    [
        "com.acme/ev/jsonschema/1-0-0",
        "iglu:com/ev/jsonschema/1-0-0",
        "iglu:*.acme/ev/jsonschema/1-0-0",
        "iglu:com.*/ev/jsonschema/1-0-0",
        "iglu:com.acme.*.x/ev/jsonschema/1-0-0",
        "iglu:com.acme/e*/jsonschema/1-0-0",
        "iglu:com.acme/ev/jsonschema/1-0",
        "iglu:com.acme/ev/*/1-0-0",
        "iglu:com.acme/ev/jsonschema/1-0-0\n",
        "",
        5,
    ],
)
def test_an_invalid_rule_makes_its_provider_invalid(rule: Any) -> None:
    contexts = GlobalContexts()
    assert len(contexts.add([[{"accept": [ALL, rule]}, entity("a")]])) == 1
    assert len(contexts.add({"n": [{"accept": ALL, "reject": rule}, entity("a")]})) == 1
    assert entities(contexts) == []


@pytest.mark.parametrize(
    "value",
    [
        *[None, 5, "text", {}, {"schema": "x", "data": {}}, {"schema": EVENT}],
        *[[], [function(1)], [{}, entity("a")], [function(1), []], [function(1), 5]],
        *[[entity("a"), entity("b")], [function(1), entity("a"), 3], {"$fn": 1, "x": 2}],
    ],
)
def test_what_is_no_provider_is_named_and_not_added(value: Any) -> None:
    contexts = GlobalContexts()
    (problem,) = contexts.add([entity("good"), value])
    (named,) = contexts.add({"n": value, "m": entity("m")})
    assert problem.startswith("addGlobalContexts: ")
    assert "'n'" in named
    assert names(contexts) == ["good", "m"]


def test_neither_a_list_nor_an_object_is_a_problem() -> None:
    (problem,) = GlobalContexts().add("text")
    assert problem.startswith("addGlobalContexts: 'text' (text); allowed: a list")


def test_what_is_self_describing() -> None:
    assert is_self_describing(entity("a"))
    assert is_self_describing({"schema": EVENT, "data": []})
    assert not is_self_describing({"schema": EVENT, "data": None})
    assert not is_self_describing({"schema": ALL, "data": {}})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["$fn", "schema", "data", "accept", "reject"]), inner)
    ),
)


@given(JSON)
def test_nothing_that_is_given_raises(value: Any) -> None:
    contexts = GlobalContexts()
    contexts.add(value)
    entities(contexts)
    contexts.remove(value)
