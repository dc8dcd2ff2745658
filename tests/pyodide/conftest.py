"""The built wheel in a real page: pytest-pyodide, driven through Playwright."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserType
from pytest_pyodide import get_global_config

from build_tools.browsers import CHROMIUM_FLAGS, find_chromium

ROOT = Path(__file__).parents[2]

config = get_global_config()
config.set_flags("chrome", [*config.get_flags("chrome"), *CHROMIUM_FLAGS])


@pytest.fixture(scope="session", autouse=True)
def installed_browser() -> Iterator[None]:
    """Launch the browser of this machine: the plugin would look for one of its own."""
    launch = BrowserType.launch

    def launch_installed(self: BrowserType, **options: Any) -> Any:
        return launch(self, executable_path=find_chromium(), **options)

    BrowserType.launch = launch_installed  # type: ignore[method-assign]
    yield
    BrowserType.launch = launch  # type: ignore[method-assign]


class Handler(http.server.SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append(body.decode())  # type: ignore[attr-defined]
        self.send_response(429)
        self.send_header("Retry-After", "7")
        self.send_header("Access-Control-Expose-Headers", "Retry-After")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="session")
def server() -> Iterator[http.server.ThreadingHTTPServer]:
    """Serves `dist/` and takes POSTs. In a thread: a forked server would hang the run."""
    handler = functools.partial(Handler, directory=str(ROOT / "dist"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.bodies = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()


@pytest.fixture
def page(selenium: Any, server: http.server.ThreadingHTTPServer) -> Any:
    """A page whose Python has the tracker, installed from the built wheel with micropip."""
    wheel = next((ROOT / "dist").glob("pyodide_tracker-*.whl")).name
    address = f"http://127.0.0.1:{server.server_port}/{wheel}"
    selenium.run_async(f"import micropip\nawait micropip.install({address!r})")
    selenium.run(
        "import js\n"
        "from tracker.browser import WindowBrowser\n"
        "browser = WindowBrowser(js.window)\n"
        "js.localStorage.clear()\n"
        "for pair in js.document.cookie.split('; '):\n"
        "    js.document.cookie = pair.partition('=')[0] + '=; Max-Age=0; Path=/'\n"
    )
    return selenium
