"""The messages between a page and the core: JSON texts, the same in every host.

From the page:

- `post({"calls": [call, …]})` hands over calls in call order. A call is `{"id", "method", "args",
  "fn"?, "at", "page": {"href", "title", "referrer", "canonical"}, "kept"?}`; `args` are JSON
  values, a function among them is null, and `fn` is the position of the first one. A method of
  Snowplow may name trackers, `trackPageView:sp;sp2`, and functions of its arguments (and of
  options) are `{"$fn": key}`;
- `post({"answers": [{"id", "value" | "error"}, …]})` answers `run` messages;
- `ask({"method", "args"})` answers getters and setters at once: `{"value"}` or `{"error"}`.

To the page:

- `{"type": "result", "id", "value" | "error": {"message", "detail"}}` settles a call;
- `{"type": "callback", "id", "args"}` runs the function that came with a call;
- `{"type": "run", "id", "call", "args": [event, integrations]}` runs the function that came with
  the call `call` as middleware; its answer is `{"next": "payload" | "null" | "none", "obj"}`;
  with `"plugin", "hook"` it runs a hook of the plugin-th argument of the call, whose answer is
  `{"event"}` (`{"id", "cancel": reason}` instead of a value stops the event); with `"fn": key` it
  runs a function of a Snowplow option or argument, with `"job"` code that watches the page: `links`
  (that `fn` accepts) or `activity` (its answer is what happened since the last time);
- `{"type": "emit", "name", "args"}` goes to the listeners of `on` and `once`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracker.analytics import Analytics
from tracker.arguments import FUNCTION
from tracker.browser import Browser, Page, WindowBrowser
from tracker.calls import KEPT_METHODS, Call
from tracker.errors import TrackerError
from tracker.text import from_json, to_json

PAGE_MEMBERS = ("href", "title", "referrer", "canonical")


class Bridge:
    """The core behind its messages. Malformed messages are reported, never raised."""

    def __init__(self, browser: Browser, send: Callable[[str], None]) -> None:
        self._browser = browser
        self._analytics = Analytics(browser, lambda message: send(to_json(message)))

    def post(self, text: str) -> None:
        """Hand over calls, or answers."""
        message = from_json(text)
        if isinstance(message, dict) and isinstance(message.get("answers"), list):
            self._analytics.answer(message["answers"])
        else:
            items = message.get("calls") if isinstance(message, dict) else None
            items = items if isinstance(items, list) else []
            read = [self._call(item) for item in items]
            calls = [call for call in read if call is not None]
            if len(calls) < len(items) or not items:
                self._browser.console("warn", "cioanalytics: a call could not be taken over.")
            self._analytics.receive(calls)
        self._analytics.save()

    def ask(self, text: str) -> str:
        """Answer a getter or setter."""
        message = from_json(text)
        try:
            method, _, name = str(message["method"]).partition(":")
            value = self._analytics.ask(method, list(message["args"]), name)
            return to_json({"value": value})
        except TrackerError as error:
            self._analytics.report(error)
            return to_json({"error": error.to_json()})
        except Exception as error:
            self._browser.console("error", f"cioanalytics: internal error: {error}")
            return to_json({"error": {"message": "Internal error", "detail": str(error)}})

    def _call(self, item: Any) -> Call | None:
        """The call that an item means; None for what is none (kept calls may be damaged)."""
        try:
            page, args, function = item["page"], list(item["args"]), item.get("fn")
            kept = bool(item.get("kept"))
            method, _, names = str(item["method"]).partition(":")
            if kept and method not in KEPT_METHODS:
                return None
            if function is not None:
                args[function] = FUNCTION
            return Call(
                id=str(item["id"]),
                method=method,
                args=args,
                at=int(item["at"]),
                page=Page(*(str(page.get(name) or "") for name in PAGE_MEMBERS)),
                with_function=function is not None and not kept,
                kept=kept,
                to=tuple(name for name in names.split(";") if name),
            )
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            return None


def start(window: Any, send: Callable[[str], None]) -> Bridge:
    """The core of a page: what a host calls once the runtime is there."""
    return Bridge(WindowBrowser(window), send)
