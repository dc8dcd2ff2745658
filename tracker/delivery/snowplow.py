"""The Snowplow protocol: requests to a collector, and the out-queue's stored forms.

POST carries `payload_data` 1-0-4, GET one event in its query. Rules: Snowplow tracker protocol and
browser tracker; stored forms: decision D1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from tracker.browser import Browser, NetworkError, Request
from tracker.delivery.queue import MAX_EVENTS, Entry, EventForm, OutQueue
from tracker.delivery.retry import REJECTED, RETRY, judge
from tracker.delivery.sender import Batching, Sender
from tracker.errors import TrackerError, shown
from tracker.snowplow.settings import TrackerSettings
from tracker.storage.stores import Store
from tracker.text import byte_length, to_json

PAYLOAD_DATA = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
GET_PATH = "/i"

_ENVELOPE_BYTES = len(to_json({"schema": PAYLOAD_DATA, "data": []}))


class QueryForm:
    """Events of GET: query strings that begin with `?`."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._events = EventForm("eid")

    def to_entry(self, event: dict[str, Any], *, anonymous: bool = False) -> Entry:
        """A waiting event, sized as the query it will be."""
        return Entry(event["eid"], event, byte_length(self.query(event)), anonymous)

    def to_item(self, entry: Entry) -> Any:
        """The query; an event that asks for anonymity keeps the form of POST, which says so."""
        return self._events.to_item(entry) if entry.anonymous else self.query(entry.event)

    def read_item(self, item: Any) -> Entry | None:
        """An event of either form."""
        if not isinstance(item, str) or not item.startswith("?"):
            return self._events.read_item(item)
        pairs = [part.partition("=") for part in item[1:].split("&")]
        event = {name: self._browser.decode_component(value) for name, _, value in pairs}
        return self.to_entry(event) if event.get("eid") else None

    def query(self, event: dict[str, Any], first: str = "") -> str:
        """The query of an event; entities come last."""
        last = [name for name in ("co", "cx") if name in event]
        names = [*(name for name in event if name not in last), *last]
        pairs = [f"{name}={self._browser.encode_component(event[name])}" for name in names]
        return "?" + "&".join([*([first] if first else []), *pairs])


def _left(item: Any) -> tuple[dict[str, Any], bool] | None:
    """An event that version 4 of Snowplow's tracker left unsent; its numbers become text."""
    event = item.get("payload") if isinstance(item, dict) else None
    if not isinstance(event, dict) or not isinstance(event.get("eid"), str):
        return None
    texts = {name: v if isinstance(v, str) else to_json(v) for name, v in event.items()}
    return texts, item.get("svrAnon") is True


class SnowplowCollector:
    """A collector: its address, its queue and its sender."""

    most_when_leaving = 1  # the order stays then, too

    def __init__(
        self,
        browser: Browser,
        settings: TrackerSettings,
        stores: Sequence[Store],
        report: Callable[[str, dict[str, Any]], None],
        may_receive_cookies: Callable[[], bool],
    ) -> None:
        self.buffer_size = settings.buffer_size
        self._browser = browser
        self._settings = settings
        self._may_receive_cookies = may_receive_cookies
        self._base: str | None = None
        self._query = QueryForm(browser)
        method = "get" if settings.method == "get" else "post2"
        self.queue = OutQueue(
            browser,
            stores,
            f"snowplowOutQueue_{settings.namespace}_{method}",
            self._query if settings.method == "get" else EventForm("eid"),
            lambda events, reason: report("dropped", {"events": events, "reason": reason}),
            most=settings.queue_size,
            former={f"snowplowOutQueue_{settings.namespace}": _left},
        )
        self.sender = Sender(browser, self.queue, self, report, retry=settings.retry)
        if settings.collector_url is not None:
            self.use_address(settings.collector_url, "option snowplow.collectorUrl")

    def use_address(self, endpoint: Any, by: str) -> None:
        """Send to this collector from now on, `by` an option or call.

        Raises TrackerError for what is no address.
        """
        text = endpoint.strip() if isinstance(endpoint, str) else ""
        if "://" not in text:
            secure = self._browser.page().href.startswith("https:")
            text = f"{'https' if secure else 'http'}://{text}"
        text = text.rstrip("/")
        url = self._browser.parse_url(text)
        if url is None or not url.hostname or url.protocol not in ("http:", "https:"):
            raise TrackerError(
                "Invalid collector",
                f"{by}: the collector is {shown(endpoint)}; allowed: a host, or an http or https "
                "address. See docs/options.md#snowplow",
            )
        self._base = text

    @property
    def enabled(self) -> bool:
        """Whether it is known where events go."""
        return self._base is not None

    def open(self) -> None:
        """Begin to send."""
        if self._base is not None:
            self.sender.open()

    def put(self, event: dict[str, Any], *, anonymous: bool) -> None:
        """Take an event over; all its values are text."""
        if self._base is not None:
            self.queue.add(event, anonymous=anonymous)
            self.sender.wake()

    @property
    def batching(self) -> Batching:
        """POST takes as many events as fit, once the buffer is full."""
        if self._settings.method == "get":
            return Batching(full=self.buffer_size)
        room = self._settings.max_post_bytes - _ENVELOPE_BYTES
        return Batching(self.buffer_size, MAX_EVENTS, room)

    def judge(self, status: int) -> str:
        """The rules of decision D2, and on top what the options say."""
        if status in self._settings.retry_codes:
            return RETRY
        if status in self._settings.dont_retry_codes:
            return REJECTED
        return judge(status)

    async def before_first(self, entries: list[Entry]) -> None:
        """Ask the service that may set a cookie; whatever it answers, events go out (D4)."""
        service = self._settings.id_service
        if service is None or entries[0].anonymous or not self._may_receive_cookies():
            return
        with suppress(NetworkError):
            await self._browser.fetch(Request(service, timeout_ms=self._settings.timeout_ms))

    def request(self, entries: list[Entry]) -> Request:
        """The request for these events."""
        settings, sent_at = self._settings, str(self._browser.told_now())
        headers = dict(settings.headers)
        if entries[0].anonymous:
            headers["SP-Anonymous"] = "*"
        if settings.method == "get":
            time = f"stm={sent_at}" if settings.send_time_in_get else ""
            url, body = f"{self._base}{GET_PATH}{self._query.query(entries[0].event, time)}", None
        else:
            path = settings.post_path
            url = f"{self._base}{path if path.startswith('/') else '/' + path}"
            headers["Content-Type"] = "application/json; charset=UTF-8"
            data = [{**entry.event, "stm": sent_at} for entry in entries]
            body = to_json({"schema": PAYLOAD_DATA, "data": data})
        return Request(
            url,
            "GET" if body is None else "POST",
            headers,
            body,
            keepalive=settings.keepalive,
            credentials=settings.credentials or self._credentials(entries[0]),
            timeout_ms=settings.timeout_ms,
        )

    def _credentials(self, entry: Entry) -> str:
        """Without credentials a browser keeps no cookie of an answer (decision S15)."""
        return "include" if entry.anonymous or self._may_receive_cookies() else "omit"
