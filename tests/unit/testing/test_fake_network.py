"""The network answers as scripted, when the clock runs, and keeps a log."""

import pytest

from tracker.browser import NetworkError, Request
from tracker.testing import START_MS, FakeBrowser, Reply

pytestmark = pytest.mark.sends_flaws  # requests that are no events

URL = "https://in.example/t"


@pytest.fixture
def browser():
    return FakeBrowser("https://www.site.example/shop/")


@pytest.fixture
def network(browser):
    return browser.network


def post(browser, body="{}", **options):
    return browser.fetch(Request(URL, method="POST", body=body, **options))


def outcomes(network):
    return [exchange.outcome for exchange in network.exchanges]


def test_a_request_is_answered_when_the_clock_runs_next(browser):
    sent = post(browser)
    assert not sent.settled
    browser.clock.run_pending()
    assert sent.result().status == 200


def test_what_waits_for_the_answer_hears_it(browser):
    heard = []
    post(browser).then(lambda answer: heard.append(answer.result().status))
    browser.clock.run_pending()
    assert heard == [200]


def test_outcomes_come_in_order_and_the_last_one_stays(browser, network):
    network.answer(500, "fail", "ok")
    for _ in range(4):
        post(browser)
    browser.clock.run_pending()
    assert outcomes(network) == ["answered", "failed", "answered", "answered"]
    assert [e.response and e.response.status for e in network.exchanges] == [500, None, 200, 200]


def test_a_reply_has_text_headers_in_lower_case_and_a_delay(browser, network):
    network.answer(Reply(429, "slow down", {"Retry-After": "3"}, delay_ms=250))
    sent = post(browser)
    browser.clock.advance(249)
    assert not sent.settled
    browser.clock.advance(1)
    assert (sent.result().status, sent.result().text) == (429, "slow down")
    assert sent.result().headers == {"retry-after": "3"}


def test_a_failure_is_a_network_error(browser, network):
    network.answer("fail")
    sent = post(browser)
    browser.clock.run_pending()
    with pytest.raises(NetworkError):
        sent.result()


def test_a_hanging_request_ends_at_its_time_limit(browser, network):
    network.answer("hang")
    sent = post(browser, timeout_ms=5000)
    browser.clock.advance(4999)
    assert not sent.settled
    browser.clock.advance(1)
    with pytest.raises(NetworkError, match="timeout"):
        sent.result()
    assert outcomes(network) == ["timeout"]


def test_a_hanging_request_without_limit_never_ends(browser, network):
    network.answer("hang")
    sent = post(browser)
    browser.clock.advance_days(10)
    assert not sent.settled
    assert outcomes(network) == ["pending"]


def test_a_late_answer_comes_after_the_time_limit_for_nothing(browser, network):
    network.answer(Reply(delay_ms=2000))
    sent = post(browser, timeout_ms=1000)
    browser.clock.advance(3000)
    assert outcomes(network) == ["timeout"]
    with pytest.raises(NetworkError):
        sent.result()


def test_deferred_requests_are_released_oldest_first(browser, network):
    network.answer("defer")
    first, second = post(browser), post(browser)
    browser.clock.advance(1000)
    network.release(503)
    assert not first.settled
    browser.clock.run_pending()
    assert first.result().status == 503
    assert not second.settled
    network.release()
    browser.clock.run_pending()
    assert second.result().status == 200


def test_releasing_nothing_is_an_error(network):
    with pytest.raises(LookupError):
        network.release()


def test_a_function_of_the_request_decides(browser, network):
    network.answer(lambda request: 400 if request.body == "bad" else "ok")
    bad, good = post(browser, "bad"), post(browser, "good")
    browser.clock.run_pending()
    assert (bad.result().status, good.result().status) == (400, 200)


def test_an_outcome_that_is_none_is_told(browser, network):
    network.answer("slow")
    with pytest.raises(ValueError, match="'slow' is no outcome"):
        post(browser)


def test_a_script_has_at_least_one_outcome(network):
    with pytest.raises(TypeError):
        network.answer()


