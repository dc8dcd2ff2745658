"""Python teams: from the template to a plugin that runs in the page, in every host."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from playwright.sync_api import Page

from build_tools.paths import ROOT, VENV_PYTHON
from collector.testing import Tracked
from tests.browser.conftest import snippet
from tests.journeys.serving import HOSTS
from tests.wheels import wheel

EXAMPLES = ROOT / "examples" / "plugins"


@pytest.fixture(scope="session")
def built(plugins: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The examples as wheels among the site's files: addresses with hashes, by their folders."""
    addresses = {}
    for name in ("scrubber", "webhook", "template"):
        copy = tmp_path_factory.mktemp(name) / name
        shutil.copytree(EXAMPLES / name, copy)
        command = [VENV_PYTHON, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
        subprocess.run([*command, "-w", "dist", "."], cwd=copy, check=True)
        [made] = (copy / "dist").glob("*.whl")
        shutil.copy(made, plugins)
        addresses[name] = f"/plugins/{made.name}#sha256={sha256(made.read_bytes()).hexdigest()}"
    return addresses


@pytest.fixture
def open_page(visit: Callable[..., Page], tracked: Tracked) -> Callable[..., Page]:
    """Opens a page of the site with options, in a host."""

    def opened(options: dict[str, Any], *calls: str, host: str = "shared") -> Page:
        page = visit(HOSTS[host])
        listen = "errors = []; cioanalytics.on('error', (error) => errors.push(error.detail))"
        html = snippet(listen, *calls, options=json.dumps({"apiHost": "/v1", **options}))
        answer = {"body": f"<!doctype html>{html}", "headers": {"Content-Type": "text/html"}}
        page.route("**/page.html", lambda route: route.fulfill(**answer))
        page.goto(f"{tracked.url}/page.html")
        return page

    return opened


@pytest.mark.parametrize("host", HOSTS)
def test_the_scrubber_works_in_each_host(
    host: str, built: dict[str, str], open_page: Callable[..., Page], tracked: Tracked
) -> None:
    calls = "cioanalytics.identify('u1', { email: 'mina@example.com', plan: 'gold' })"
    page = open_page({"plugins": [built["scrubber"]]}, calls, host=host)
    tracked.settled(page, timeout=30)
    assert page.evaluate("errors") == []
    user = tracked.expect(type="identify", count=1)
    assert user["traits"] == {"email": "[email]", "plan": "gold"}
    assert "mina" not in json.dumps(tracked.events())
    # another page of the visit, and a browser that has started Python before
    page.goto(page.url)
    page.evaluate("() => cioanalytics.track('Again', { text: 'x@y.example' }) && undefined")
    tracked.settled(page, timeout=30)
    tracked.expect({"properties": {"text": "[email]"}}, name="Again")


def test_an_attribute_names_plugins(
    built: dict[str, str], visit: Callable[..., Page], tracked: Tracked
) -> None:
    page = visit()
    tag = '<script async src="/tracker/loader.js" data-write-key="wk" data-api-host="/v1"'
    tag += f' data-plugins="{built["scrubber"]}"></script>'
    html = f"<!doctype html><title>x@y.example</title>{tag}"
    headers = {"Content-Type": "text/html"}
    page.route("**/page.html", lambda route: route.fulfill(body=html, headers=headers))
    page.goto(f"{tracked.url}/page.html")
    viewed = tracked.expect(type="page", count=1, timeout=30)
    assert viewed["properties"]["title"] == "[email]"


class Hook(BaseHTTPRequestHandler):
    """Where orders go."""

    orders: ClassVar[list[Any]] = []

    def do_POST(self) -> None:
        self.orders.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def hook() -> Iterator[str]:
    Hook.orders.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/orders"
    server.shutdown()


def test_a_destination_of_ones_own_gets_orders(
    built: dict[str, str], open_page: Callable[..., Page], tracked: Tracked, hook: str
) -> None:
    options = {"plugins": [built["webhook"]], "integrations": {"Webhook": {"url": hook}}}
    page = open_page(options, "cioanalytics.track('Order Completed', { total: 5 })")
    tracked.settled(page, timeout=30)
    order = tracked.expect(name="Order Completed")
    page.wait_for_timeout(1000)
    assert Hook.orders == [{"id": order["messageId"], "order": {"total": 5}}]
    assert page.evaluate("errors") == []


CODE = """
from tracker.plugin import Plugin
import datetime, needed

class Tried(Plugin):
    def enrich(self, event):
        event["properties"]["year"] = datetime.date(2026, 1, needed.DAY).year

class Loops(Plugin):
    def enrich(self, event):
        while True:
            pass
"""


@pytest.mark.parametrize("host", HOSTS)
def test_what_is_wrong_with_a_plugin_does_not_stop_the_tracker(
    host: str, plugins: Path, open_page: Callable[..., Page], tracked: Tracked
) -> None:
    points = "a = tried:Tried\nb = tried:Loops"
    files = {
        "tried": wheel(CODE, points, ("needed==1.0",), "tried"),
        "needed": wheel("DAY = 1", "", (), "needed"),
    }
    for name, content in files.items():
        (plugins / f"{name}-1.0-py3-none-any.whl").write_bytes(content)
    missing = "/plugins/missing-1.0-py3-none-any.whl"
    wheels = ["/plugins/tried-1.0-py3-none-any.whl", missing]
    page = open_page({"plugins": wheels}, "cioanalytics.track('A')", host=host)
    tracked.settled(page, timeout=30)
    tracked.expect({"properties": {"year": 2026}}, name="A", count=1)
    absent, slow = page.evaluate("errors")
    assert "answers 404" in absent
    assert re.search(r"plugin Loops failed in enrich: it took more than 200 ms", slow)


def test_pages_without_plugins_download_nothing_for_them(
    open_page: Callable[..., Page], tracked: Tracked, visit: Callable[..., Page]
) -> None:
    page = open_page({}, host="page")  # whose requests a test can see
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    tracked.settled(page, timeout=30)
    assert any("core.zip" in url or "pyodide" in url for url in asked)
    assert not [url for url in asked if "plugins" in url]


@pytest.mark.parametrize("name", ["scrubber", "webhook", "template"])
def test_the_examples_pass_their_own_tests(name: str, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / name, tmp_path / name)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:pytest_pyodide"]
    done = subprocess.run(
        [*command, "-p", "no:pytest_pyodide_hook"],
        cwd=tmp_path / name,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
