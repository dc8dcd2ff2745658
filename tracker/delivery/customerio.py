"""The Customer.io protocol: where an event goes, and the body that carries it.

Bodies and addresses follow the Customer.io client: one POST for each event to `/t /i /p /g /a /s`,
or batches to `/b`. The project's settings are read once; tracking works without them (D8).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tracker.browser import Browser, NetworkError, Request
from tracker.calls import Call
from tracker.delivery.queue import Entry, EventForm, OutQueue
from tracker.delivery.retry import backoff_ms, judge
from tracker.delivery.sender import Batching, Sender
from tracker.errors import shown
from tracker.settings import CUSTOMERIO, Batch, Settings, to_batch
from tracker.storage.domain import is_ip_address
from tracker.storage.stores import Store
from tracker.tasks import spawn
from tracker.text import from_json, to_json

# Browsers allow six requests for each host, and the page needs some of them.
MOST_WHEN_LEAVING = 4
# Customer.io takes 500 KB in one request; the envelope and what is added at sending need some.
BATCH_BYTES = 450_000
SEND_TIMEOUT_MS = 30_000
SETTINGS_TIMEOUT_MS = 5_000
SETTINGS_ATTEMPTS = 6
SETTINGS_FRESH_MS = 300_000  # so long the next pages of a visit use what one has read
EVENT_TYPES = frozenset({"track", "page", "screen", "identify", "group", "alias"})


def _left(item: Any) -> tuple[dict[str, Any], bool] | None:
    """An event that Customer.io's client left unsent."""
    event = item.get("event") if isinstance(item, dict) else None
    if not isinstance(event, dict) or event.get("type") not in EVENT_TYPES:
        return None
    if not isinstance(event.get("messageId"), str):
        return None
    return {"integrations": {}, **event}, False


# The client writes events there when a page is left, whatever their write key is.
FORMER_QUEUES = {
    f"persisted-queue:v1:{name}:items": _left
    for name in ("dest-Customer.io-Data-Pipelines", "event-queue")
}


