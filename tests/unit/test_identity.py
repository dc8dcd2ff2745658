from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.site import Site
from tracker.testing import FakeProfile

QUEUE = "cioOutQueue_wk_post"


def test_an_anonymous_visitor_becomes_known_then_leaves() -> None:
    """The documented life of a visitor, with what is stored and sent at each step."""
    profile = FakeProfile()
    site = Site.of(profile, "https://www.site.example/home")
    site.load()
    anonymous = site.ask("user.anonymousId")
    assert site.cookies == {"ajs_anonymous_id": anonymous}
    site.post("page")
    site.settle()
    assert (site.sent[-1]["userId"], site.sent[-1]["anonymousId"]) == (None, anonymous)

    site.post("identify", "u1", {"email": "a@b.example"})
    site.settle()
    assert site.cookies == {"ajs_anonymous_id": anonymous, "ajs_user_id": "u1"}
    assert json.loads(site.local["ajs_user_traits"]) == {"email": "a@b.example"}
    assert (site.sent[-1]["userId"], site.sent[-1]["anonymousId"]) == ("u1", anonymous)

    next_page = Site(site.browser.navigate("https://app.site.example/account"))
    next_page.load()
    assert next_page.ask("user.id") == "u1"
    assert next_page.ask("user.anonymousId") == anonymous
    assert next_page.ask("user.traits") == {}, "traits do not cross origins"

    next_page.post("reset")
    fresh = next_page.ask("user.anonymousId")
    assert fresh != anonymous
    assert next_page.cookies == {"ajs_anonymous_id": fresh}
    next_page.post("track", "After")
    next_page.settle()
    assert (next_page.sent[-1]["userId"], next_page.sent[-1]["anonymousId"]) == (None, fresh)


def test_identity_cookies_carry_the_documented_attributes(site: Site) -> None:
    site.load()
    site.post("identify", "u1")
    for name in ("ajs_user_id", "ajs_anonymous_id"):
        cookie = site.browser.jar[name]
        assert (cookie.domain, cookie.path, cookie.days) == ("site.example", "/", 365)
        assert (cookie.same_site, cookie.secure) == ("Lax", False)


@pytest.mark.parametrize("clear", ["", None])
def test_clearing_the_user_id_keeps_the_anonymous_id(site: Site, clear: Any) -> None:
    site.load()
    anonymous = site.ask("user.anonymousId")
    site.ask("user.id", "u1")
    assert site.ask("user.id", clear) is None
    assert site.ask("user.id") is None
    assert site.ask("user.anonymousId") == anonymous
    assert "ajs_user_id" not in site.cookies
    assert "ajs_user_id" not in site.local


@pytest.mark.parametrize("clear", ["", None])
def test_a_cleared_anonymous_id_is_made_anew_by_the_next_read(site: Site, clear: Any) -> None:
    site.load()
    first = site.ask("user.anonymousId")
    assert site.ask("user.anonymousId", clear) is None
    assert site.ask("user.anonymousId") not in (None, first)


def test_another_user_gets_another_anonymous_id_and_none_of_the_old_traits(site: Site) -> None:
    site.load()
    site.post("identify", "u1", {"a": 1})
    first = site.ask("user.anonymousId")
    site.post("identify", "u1", {"b": 2})
    assert site.ask("user.traits") == {"a": 1, "b": 2}
    assert site.ask("user.anonymousId") == first
    site.post("identify", "u2", {"c": 3})
    assert site.ask("user.traits") == {"c": 3}
    assert site.ask("user.anonymousId") != first


def test_traits_are_replaced_cleared_and_removed_one_by_one(site: Site) -> None:
    site.load()
    assert site.ask("user.traits", {"a": 1, "b": 2}) == {"a": 1, "b": 2}
    assert site.ask("user.traits", {"b": ""}) == {"a": 1}
    assert site.ask("user.traits", {"c": 3, "d": ""}) == {"c": 3, "d": ""}
    assert site.ask("user.traits", {}) == {}
    assert site.ask("user.traits", {"a": 1}) == {"a": 1}
    assert site.ask("user.traits", None) == {}


