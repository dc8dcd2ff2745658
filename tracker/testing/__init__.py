"""A browser made of Python, to test trackers and plugins in milliseconds without a browser.

`FakeBrowser` is one page in one tab. It answers everything the tracker asks a browser for, from a
real cookie jar, storage with a quota, a clock that only moves when told to, and a scripted network:

>>> from tracker.browser import Request
>>> from tracker.testing import FakeBrowser
>>> browser = FakeBrowser("https://www.site.example/shop?q=1", title="Shop")
>>> browser.set_cookie("id=42; Domain=site.example; Path=/; Max-Age=86400; Secure")
>>> browser.cookies(), browser.jar["id"].days
('id=42', 1.0)
>>> browser.network.answer(503, "ok")
>>> sent = browser.fetch(Request("https://in.example/t", method="POST", body="{}"))
>>> browser.clock.run_pending()
>>> sent.result().status, [exchange.url for exchange in browser.network.exchanges]
(503, ['https://in.example/t'])

A visitor who does more than look at one page has a `FakeProfile`: several tabs, several sites and
several visits over one cookie jar and one clock:

>>> from tracker.testing import FakeProfile
>>> profile = FakeProfile()
>>> shop = profile.open("https://www.site.example/")
>>> shop.set_cookie("id=42; Domain=site.example; Max-Age=86400")
>>> app = shop.navigate("https://app.site.example/login")
>>> app.cookies(), app.page().referrer
('id=42', 'https://www.site.example/')
>>> profile.clock.advance_days(2)
>>> app.cookies()
''

What a real browser would report to the console as an uncaught exception of a timer or a listener
is raised, after all other callbacks have run, by the call that ran them (`advance`, `hide`, ...).
"""

from tracker.testing.browser import FakeBrowser, FakeProfile
from tracker.testing.clock import START_MS, VirtualClock
from tracker.testing.cookies import Assignment, Cookie, CookieJar
from tracker.testing.network import Exchange, Network, Outcome, Reply
from tracker.testing.site import FakeSite
from tracker.testing.storage import FakeStorage, StorageRules

__all__ = [
    "START_MS",
    "Assignment",
    "Cookie",
    "CookieJar",
    "Exchange",
    "FakeBrowser",
    "FakeProfile",
    "FakeSite",
    "FakeStorage",
    "Network",
    "Outcome",
    "Reply",
    "StorageRules",
    "VirtualClock",
]
