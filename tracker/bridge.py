"""The messages between a page and the core: JSON texts, the same in every host.

From the page:

- `post({"calls": [call, …]})` hands over calls in call order. A call is `{"id", "method", "args",
  "fn"?, "at", "page": {"href", "title", "referrer", "canonical"}, "kept"?}`; `args` are JSON
  values, a function among them is null, and `fn` is the position of the first one. A method of
  Snowplow may name trackers, `trackPageView:sp;sp2`, and functions of its arguments (and of
  options) are `{"$fn": key}`;
- `post({"answers": [{"id", "value" | "error"}, …]})` answers `run` messages;
- `ask({"method", "args"})` answers getters and setters at once: `{"value"}` or `{"error"}`;
- `view()` tells what all getters answer now, for pages that cannot ask and wait.

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

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tracker.analytics import Analytics
from tracker.arguments import FUNCTION
from tracker.browser import Browser, Page, Runtime, WindowBrowser
from tracker.calls import DONE_ONCE, KEPT_METHODS, Call, Message
from tracker.errors import TrackerError
from tracker.text import from_json, to_json

if TYPE_CHECKING:
    from tracker.plugin import Plugin

MOST_REMEMBERED = 10_000

# What the pages of one runtime share: the calls they handed over, and more.
_DONE: dict[str, None] = {}
_RUNTIME = Runtime()

PAGE_MEMBERS = ("href", "title", "referrer", "canonical")


class Bridge:
    """The core behind its messages. Malformed messages are reported, never raised."""

    def __init__(
        self,
        browser: Browser,
        send: Callable[[str], None],
        done: dict[str, None] | None = None,
        plugins: Sequence[Plugin] = (),
    ) -> None:
        self._browser = browser
        self._done = {} if done is None else done  # ids of calls that any page handed over
        self._send = send
        self._analytics = Analytics(browser, self._tell, plugins)

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
            self._analytics.receive([call for call in calls if self._is_new(call)])
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

    def view(self) -> str:
        """What getters answer now, and the calls handled since the last view; "" if not settled."""
        view = self._analytics.view()
        return "" if view is None else to_json(view)

    def idle(self) -> bool:
        """Whether no event waits."""
        return self._analytics.idle

    def close(self) -> None:
        """The page is gone for good: nothing calls back any more, and others take what waits."""
        self._analytics.release()
        self._browser.close()

    def _tell(self, message: Message) -> None:
        self._send(to_json(message))

    def _is_new(self, call: Call) -> bool:
        """Whether the call is to be made; else it is answered at once.

        It is not if a page handed it over before, or if it meant a page that is gone.
        """
        if call.method not in DONE_ONCE and not call.kept:
            return True
        if call.id in self._done or call.method not in KEPT_METHODS:
            self._tell({"type": "result", "id": call.id, "value": None})
            return False
        if len(self._done) >= MOST_REMEMBERED:
            del self._done[next(iter(self._done))]
        self._done[call.id] = None
        return True

    def _call(self, item: Any) -> Call | None:
        """The call that an item means; None for what is none (kept calls may be damaged)."""
        try:
            page, args, function = item["page"], list(item["args"]), item.get("fn")
            kept = bool(item.get("kept"))
            method, _, names = str(item["method"]).partition(":")
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
                again=bool(item.get("again")),
                spare=str(item.get("spare") or ""),
            )
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            return None


def know(runner: str, folder: str) -> None:
    """Take the addresses of what runs plugins in Python, and of the folder with what they need.

    Hosts call it first.
    """
    _RUNTIME.more = (runner, folder)


def start(window: Any, send: Callable[[str], None]) -> Bridge:
    """The core of a page: what a host calls once the runtime is there, once for each page."""
    return Bridge(WindowBrowser(window, _RUNTIME), send, _DONE)