def test_a_group_never_touches_the_user(site: Site) -> None:
    site.load()
    site.post("identify", "u1")
    anonymous = site.ask("user.anonymousId")
    site.post("group", "g1", {"size": 3})
    site.post("group", "g2")
    assert site.ask("user.id") == "u1"
    assert site.ask("user.anonymousId") == anonymous
    assert site.ask("group.id") == "g2"
    assert site.ask("group.traits") == {}


@pytest.mark.parametrize(("given", "text"), [(7, "7"), (1e21, "1e+21"), (0.5, "0.5"), (0, "0")])
def test_numbers_become_text(site: Site, given: float, text: str) -> None:
    site.load()
    assert site.ask("user.id", given) == text
    site.post("identify", given)
    site.settle()
    assert site.sent[-1]["userId"] == text


@pytest.mark.parametrize("wrong", [True, {}, [], [1]])
def test_ids_of_other_types_are_refused_and_change_nothing(site: Site, wrong: Any) -> None:
    site.load()
    site.ask("user.id", "u1")
    error = site.ask("user.id", wrong)
    assert error["message"] == "Invalid id"
    assert "user.id: the id is" in error["detail"]
    assert "allowed: text or a number" in error["detail"]
    assert site.ask("user.id") == "u1"
    assert any(level == "error" for level, _ in site.console)


@pytest.mark.parametrize("wrong", ["text", 5, [1]])
def test_traits_of_other_types_are_refused(site: Site, wrong: Any) -> None:
    site.load()
    assert "allowed: an object" in site.ask("user.traits", wrong)["detail"]
    assert "allowed: an object" in site.ask("group.traits", wrong)["detail"]


def test_a_reset_in_one_tab_is_followed_by_the_others() -> None:
    profile = FakeProfile()
    one, two = Site.of(profile), Site.of(profile)
    one.load()
    one.post("identify", "u1", {"a": 1})
    two.load()
    assert two.ask("user.id") == "u1"
    one.post("reset")
    assert two.ask("user.id") is None
    assert two.ask("user.traits") == {}
    assert two.ask("user.anonymousId") == one.ask("user.anonymousId")


@pytest.mark.parametrize("open_page", [True, False])
def test_a_reset_on_one_subdomain_holds_on_the_other(open_page: bool) -> None:
    profile = FakeProfile()
    shop = Site.of(profile, "https://shop.site.example/")
    shop.load()
    shop.post("identify", "u1", {"a": 1})
    shop.post("group", "g1", {"b": 1})
    blog = Site.of(profile, "https://blog.site.example/")
    blog.load()
    blog.post("identify", "u1", {"c": 1})
    assert (blog.ask("user.id"), blog.ask("group.id")) == ("u1", "g1")
    shop.post("reset")
    if not open_page:
        blog = Site.of(profile, "https://blog.site.example/")
        blog.load()
    assert (blog.ask("group.id"), blog.ask("group.traits")) == (None, {})
    assert (blog.ask("user.id"), blog.ask("user.traits")) == (None, {})
    blog.post("track", "T")
    assert blog.ask("user.anonymousId") == shop.ask("user.anonymousId")
    assert {key for key in blog.local if not key.startswith(QUEUE)} <= {"ajs_anonymous_id"}


def test_another_anonymous_id_of_the_same_user_keeps_his_traits() -> None:
    profile = FakeProfile()
    shop = Site.of(profile, "https://shop.site.example/")
    shop.load()
    blog = Site.of(profile, "https://blog.site.example/")
    blog.load()
    blog.post("identify", "u1", {"c": 1})
    assert shop.ask("user.id") == "u1"
    shop.ask("setAnonymousId", "mine")
    assert blog.ask("user.anonymousId") == "mine"
    assert (blog.ask("user.id"), blog.ask("user.traits")) == ("u1", {"c": 1})


def test_a_user_id_cleared_in_one_tab_does_not_come_back_from_another() -> None:
    profile = FakeProfile()
    one, two = Site.of(profile), Site.of(profile)
    one.load()
    one.post("identify", "u1")
    two.load()
    assert two.ask("user.id") == "u1"
    one.ask("user.id", None)
    two.post("track", "T")
    assert two.ask("user.id") is None


