"""Pages live in tabs of a visitor's browser, as in a real one."""

import re
import time

import pytest

from tracker.browser import Browser, Request, StorageError
from tracker.tasks import spawn
from tracker.testing import START_MS, FakeBrowser, FakeProfile

WWW = "https://www.site.example/"


@pytest.fixture
def profile():
    return FakeProfile()


@pytest.fixture
def page(profile):
    return profile.open(WWW, title="Home")


def test_it_has_every_member_of_the_port():
    members = {name for name in vars(Browser) if not name.startswith("_")}
    assert members <= set(dir(FakeBrowser))


# Pages


def test_a_page_tells_what_it_is(profile):
    page = profile.open("HTTPS://WWW.site.example:443", referrer="r", title="t", canonical="/c")
    facts = page.page()
    assert (facts.href, facts.referrer, facts.title, facts.canonical) == (WWW, "r", "t", "/c")
    assert page.origin == "https://www.site.example"


@pytest.mark.parametrize("url", ["", "site.example", "about:blank", "file:///x"])
def test_a_page_has_an_http_address(url):
    with pytest.raises(ValueError, match="no http"):
        FakeBrowser(url)


def test_push_state_changes_the_address_within_the_page(page):
    page.push_state("two?x=1")
    assert page.page().href == WWW + "two?x=1"
    assert page.page().title == "Home"
    page.push_state("/three", title="Three")
    assert (page.page().href, page.page().title) == (WWW + "three", "Three")


@pytest.mark.parametrize("url", ["https://site.example/", "http://www.site.example/", "http://"])
def test_push_state_stays_on_the_origin(page, url):
    with pytest.raises(ValueError, match="address"):
        page.push_state(url)


def test_navigating_loads_a_new_page_with_the_old_one_as_referrer(page):
    following = page.navigate("/next?a=b#c", title="Next", canonical="/n")
    assert following is not page
    assert following.page().href == WWW + "next?a=b#c"
    assert following.page().referrer == WWW
    assert (following.title, following.canonical) == ("Next", "/n")


@pytest.mark.parametrize(
    ("source", "target", "referrer"),
    [
        (WWW + "a?b#c", WWW + "d", WWW + "a?b"),
        (WWW + "a?b", "https://app.site.example/", WWW),
        (WWW + "a?b", "http://www.site.example/", ""),
        ("http://a.example/b", "https://a.example/", "http://a.example/"),
    ],
)
def test_the_referrer_is_what_browsers_send_by_default(profile, source, target, referrer):
    assert profile.open(source).navigate(target).page().referrer == referrer


def test_a_referrer_can_be_given(page):
    assert page.navigate("/next", referrer="").page().referrer == ""


def test_reloading_makes_a_new_page_of_the_same_address_and_referrer(profile):
    page = profile.open(WWW, referrer="https://search.example/", title="Home", canonical="/")
    again = page.reload()
    assert again is not page
    assert again.page() == page.page()


def test_closed_pages_are_no_longer_open(profile, page):
    other = profile.open(WWW)
    following = page.navigate("/next")
    assert profile.pages == [other, following]
    other.close()
    other.close()
    assert profile.pages == [following]


# Storage and cookies


def test_tabs_of_one_origin_share_local_storage(profile, page):
    page.local_storage.set("a", "1")
    assert profile.open(WWW + "x").local_storage.get("a") == "1"
    assert profile.open("http://www.site.example/").local_storage.get("a") is None
    assert profile.local_storage("https://www.site.example").items == {"a": "1"}


def test_session_storage_belongs_to_the_tab_and_the_origin(profile, page):
    page.session_storage.set("a", "1")
    assert profile.open(WWW).session_storage.get("a") is None
    elsewhere = page.navigate("https://other.example/")
    assert elsewhere.session_storage.get("a") is None
    assert elsewhere.navigate(WWW).session_storage.get("a") == "1"


def test_the_profile_rules_the_storage_of_all_pages(profile, page):
    profile.local_rules.denied = True
    profile.session_rules.full = True
    with pytest.raises(StorageError):
        page.local_storage.get("a")
    with pytest.raises(StorageError):
        page.session_storage.set("a", "1")
    assert page.session_storage.get("a") is None


def test_cookies_are_those_of_the_page(profile, page):
    page.set_cookie("a=1; Domain=site.example")
    page.set_cookie("b=1")
    assert page.cookies() == "a=1; b=1"
    assert profile.open("https://app.site.example/").cookies() == "a=1"
    assert page.jar.assignments[0].document == WWW


