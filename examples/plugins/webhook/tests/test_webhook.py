import json
from typing import Any

from event_webhook import Webhook

from tracker.testing import FakeSite

URL = "https://hooks.example/orders"


def orders(site: FakeSite) -> list[dict[str, Any]]:
    sent = site.browser.network.exchanges
    return [json.loads(each.request.body or "") for each in sent if each.url == URL]


def page() -> FakeSite:
    site = FakeSite(plugins=[Webhook()])
    site.load(integrations={"Webhook": {"url": URL}})
    return site


def test_an_order_is_posted() -> None:
    site = page()
    site.post("track", "Order Completed", {"total": 5})
    site.post("track", "Product Viewed")
    site.settle()
    assert [each["order"] for each in orders(site)] == [{"total": 5}]


def test_no_answer_means_a_second_attempt() -> None:
    site = page()
    site.browser.network.route(lambda request: request.url == URL, "fail", "ok")
    site.post("track", "Order Completed", {"total": 5})
    site.settle()
    one, two = orders(site)
    assert one == two


def test_without_an_address_tracking_goes_on() -> None:
    site = FakeSite(plugins=[Webhook()])
    site.load()
    site.post("track", "Order Completed", {"total": 5})
    site.settle()
    assert len(site.sent) == 1
    [[error]] = site.emitted("error")
    assert "Webhook failed in start" in error["detail"]
