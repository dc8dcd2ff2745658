import pytest
from pii_scrubber import PiiScrubber, scrubbed

from tracker.testing import FakeBrowser, FakeSite


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("write to mina@example.com!", "write to [email]!"),
        ("/welcome?to=mina%40example.co.uk", "/welcome?to=[email]"),
        ("4111 1111 1111 1111", "[card]"),
        ("order 1234567890123456", "order 1234567890123456"),
        ("nothing", "nothing"),
    ],
)
def test_texts(text: str, clean: str) -> None:
    assert scrubbed({"a": [text, 5, None]}) == {"a": [clean, 5, None]}


def test_an_event_leaves_the_page_without_the_address() -> None:
    browser = FakeBrowser("https://shop.example/?letter=mina@example.com")
    site = FakeSite(browser, plugins=[PiiScrubber()])
    site.load()
    site.post("identify", "u1", {"email": "mina@example.com", "plan": "gold"})
    site.settle()
    [event] = site.sent
    assert event["traits"] == {"email": "[email]", "plan": "gold"}
    assert event["userId"] == "u1"
    assert "mina" not in str(event)