@pytest.mark.parametrize(
    ("host", "domain", "kept"),
    [
        ("a.b.site.example", "site.example", True),
        ("a.b.site.example", "b.site.example", True),
        ("a.b.site.example", "example", False),
        ("www.shop.co.uk", "shop.co.uk", True),
        ("www.shop.co.uk", "co.uk", False),
        ("me.github.io", "me.github.io", True),
        ("me.github.io", "github.io", False),
        ("x.localhost", "localhost", False),
        ("127.0.0.1", "0.1", False),
        ("127.0.0.1", "127.0.0.1", True),
    ],
)
def test_try_cookie_tells_whether_a_domain_is_kept(profile, host, domain, kept):
    page = profile.open(f"https://{host}/x/y")
    answer = page.try_cookie("probe", f"; Domain={domain}; Path=/")
    assert answer.result() is kept
    assert list(page.jar) == []
    assert all(assignment.probe for assignment in page.jar.assignments)


@pytest.mark.parametrize("access", ["disabled", "blocked", "throws"])
def test_try_cookie_is_false_without_access(access):
    page = FakeProfile(cookie_access=access).open(WWW)
    assert page.try_cookie("probe", "; Path=/").result() is False


def test_try_cookie_can_answer_later_as_in_a_worker(profile, page):
    profile.cookie_probe_delay_ms = 5
    answer = page.try_cookie("probe", "; Path=/")
    page.clock.advance(4)
    assert not answer.settled
    page.clock.advance(1)
    assert answer.result() is True


# The visitor


def test_the_navigator_follows_the_network_and_the_jar(profile, page):
    assert (page.navigator("onLine"), page.navigator("cookieEnabled")) == (True, True)
    page.jar.access = "blocked"
    assert page.navigator("cookieEnabled") is True
    page.jar.access = "disabled"
    assert page.navigator("cookieEnabled") is False


def test_members_of_navigator_and_window_can_be_given():
    profile = FakeProfile(navigator={"doNotTrack": "1", "onLine": False}, window={"x": 1})
    page = profile.open(WWW)
    assert (page.navigator("doNotTrack"), page.navigator("onLine")) == ("1", False)
    assert (page.navigator("language"), page.window("x")) == ("en-GB", 1)
    profile.navigator["language"] = "de"
    assert page.navigator("language") == "de"


def test_only_plain_members_are_given_away():
    profile = FakeProfile(navigator={"connection": {"rtt": 50}}, window={"ga": object()})
    page = profile.open(WWW)
    assert page.navigator("connection") is page.window("ga") is None


def test_absent_members_are_none(page):
    assert page.navigator("doNotTrack") is page.navigator("globalPrivacyControl") is None
    assert page.window("nothing") is None


def test_the_screen_the_time_zone_and_the_client_hints():
    page = FakeBrowser(WWW)
    assert page.screen() == {"width": 1920, "height": 1080, "colorDepth": 24, "density": 1}
    assert page.timezone() == "Europe/London"
    assert page.client_hints() is None
    hints = {"mobile": False}
    page = FakeProfile(screen={}, timezone="", client_hints=hints).open(WWW)
    assert (page.screen(), page.timezone(), page.client_hints()) == ({}, "", hints)


def test_ids_are_valid_and_repeat_with_the_seed():
    ids = [FakeProfile(seed=seed).open(WWW).uuid() for seed in (1, 1, 2)]
    assert ids[0] == ids[1] != ids[2]
    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", ids[0]
    )


def test_given_ids_come_first():
    page = FakeProfile(uuids=["first", "second"]).open(WWW)
    assert [page.uuid(), page.uuid()] == ["first", "second"]
    assert len(page.uuid()) == 36


def test_random_numbers_repeat_with_the_seed():
    numbers = [[p.random() for _ in range(3)] for p in (FakeBrowser(WWW), FakeBrowser(WWW))]
    assert numbers[0] == numbers[1]
    assert all(0 <= number < 1 for number in numbers[0])


def test_a_page_reads_the_virtual_clock(page):
    page.clock.advance(5)
    assert page.now() == START_MS + 5


def test_the_console_is_kept(page):
    page.console("warn", "careful")
    assert page.console_messages == [("warn", "careful")]


def test_coroutines_run_on_its_futures(page):
    async def send():
        kept = await page.try_cookie("probe", "; Path=/")
        response = await page.fetch(Request("/x"))
        return kept, response.status

    result = spawn(send())
    assert not result.settled
    page.clock.run_pending()
    assert result.result() == (True, 200)


def test_it_is_fast():
    started = time.perf_counter()
    page = FakeBrowser(WWW)
    for number in range(1000):
        page.local_storage.set(f"key{number}", "value")
        page.local_storage.get(f"key{number}")
    assert time.perf_counter() - started < 0.5
