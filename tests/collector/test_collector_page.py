from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from collector.server import Collector

SESSION = "0da80ccd-2fa5-4faf-a309-f749920c2107"
ATTACK = '<img src=x onerror="document.title=\'hacked\'"><script>document.title="hacked"</script>'


@pytest.fixture
def page(browser: Browser, client: httpx.Client, collector: Collector) -> Iterator[Page]:
    """The events page, connected; errors of the page fail the test."""
    opened = browser.new_page(viewport={"width": 1280, "height": 800})
    opened.set_default_timeout(20_000)
    expect.set_options(timeout=20_000)
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda message: problems.append(message.text))
    opened.goto(f"{collector.url}/events")
    expect(opened.locator("#connection")).to_have_text("Live")
    yield opened
    opened.close()
    assert problems == []


def rows(page: Page, text: str = "") -> Locator:
    return page.locator("#rows tr", has_text=text)


def open_details(row: Locator) -> None:
    row.locator(".time").click()  # in the middle of a row there may be an id


def test_an_empty_page_tells_what_to_do(page: Page, collector: Collector) -> None:
    expect(page.locator("#empty-title")).to_have_text("Waiting for the first event")
    expect(page.locator("#empty-options")).to_contain_text(f'"127.0.0.1:{collector.port}/v1"')


def test_an_event_appears_live_and_opens_with_its_payload(
    page: Page, client: httpx.Client, event: Callable
) -> None:
    one = event(
        event="Order Completed",
        userId="ann",
        properties={"total": 17.5, "gift": True, "lines": [{"sku": "A-1"}]},
        context={"page": {"path": "/checkout"}},
    )
    client.post("/v1/t", json=one)
    row = rows(page, "Order Completed")
    for text in ("track", "ann", "/checkout", "good"):
        expect(row).to_contain_text(text)
    expect(page.locator("#empty")).to_be_hidden()
    expect(page.locator("#count-total")).to_have_text("1")
    open_details(row)
    details = page.locator("#details")
    for text in (one["messageId"], "total: 17.5", "POST /v1/t"):
        expect(details).to_contain_text(text)
    expect(details).not_to_contain_text("A-1")  # deep parts are closed at first
    details.locator(".tree details:not([open]) > summary").click()
    expect(details).to_contain_text('sku: "A-1"')
    page.keyboard.press("Escape")
    expect(details).to_be_hidden()


def test_a_bad_event_shows_its_problems(page: Page, client: httpx.Client, event: Callable) -> None:
    client.post("/v1/t", json=event(event=None, userId=7))
    open_details(rows(page, "bad"))
    expect(page.locator(".problems h3")).to_have_text("2 problems")
    expect(page.locator(".problems")).to_contain_text("userId is 7, must be non-empty text")


def test_filters_are_applied_to_old_and_new_events(
    page: Page, client: httpx.Client, event: Callable
) -> None:
    client.post("/v1/t", json=event(event="First"))
    client.post("/v1/p", json=event("page", name="Second"))
    expect(rows(page)).to_have_count(2)
    page.get_by_role("combobox", name="Type").select_option("page")
    expect(rows(page)).to_have_count(1)
    expect(rows(page, "Second")).to_be_visible()
    expect(page.locator("#connection")).to_have_text("Live")
    client.post("/v1/t", json=event(event="Third"))
    client.post("/v1/p", json=event("page", name="Fourth"))
    expect(rows(page, "Fourth")).to_be_visible()
    expect(rows(page)).to_have_count(2)
    page.reload()
    expect(rows(page)).to_have_count(2)
    page.get_by_role("searchbox", name="Text").fill("fourth")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Show all").click()
    expect(rows(page)).to_have_count(4)
    page.get_by_role("combobox", name="Validity").select_option("false")
    expect(page.locator("#empty-title")).to_have_text("No event matches")


def test_a_click_on_an_id_shows_the_identity_over_time(
    page: Page, client: httpx.Client, event: Callable
) -> None:
    client.post("/v1/p", json=event("page", anonymousId="visitor-1"))
    client.post("/v1/i", json=event("identify", anonymousId="visitor-1", userId="ann"))
    client.post("/v1/p", json=event("page", anonymousId="stranger"))
    page.get_by_role("button", name="ann", exact=True).first.click()
    expect(page.get_by_role("searchbox", name="Id")).to_have_value("ann")
    expect(rows(page)).to_have_count(1)
    expect(page.locator("#identity-rows li")).to_have_count(2)
    expect(page.locator("#identity-rows li").first).to_contain_text("anonymous")
    page.locator("#identity").get_by_role("button", name="visitor-1").first.click()
    expect(rows(page)).to_have_count(2)


