import base64
import http.client
import itertools
import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from collector import Settings
from collector.server import Collector, running

TIMEOUT = 20  # seconds; for what should take milliseconds, on a loaded machine

_numbers = itertools.count(1)


def _event(kind: str = "track", **members: object) -> dict:
    needed = {
        "track": {"event": "Thing Done"},
        "group": {"groupId": "g1"},
        "alias": {"userId": "u1", "previousId": "u0"},
    }
    base = {
        "type": kind,
        "messageId": f"m-{next(_numbers)}",
        "anonymousId": "39ee7ea5-b6d8-4174-b612-04e1ef3fa952",
        "writeKey": "key",
        "timestamp": "2026-01-15T12:00:01.000Z",
        "sentAt": "2026-01-15T12:00:02.000Z",
    }
    return base | needed.get(kind, {}) | members


@pytest.fixture(scope="session")
def event() -> Callable[..., dict]:
    """A maker of good events; members given by keyword replace its own."""
    return _event


class Snowplow:
    """Makes what a Snowplow tracker sends."""

    path = "/com.snowplowanalytics.snowplow/tp2"

    @staticmethod
    def schema(name: str, version: str = "1-0-0") -> str:
        return f"iglu:com.snowplowanalytics.snowplow/{name}/jsonschema/{version}"

    def event(
        self, kind: str = "pv", *, entities: list = (), data: object = None, **parameters: object
    ) -> dict:
        """An event with the given parameters; `entities` and `data` are wrapped and encoded."""
        made = {"e": kind, "p": "web", "tv": "js-4.10.1", "eid": str(uuid.uuid4())} | parameters
        if entities:
            made["cx"] = self.encode({"schema": self.schema("contexts"), "data": entities})
        if data is not None:
            made["ue_px"] = self.encode({"schema": self.schema("unstruct_event"), "data": data})
        return made

    def body(self, *events: object) -> dict:
        return {"schema": self.schema("payload_data", "1-0-4"), "data": events}

    @staticmethod
    def encode(value: object) -> str:
        text = json.dumps(value, ensure_ascii=False).encode()
        return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


@pytest.fixture(scope="session")
def snowplow() -> Snowplow:
    """A maker of Snowplow events and bodies."""
    return Snowplow()


@pytest.fixture(scope="session")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """One collector for all tests that do not need settings of their own."""
    with running(Settings(tmp_path_factory.mktemp("collector") / "events.db")) as started:
        yield started


@pytest.fixture(scope="session")
def connection(collector: Collector) -> Iterator[httpx.Client]:
    """One client for all of them; making one is slow, because it reads all certificates."""
    with httpx.Client(base_url=collector.url, timeout=TIMEOUT) as made:
        yield made


@pytest.fixture
def client(connection: httpx.Client) -> httpx.Client:
    """A client of that collector, which is empty at first."""
    connection.post("/api/reset")
    connection.cookies.clear()
    return connection


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Collector]]:
    """Start a collector with given settings, on a new database unless one is given."""
    with ExitStack() as stack:

        def _start(**settings: object) -> Collector:
            settings = {"database": tmp_path / f"{next(_numbers)}.db"} | settings
            return stack.enter_context(running(Settings(**settings)))

        yield _start


@pytest.fixture
def listen() -> Callable:
    """Open a live stream: `with listen(url, "/api/stream?after=0") as messages: next(messages)`."""

    @contextmanager
    def _listen(url: str, path: str = "/api/stream", **headers: str) -> Iterator[Iterator[dict]]:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT)
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            assert response.status == 200, response.read()
            yield _messages(response)
        finally:
            connection.close()

    return _listen


def _messages(response: http.client.HTTPResponse) -> Iterator[dict]:
    message: dict = {}
    for line in response:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            message[name] = value
        elif message:
            if "data" in message:
                message["data"] = json.loads(message["data"])
            yield message
            message = {}


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """A real Chromium."""
    from playwright.sync_api import sync_playwright

    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("no chromium on this machine")
    flags = "no-sandbox disable-gpu no-first-run disable-background-networking"
    flags += " disable-component-update disable-sync"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=executable, args=[f"--{flag}" for flag in flags.split()]
        )
        yield started
        started.close()
