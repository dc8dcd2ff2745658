"""Pages of any host, over HTTPS and HTTP, answered by one collector on this machine.

    with world(directory, dist, pages={"page.html": "<!doctype html>…"}) as served:
        browser_type.launch(args=[*CHROMIUM_FLAGS, *served.flags])

No name is looked up: Chromium is told that every host is here. `https://any.host` and
`http://any.host` lead to the collector, and so do two ports of `localhost` and `127.0.0.1`.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from collector.server import Middleware, running
from collector.settings import Mount, Settings
from tests.browser.between import Between

CHUNK = 65536


@dataclass(frozen=True, slots=True)
class World:
    """Where the collector answers. `ports` are two plain ones; `flags` are for Chromium."""

    url: str
    ports: tuple[int, int]
    flags: tuple[str, ...]
    between: Between


@contextmanager
def world(
    directory: Path, dist: Path, pages: Mapping[str, str], around: Middleware = lambda app: app
) -> Iterator[World]:
    """Serve the pages and the built tracker (`/tracker`) on every host while the block lasts.

    `around` is between the collector and what sees all requests.
    """
    site = directory / "site"
    site.mkdir()
    for name, html in pages.items():
        (site / name).write_text(html, encoding="utf-8")
    mounts = (Mount("/tracker", dist), Mount("/", site))
    tls, key_hash = _certificate()
    settings = Settings(directory / "events.db", mounts=mounts)
    between = Between()
    with ExitStack() as stack:
        collector = stack.enter_context(running(settings, lambda app: between.around(around(app))))
        https = stack.enter_context(forwarding(collector.port, tls))
        second = stack.enter_context(forwarding(collector.port))
        rules = f"MAP *:443 127.0.0.1:{https},MAP *:80 127.0.0.1:{collector.port}"
        flags = (
            f"--host-resolver-rules={rules}",
            # Narrower than --ignore-certificate-errors, under which Chromium caches nothing.
            f"--ignore-certificate-errors-spki-list={key_hash}",
        )
        yield World(collector.url, (collector.port, second), flags, between)


@contextmanager
def forwarding(target: int, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A port that leads to the local port `target`, with TLS taken off on the way if given."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="forwarding")
    thread.start()

    async def serve() -> asyncio.Server:
        return await asyncio.start_server(_forwarder(target), "127.0.0.1", 0, ssl=tls)

    async def stop() -> None:
        server.close()
        open_connections = asyncio.all_tasks() - {asyncio.current_task()}
        for task in open_connections:
            task.cancel()
        await asyncio.gather(*open_connections, return_exceptions=True)

    try:
        server = asyncio.run_coroutine_threadsafe(serve(), loop).result()
        yield server.sockets[0].getsockname()[1]
        asyncio.run_coroutine_threadsafe(stop(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _forwarder(target: int) -> Connected:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
            await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))

    return connected


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass everything on. The end of one direction ends both: browsers close no halves."""
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


def _certificate() -> tuple[ssl.SSLContext, str]:
    """A certificate that nobody vouches for, and the hash by which Chromium takes its key."""
    issued = trustme.CA().issue_cert("any.test")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(tls)
    certificate = x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return tls, base64.b64encode(hashlib.sha256(key).digest()).decode()