def test_what_strangers_send_is_shown_as_text(
    page: Page, client: httpx.Client, event: Callable
) -> None:
    members = {"userId": ATTACK, "properties": {ATTACK: ATTACK, "path": ATTACK}}
    client.post("/v1/t", json=event(event=ATTACK, **members))
    client.post("/v1/t", content=ATTACK.encode())
    expect(rows(page)).to_have_count(2)
    for row in (rows(page).first, rows(page).last):
        open_details(row)
        expect(page.locator("#details")).to_contain_text(ATTACK)
    page.locator("#details button.id", has_text=ATTACK).click()
    expect(page.locator("#identity")).to_contain_text(ATTACK)
    assert page.locator("main img, main script, #identity img").count() == 0
    assert page.title() == "Events"


def test_a_snowplow_event_shows_its_data_entities_and_fields(
    page: Page, client: httpx.Client, snowplow: Callable
) -> None:
    purchase = {"schema": "iglu:org.site/purchase/jsonschema/2-0-0", "data": {"total": 17.5}}
    session = {"schema": "iglu:org.site/visit/jsonschema/1-0-0", "data": {"count": 3}}
    common = {"uid": "ann", "sid": SESSION, "vid": "2", "url": "https://site.example/cart?a=1"}
    for event in (
        snowplow.event("ue", entities=[session], data=purchase, **common),
        snowplow.event("se", se_ca="cart", se_ac="add", se_la="shoe", **common),
        snowplow.event("pv", page="The cart", **common),
    ):
        assert client.post(snowplow.path, json=snowplow.body(event)).status_code == 200
    for texts in (
        ("unstruct", "purchase"),
        ("struct", "cart · add · shoe"),
        ("page_view", "The cart"),
    ):
        for text in (*texts, "ann", "/cart", "good"):
            expect(rows(page, texts[1])).to_contain_text(text)
    open_details(rows(page, "purchase"))
    details = page.locator("#details")
    for text in (
        f"2: {SESSION}",
        "not checked, the schema is not known: iglu:org.site/purchase/jsonschema/2-0-0",
        "org.site/purchase 2-0-0",
        "total: 17.5",
        "org.site/visit 1-0-0",
        "count: 3",
        "domain_sessionidx: 2",
        "POST /com.snowplowanalytics.snowplow/tp2",
    ):
        expect(details).to_contain_text(text)
    details.get_by_role("button", name=SESSION).click()
    expect(rows(page)).to_have_count(3)


def test_a_snowplow_event_of_a_stranger_is_shown_as_text(
    page: Page, client: httpx.Client, snowplow: Callable
) -> None:
    entity = {"schema": ATTACK, "data": {ATTACK: ATTACK}}
    one = snowplow.event("se", entities=[entity], se_ca=ATTACK, uid=ATTACK, url=ATTACK)
    client.post(snowplow.path, json=snowplow.body(one))
    client.post(snowplow.path, content=ATTACK)
    client.get("/i", params={"e": "pv", "cx": "bnVsbA", "ue_px": "Nw"})  # null and 7
    expect(rows(page)).to_have_count(3)
    for number in range(3):
        open_details(rows(page).nth(number))
        expect(page.locator("#details .problems")).to_be_visible()
    expect(page.locator("#details")).to_contain_text(ATTACK)
    assert page.locator("main img, main script").count() == 0


def test_a_pause_holds_new_events_back_until_it_ends(
    page: Page, client: httpx.Client, event: Callable
) -> None:
    client.post("/v1/t", json=event(event="Before"))
    expect(rows(page, "Before")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#connection")).to_have_text("Paused")
    client.post("/v1/t", json=event(event="During"))
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Resume").click()
    expect(rows(page, "During")).to_be_visible()
    expect(rows(page)).to_have_count(2)


def test_clearing_asks_first_and_reaches_every_page(
    page: Page, browser: Browser, client: httpx.Client, event: Callable
) -> None:
    client.post("/v1/t", json=event())
    other = browser.new_page()
    other.goto(page.url)
    expect(rows(other)).to_have_count(1)
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Keep them").click()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Delete all").click()
    expect(rows(page)).to_have_count(0)
    expect(rows(other)).to_have_count(0)
    other.close()


def test_the_keyboard_moves_through_events(
    page: Page, client: httpx.Client, event: Callable
) -> None:
    client.post("/v1/t", json=event(event="Older"))
    client.post("/v1/t", json=event(event="Newer"))
    expect(rows(page)).to_have_count(2)
    rows(page).first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#details-title")).to_have_text("Older")
    page.keyboard.press("Escape")
    expect(page.locator("#details")).to_be_hidden()
    expect(rows(page, "Older")).to_be_focused()


def test_a_strict_policy_guards_the_page(client: httpx.Client) -> None:
    policy = client.get("/events").headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
