"""What a site finds on the global object and on `user()` and `group()`, in theirs and in ours."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext

from build_tools.paths import ROOT
from tests.browser.conftest import Collector, Tab
from tests.peers.pages import OURS, THEIRS, Peer, visit

# how the object is made, and what keeps its state: nothing that sites call
INSIDE = {
    *("constructor", "eventFactory", "callbacks"),
    *("anonKey", "idKey", "traitsKey", "cookieOptions", "options", "traitsStore"),
    *("identityStore", "legacySIO", "legacyUserStore"),
}

MEMBERS = """
const names = new Set();
for (let each = %s; each != Object.prototype; each = Object.getPrototypeOf(each))
    Object.getOwnPropertyNames(each).forEach((name) => names.add(name));
return [...names].filter((name) => name[0] != '_');
"""


@pytest.mark.parametrize("what", ["tracker", "tracker.user()", "tracker.group()"])
def test_sites_are_told_of_everything_that_only_theirs_has(
    visitor: BrowserContext, collector: Collector, what: str
) -> None:
    def members(peer: Peer) -> set[str]:
        page = visit(Tab(visitor, collector.url), peer)
        return set(page.run(MEMBERS % what))

    text = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")
    missing = members(THEIRS) - members(OURS) - INSIDE
    assert missing, "the table would be outdated"
    told = text.partition("## What does not exist")[2].partition("\n## ")[0]
    names = {name for name in missing if f"`{name}`" in told or f"{name}()`" in told}
    assert missing - names == set()
