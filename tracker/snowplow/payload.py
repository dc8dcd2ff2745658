"""The Snowplow protocol: the parameters of an event, and how they become text.

Rules: Snowplow tracker core and tracker protocol. Absent and empty values are left out; 0 and false
are kept.
"""

from __future__ import annotations

import base64
import math
import re
from typing import Any, TypeGuard

from tracker import __version__
from tracker.browser import Browser
from tracker.snowplow.settings import TrackerSettings
from tracker.text import to_json

Json = dict[str, Any]

CONTEXTS = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0"
UNSTRUCT_EVENT = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"
TRACKER_VERSION = f"py-{__version__}"
MAX_TIME_MS = 253_402_214_400_000  # the last day of the year 9999, as collectors see it

_DECIMAL = re.compile(r"\s*([+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?)\s*", re.ASCII)


class Payload:
    """The parameters of one event, in the order in which they were set."""

    def __init__(self, *, base64: bool) -> None:
        self.fields: Json = {}
        self._base64 = base64

    def add(self, fields: Json) -> None:
        """Set parameters; a known one keeps its place."""
        for name, value in fields.items():
            if value is not None and value != "":
                self.fields[name] = value

    def add_json(self, plain: str, encoded: str, schema: str, data: Any) -> None:
        """Set a self-describing JSON under its plain or its encoded name; no data: nothing."""
        if data:
            text = to_json({"schema": schema, "data": data})
            self.add({encoded: base64url(text)} if self._base64 else {plain: text})


def base64url(text: str) -> str:
    """Base64 for addresses, without padding."""
    raw = text.encode("utf-8", "surrogatepass")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def device_facts(browser: Browser, settings: TrackerSettings) -> Json:
    """What every event of a page says alike."""
    screen = browser.screen()
    size = _size(screen.get("width"), screen.get("height"))
    enabled = browser.navigator("cookieEnabled")
    return {
        "tv": TRACKER_VERSION,
        "tna": settings.namespace,
        "aid": settings.app_id,
        "p": settings.platform,
        "cookie": "1" if enabled is not False else "0",
        "cs": browser.document().get("charset"),
        "lang": browser.navigator("userLanguage") or browser.navigator("language"),
        "res": size,
        "cd": _whole(screen.get("colorDepth")),
        "tz": browser.timezone(),
    }


def view_facts(browser: Browser) -> Json:
    """The size of the window and of the document."""
    view = browser.window("innerWidth"), browser.window("innerHeight")
    document = browser.document()
    return {"vp": _size(*view), "ds": _size(document.get("width"), document.get("height"))}


def browser_facts(browser: Browser, tab_id: str | None) -> Json:
    """The data of the `browser_context` entity."""
    facts, view, document = browser.screen(), view_facts(browser), browser.document()
    return {
        "viewport": view["vp"],
        "documentSize": view["ds"],
        "resolution": _size(facts.get("width"), facts.get("height")),
        "colorDepth": _whole(facts.get("colorDepth")),
        "devicePixelRatio": facts.get("density"),
        "cookiesEnabled": browser.navigator("cookieEnabled") is not False,
        "online": browser.navigator("onLine") is not False,
        "browserLanguage": browser.navigator("language"),
        "documentLanguage": document.get("language"),
        "webdriver": browser.navigator("webdriver"),
        "deviceMemory": _whole(browser.navigator("deviceMemory")) or None,
        "hardwareConcurrency": _whole(browser.navigator("hardwareConcurrency")) or None,
        "tabId": tab_id,
    }


def as_text(browser: Browser, value: Any) -> str:
    """A parameter as text, as `String(value)` makes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return browser.number_text(value)
    return value if isinstance(value, str) else to_json(value)


def time_fields(given: Any, now_ms: int) -> Json:
    """`dtm`, the device's time of an event, or `ttm`, the true time that the site gave (ms)."""
    if isinstance(given, dict):
        value = given.get("value")
        if given.get("type") == "ttm" and _is_time(value):
            return {"ttm": str(int(value))}
        given = value or None
    return {"dtm": str(int(given) if _is_time(given) else now_ms)}


def decimal(value: Any) -> Any:
    """A number, or text that is one; None for others, for which collectors refuse the event."""
    if is_number(value):
        return value
    match = _DECIMAL.fullmatch(value) if isinstance(value, str) else None
    return match[1] if match else None


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a number that JSON can tell."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_time(value: Any) -> TypeGuard[float]:
    return is_number(value) and 0 <= value <= MAX_TIME_MS


def _whole(value: Any) -> int | None:
    return math.floor(value) if is_number(value) else None


def _size(width: Any, height: Any) -> str | None:
    whole = _whole(width), _whole(height)
    return None if None in whole else f"{whole[0]}x{whole[1]}"
