"""Runs plugins in Python: when which hook is called, how long it may take, what a failure means.

A hook works on a copy of the event and may not take more than `HOOK_MS` without waiting; one that
waits (`async`) has `WAIT_MS` in all. A plugin that failed `MOST_FAILURES` times in a row is
switched off, if its events may be sent without it. Each way to fail is reported once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from tracker.browser import Browser, NetworkError, Request
from tracker.calls import Answers
from tracker.errors import TrackerError, shown
from tracker.plugin import Drop, Plugin, SendError, Site
from tracker.plugins import LOAD_DEADLINE_MS, REQUIRED_DEADLINE_MS, DroppedError, in_time
from tracker.tasks import Future, spawn
from tracker.text import from_json, to_json

Json = dict[str, Any]
T = TypeVar("T")

HOOK_MS = 200
START_MS = 2_000
WAIT_MS = 5_000
MOST_FAILURES = 3
LOOK_EVERY = 500  # lines of a plugin's code between two looks at the clock
READ_ON = "See docs/plugins.md#limits"


class TooLongError(BaseException):
    """Code did not end in time. No Exception, so that a plugin's own `except` lets it pass."""


class WheelError(Exception):
    """A plugin that cannot be loaded. The text says why, and what is allowed."""


@dataclass(frozen=True)
class Wanted:
    """One entry of the option `plugins`: an address, perhaps with a hash behind it."""

    address: str
    hash: str
    required: bool

    @classmethod
    def of(cls, entry: str) -> Wanted:
        """Read `address#sha256=…&required`."""
        address, _, rest = entry.partition("#")
        marks = rest.split("&") if rest else []
        sums = [mark[7:].lower() for mark in marks if mark.startswith("sha256=")]
        return cls(address, sums[0] if sums else "", "required" in marks)


class PythonPlugins:
    """The plugins of one page."""

    def __init__(self, browser: Browser, answers: Answers) -> None:
        self.missing = ""  # a required plugin that could not be loaded
        self._browser = browser
        self._answers = answers
        self._plugins: list[_Running] = []

    async def load(
        self, entries: Sequence[str], page: str, origins: Sequence[str], options: Json
    ) -> None:
        """Load and start the plugins of wheels, each within a time; report those that fail."""
        loads = [(Wanted.of(entry), self._classes(entry, page, origins)) for entry in entries]
        for wanted, each in loads:
            limit_ms = REQUIRED_DEADLINE_MS if wanted.required else LOAD_DEADLINE_MS
            late = f"{wanted.address} is not there after {limit_ms} ms"
            try:
                for plugin in await in_time(self._browser, each, limit_ms, late):
                    self.add(within(self._browser, START_MS, plugin), options)
            except Exception as error:
                if wanted.required:
                    self.missing = wanted.address
                then = "Nothing is sent without it." if wanted.required else "Tracking goes on."
                detail = f"load: option plugins: {error}. {then} See docs/plugins.md#wheels"
                self._answers.report(TrackerError("Plugin not loaded", detail))

    def _classes(self, entry: str, page: str, origins: Sequence[str]) -> Future[list[type[Plugin]]]:
        """The classes of a wheel, loaded once for a runtime."""
        known = self._browser.runtime.plugins
        loading: Future[list[type[Plugin]]] | None = known.get(entry)
        if loading is None or loading.failed:  # the next page tries again
            loading = known[entry] = spawn(self._read(entry, page, origins))
        return loading

    async def _read(self, entry: str, page: str, origins: Sequence[str]) -> list[type[Plugin]]:
        from tracker import wheels  # those of a test need none

        return await wheels.load(self._browser, Wanted.of(entry), page, origins)

    def add(self, plugin: Plugin, options: Json) -> None:
        """Start a plugin. One that fails is reported, and is none if it is not required."""
        plugin.site = Site(self._browser.told_now, self._log, self._send, options)
        running = _Running(plugin)
        try:
            within(self._browser, START_MS, plugin.start)
        except Exception as error:
            self._failed(running, "start", error)
            if not plugin.required:
                return
            running.broken = True
        self._plugins.append(running)

    def change(self, hook: str, event: Json) -> Json:
        """The event after `before` or `enrich` of all plugins. Raises DroppedError."""
        if self.missing:
            raise DroppedError(f"{self.missing} is required and could not be loaded")
        for running in self._having(hook):
            if running.broken:
                raise DroppedError(f"{running.name} is required and does not run")
            copy = from_json(to_json(event))
            try:
                answer = within(self._browser, HOOK_MS, partial(running.hook(hook), copy))
                event = _checked(copy if answer is None else answer, event)
                running.failures = 0
            except Drop as drop:
                if hook == "before":
                    raise DroppedError(str(drop) or f"{running.name} dropped it") from None
                self._failed(running, hook, TypeError("only before may raise Drop"))
            except Exception as error:
                self._failed(running, hook, error)
                if running.plugin.required:
                    raise DroppedError(f"{running.name} is required and failed") from None
        return event

    async def tell(self, event: Json) -> None:
        """Run `destination` of all plugins, then `after`."""
        for hook in ("destination", "after"):
            told = [spawn(self._tell(running, hook, event)) for running in self._having(hook)]
            for each in told:
                await each

    async def _tell(self, running: _Running, hook: str, event: Json) -> None:
        copy = from_json(to_json(event))
        try:
            work = within(self._browser, HOOK_MS, lambda: running.hook(hook)(copy))
            if hasattr(work, "__await__"):
                steps = spawn(_Stepped(self._browser, work.__await__()).run())
                await in_time(self._browser, steps, WAIT_MS, f"no answer within {WAIT_MS} ms")
            running.failures = 0
        except Exception as error:
            self._failed(running, hook, error)

    def _having(self, hook: str) -> list[_Running]:
        own = getattr(Plugin, hook)
        return [r for r in self._plugins if getattr(type(r.plugin), hook) is not own and not r.off]

    def _failed(self, running: _Running, hook: str, error: Exception) -> None:
        running.failures += 1
        if running.failures >= MOST_FAILURES and not running.plugin.required:
            running.off = True
        kind = "" if isinstance(error, TimeoutError) else f"{type(error).__name__}: "
        told = f"{hook} {kind}"
        if told in running.told:
            return
        running.told.add(told)
        lost = running.plugin.required and hook in ("start", "before", "enrich")
        self._answers.report(
            TrackerError(
                "Plugin failed",
                f"plugin {running.name} failed in {hook}: {kind}{error}. "
                f"{'Its events are not sent.' if lost else 'Tracking goes on.'} {READ_ON}",
            )
        )

    def _log(self, text: str) -> None:
        self._browser.console("log", f"cioanalytics: {text}")

    async def _send(self, url: str, body: str, headers: dict[str, str] | None = None) -> int:
        given = {"Content-Type": "text/plain", **(headers or {})}
        try:
            answer = await self._browser.fetch(
                Request(url, method="POST", body=body, headers=given, timeout_ms=WAIT_MS)
            )
        except NetworkError as error:
            raise SendError(f"{url}: {error}") from None
        return answer.status