def test_routes_take_the_addresses_that_begin_with_them(browser, network):
    network.route("https://cdn.example/", Reply(text="settings"))
    network.answer(500)
    settings = browser.fetch(Request("https://cdn.example/v1/settings"))
    event = post(browser)
    browser.clock.run_pending()
    assert settings.result().text == "settings"
    assert event.result().status == 500


def test_routes_may_be_functions_and_the_newest_counts(browser, network):
    network.route(lambda request: request.method == "POST", 500, 501)
    statuses = [post(browser), post(browser), post(browser)]
    network.route(URL, 204)
    statuses.append(post(browser))
    browser.clock.run_pending()
    assert [sent.result().status for sent in statuses] == [500, 501, 501, 204]


def test_the_log_tells_who_asked_what_and_when(browser, network):
    browser.clock.advance(10)
    network.answer(Reply(delay_ms=5))
    post(browser, '{"a": 1}')
    browser.clock.advance(5)
    exchange = network.exchanges[0]
    assert (exchange.url, exchange.document) == (URL, "https://www.site.example/shop/")
    assert (exchange.sent_at_ms, exchange.answered_at_ms) == (START_MS + 10, START_MS + 15)
    assert exchange.json == {"a": 1}
    assert network.requests == [exchange.request]


def test_a_request_without_body_has_no_json(browser, network):
    browser.fetch(Request(URL))
    assert network.exchanges[0].json is None


def test_addresses_are_completed_by_the_page(browser, network):
    browser.fetch(Request("../t?x"))
    assert network.exchanges[0].url == "https://www.site.example/t?x"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Request("http://"), "is no address"),
        (Request(URL, body="x"), "GET requests have no body"),
        (Request(URL, method="HEAD", body=""), "HEAD requests have no body"),
    ],
)
def test_what_a_browser_does_not_even_send_fails(browser, request_, message):
    sent = browser.fetch(request_)
    browser.clock.run_pending()
    with pytest.raises(NetworkError, match=message):
        sent.result()


def test_offline_every_request_fails_at_once_without_using_up_the_script(browser, network):
    network.answer(201, 202)
    browser.profile.go_offline()
    lost = post(browser, timeout_ms=5000)
    browser.clock.run_pending()
    with pytest.raises(NetworkError, match="offline"):
        lost.result()
    browser.profile.go_online()
    sent = post(browser)
    browser.clock.run_pending()
    assert sent.result().status == 201


def test_keepalive_bodies_in_flight_have_a_limit(browser, network):
    half = "x" * 32 * 1024
    sent = [post(browser, half, keepalive=True) for _ in range(3)]
    browser.clock.run_pending()
    assert outcomes(network) == ["answered", "answered", "failed"]
    with pytest.raises(NetworkError, match="keepalive"):
        sent[2].result()
    post(browser, half, keepalive=True)
    browser.clock.run_pending()
    assert outcomes(network)[3] == "answered"


def test_the_limit_counts_bytes_and_keepalive_only(browser, network):
    post(browser, "ü" * 32 * 1024, keepalive=True)
    post(browser, "ü" * 64 * 1024)
    post(browser, "x", keepalive=True)
    browser.clock.run_pending()
    assert outcomes(network) == ["answered", "answered", "failed"]


def test_the_limit_may_be_lifted(browser, network):
    network.keepalive_limit = None
    post(browser, "x" * 100_000, keepalive=True)
    browser.clock.run_pending()
    assert outcomes(network) == ["answered"]


def test_a_page_that_ends_cancels_its_requests_and_never_hears_of_them(browser, network):
    network.answer(Reply(delay_ms=100))
    sent = post(browser)
    browser.navigate("/next")
    browser.clock.advance(1000)
    assert not sent.settled
    assert outcomes(network) == ["cancelled"]


def test_keepalive_requests_arrive_after_the_end_of_their_page(browser, network):
    network.answer(Reply(delay_ms=100))
    sent = post(browser, keepalive=True)
    browser.close()
    browser.clock.advance(1000)
    assert not sent.settled
    assert outcomes(network) == ["answered"]
    assert network.exchanges[0].answered_at_ms == START_MS + 100


def test_other_pages_keep_their_requests(browser, network):
    other = browser.profile.open("https://www.site.example/other")
    sent = post(other)
    browser.close()
    browser.clock.run_pending()
    assert sent.result().status == 200
