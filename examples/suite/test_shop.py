"""What the demo shop tracks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from collector.testing import Tracked

PLAN = Path(__file__).with_name("plan.json")
PRICES = {"gyokuro": 18, "sencha": 9.5, "oolong": 14, "assam": 7.8}


def sign_in(page: Page, **fields: str) -> None:
    page.goto("/account.html")
    for name, text in fields.items():
        page.fill(f"#user-{name}", text)
    page.click("#sign-in")


def add(page: Page, tea: str, packs: int = 1) -> None:
    page.goto(f"/product.html?id={tea}")
    page.fill("#quantity", str(packs))
    page.click("#add-to-cart")


# pages


@pytest.mark.parametrize("path", ["/", "/product.html?id=sencha", "/account.html"])
def test_each_page_is_viewed_once(page: Page, tracked: Tracked, path: str) -> None:
    page.goto(path)
    tracked.settled(page)
    tracked.expect({"properties": {"url": tracked.url + path}}, type="page", count=1)


def test_the_page_before_is_the_referrer(page: Page, tracked: Tracked) -> None:
    page.goto("/")
    page.click("text=Account")
    tracked.expect({"properties": {"path": "/account.html", "referrer": tracked.url + "/"}})


def test_a_campaign_is_known(page: Page, tracked: Tracked) -> None:
    page.goto("/?utm_source=letter&utm_campaign=spring")
    tracked.expect({"context": {"campaign": {"source": "letter", "name": "spring"}}}, type="page")


# products


@pytest.mark.parametrize("tea", PRICES)
def test_a_click_on_a_tea_is_tracked_although_the_page_goes(
    page: Page, tracked: Tracked, tea: str
) -> None:
    page.goto("/")
    page.click(f"a[data-tea={tea}]")
    tracked.expect({"properties": {"product_id": tea}}, name="Product Clicked", count=1)


@pytest.mark.parametrize(("tea", "price"), PRICES.items())
def test_a_tea_is_viewed(page: Page, tracked: Tracked, tea: str, price: float) -> None:
    page.goto(f"/product.html?id={tea}")
    tracked.expect(
        {"properties": {"product_id": tea, "price": price, "currency": "EUR"}},
        name="Product Viewed",
        count=1,
    )


def test_an_unknown_tea_shows_the_first_one(page: Page, tracked: Tracked) -> None:
    page.goto("/product.html?id=coffee")
    tracked.expect({"properties": {"product_id": "gyokuro"}}, name="Product Viewed")


@pytest.mark.parametrize("packs", [1, 3, 20])
def test_packs_that_are_added_are_counted(page: Page, tracked: Tracked, packs: int) -> None:
    add(page, "assam", packs)
    tracked.expect({"properties": {"product_id": "assam", "quantity": packs}}, name="Product Added")


def test_what_is_added_twice_is_tracked_twice(page: Page, tracked: Tracked) -> None:
    add(page, "oolong")
    page.click("#add-to-cart")
    tracked.expect(name="Product Added", count=2)


# orders


def test_an_order_has_a_total_and_its_products(page: Page, tracked: Tracked) -> None:
    add(page, "sencha", 2)
    add(page, "assam")
    page.click("#buy")
    order = tracked.expect(
        {"properties": {"total": 26.8, "products": lambda products: len(products) == 2}},
        name="Order Completed",
        count=1,
    )
    assert [line["quantity"] for line in order["properties"]["products"]] == [2, 1]


def test_buying_at_once_needs_no_basket(page: Page, tracked: Tracked) -> None:
    page.goto("/product.html?id=gyokuro")
    page.click("#buy")
    tracked.expect({"properties": {"total": 18}}, name="Order Completed")
    assert tracked.events(name="Product Added") == []


def test_two_orders_have_two_numbers(page: Page, tracked: Tracked) -> None:
    page.goto("/product.html?id=gyokuro")
    page.click("#buy")
    page.wait_for_timeout(10)
    page.click("#buy")
    tracked.expect(name="Order Completed", count=2)
    numbers = {order["properties"]["order_id"] for order in tracked.events(name="Order Completed")}
    assert len(numbers) == 2


def test_calls_arrive_in_their_order(page: Page, tracked: Tracked) -> None:
    add(page, "sencha")
    page.click("#buy")
    tracked.settled(page)
    names = [event["event"] for event in tracked.events(type="track")]
    assert names == ["Product Viewed", "Product Added", "Order Completed"]


# visitors


def test_a_newsletter_reader_stays_anonymous(page: Page, tracked: Tracked) -> None:
    page.goto("/")
    page.fill("#newsletter-email", "mina@example.com")
    page.press("#newsletter-email", "Enter")
    reader = tracked.expect({"traits": {"email": "mina@example.com"}}, type="identify")
    assert reader["userId"] is None


def test_who_signs_in_is_identified(page: Page, tracked: Tracked) -> None:
    sign_in(page, id="customer-7", name="Lucy", email="lucy@example.com")
    wanted: dict[str, Any] = {
        "userId": "customer-7",
        "traits": {"name": "Lucy", "email": "lucy@example.com"},
    }
    tracked.expect(wanted, type="identify", count=1)


def test_what_came_before_belongs_to_the_same_visitor(page: Page, tracked: Tracked) -> None:
    page.goto("/")
    tracked.settled(page)
    sign_in(page, id="customer-7")
    user = tracked.expect(type="identify")
    assert {event["anonymousId"] for event in tracked.events()} == {user["anonymousId"]}
    assert tracked.identities(user["anonymousId"])[-1]["userId"] == "customer-7"


def test_who_is_signed_in_stays_so_on_the_next_page(page: Page, tracked: Tracked) -> None:
    sign_in(page, id="customer-7")
    add(page, "assam")
    tracked.expect({"userId": "customer-7"}, name="Product Added")


def test_who_signs_out_is_somebody_new(page: Page, tracked: Tracked) -> None:
    sign_in(page, id="customer-7")
    before = tracked.expect(type="identify")
    page.click("#sign-out")
    page.goto("/")
    page.click("a[data-tea=assam]")
    after = tracked.expect(name="Product Clicked")
    assert after["userId"] is None
    assert after["anonymousId"] != before["anonymousId"]


def test_a_company_is_chosen(page: Page, tracked: Tracked) -> None:
    page.goto("/account.html")
    page.select_option("#group-id", "print-works")
    page.click("#choose-group")
    company = {"groupId": "print-works", "traits": {"employees": 34, "plan": "office"}}
    tracked.expect(company, type="group")


def test_two_visitors_are_two(page: Page, visitor: BrowserContext, tracked: Tracked) -> None:
    other = visitor.browser
    assert other is not None
    page.goto("/")
    second = other.new_context(base_url=tracked.url).new_page()
    second.goto("/")
    tracked.settled(page, second)
    assert len({event["anonymousId"] for event in tracked.events(type="page")}) == 2
    second.context.close()


def test_a_burst_of_calls_arrives_as_a_whole(page: Page, tracked: Tracked) -> None:
    page.goto("/")
    page.click("#panel-burst")
    tracked.settled(page)
    numbers = [event["properties"]["number"] for event in tracked.events(name="Burst")]
    assert numbers == list(range(1, 11))


def test_a_whole_visit_keeps_to_the_tracking_plan(page: Page, tracked: Tracked) -> None:
    page.goto("/")
    page.click("a[data-tea=sencha]")
    page.click("#add-to-cart")
    page.click("#buy")
    sign_in(page)
    page.click("#choose-group")
    tracked.settled(page)
    tracked.validate(PLAN)
    assert len(tracked.events()) >= 9
