"""Driving a case in a real page.

The clock stands still in page and worker and moves by the steps of the case; the hosts of the case
lead to the collector; requests are seen where they arrive.
"""

from __future__ import annotations

import json
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from playwright.sync_api import BrowserContext, Page
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Json = dict[str, Any]

HERE = Path(__file__).parent
BASE = 1_700_000_000_000  # ms; when cases begin
DAY = 86_400_000  # ms
# The worker's clock stands far away, so that it goes by what pages say.
WORKER_CLOCK = """{
    const Real = Date;
    Date = class extends Real {
        constructor(...args) { super(...(args.length ? args : [1000])); }
        static now() { return 1000; }
    };
}"""
NO_COOKIES = """
    Object.defineProperty(document, 'cookie', {get: () => '', set() {}});
    Object.defineProperty(navigator, 'cookieEnabled', {value: false});
"""
# `setup` members that take something from the page
LACKS = {
    "lsUnavailable": "Object.defineProperty(window, 'localStorage', {get() {throw Error('no')}});",
    "lsFullKeys": """{
        const set = Storage.prototype.setItem;
        Storage.prototype.setItem = function (key, value) {
            if (VALUE.some((text) => new RegExp(text).test(key))) throw new DOMException('full');
            set.call(this, key, value);
        };
    }""",
    "cookiesDisabled": NO_COOKIES,
    "cookiesBlocked": NO_COOKIES,
    "navigator": "for (const name in VALUE) Object.defineProperty(navigator, name, "
    "{value: VALUE[name], configurable: true});",
    "window": "for (const name in VALUE) Object.defineProperty(window, name, "
    "{value: VALUE[name], configurable: true});",
}
PAGE = (
    '<!doctype html><title>TITLE</title><body style="margin:0;height:3000px">'
    '<script src="/tracker/loader.js"></script>'
)


class Posts:
    """What is posted to anywhere, with the answers of the collector."""

    def __init__(self) -> None:
        self.all: list[Json] = []

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application behind this."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["method"] != "POST":
                return await app(scope, receive, send)
            body = b""

            async def gather() -> Message:
                nonlocal body
                message = await receive()
                body += message.get("body", b"")
                return message

            await app(scope, gather, send)
            headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
            if not headers.get("origin", "").endswith((".site.example", ".acme.test")):
                return None  # Chromium's own
            query = scope["query_string"].decode()
            url = f"https://{headers['host']}{scope['path']}" + (query and f"?{query}")
            self.all.append(
                {"method": "POST", "url": url, "headers": headers, "body": body.decode()}
            )
            return None

        return answer


class Visit:
    """A visitor's browser as a case sets it up, and the page that is open."""

    def __init__(self, context: BrowserContext, case: Json, url: str, posts: Posts) -> None:
        self.context = context
        self.setup: Json = case.get("setup", {})
        self.posts = posts
        self.begin = len(posts.all)
        self.outcomes: list[list[Any]] = []
        self.written: dict[str, Json] = {}
        self.callbacks: dict[str, list[Any]] = {}
        self.called: list[Json] = []
        self.snapshots: list[Json] = []
        self.console: list[list[str]] = []
        self.page: Page = context.new_page()
        self.page.on("console", lambda line: self.console.append([line.type, line.text]))
        self._prepare(url)
        self.open(url)

    def _prepare(self, url: str) -> None:
        origin = "/".join(url.split("/")[:3])
        host = origin.split("//")[1]
        html = PAGE.replace("TITLE", self.setup.get("title", ""))
        self.context.route(
            lambda address: address.endswith((".example/", ".test/home")),
            lambda route: route.fulfill(body=html, content_type="text/html"),
        )
        for name, given in self.setup.get("cookies", {}).items():
            facts = given if isinstance(given, dict) else {"value": given}
            domain = facts.get("domain")
            if domain is None:
                domain = ".acme.test" if "now_ms" in self.setup else host
            else:
                domain = f".{domain}"
            cookie = {"name": name, "value": facts["value"], "domain": domain, "path": "/"}
            self.context.add_cookies([cookie])  # type: ignore[list-item]
        items = self.setup.get("localStorage", {})
        if items:
            self.page.goto(f"{origin}/nothing")
            self.page.evaluate("(all) => Object.assign(localStorage, all)", items)
        scripts = [(HERE / "clock.js").read_text(encoding="utf-8").replace("__BASE__", str(BASE))]
        for word, script in LACKS.items():
            if self.setup.get(word):
                value = json.dumps(self.setup[word])
                scripts.append(script.replace("VALUE", value))
        scripts.append((HERE / "calls.js").read_text(encoding="utf-8"))
        self.context.add_init_script("\n".join(scripts))

    def open(self, url: str | None = None) -> None:
        """Load a page in the same tab: another one, or the same again."""
        self.page.goto(url or self.page.url)

    def make(self, calls: list[list[Any]]) -> None:
        """Make calls in one task."""
        self.page.evaluate("(calls) => recorded.make(calls)", calls)

    def settle(self) -> None:
        """Wait until all calls are answered and nothing is on its way."""
        self.page.evaluate(
            "() => Promise.race([recorded.settled(), new Promise((end) => setTimeout(end, 9000))])"
        )
        self.page.evaluate("() => recorded.sent()")

    def note(self) -> None:
        """Keep what the page knows before it goes."""
        seen = self.page.evaluate("() => recorded.observe()")
        self.outcomes += seen["outcomes"]
        self.written |= seen["cookies"]
        self.called += seen["list"]
        for name, calls in seen["callbacks"].items():
            self.callbacks.setdefault(name, []).extend(calls)

    def forward(self, ms: float) -> None:
        """Let time pass."""
        self.settle()
        self.page.evaluate("(ms) => clock.forward(ms)", ms)

    def jar(self) -> list[Json]:
        """The cookies that the page can see, whatever it may be told."""
        if self.setup.get("cookiesDisabled") or self.setup.get("cookiesBlocked"):
            return []
        return [dict(cookie) for cookie in self.context.cookies(self.page.url)]

    def local(self) -> dict[str, str]:
        """The page's local storage."""
        if self.setup.get("lsUnavailable"):
            return {}
        items: dict[str, str] = self.page.evaluate("() => ({...localStorage})")
        return items

    def requests(self) -> list[Json]:
        """What this visitor posted."""
        return self.posts.all[self.begin :]