class _Running:
    """A plugin, and how it does."""

    def __init__(self, plugin: Plugin) -> None:
        self.plugin = plugin
        self.name = plugin.name or type(plugin).__name__
        self.failures = 0
        self.broken = False
        self.off = False
        self.told: set[str] = set()

    def hook(self, name: str) -> Callable[[Json], Any]:
        hook: Callable[[Json], Any] = getattr(self.plugin, name)
        return hook


class _Stepped:
    """A coroutine whose steps are watched."""

    def __init__(self, browser: Browser, steps: Any) -> None:
        self._browser = browser
        self._steps = steps

    async def run(self) -> None:
        while True:
            try:
                waiting_for = within(self._browser, HOOK_MS, lambda: self._steps.send(None))
            except StopIteration:
                return
            if not isinstance(waiting_for, Future):
                raise TypeError("only what self.site answers can be awaited")
            done: Future[None] = Future()
            waiting_for.then(partial(_resolve, done))
            await done


def _resolve(done: Future[None], _: Future[Any]) -> None:
    done.resolve(None)


def within(browser: Browser, limit_ms: float, work: Callable[[], T]) -> T:
    """Do a plugin's work. Raises TimeoutError when its Python runs for longer than `limit_ms`."""
    end = browser.now() + limit_ms
    lines = 0

    def watch(_frame: Any, event: str, _arg: Any) -> Any:
        nonlocal lines
        if event == "line":
            lines += 1
            if lines % LOOK_EVERY == 0 and browser.now() > end:
                raise TooLongError(f"it took more than {limit_ms:g} ms")
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        return work()
    except TooLongError as error:
        raise TimeoutError(str(error)) from None
    except Exception:
        raise
    except BaseException as error:  # a plugin may end itself, and nothing else
        raise RuntimeError(f"{type(error).__name__}: {error}") from None
    finally:
        sys.settrace(before)


def _checked(answer: Any, event: Json) -> Json:
    """An event that a hook answers. Raises TypeError for something else."""
    if not isinstance(answer, dict):
        raise TypeError(
            f"it returned {shown(answer)}; allowed: an event, or None for the one given"
        )
    for name in ("messageId", "type"):
        if answer.get(name) != event[name]:
            raise TypeError(f"it changed {name}, which is what the event is known by")
    try:
        checked = from_json(to_json(answer))
    except (TypeError, ValueError) as error:
        raise TypeError(f"its event is no JSON: {error}") from None
    if not isinstance(checked, dict):
        raise TypeError("its event is no JSON")
    return checked
