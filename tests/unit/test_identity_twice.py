"""The rules of identity exist twice: in the core, and in the page for a core in a worker.

One table, `data/identity.json`, is run against both. A case has what getters answer `before` it, a
call, and what they answer `after` it; `NEW` is the anonymous id that the call makes if it must.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from build_tools.environment import node
from tests.unit.site import Site

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
CASES: list[Json] = json.loads((Path(__file__).parent / "data" / "identity.json").read_text())
NOBODY: Json = {
    "user.id": None,
    "user.anonymousId": "a0",
    "user.traits": {},
    "group.id": None,
    "group.traits": {},
}
NEW = "00000000-0000-4000-8000-000000000000"
SCRIPT = """
import { applied } from %s;
const cases = JSON.parse(%s);
console.log(JSON.stringify(cases.map(([before, method, args, spare]) =>
    applied(before, method, args, spare))));
"""


def named(case: Json) -> str:
    return f"{case['method']}{json.dumps(case['args'])} after {json.dumps(case['before'])}"


def expected(case: Json) -> Json:
    after: Json = {**NOBODY, **case["before"], **case["after"]}
    return {name: NEW if value == "NEW" else value for name, value in after.items()}


def without_new(case: Json) -> Json:
    return {**NOBODY, **case["before"]}


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_core_follows_the_table(case: Json) -> None:
    site = Site()
    site.load(initialPageview=False)
    before = without_new(case)
    for getter in ("user.id", "user.anonymousId", "user.traits", "group.id", "group.traits"):
        site.ask(getter, before[getter])
    assert {name: site.ask(name) for name in NOBODY} == before
    site.post(case["method"], *case["args"], spare=NEW)
    assert {name: site.ask(name) for name in NOBODY} == expected(case)


def test_the_page_follows_the_table() -> None:
    module = json.dumps((ROOT / "loader" / "identity.js").as_uri())
    given = [[without_new(case), case["method"], case["args"], NEW] for case in CASES]
    script = SCRIPT % (module, json.dumps(json.dumps(given)))
    done = subprocess.run(
        [node(), "--input-type=module", "-"], input=script, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for case, after in zip(CASES, json.loads(done.stdout), strict=True):
        assert after == expected(case), named(case)
