"""A page is seen, hidden, kept in the back-forward cache, and ends."""

import pytest

from tracker.browser import Request
from tracker.testing import FakeProfile

WWW = "https://www.site.example/"


@pytest.fixture
def profile():
    return FakeProfile()


@pytest.fixture
def page(profile):
    return profile.open(WWW)


def listen_to_all(page):
    heard = []
    for name in ("online", "pagehide", "pageshow", "hidden", "visible"):
        page.listen(name, lambda name=name: heard.append(name))
    return heard


def test_hiding_and_showing_is_heard_once(page):
    heard = listen_to_all(page)
    page.show()
    page.hide()
    page.hide()
    page.show()
    assert heard == ["hidden", "visible"]


@pytest.mark.parametrize(
    "leave", [lambda p: p.navigate("/"), lambda p: p.reload(), lambda p: p.close()]
)
def test_a_page_that_ends_hears_pagehide_then_hidden(page, leave):
    heard = listen_to_all(page)
    leave(page)
    assert heard == ["pagehide", "hidden"]
    page.show()
    page.page_show()
    page.profile.go_online()
    assert heard == ["pagehide", "hidden"]


def test_a_hidden_page_hears_only_pagehide_at_its_end(page):
    page.hide()
    heard = listen_to_all(page)
    page.close()
    assert heard == ["pagehide"]


def test_timers_of_a_page_end_with_it(page):
    fired = []
    page.set_timer(10, lambda: fired.append("timer"))
    page.navigate("/next")
    page.set_timer(10, lambda: fired.append("set after the end"))
    page.clock.advance(100)
    assert fired == []


def test_a_timer_can_be_cleared(page):
    fired = []
    page.clear_timer(page.set_timer(10, lambda: fired.append("timer")))
    page.clock.advance(100)
    assert fired == []


def test_a_page_in_the_back_forward_cache_waits(page):
    happened = []
    page.set_timer(10, lambda: happened.append("timer"))
    page.fetch(Request("/x")).then(lambda _: happened.append("answer"))
    page.listen("pageshow", lambda: happened.append("pageshow"))
    page.page_hide(persisted=True)
    page.clock.advance(1000)
    assert happened == []
    page.page_show()
    page.clock.run_pending()
    assert happened == ["pageshow", "answer", "timer"]


def test_a_page_that_ends_in_the_cache_does_not_come_back(page):
    fired = []
    page.set_timer(10, lambda: fired.append("timer"))
    page.page_hide(persisted=True)
    page.clock.advance(10)
    page.close()
    page.page_show()
    page.clock.advance(1000)
    assert fired == []


def test_pagehide_without_the_cache_lets_the_page_go_on(page):
    fired = []
    page.set_timer(10, lambda: fired.append("timer"))
    page.page_hide()
    page.clock.advance(10)
    assert fired == ["timer"]


def test_one_listener_that_fails_does_not_stop_the_others(page):
    heard = []
    page.listen("hidden", lambda: 1 / 0)
    page.listen("hidden", lambda: heard.append("hidden"))
    with pytest.raises(ZeroDivisionError):
        page.hide()
    assert heard == ["hidden"]


def test_a_page_ends_although_a_listener_fails(profile, page):
    page.listen("pagehide", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        page.close()
    assert profile.pages == []


def test_unknown_events_are_told(page):
    with pytest.raises(ValueError, match="no event 'unload'"):
        page.listen("unload", lambda: None)


def test_all_open_pages_hear_that_the_network_is_back(profile, page):
    heard = [listen_to_all(page), listen_to_all(profile.open("https://other.example/"))]
    profile.go_offline()
    assert page.navigator("onLine") is False
    assert heard == [[], []]
    profile.go_online()
    assert page.navigator("onLine") is True
    assert heard == [["online"], ["online"]]
