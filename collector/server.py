"""Decides how a collector starts and stops, in the foreground or in a thread.

with running(Settings(Path("events.db"))) as collector:
    print(collector.url)
"""

from __future__ import annotations

import errno
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from collector.app import create_app
from collector.feed import Feed
from collector.settings import Settings, SettingsError
from collector.store import Store

Middleware = Callable[[ASGIApp], ASGIApp]

STOP_SECONDS = 10  # how long a stop waits for slow clients
MAX_HEAD = 256 * 1024  # bytes of address and headers: cookies of a site, events sent by GET
KEEP_ALIVE_SECONDS = 65  # longer than trackers wait between two batches


@dataclass(frozen=True, slots=True)
class Collector:
    """A running collector: where it listens and what it stores into."""

    url: str
    port: int
    store: Store


class Server(uvicorn.Server):
    """uvicorn that tells when it is ready, and ends live streams before it waits for the rest."""

    def __init__(
        self, app: Starlette, on_ready: Callable[[], None], around: Middleware | None = None
    ) -> None:
        super().__init__(
            uvicorn.Config(
                around(app) if around else app,
                http="h11",
                ws="none",
                lifespan="on",
                log_level="warning",
                access_log=False,
                server_header=False,
                # Forwarding headers are ours to judge (collector.addresses).
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=STOP_SECONDS,
                h11_max_incomplete_event_size=MAX_HEAD,
            )
        )
        self.feed: Feed = app.state.feed
        self.on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, and tell so."""
        await super().startup(sockets)
        self.on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop to listen, let open requests finish, and stop the application."""
        self.feed.close()
        await super().shutdown(sockets)


def serve(settings: Settings, on_ready: Callable[[Collector], None]) -> None:
    """Run a collector until SIGINT or SIGTERM. Raises `SettingsError` if it cannot start."""
    with _prepared(settings) as (app, listener, collector):
        server = Server(app, lambda: on_ready(collector))

        def stop(*_: object) -> None:
            server.should_exit = True

        # uvicorn raises the signal again after the stop; with these it ends with exit code 0.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        server.run([listener])


@contextmanager
def running(settings: Settings, around: Middleware | None = None) -> Iterator[Collector]:
    """Run a collector in a thread while the block lasts, if wanted with something around it.

    Raises `SettingsError`.
    """
    with _prepared(settings) as (app, listener, collector):
        ready = threading.Event()
        server = Server(app, ready.set, around)

        def run() -> None:
            try:
                server.run([listener])
            finally:
                ready.set()

        thread = threading.Thread(target=run, name="collector")
        thread.start()
        try:
            ready.wait()
            if not server.started:
                raise RuntimeError("the collector did not start, see the log")
            yield collector
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def _prepared(settings: Settings) -> Iterator[tuple[Starlette, socket.socket, Collector]]:
    """Take the port and the database before the server starts, where errors can be told."""
    app = create_app(settings)
    store: Store = app.state.store
    listener = _listen(settings)
    try:
        store.open()
        port = listener.getsockname()[1]
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        yield app, listener, Collector(f"http://{host}:{port}", port, store)
    finally:
        store.close()
        listener.close()


def _listen(settings: Settings) -> socket.socket:
    host, port = settings.host, settings.port
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        allowed = f"must be an address of this machine ({error.strerror})"
        raise SettingsError("host", host, allowed) from None
    # Naming TCP matters: asyncio turns off Nagle's algorithm only for sockets that say they are
    # TCP, which those of socket.create_server do not. With it every answer takes 40 ms.
    listener = socket.socket(family, kind, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(512)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise SettingsError("host", host, "must be an address of this machine") from None
        allowed = f"must be a free port of {host} ({error.strerror})"
        raise SettingsError("port", port, allowed) from None
    return listener
