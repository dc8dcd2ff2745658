"""Who shares an identity with whom: hosts, ports, schemes and frames, judged by a real Chromium."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Frame, Page, Playwright

from build_tools.browsers import CHROMIUM_FLAGS, find_chromium
from tests.browser.conftest import ATTRIBUTES, ROOT, Collector, Tab, prepared, snippet, wait_for
from tests.browser.engines import launch, only_chromium
from tests.browser.origins import World, world

pytestmark = only_chromium("it alone can be told that every host is here")

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
CDN = "https://cdn.example-cdn.test"
SHOP = "https://shop.example.test"
BLOG = "https://blog.example.test"
CROSS_SITE = {"cookie": {"sameSite": "None", "secure": True}}

WATCH = """<!doctype html><title>Origins</title><script>
    failures = [];
    for (const kind of ['error', 'unhandledrejection'])
        addEventListener(kind, (e) => failures.push(`${kind} ${e.message ?? e.reason}`));
</script>"""
ASKED = "JSON.parse(decodeURIComponent(location.search.slice(1)))"
PAGES = {
    # a page with the options that its query names, and one with a frame at the address there
    "page.html": WATCH + snippet(options=f"{{apiHost: '/v1', ...{ASKED}}}"),
    "embed.html": "<!doctype html><iframe></iframe><script>"
    f"document.querySelector('iframe').src = {ASKED}</script>",
    "hosted-elsewhere.html": WATCH + ATTRIBUTES.replace('src="', f'src="{CDN}'),
}


# ---- the world ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world"), ROOT / "dist", PAGES) as served:
        yield served


@pytest.fixture(scope="module")
def running_collector(everywhere: World) -> Collector:
    return Collector(everywhere.url, everywhere.between)


@pytest.fixture(scope="module")
def browser(playwright: Playwright, everywhere: World) -> Iterator[Browser]:
    """A Chromium for which every host is here."""
    everywhere_here = launch(playwright, everywhere.flags)
    yield everywhere_here
    everywhere_here.close()


def address(origin: str, **options: Any) -> str:
    """The address of a page with these options."""
    return f"{origin}/page.html?{quote(json.dumps(options))}"


def visit(visitor: BrowserContext, origin: str, **options: Any) -> Tab:
    """A page of the origin, whose tracker has answered."""
    tab = Tab(visitor, origin)
    tab.page.goto(address(origin, **options))
    started(tab.page, tab.page)
    return tab


def started(frame: Page | Frame, page: Page) -> None:
    """Wait until the tracker of a page or frame has answered."""
    frame.evaluate("() => { cioanalytics.ready(() => { window.answered = true }) }")
    wait_for(
        lambda: frame.evaluate("() => !!window.answered"),
        f"the tracker of {frame.url}",
        lambda seconds: page.wait_for_timeout(seconds * 1000),
    )


def anonymous_id(frame: Page | Frame) -> str:
    """What the tracker answers."""
    answer: str = frame.evaluate("() => cioanalytics.user().anonymousId()")
    return answer


def identity(tab: Tab) -> list[Any]:
    """The user id, the anonymous id and the traits, as the tracker answers."""
    answers: list[Any] = tab.run(
        """() => {
            const user = cioanalytics.user();
            return [user.id(), user.anonymousId(), user.traits()];
        }"""
    )
    return answers


def reset(tab: Tab) -> str:
    """Reset, and answer the new anonymous id."""
    new: str = tab.run("() => cioanalytics.reset().then(() => cioanalytics.user().anonymousId())")
    return new


def failures(frame: Page | Frame) -> list[str]:
    """The exceptions and rejections that reached the page."""
    reached: list[str] = frame.evaluate("() => failures")
    return reached


def kept(visitor: BrowserContext, name: str = "ajs_anonymous_id") -> set[tuple[str, str]]:
    """The domain and value of every cookie of that name."""
    cookies = [cookie for cookie in visitor.cookies() if cookie.get("name") == name]
    return {(cookie.get("domain", ""), cookie.get("value", "")) for cookie in cookies}


# ---- which hosts share an identity --------------------------------------------------------------

SHARED, APART = True, False


@pytest.mark.parametrize(
    ("first", "first_domain", "second", "second_domain", "shared"),
    [
        (SHOP, ".example.test", BLOG, ".example.test", SHARED),
        ("https://example.test", ".example.test", "https://a.b.example.test", None, SHARED),
        ("https://www.shop.co.uk", ".shop.co.uk", "https://other.co.uk", ".other.co.uk", APART),
        (
            "https://foo.github.io",
            ".foo.github.io",
            "https://bar.github.io",
            ".bar.github.io",
            APART,
        ),
        ("http://localhost", "localhost", "http://localhost:{1}", None, SHARED),
        ("http://127.0.0.1:{0}", "127.0.0.1", "http://127.0.0.1:{1}", None, SHARED),
    ],
)
def test_an_identity_is_shared_as_widely_as_the_browser_lets_cookies_be(
    visitor: BrowserContext,
    collector: Collector,
    everywhere: World,
    first: str,
    first_domain: str,
    second: str,
    second_domain: str | None,
    shared: bool,
) -> None:
    here = anonymous_id(visit(visitor, first.format(*everywhere.ports)).page)
    assert kept(visitor) == {(first_domain, here)}
    there = anonymous_id(visit(visitor, second.format(*everywhere.ports)).page)
    assert (here == there) is shared
    assert kept(visitor) == {(first_domain, here), (second_domain or first_domain, there)}
    assert {cookie.get("name") for cookie in visitor.cookies()} == {"ajs_anonymous_id"}
    sent = [event["anonymousId"] for event in collector.events(2)]
    assert sent == [here, there]


def test_a_page_without_a_secure_context_has_ids_of_the_same_form(
    visitor: BrowserContext, collector: Collector
) -> None:
    tab = visit(visitor, "http://plain.example.test")
    assert tab.run("() => [isSecureContext, typeof crypto.randomUUID]") == [False, "undefined"]
    made = anonymous_id(tab.page)
    assert UUID4.fullmatch(made)
    assert kept(visitor) == {(".example.test", made)}
    (page,) = collector.events(1)
    assert page["anonymousId"] == made
    assert failures(tab.page) == []


# ---- reset --------------------------------------------------------------------------------------


@pytest.fixture
def known(visitor: BrowserContext, collector: Collector) -> tuple[Tab, Tab, str]:
    """The shop and the blog, a visitor who is identified at both, and the anonymous id."""
    shop, blog = visit(visitor, SHOP), visit(visitor, BLOG)
    for tab in (shop, blog):
        tab.run("() => cioanalytics.identify('u1', {plan: 'old'})")
    old = anonymous_id(shop.page)
    assert identity(shop) == identity(blog) == ["u1", old, {"plan": "old"}]
    return shop, blog, old


def test_a_reset_on_one_subdomain_holds_on_an_open_page_of_another(
    known: tuple[Tab, Tab, str],
) -> None:
    shop, blog, old = known
    new = reset(shop)
    assert new != old
    assert identity(blog) == [None, new, {}]
    assert identity(shop) == [None, new, {}]


def test_a_reset_on_one_subdomain_holds_on_the_next_page_of_another(
    known: tuple[Tab, Tab, str], visitor: BrowserContext
) -> None:
    shop, blog, old = known
    blog.page.close()
    new = reset(shop)
    later = visit(visitor, BLOG)
    assert identity(later) == [None, new, {}]
    assert identity(shop) == [None, new, {}]
    assert kept(visitor) == {(".example.test", new)}
    assert kept(visitor, "ajs_user_id") == set()
    assert old not in stored_identity(later)


def stored_identity(tab: Tab) -> str:
    """What local storage says about the visitor; unsent events keep the ids of their moment."""
    return str({key: text for key, text in tab.local.items() if key.startswith("ajs_")})


# ---- cookie.domain ------------------------------------------------------------------------------


def test_a_narrower_cookie_domain_takes_over_the_ids_of_the_parent_and_reset_removes_both(
    visitor: BrowserContext, collector: Collector
) -> None:
    parents = {"ajs_anonymous_id": "parents", "ajs_user_id": "u1"}
    visitor.add_cookies(
        [
            {"name": name, "value": value, "domain": ".example.test", "path": "/"}
            for name, value in parents.items()
        ]
    )
    tab = visit(visitor, SHOP, cookie={"domain": "shop.example.test"})
    assert identity(tab) == ["u1", "parents", {}]
    for name, value in parents.items():
        assert kept(visitor, name) == {(".example.test", value), (".shop.example.test", value)}
    new = reset(tab)
    assert kept(visitor) == {(".shop.example.test", new)}
    assert kept(visitor, "ajs_user_id") == set()
    assert "parents" not in stored_identity(tab)


@pytest.mark.parametrize(
    ("origin", "refused", "used"),
    [
        (SHOP, "other.test", ".example.test"),
        ("https://www.shop.co.uk", "co.uk", ".shop.co.uk"),
        ("http://127.0.0.1:{0}", "0.1", "127.0.0.1"),
    ],
)
def test_a_cookie_domain_that_the_host_cannot_set_is_one_error_and_the_default_is_used(
    visitor: BrowserContext,
    collector: Collector,
    everywhere: World,
    origin: str,
    refused: str,
    used: str,
) -> None:
    tab = visit(visitor, origin.format(*everywhere.ports), cookie={"domain": refused})
    assert kept(visitor) == {(used, anonymous_id(tab.page))}
    (error,) = [text for kind, text in tab.console if kind == "error" and "404" not in text]
    assert f"cookie.domain is '{refused}'" in error
    assert "allowed: this host or a parent domain" in error
    assert len(collector.events(1)) == 1
    assert failures(tab.page) == []


# ---- other people's pages -----------------------------------------------------------------------


def profile(directory: Path, *, third_party_cookies: bool) -> Path:
    """A Chromium profile whose owner allows or blocks third-party cookies."""
    preferences = {"profile": {"cookie_controls_mode": 0 if third_party_cookies else 1}}
    (directory / "Default").mkdir()
    (directory / "Default" / "Preferences").write_text(json.dumps(preferences))
    return directory


@pytest.fixture
def embedding(
    browser: Browser,
    everywhere: World,
    tmp_path: Path,
    collector: Collector,
    request: pytest.FixtureRequest,
) -> Iterator[tuple[Tab, str]]:
    """A page with the shop in a frame, and the id that its visitor has at the shop itself."""
    context = browser.browser_type.launch_persistent_context(
        profile(tmp_path, third_party_cookies=request.param),
        executable_path=find_chromium(),
        args=[*CHROMIUM_FLAGS, *everywhere.flags],
    )
    prepared(context)
    own = anonymous_id(visit(context, SHOP, **CROSS_SITE).page)
    collector.events(1)
    tab = Tab(context, "https://other.test")
    tab.page.goto(f"{tab.origin}/embed.html?{quote(json.dumps(address(SHOP, **CROSS_SITE)))}")
    started(tab.page.frames[1], tab.page)
    yield tab, own
    context.close()


@pytest.mark.parametrize("embedding", [True], indirect=True, ids=["allowed"])
def test_a_frame_with_third_party_cookies_knows_its_visitor(
    embedding: tuple[Tab, str], collector: Collector
) -> None:
    tab, own = embedding
    assert anonymous_id(tab.page.frames[1]) == own
    cookie = tab.cookies["ajs_anonymous_id"]
    assert [cookie["domain"], cookie["sameSite"], cookie["secure"]] == [
        ".example.test",
        "None",
        True,
    ]
    assert [event["anonymousId"] for event in collector.events(2)] == [own, own]


@pytest.mark.parametrize("embedding", [False], indirect=True, ids=["blocked"])
def test_a_frame_without_storage_has_an_id_for_its_page(
    embedding: tuple[Tab, str], collector: Collector
) -> None:
    tab, own = embedding
    frame = tab.page.frames[1]
    denied = "() => { try { return typeof localStorage } catch (error) { return error.name } }"
    assert frame.evaluate(denied) == "SecurityError", "else this test proves nothing"
    frame.evaluate("() => { cioanalytics.track('A'); cioanalytics.identify('u1') }")
    frame.evaluate("() => { cioanalytics.track('B') }")
    first, *framed = collector.events(5)
    made = framed[0]["anonymousId"]
    assert UUID4.fullmatch(made)
    assert [event["anonymousId"] for event in framed] == [made] * 4
    assert [event["userId"] for event in framed] == [None, None, "u1", "u1"]
    assert first["anonymousId"] == own != made
    assert kept(tab.context) == {(".example.test", own)}
    assert failures(frame) == tab.errors == []


def test_a_loader_from_another_origin_works_on_the_origin_of_the_page(
    visitor: BrowserContext, collector: Collector
) -> None:
    tab = Tab(visitor, "https://example.test")
    tab.page.goto(tab.origin + "/hosted-elsewhere.html")
    started(tab.page, tab.page)
    made = anonymous_id(tab.page)
    (page,) = collector.events(1)
    assert page["anonymousId"] == made
    assert page["context"]["page"]["url"] == tab.origin + "/hosted-elsewhere.html"
    assert kept(visitor) == {(".example.test", made)}
    assert tab.local["ajs_anonymous_id"] == f'"{made}"'
    assert len(collector.asked_for("/tracker/")) >= 6
    assert failures(tab.page) == []
