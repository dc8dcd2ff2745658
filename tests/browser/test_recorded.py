"""The recorded cases of identity, storage, privacy and sessions, in real pages."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright

from tests.browser.conftest import HOST, ROOT, prepared
from tests.browser.engines import launch, only_chromium
from tests.browser.origins import World, world
from tests.browser.recorded.driving import (
    Posts,
    drive_customerio,
    drive_snowplow,
    worker_script,
)
from tests.conformance.runner import FAIL, judge
from tests.conformance.test_recorded_cases import FILES

pytestmark = [
    only_chromium("it alone can be told that every host is here"),
    pytest.mark.skipif(
        HOST == "page", reason="the core is as near to the stores as in conformance"
    ),
]

AREAS = {"user", "group", "storage", "privacy", "id-cookie", "session"}
DRIVERS = {"customerio": drive_customerio, "snowplow": drive_snowplow}
UNSEEN = ("credentials", "keepalive")  # of requests: no server is told

# Cases that a real page cannot express, and why.
CANNOT: dict[str, str] = {}

Json = dict[str, Any]


def cases() -> list[Any]:
    return [
        pytest.param(name, case, id=f"{name}-{case['id']}")
        for name, file in FILES.items()
        for case in file.cases
        if case["area"] in AREAS and case["id"] not in CANNOT
    ]


@pytest.fixture(scope="module")
def posts() -> Posts:
    return Posts()


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory: pytest.TempPathFactory, posts: Posts) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world"), ROOT / "dist", {}, posts.around) as served:
        served.between.serve("host.js", worker_script(ROOT / "dist"))
        yield served


@pytest.fixture(scope="module")
def browser(playwright: Playwright, everywhere: World) -> Iterator[Browser]:
    everywhere_here = launch(playwright, everywhere.flags)
    yield everywhere_here
    everywhere_here.close()


def visible(case: Json) -> Json:
    """The case without what nobody but the page can know."""
    case = copy.deepcopy(case)
    for part in ("expect", "better"):
        for request in case.get(part, {}).get("requests", []):
            for name in UNSEEN:
                request.pop(name, None)
    return case


def verdict_on(browser: Browser, posts: Posts, name: str, case: Json) -> Any:
    context = prepared(browser.new_context(viewport={"width": 1200, "height": 800}))
    try:
        observation = DRIVERS[name](context, case, posts)
    finally:
        context.close()
    return judge(FILES[name].vocabulary, visible(case), FILES[name].answers, observation)


@pytest.mark.parametrize(("name", "case"), cases())
def test_case(browser: Browser, posts: Posts, name: str, case: Json) -> None:
    verdict = verdict_on(browser, posts, name, case)
    if verdict.status == FAIL:
        pytest.fail(verdict.line, pytrace=False)


def test_a_case_that_does_not_hold_fails(browser: Browser, posts: Posts) -> None:
    case = copy.deepcopy(next(c for c in FILES["customerio"].cases if c["id"] == "U04"))
    case["expect"]["cookies"]["$exact"]["ajs_user_id"] = "somebody else"
    assert verdict_on(browser, posts, "customerio", case).status == FAIL


def test_only_cases_that_there_are_cannot_be_expressed() -> None:
    assert CANNOT.keys() <= {case["id"] for file in FILES.values() for case in file.cases}
