"""Plain web servers, and what a browser lacks so that the tracker chooses another host."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOSTS = {"shared": (), "worker": ("SharedWorker",), "page": ("SharedWorker", "Worker")}


class Plain(SimpleHTTPRequestHandler):
    """A web server that does nothing but serve files, and may allow other origins to read them."""

    allows_others = False

    def end_headers(self) -> None:
        if self.allows_others:
            self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


class ForOthers(Plain):
    """The same for scripts of another origin."""

    allows_others = True


@contextmanager
def serving(directory: Path, handler: type[Plain] = Plain) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(directory)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