def test_identity_wiped_under_a_live_page_is_restored_from_memory(site: Site) -> None:
    site.load()
    site.post("identify", "u1", {"a": 1})
    anonymous = site.ask("user.anonymousId")
    site.browser.jar.clear()
    for key in site.browser.local_storage.keys():
        site.browser.local_storage.remove(key)
    assert site.ask("user.id") == "u1"
    assert site.ask("user.anonymousId") == anonymous
    assert site.ask("user.traits") == {"a": 1}


def test_the_classic_cookie_is_imported_once_and_deleted(site: Site) -> None:
    site.browser.set_cookie(
        "ajs_user=%7B%22id%22%3A%22old%22%2C%22traits%22%3A%7B%22t%22%3A1%7D%7D"
    )
    site.load()
    assert site.ask("user.id") == "old"
    assert site.ask("user.traits") == {"t": 1}
    assert site.ask("group.id") is None
    assert "ajs_user" not in site.cookies


def test_the_classic_cookie_does_not_replace_a_known_user(site: Site) -> None:
    site.browser.set_cookie("ajs_user_id=new; Path=/")
    site.browser.set_cookie("ajs_user=old; Path=/")
    site.load()
    assert site.ask("user.id") == "new"
    assert "ajs_user" not in site.cookies


def test_the_old_key_can_be_named(site: Site) -> None:
    site.browser.set_cookie("legacy=u9; Path=/")
    site.load(user={"cookie": {"oldKey": "legacy"}})
    assert site.ask("user.id") == "u9"
    assert "legacy" not in site.cookies


def test_group_traits_are_read_once_from_their_old_name(site: Site) -> None:
    site.browser.local_storage.set("ajs_group_traits", '{"size": 3}')
    site.load()
    assert site.ask("group.traits") == {"size": 3}
    assert "ajs_group_traits" not in site.local


def test_a_disabled_user_has_no_ids(site: Site) -> None:
    site.load(user={"disable": True})
    assert site.ask("user.id", "u1") is None
    assert site.ask("user.anonymousId") is None
    assert site.cookies == {}
    result = site.call("track", "T")
    assert result["error"]["message"] == "Missing userId or anonymousId"
    site.call("track", "T", {}, {"userId": "u7"})
    site.settle()
    assert site.sent[-1]["userId"] == "u7"


@pytest.mark.parametrize("strategy", ["none", "cookie", "localStorage", "cookieAndLocalStorage"])
def test_the_strategy_says_where_identity_is_kept(site: Site, strategy: str) -> None:
    site.load(stateStorageStrategy=strategy)
    site.post("identify", "u1", {"a": 1})
    site.post("group", "g1", {"b": 2})
    site.settle()
    cookies = {"ajs_anonymous_id", "ajs_user_id", "ajs_group_id"}
    traits = {"ajs_user_traits", "ajs_group_properties"}
    expected: dict[str, tuple[set[str], set[str]]] = {
        "none": (set(), set()),
        "cookie": (cookies | traits, set()),
        "localStorage": (set(), cookies | traits),
        "cookieAndLocalStorage": (cookies, cookies | traits),
    }
    assert (set(site.cookies), set(site.local)) == expected[strategy]
    assert site.ask("user.id") == "u1"
    assert site.ask("user.traits") == {"a": 1}
    assert site.ask("group.traits") == {"b": 2}


@pytest.mark.parametrize(
    "options", [{"stateStorageStrategy": "none"}, {"disableClientPersistence": True}]
)
def test_without_persistence_nothing_is_ever_written(site: Site, options: dict[str, Any]) -> None:
    site.load(**options)
    site.post("identify", "u1", {"a": 1})
    site.post("track", "T")
    site.settle()
    site.post("reset")
    assert site.browser.jar.assignments == []
    assert site.browser.local_storage.writes == []
    assert len(site.sent) == 2


