"""The demo shop as a visitor uses it, judged by what the collector stored."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import ROOT, Collector, Tab

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
DAY = 86_400


def ids(event: dict[str, Any]) -> tuple[Any, Any]:
    return event["userId"], event["anonymousId"]


def test_a_visitor_comes_signs_in_goes_on_and_signs_out(tab: Tab, collector: Collector) -> None:
    tab.page.goto(collector.url + "/index.html")
    (home,) = collector.events(1)
    anonymous = tab.cookies["ajs_anonymous_id"]["value"]
    assert UUID.fullmatch(anonymous)
    assert home["type"] == "page"
    assert ids(home) == (None, anonymous)
    assert home["properties"]["path"] == "/index.html"
    assert home["context"]["library"]["name"] == "analytics.js"

    tab.page.goto(collector.url + "/account.html")
    tab.ready()
    tab.fill("#user-id", "customer-7")
    tab.page.click("#sign-in")
    (identified,) = collector.events(1, type="identify")
    assert ids(identified) == ("customer-7", anonymous)
    assert identified["traits"] == {"name": "Mina Harker", "email": "mina@example.com"}
    assert tab.cookies["ajs_user_id"]["value"] == "customer-7"
    assert json.loads(tab.local["ajs_user_traits"])["email"] == "mina@example.com"

    tab.page.goto(collector.url + "/product.html?id=oolong")
    (viewed,) = collector.events(1, name="Product Viewed")
    assert ids(viewed) == ("customer-7", anonymous)
    assert viewed["context"]["page"]["search"] == "?id=oolong"

    tab.page.goto(collector.url + "/account.html")
    tab.ready()
    tab.page.click("#sign-out")
    tab.run("() => cioanalytics.track('Left')")
    (left,) = collector.events(1, name="Left")
    fresh = tab.cookies["ajs_anonymous_id"]["value"]
    assert fresh != anonymous
    assert ids(left) == (None, fresh)
    assert "ajs_user_id" not in tab.cookies
    assert "ajs_user_traits" not in tab.local
    assert all(record["valid"] for record in collector.records())
    assert tab.errors == []


def test_identity_cookies_have_the_documented_attributes(tab: Tab, collector: Collector) -> None:
    tab.page.goto(collector.url + "/account.html")
    tab.ready()
    tab.page.click("#sign-in")
    tab.page.click("#choose-group")
    collector.events(1, type="group")
    for name in ("ajs_anonymous_id", "ajs_user_id", "ajs_group_id"):
        cookie = tab.cookies[name]
        days = (cookie["expires"] - time.time()) / DAY
        assert 364.9 < days <= 365
        assert cookie["path"] == "/"
        assert cookie["sameSite"] == "Lax"
        assert not cookie["secure"]
        assert not cookie["httpOnly"]
    assert tab.local["ajs_group_id"] == '"harbour-hotel"'
    assert json.loads(tab.local["ajs_group_properties"])["employees"] == 120


def test_an_order_is_stored_with_its_products(tab: Tab, collector: Collector) -> None:
    tab.page.goto(collector.url + "/product.html?id=sencha")
    tab.fill("#quantity", "3")
    tab.page.click("#add-to-cart")
    tab.page.click("#buy")
    (order,) = collector.events(1, name="Order Completed")
    (added,) = collector.events(1, name="Product Added")
    assert order["properties"]["products"][0]["quantity"] == 3
    assert added["properties"]["product_id"] == order["properties"]["products"][0]["product_id"]
    names = [event.get("event", event["type"]) for event in collector.events(4)]
    assert sorted(names) == ["Order Completed", "Product Added", "Product Viewed", "page"]


def test_a_click_that_leaves_the_page_is_not_lost(tab: Tab, collector: Collector) -> None:
    """The page is gone long before Python is there; the next page sends what it left."""
    tab.page.goto(collector.url + "/index.html")
    tab.page.click('a[data-tea="assam"]')
    tab.page.wait_for_url("**/product.html?id=assam")
    (clicked,) = collector.events(1, name="Product Clicked")
    assert clicked["context"]["page"]["path"] == "/index.html"
    collector.events(4)
    assert len(collector.records(name="Product Clicked")) == 1
    tab.wait_for(lambda: not tab.kept, "the end of what was kept")


def test_an_anonymous_reader_gets_traits_but_no_user_id(tab: Tab, collector: Collector) -> None:
    tab.page.goto(collector.url + "/index.html")
    tab.fill("#newsletter-email", "reader@example.com")
    tab.page.click("#newsletter")
    (identified,) = collector.events(1, type="identify")
    assert identified["userId"] is None
    assert identified["traits"] == {"email": "reader@example.com"}


def test_the_panel_shows_what_the_tracker_knows(tab: Tab, collector: Collector) -> None:
    tab.page.goto(collector.url + "/index.html")
    expect(tab.page.locator("#panel-ready")).to_contain_text("Ready")
    tab.page.click("#panel-identify")
    expect(tab.page.locator("#panel-user-id")).to_have_text("demo-user")
    expect(tab.page.locator("#panel-cookies")).to_contain_text("ajs_user_id")
    anonymous = tab.cookies["ajs_anonymous_id"]["value"]
    expect(tab.page.locator("#panel-anonymous-id")).to_have_text(anonymous)
    tab.page.click("#panel-burst")
    expect(tab.page.locator("#panel-log li").first).to_contain_text("Burst")
    assert [e["properties"]["number"] for e in collector.events(10, name="Burst")] == [
        *range(1, 11)
    ]
    tab.page.click("#panel-reset")
    expect(tab.page.locator("#panel-user-id")).to_have_text("\u2013")


def test_the_shops_snippet_is_the_one_that_the_build_makes() -> None:
    """Both pages carry what `dist/snippet.html` holds, apart from the key and the options."""
    built = (ROOT / "dist" / "snippet.html").read_text()
    expected = built.replace('load("YOUR_WRITE_KEY")', 'load("demo", { apiHost: "/v1" })')
    for name in ("index.html", "product.html"):
        text = Path(ROOT / "examples" / "shop" / name).read_text()
        pasted = text.partition("<!-- snippet -->")[2].partition("<!-- /snippet -->")[0]
        assert pasted.strip() == expected.strip(), f"{name}: paste dist/snippet.html again"


def test_the_micro_api_tells_of_the_same_events(tab: Tab, collector: Collector) -> None:
    tab.page.goto(collector.url + "/product.html?id=assam")
    collector.events(2)
    good = collector.get("/micro/good")
    kinds = {each["event"]["event"] for each in good}
    assert kinds == {"page_view", "unstruct"}
    page_view = next(each["event"] for each in good if each["event"]["event"] == "page_view")
    assert page_view["page_urlpath"] == "/product.html"
    assert collector.get("/micro/all") == {"total": 2, "good": 2, "bad": 0}
