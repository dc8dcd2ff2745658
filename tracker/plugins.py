"""What a site's own code may do to events: plugins and middleware, their order, and their limits.

The code lives in the page; the core asks the page to run it. Stages run in this order: `before`
(source middleware too) and `enrichment`, one plugin after the other in the order of registration;
then the event is queued for our own destinations; then `destination` and `after`, all at once.
`utility` plugins are loaded and never called. Only a `before` plugin can stop an event.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from tracker.browser import Browser
from tracker.calls import Answers
from tracker.errors import TrackerError, shown
from tracker.settings import CUSTOMERIO
from tracker.tasks import Future, spawn

if TYPE_CHECKING:
    from tracker.python_plugins import PythonPlugins

Json = dict[str, Any]
T = TypeVar("T")

TYPES = ("before", "enrichment", "destination", "after", "utility")
EVENT_HOOKS = ("track", "page", "screen", "identify", "group", "alias")

# Code that has not answered by then does not hold up what is behind it.
HOOK_DEADLINE_MS = 5_000
LOAD_DEADLINE_MS = 10_000
# Events may wait longer for a plugin without which none is sent.
REQUIRED_DEADLINE_MS = 60_000


def in_time(browser: Browser, work: Future[T], limit_ms: float, late: str) -> Future[T]:
    """What comes of some work; rejected with TimeoutError, whose text is `late`, if it is slow."""
    done: Future[T] = Future()
    timer = browser.set_timer(limit_ms, lambda: done.reject(TimeoutError(late)))

    def ended(outcome: Future[T]) -> None:
        browser.clear_timer(timer)
        try:
            done.resolve(outcome.result())
        except Exception as error:
            done.reject(error)

    work.then(ended)
    return done


class DroppedError(Exception):
    """A plugin or a middleware decided that an event is not sent."""


class PluginError(TrackerError):
    """A plugin or a middleware failed; `reason` is what it said."""

    def __init__(self, detail: str, reason: str) -> None:
        super().__init__("Plugin failed", detail)
        self.reason = reason


class PageCode:
    """Functions of the page, called by the id of the call that brought them."""

    def __init__(self, browser: Browser, answers: Answers) -> None:
        self._browser = browser
        self._answers = answers
        self._asked: dict[int, Future[Json]] = {}
        self._number = 0

    def run(
        self, call_id: str, args: list[Any], deadline_ms: float = HOOK_DEADLINE_MS, **where: Any
    ) -> Future[Json]:
        """Run the function of a call, or with `plugin` and `hook` one of a plugin.

        The answer holds one of `value`, `error` (text) and `cancel` (reason).
        """
        self._number += 1
        number, answer = self._number, Future[Json]()
        self._asked[number] = answer

        def give_up() -> None:
            self.answer({"id": number, "error": f"no answer within {deadline_ms} ms"})

        timer = self._browser.set_timer(deadline_ms, give_up)
        answer.then(lambda _: self._browser.clear_timer(timer))
        self._answers.run(number, call_id, args, **where)
        return answer

    def answer(self, item: Json) -> None:
        """Take the page's answer. One that comes after its deadline is ignored."""
        answer = self._asked.pop(item.get("id", 0), None)
        if answer is not None:
            answer.resolve(item)


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin of the page: the `index`-th argument of the call `call_id`.

    Middleware is one too, without an index: the function that came with the call.
    """

    name: str
    type: str
    hooks: tuple[str, ...]
    call_id: str
    index: int | None = None


class Plugins:
    """The registered plugins. `failed` holds destinations that could not be loaded.

    `python` runs those that are written in Python, where there are some; `missing` says that one
    of them is required and nothing can run it.
    """

    def __init__(self, code: PageCode, answers: Answers) -> None:
        self.python: PythonPlugins | None = None
        self.missing = False
        self.failed: list[str] = []
        self._code = code
        self._answers = answers
        self._plugins: list[Plugin] = []
        self._for_destination: dict[str, list[Plugin]] = {}

    def add_middleware(self, call_id: str, destination: str | None = None) -> None:
        """Add source middleware, or with a destination's name one that only it sees."""
        middleware = Plugin("Source Middleware", "before", EVENT_HOOKS, call_id)
        if destination is None:
            self._plugins.append(middleware)
        else:
            self._for_destination.setdefault(destination.lower(), []).append(middleware)

    async def register(self, call_id: str, given: list[Any]) -> None:
        """Load plugins and add them in the order given.

        Raises TrackerError for the first one that is none or cannot be loaded; a destination that
        cannot be loaded is only reported.
        """
        plugins = [self._plugin(call_id, index, item) for index, item in enumerate(given)]
        loads = [self._call(plugin, "load", [], LOAD_DEADLINE_MS) for plugin in plugins]
        error: TrackerError | None = None
        for plugin, load in zip(plugins, loads, strict=True):
            answer = await load
            if "error" not in answer:
                self._plugins.append(plugin)
                continue
            failure = _failure(plugin, "load", answer["error"])
            if plugin.type == "destination":
                self.failed.append(plugin.name)
                self._answers.report(failure)
            else:
                error = error or failure
        if error is not None:
            raise error

    async def deregister(self, names: list[Any]) -> None:
        """Unload and remove plugins. Raises TrackerError for a name that is not registered."""
        known = {plugin.name: plugin for plugin in self._plugins if plugin.index is not None}
        for name in names:
            if not isinstance(name, str) or name not in known:
                raise TrackerError(
                    "Unknown plugin",
                    f"deregister: {shown(name)} is not registered; allowed: "
                    f"{', '.join(known) or 'nothing, there are no plugins'}. "
                    "See docs/api.md#plugins",
                )
            await self._call(known[name], "unload", [])
            self._plugins.remove(known[name])

    async def ready(self) -> list[Any]:
        """What the `ready` of each plugin answered; `{"error": text}` where it failed or hangs."""
        plugins = [plugin for plugin in self._plugins if plugin.index is not None]
        waiting = [self._call(plugin, "ready", [], LOAD_DEADLINE_MS) for plugin in plugins]
        answers = [await answer for answer in waiting]
        return [
            {"error": answer["error"]} if "error" in answer else answer.get("value")
            for answer in answers
        ]

    async def prepare(self, event: Json) -> Json:
        """The event after `before` and `enrichment`, each of the page first, then of Python.

        Raises DroppedError if a `before` stopped it (decision C2), TrackerError if one failed (C5).
        """
        if self.missing:
            raise DroppedError("a required plugin could not be loaded")
        for plugin in self._of("before", event):
            event = await self._change(plugin, event)
        if self.python is not None:
            event = self.python.change("before", event)
        for plugin in self._of("enrichment", event):
            try:
                event = await self._change(plugin, event)
            except TrackerError as error:
                self._answers.report(error)
            except DroppedError:
                continue
        return event if self.python is None else self.python.change("enrich", event)

    async def prepare_for(self, destination: str, event: Json) -> Json:
        """The event as the middleware of a destination wants it. Raises as `prepare`."""
        for middleware in self._for_destination.get(destination.lower(), []):
            event = await self._change(middleware, event)
        return event

    async def tell(self, event: Json) -> None:
        """Run `destination`, then `after`. Failures are reported and change nothing."""
        for type_ in ("destination", "after"):
            plugins = [p for p in self._of(type_, event) if type_ == "after" or _takes(p, event)]
            for done in [spawn(self._tell(plugin, event)) for plugin in plugins]:
                await done
        if self.python is not None:
            await self.python.tell(event)

    async def _tell(self, plugin: Plugin, event: Json) -> None:
        try:
            if plugin.type == "destination":
                event = await self.prepare_for(plugin.name, event)
            await self._change(plugin, event)
        except TrackerError as error:
            self._answers.report(error)
        except DroppedError:
            return

    def _of(self, type_: str, event: Json) -> Iterator[Plugin]:
        plugins = list(self._plugins)
        return (p for p in plugins if p.type == type_ and event["type"] in p.hooks)

    async def _change(self, plugin: Plugin, event: Json) -> Json:
        if plugin.index is None:
            answer = await self._code.run(plugin.call_id, [event, {CUSTOMERIO: True}])
        else:
            answer = await self._call(plugin, event["type"], [event])
        if "cancel" in answer:
            raise DroppedError(str(answer["cancel"]))
        if "error" in answer:
            raise _failure(plugin, event["type"], answer["error"])
        value = answer.get("value")
        value = value if isinstance(value, dict) else {}
        if plugin.index is None and value.get("next") != "payload":
            raise DroppedError("middleware_cancellation")
        changed = value.get("obj" if plugin.index is None else "event")
        if isinstance(changed, dict) and isinstance(changed.get("messageId"), str):
            return changed
        if plugin.index is None:
            given = f"next was called with {shown(changed)}; allowed: the payload or null"
            raise _failure(plugin, event["type"], given)
        return event  # a hook that gives no context back leaves the event as it was

    def _call(
        self, plugin: Plugin, hook: str, args: list[Any], deadline_ms: float = HOOK_DEADLINE_MS
    ) -> Future[Json]:
        if hook not in plugin.hooks:
            return Future.of({"value": None})
        return self._code.run(plugin.call_id, args, deadline_ms, plugin=plugin.index, hook=hook)

    def _plugin(self, call_id: str, index: int, given: Any) -> Plugin:
        facts = given if isinstance(given, dict) else {}
        name, type_ = facts.get("name"), facts.get("type")
        if not isinstance(name, str) or not name or type_ not in TYPES:
            raise TrackerError(
                "Invalid plugin",
                f"register: argument {index + 1} is {shown(given)}; allowed: an object with a name "
                f"and a type ({', '.join(TYPES)}). See docs/api.md#plugins",
            )
        hooks = tuple(hook for hook in facts.get("hooks") or [] if isinstance(hook, str))
        return Plugin(name, type_, hooks, call_id, index)


def _takes(plugin: Plugin, event: Json) -> bool:
    """Whether a destination gets an event: only false, by its own name or `All`, keeps it out."""
    integrations = event.get("integrations") or {}
    return integrations.get(plugin.name, integrations.get("All")) is not False


def _failure(plugin: Plugin, hook: str, reason: Any) -> PluginError:
    consequence = "The event is not sent." if plugin.type == "before" else "Tracking goes on."
    return PluginError(
        f"plugin {plugin.name} ({plugin.type}) failed in {hook}: {reason}. {consequence} "
        "See docs/api.md#plugins",
        str(reason),
    )
