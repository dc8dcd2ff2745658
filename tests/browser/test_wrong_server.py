"""A server that is no collector: named once, with what to change, and nothing is lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from tests.browser.conftest import Tab, snippet

LISTEN = "errors = []; cioanalytics.on('error', (error) => errors.push(error))"
OWN_FAVICON = "<link rel=icon href=data:,>"


class Wrong(BaseHTTPRequestHandler):
    """Answers as `mode` says; a collector in the end. It notes the events that it was sent."""

    mode = "html"
    stored: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(body["messageId"])

    def do_GET(self) -> None:
        self.answer()

    def answer(self, id_: str = "") -> None:
        redirects = self.mode == "redirect" and self.path != "/login"
        self.send_response(302 if redirects else 200)
        if self.mode != "cors":
            self.send_header("Access-Control-Allow-Origin", "*")
        if redirects:
            self.send_header("Location", "/login")
        self.send_header("Content-Type", "text/html" if self.mode == "html" else "text/plain")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        if id_ and self.mode == "good":
            self.stored.append(id_)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    Wrong.stored = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Wrong)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.mark.parametrize(
    ("mode", "message", "named"),
    [
        ("html", "Wrong answer", "HTML"),
        ("redirect", "Wrong answer", "/login"),
        ("cors", "No answer", "Access-Control-Allow-Origin"),
    ],
)
def test_it_is_named_once_and_gets_every_event_when_it_is_right(
    tab: Tab, server: ThreadingHTTPServer, mode: str, message: str, named: str
) -> None:
    Wrong.mode = mode
    address = f"http://127.0.0.1:{server.server_port}/v1"
    options = f"{{ apiHost: '{address}', customerio: {{ settings: {{}} }} }}"
    tab.open(OWN_FAVICON + snippet(LISTEN, "cioanalytics.track('A')", options=options))
    tab.wait_for(lambda: tab.run("() => errors.length"), "an error")
    tab.page.wait_for_timeout(2000)
    Wrong.mode = "good"
    tab.wait_for(lambda: len(set(Wrong.stored)) == 2, "both events")
    [error] = tab.run("() => errors")
    assert error["message"] == message
    assert named in error["detail"]
    assert address in error["detail"]
    assert tab.errors == []