def test_traits_too_large_for_a_cookie_stay_in_memory(site: Site) -> None:
    site.load(storage={"traits": "cookie"})
    site.post("identify", "u1", {"small": 1})
    assert "ajs_user_traits" in site.cookies
    site.post("identify", "u1", {"large": "x" * 5000})
    assert "ajs_user_traits" not in site.cookies
    assert site.ask("user.traits")["large"] == "x" * 5000


def test_a_narrower_domain_carries_the_parents_value_over_and_reset_removes_both() -> None:
    site = Site(url="https://app.site.example/")
    site.browser.set_cookie("ajs_anonymous_id=parent; Domain=site.example; Path=/")
    site.load(cookie={"domain": "app.site.example"})
    assert site.ask("user.anonymousId") == "parent"
    site.post("reset")
    assert site.ask("user.anonymousId") != "parent"
    domains = [c.domain for c in site.browser.jar if c.name == "ajs_anonymous_id"]
    assert domains == ["app.site.example"]


def test_a_domain_that_the_page_cannot_set_is_an_error_and_the_default_is_used(
    site: Site,
) -> None:
    result = site.load(cookie={"domain": "other.example"})
    assert "cookie.domain" in result["error"]["detail"]
    assert "other.example" in result["error"]["detail"]
    assert site.browser.jar["ajs_anonymous_id"].domain == "site.example"


def test_the_probe_writes_once_a_page(site: Site) -> None:
    site.load()
    probes = [a for a in site.browser.jar.assignments if "probe" in a.text]
    for _ in range(5):
        site.post("track", "T")
    assert [a for a in site.browser.jar.assignments if "probe" in a.text] == probes


@pytest.mark.parametrize("access", ["disabled", "blocked", "throws"])
@pytest.mark.parametrize("storage", ["normal", "denied", "full"])
def test_ids_last_for_the_page_whatever_the_stores_do(access: Any, storage: str) -> None:
    profile = FakeProfile(cookie_access=access)
    profile.local_rules.denied = storage == "denied"
    profile.local_rules.full = storage == "full"
    site = Site.of(profile)
    site.load()
    site.post("identify", "u1", {"a": 1})
    anonymous = site.ask("user.anonymousId")
    site.post("track", "T")
    site.settle()
    assert site.ask("user.id") == "u1"
    assert site.ask("user.traits") == {"a": 1}
    assert [body["anonymousId"] for body in site.sent] == [anonymous, anonymous]


def test_listeners_hear_who_the_visitor_is_once_for_each_change(site: Site) -> None:
    site.load()
    anonymous = site.ask("user.anonymousId")
    nobody = {"userId": None, "anonymousId": anonymous, "traits": {}}
    no_group = {"groupId": None, "groupTraits": {}}
    assert site.emitted("identity") == [[{**nobody, **no_group}]]
    site.post("track", "T")
    site.post("identify", "u1", {"a": 1})
    site.post("identify", "u1", {"a": 1})
    site.ask("user.traits", {"b": 2})
    site.post("group", "g1")
    site.ask("user.id")
    known = {"userId": "u1", "anonymousId": anonymous}
    told = [args[0] for args in site.emitted("identity")]
    assert told[1:] == [
        {**known, "traits": {"a": 1}, **no_group},
        {**known, "traits": {"b": 2}, **no_group},
        {**known, "traits": {"b": 2}, "groupId": "g1", "groupTraits": {}},
    ]
    site.post("reset")
    assert site.emitted("identity")[-1][0]["userId"] is None


def test_an_anonymous_visitor_is_not_told_about() -> None:
    site = Site()
    site.load(anonymousTracking=True)
    site.post("identify", "u1")
    assert site.emitted("identity") == []


@pytest.mark.parametrize("known", [True, False])
def test_a_page_view_writes_each_cookie_at_most_once(known: bool) -> None:
    profile = FakeProfile()
    if known:
        before = Site.of(profile)
        before.load()
        before.post("identify", "u1")
        before.post("group", "g1")
    profile.jar.assignments.clear()
    site = Site.of(profile)
    site.post("page")
    site.load()
    site.settle()
    written = [a.text.partition("=")[0] for a in profile.jar.assignments if not a.probe]
    assert sorted(written) == sorted(set(written))
    assert "ajs_anonymous_id" in written