# ---- the two vocabularies -----------------------------------------------------------------------

CUSTOMERIO_STEPS = {
    "@wait": lambda visit, ms: visit.settle(),
    "@advanceDays": lambda visit, days: visit.forward(days * DAY),
    "@deleteCookie": lambda visit, name: visit.context.clear_cookies(name=name),
    "@clearLocalStorage": lambda visit: visit.page.evaluate("() => localStorage.clear()"),
    "@navigate": lambda visit, url=None: (visit.settle(), visit.note(), visit.open(url)),
}
SNOWPLOW_STEPS = {
    "@advance_ms": lambda visit, ms: visit.forward(ms),
    "@set_cookie": lambda visit, text: visit.page.evaluate("(t) => (document.cookie = t)", text),
    "@snapshot": lambda visit: visit.snapshots.append(
        {"cookies": [cookie["name"] for cookie in visit.jar()], "ls": [*visit.local()]}
    ),
    "@hidden": lambda visit: visit.page.evaluate(
        "() => document.dispatchEvent(new Event('visibilitychange'))"
    ),
}


def drive_customerio(context: BrowserContext, case: Json, posts: Posts) -> Json:
    """Run a case of Customer.io's and return its observation."""
    setup = case.get("setup", {})
    visit = Visit(context, case, setup.get("url", "https://www.site.example/"), posts)
    batch: list[list[Any]] = []
    for index, (name, *args) in enumerate(case["calls"]):
        if name.startswith("@"):
            visit.make(batch)
            batch = []
            CUSTOMERIO_STEPS[name](visit, *args)
            continue
        if name == "load":
            given = ["wk_test", setup.get("options", {})]
            args = [*args, *given[len(args) :]]
        batch.append([index, name, args])
    visit.make(batch)
    visit.settle()
    visit.note()
    return {
        "returns": {str(index): value for index, _, value in visit.outcomes},
        "cookies": {cookie["name"]: _attributes(cookie, visit.written) for cookie in visit.jar()},
        "localStorage": visit.local(),
        "requests": [{**post, "body": json.loads(post["body"])} for post in visit.requests()],
        "callbacks": visit.callbacks,
        "console": visit.console,
        "loaded": visit.page.evaluate("() => !cioanalytics.load"),
    }


def drive_snowplow(context: BrowserContext, case: Json, posts: Posts) -> Json:
    """Run a case of Snowplow's and return its observation."""
    setup = case["setup"]
    visit = Visit(context, case, setup["url"], posts)
    first = ["sp", "collector.acme.test", setup.get("options", {})]
    visit.make([[-1, "newTracker", first]])
    visit.settle()
    for index, (name, *args) in enumerate(case["calls"]):
        if name.startswith(("@", "get")):
            visit.settle()  # as a page does that awaits its calls
        if not name.startswith("@"):
            visit.make([[index, name, args]])
            continue
        SNOWPLOW_STEPS[name](visit, *args)
    visit.settle()
    visit.note()
    made = [value for _, name, value in visit.outcomes if name == "newTracker"]
    hosts = [first[1], *(args[1] for name, *args in case["calls"] if name == "newTracker")]
    return {
        "requests": _in_turn(visit.requests(), hosts),
        "cookies": {cookie["name"]: _decoded(cookie, visit.written) for cookie in visit.jar()},
        "localStorage": visit.local(),
        "returns": [value for _, name, value in visit.outcomes if name.startswith("get")],
        "snapshots": visit.snapshots,
        "callbacks": visit.called,
        "throws": next((value["rejected"] for value in made if "rejected" in value), None),
        "given": [],
        "console": visit.console,
    }


def _in_turn(posts: list[Json], hosts: list[str]) -> list[Json]:
    """Trackers send side by side: the first request of each, the second of each and so on."""
    to = [[post for post in posts if post["headers"]["host"] == host] for host in hosts]
    other = [post for post in posts if post["headers"]["host"] not in hosts]
    return [post for turn in zip_longest(*to) for post in turn if post] + other


def _attributes(cookie: Json, written: dict[str, Json]) -> Json:
    own = written.get(cookie["name"], {})
    ends = own.get("ends")
    return {
        "value": cookie["value"],
        "domain": cookie["domain"].removeprefix("."),
        "hostOnly": not cookie["domain"].startswith("."),
        "path": cookie["path"],
        "sameSite": cookie["sameSite"],
        "secure": cookie["secure"],
        "days": round((ends - own["written"]) / DAY, 3) if ends else None,
    }


def _decoded(cookie: Json, written: dict[str, Json]) -> Json:
    try:
        value = unquote(cookie["value"], errors="strict")
    except UnicodeDecodeError:
        value = cookie["value"]
    own = written.get(cookie["name"], {})
    return {
        "value": value,
        "domain": cookie["domain"].removeprefix("."),
        "path": cookie["path"],
        "samesite": cookie["sameSite"],
        "secure": cookie["secure"],
        "expires_ms": own.get("ends"),
    }


def worker_script(dist: Path) -> str:
    """The worker with the clock of the cases."""
    return WORKER_CLOCK + (dist / "host.js").read_text(encoding="utf-8")
