"""Golden tests: the same ids and times in each run (option `testing`)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.unit.site import Site
from tracker.golden import PAGES, is_local
from tracker.privacy import PRECHECK
from tracker.testing import FakeProfile

NOW = 1_700_000_000_000
ORIGIN = "http://localhost:8000"


def visit(run: int, origin: str = ORIGIN, **options: Any) -> tuple[list[Any], dict[str, str]]:
    """A visit of two pages: what is sent, and what is stored (but for when it ends)."""
    profile = FakeProfile(seed=run, now=1_790_000_000_000 + run * 12_345)
    browser = profile.open(origin + "/one")
    for _ in range(2):
        site = Site(browser)
        site.load(apiHost="/v1", snowplow={"collectorUrl": "/sp"}, **options)
        site.post("identify", "u1", spare="3d3f5c9e-6d2b-4c55-9f3c-0a1f6f2c7a11")
        site.settle(100)
        browser = browser.navigate(origin + "/two")
    stored = {**site.local, **site.cookies}
    return site.sent, {key: text for key, text in stored.items() if key != PAGES}


def ids(bodies: list[Any]) -> list[str]:
    events = [event for body in bodies for event in body.get("data", [body])]
    return [event.get("messageId") or event["eid"] for event in events]


def test_two_runs_send_and_store_the_same() -> None:
    testing = {"seed": "golden", "now": NOW}
    assert visit(1, testing=testing) == visit(2, testing=testing)


def test_each_page_of_a_visit_has_ids_of_its_own() -> None:
    sent, _ = visit(1, testing={"seed": 1})
    assert len(ids(sent)) == 4
    assert len(set(ids(sent))) == 4


def test_another_seed_makes_other_ids() -> None:
    one, two = (set(ids(visit(1, testing={"seed": seed})[0])) for seed in ("a", "b"))
    assert not one & two


def test_the_time_is_that_of_the_test_wherever_a_server_is_told_one() -> None:
    sent, stored = visit(1, testing={"now": NOW})
    own = [body for body in sent if "messageId" in body]
    assert {body["timestamp"] for body in own} == {"2023-11-14T22:13:20.000Z"}
    assert {body["sentAt"] for body in own} == {"2023-11-14T22:13:20.000Z"}
    events = [event for body in sent for event in body.get("data", [])]
    assert {event["dtm"] for event in events} == {str(NOW)}
    assert {event["stm"] for event in events} == {str(NOW)}
    [visitor] = [text for key, text in stored.items() if key.startswith("_sp_id")]
    assert str(NOW // 1000) in visitor


def test_cookies_live_as_long_as_ever() -> None:
    _, stored = visit(1, testing={"now": 1})
    assert stored["ajs_user_id"]


def test_a_call_that_another_page_makes_again_has_the_same_id() -> None:
    profile = FakeProfile()
    page = Site(profile.open(ORIGIN + "/one"))
    page.load(apiHost="/v1", testing={"seed": 1})
    id_ = page.post("track", "A")
    page.settle(100)
    later = Site(page.browser.navigate(ORIGIN + "/two"))
    later.load(apiHost="/v1", testing={"seed": 1})
    later.post("track", "A", id=id_, kept=True)
    later.settle(100)
    once, again = (body["messageId"] for body in later.sent if body.get("event") == "A")
    assert once == again


def test_nothing_is_counted_where_nothing_may_be_kept() -> None:
    profile = FakeProfile()
    site = Site(profile.open(ORIGIN + "/one"))
    site.load(apiHost="/v1", testing={"seed": 1}, stateStorageStrategy="none")
    site.post("track", "A")
    site.settle(100)
    assert site.local == {}
    refused = FakeProfile(navigator={"doNotTrack": "1"})
    site = Site(refused.open(ORIGIN + "/one"))
    site.load(apiHost="/v1", testing={"seed": 1}, respectDoNotTrack=True)
    assert site.local == {}


def test_who_refuses_keeps_no_count_of_pages() -> None:
    profile = FakeProfile()
    site = Site(profile.open(ORIGIN + "/one"))
    site.load(apiHost="/v1", testing={"seed": 1}, optOutCookie="optout")
    assert PAGES in site.local
    site.browser.set_cookie("optout=1; Path=/")
    site.post("track", "A")
    assert site.local == {}
    assert re.search(PRECHECK["keys"], PAGES)  # pages take it out before the core is there


def test_visitors_of_a_site_get_no_fixed_ids() -> None:
    sent, _ = visit(1, "https://www.site.example", testing={"seed": "golden", "now": NOW})
    again, _ = visit(2, "https://www.site.example", testing={"seed": "golden", "now": NOW})
    assert not set(ids(sent)) & set(ids(again))
    assert "2023" not in str(sent)
    site = Site()
    error = site.load(testing={"seed": 1})["error"]
    assert error["message"] == "Invalid option testing"
    for part in ('{"seed": 1}', "www.site.example", "localhost", "docs/options.md#testing"):
        assert part in error["detail"]


@pytest.mark.parametrize(
    ("hostname", "local"),
    [
        ("localhost", True),
        ("shop.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("[::1]", True),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_pages_of_this_machine(hostname: str, local: bool) -> None:
    assert is_local(hostname) is local