class CustomerIo:
    """The destination: its queue, its sender and what the project's settings say about it."""

    name = CUSTOMERIO
    most_when_leaving = MOST_WHEN_LEAVING

    def __init__(
        self,
        browser: Browser,
        settings: Settings,
        stores: Sequence[Store],
        report: Callable[[str, dict[str, Any]], None],
    ) -> None:
        self.batch: Batch | None = settings.batch
        self.failed_initializations: list[str] = []
        self._browser = browser
        self._settings = settings
        self._report = report
        self._project: dict[str, Any] = {}
        self.queue = OutQueue(
            browser,
            stores,
            f"cioOutQueue_{settings.write_key}_post",
            EventForm("messageId"),
            lambda events, reason: report("dropped", {"events": events, "reason": reason}),
            former=FORMER_QUEUES,
        )
        self.sender = Sender(browser, self.queue, self, report, retry=settings.retry)

    @property
    def enabled(self) -> bool:
        """Whether this destination gets any event at all (`integrations` of `load`)."""
        given = self._settings.integrations
        all_off = given.get("All") is False and not given.get(CUSTOMERIO)
        return self._settings.customerio and given.get(CUSTOMERIO) is not False and not all_off

    def takes(self, event: dict[str, Any]) -> bool:
        """Whether an event is for this destination: only naming it false keeps it out."""
        return self.enabled and event["integrations"].get(CUSTOMERIO) is not False

    async def put(self, event: dict[str, Any], call: Call) -> None:
        """Take an event over."""
        self.queue.add(event)
        self.sender.wake()

    @property
    def batching(self) -> Batching:
        """Single events unless batching is on."""
        if self.batch is None:
            return Batching()
        return Batching(self.batch.size, self.batch.size, BATCH_BYTES, self.batch.timeout_ms)

    def judge(self, status: int) -> str:
        """The rules of decision D2."""
        return judge(status)

    async def start(self) -> dict[str, Any]:
        """Read the project's settings, then begin to send, with or without them.

        Returns the settings, {} if they could not be read; later attempts go on by themselves.
        """
        if self.enabled:
            if self._settings.project is not None:
                self._take_project(self._settings.project)
            elif self._settings.settings_url or (
                self._settings.settings_url is None and self._is_address()
            ):
                await self._read_settings(0)
            if self._is_address():
                self.sender.open()
            else:
                self._report("error", {"message": "Invalid collector", "detail": self._flaw()})
                self.sender.block()
        return self._project

    async def before_first(self, entries: list[Entry]) -> None:
        """Nothing."""

    def request(self, entries: list[Entry]) -> Request:
        """The request for one event, or for a batch when batching is on."""
        sent_at = self._browser.iso_time(self._browser.told_now())
        bodies = [self._body(entry.event, sent_at) for entry in entries]
        if self.batch is None:
            path, body = bodies[0]["type"][0], bodies[0]
        else:
            path, body = "b", {"batch": bodies, "writeKey": self._write_key, "sentAt": sent_at}
        headers = {"Content-Type": "text/plain"}  # needs no preflight request
        return Request(
            f"{self._base()}/{path}", "POST", headers, to_json(body), timeout_ms=SEND_TIMEOUT_MS
        )

    @property
    def _own(self) -> dict[str, Any]:
        """What the settings and then `load` say about this destination."""
        server = _dict(_dict(self._project.get("integrations")).get(CUSTOMERIO))
        return {**server, **_dict(self._settings.integrations.get(CUSTOMERIO))}

    @property
    def _write_key(self) -> str:
        key = self._own.get("apiKey")
        return key if isinstance(key, str) and key else self._settings.write_key

    def _body(self, event: dict[str, Any], sent_at: str) -> dict[str, Any]:
        body = {**event, "writeKey": self._write_key, "sentAt": sent_at}
        if self._own.get("addBundledMetadata") is not False:
            body["_metadata"] = self._metadata()
        return body

    def _metadata(self) -> dict[str, list[str]]:
        listed = _dict(self._project.get("integrations"))
        by_status: dict[str, list[str]] = {"bundled": [CUSTOMERIO], "unbundled": []}
        for name, value in listed.items():
            status = _dict(value).get("bundlingStatus")
            if status in by_status and name != CUSTOMERIO:
                by_status[status].append(name)
        by_status["unbundled"] += _texts(self._own.get("unbundledIntegrations"))
        ids = _dict(self._own.get("maybeBundledConfigIds"))
        metadata = {
            "bundled": sorted(by_status["bundled"]),
            "unbundled": sorted(by_status["unbundled"]),
            "bundledIds": [one for name in by_status["bundled"] for one in _texts(ids.get(name))],
        }
        if self.failed_initializations:
            metadata["failedInitializations"] = self.failed_initializations
        return metadata

    def _base(self) -> str:
        host, protocol = self._own.get("apiHost"), self._own.get("protocol")
        return self._address(
            host if isinstance(host, str) and host else self._settings.api_host,
            self._settings.protocol or (protocol if protocol in ("http", "https") else None),
        )

    def _is_address(self) -> bool:
        """Whether the host can be one. What is none would be sought on the page's own site."""
        url = self._browser.parse_url(self._base())
        if url is None or self._base().endswith(":"):
            return False
        return bool(url.hostname) and url.protocol in ("http:", "https:")

    def _flaw(self) -> str:
        return (
            f"load: apiHost makes the address {shown(self._base())}; allowed: a host, with or "
            "without a path, a path of this site, or an http or https address. Events are kept. "
            "See docs/options.md#customerio"
        )

    def _address(self, host: str, protocol: str | None) -> str:
        """A host and path as an address; a loopback host is reached as the page is."""
        host = host.rstrip("/")
        if "://" in host:
            return host
        if host.startswith("/"):
            return self._origin() + host
        if protocol is None:
            url = self._browser.parse_url("http://" + host)
            name = url.hostname if url else ""
            local = name == "localhost" or name.endswith(".localhost") or is_ip_address(name)
            insecure_page = self._browser.page().href.startswith("http:")
            protocol = "http" if local and insecure_page else "https"
        return f"{protocol}://{host}"

    def _origin(self) -> str:
        url = self._browser.parse_url(self._browser.page().href)
        return f"{url.protocol}//{url.host}" if url else ""

    async def _read_settings(self, failures: int) -> None:
        url = self._settings.settings_url
        if not isinstance(url, str):
            base = self._address(self._settings.api_host, self._settings.protocol)
            key = self._browser.encode_component(self._settings.write_key).replace("%3A", ":")
            url = f"{base}/projects/{key}/settings"
        known, now = self._browser.runtime.settings, self._browser.now()
        if url in known and 0 <= now - known[url][0] < SETTINGS_FRESH_MS:
            self._take_project(known[url][1])
            return
        try:
            request = Request(url, timeout_ms=SETTINGS_TIMEOUT_MS)
            response = await self._browser.fetch(request)
        except NetworkError:
            response = None
        project = from_json(response.text) if response and response.status == 200 else None
        if isinstance(project, dict):
            known[url] = now, project
            self._take_project(project)
        elif failures < SETTINGS_ATTEMPTS:
            self._later(failures)

    def _later(self, failures: int) -> None:
        """Try the settings again; nobody waits for the outcome."""

        def read() -> None:
            spawn(self._read_settings(failures + 1))

        self._browser.set_timer(1000 + backoff_ms(failures + 2, self._browser.random()), read)

    def _take_project(self, project: dict[str, Any]) -> None:
        self._project = project
        strategy = _dict(self._own.get("deliveryStrategy"))
        if strategy.get("strategy") == "batching" and self.batch is None:
            self.batch = to_batch(_dict(strategy.get("config")))


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
