"""A page with a Snowplow tracker on it, and the schemas its events must satisfy."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema

from tests.unit.site import Site
from tracker.testing import FakeBrowser, FakeProfile

COLLECTOR = "collector.example"
IGLU = Path(__file__).parents[3] / "collector" / "schemas"
SESSION_SCHEMA = "iglu:com.snowplowanalytics.snowplow/client_session/jsonschema/1-0-2"

Json = dict[str, Any]


class SnowplowSite(Site):
    """A page of `cioanalytics` with a Snowplow tracker; functions of the page answer by name."""

    def __init__(self, browser: FakeBrowser | None = None, url: str = "https://www.site.example/"):
        super().__init__(browser, url)
        self.functions: dict[str, Any] = {}
        self.ran: list[tuple[str, list[Any]]] = []
        self._answered = 0

    def load(self, **options: Any) -> Json:
        """Load with Snowplow on; `snowplow` adds to its options."""
        snowplow = {"collectorUrl": COLLECTOR, **options.pop("snowplow", {})}
        answer = super().load(**options, snowplow=snowplow)
        self.run_functions()
        return answer

    def settle(self, ms: float = 1000) -> None:
        """Let time pass; the page answers what the core asks meanwhile."""
        end = self.browser.now() + ms
        while self.browser.now() < end:
            super().settle(min(500, end - self.browser.now()))
            self.run_functions()

    def post(self, method: str, *args: Any, **more: Any) -> str:
        id_ = super().post(method, *args, **more)
        self.run_functions()
        return id_

    def run_functions(self) -> None:
        """Answer what the core asks of functions of the page."""
        while self._answered < len(self.messages):
            message = self.messages[self._answered]
            self._answered += 1
            if message["type"] == "run" and message.get("job") == "activity":
                self.bridge.post(json.dumps({"answers": [{"id": message["id"], "value": {}}]}))
            elif message["type"] == "run" and message.get("fn"):
                name = message["fn"]
                self.ran.append((name, message["args"]))
                function = self.functions.get(name)
                value = function(*message["args"]) if function else None
                answer = {"id": message["id"], "value": value}
                self.bridge.post(json.dumps({"answers": [answer]}))

    @property
    def events(self) -> list[Json]:
        """The events the collector got, in order, each once."""
        found: dict[str, Json] = {}
        for exchange in self.browser.network.exchanges:
            request = exchange.request
            if COLLECTOR not in request.url:
                continue
            if request.method == "POST":
                batch = json.loads(request.body)["data"]
            else:
                batch = [dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))]
            for event in batch:
                found.setdefault(event["eid"], event)
        return list(found.values())

    @property
    def customerio(self) -> list[Json]:
        """The events that Customer.io got."""
        return [body for body in self.sent if "messageId" in body]


def page_of(profile: FakeProfile, url: str = "https://www.site.example/") -> SnowplowSite:
    """A page in a tab of a profile."""
    return SnowplowSite(profile.open(url))


def told(event: Json) -> Json | None:
    """The self-describing event in an event."""
    text = event.get("ue_pr") or _decoded(event.get("ue_px"))
    return json.loads(text)["data"] if text else None


def entities(event: Json) -> list[Json]:
    """The entities of an event."""
    text = event.get("co") or _decoded(event.get("cx"))
    return json.loads(text)["data"] if text else []


def session_entity(event: Json) -> Json:
    """The data of the event's session entity."""
    return next(e["data"] for e in entities(event) if e["schema"] == SESSION_SCHEMA)


def validate(item: Json) -> None:
    """Raise if the data does not satisfy its schema, where the schema is known."""
    path = IGLU / item["schema"].removeprefix("iglu:")
    if path.exists():
        schema = json.loads(path.read_text())
        schema.pop("$schema", None)
        jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker()).validate(
            item["data"]
        )


def validate_all(event: Json) -> None:
    """Check all that an event tells against the schemas."""
    content = told(event)
    for item in [*entities(event), *([content] if content else [])]:
        validate(item)


def _decoded(text: str | None) -> str | None:
    if text is None:
        return None
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
