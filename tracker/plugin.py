"""What a plugin in Python is: a class that a wheel names under `pyodide_tracker.plugins`.

    class Region(Plugin):
        def enrich(self, event):
            event["context"]["region"] = "north"

Only the hooks that a class defines are called. Each gets a copy of the event, as docs/plugins.md
describes it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]


class Drop(Exception):  # noqa: N818 - plugins raise it as a word, not as an error
    """Raised by `before`: the event is not sent. Its text is the reason."""


class SendError(Exception):
    """What a plugin sent got no answer."""


@dataclass(frozen=True)
class Site:
    """What a plugin may ask of the page that it is in.

    `now()` is the time in ms since the epoch. `log(text)` writes to the console. `send(url, body)`
    posts text, with headers if given, and is awaited for the HTTP status; it raises SendError
    without an answer.
    """

    now: Callable[[], int]
    log: Callable[[str], None]
    send: Callable[..., Awaitable[int]]
    options: Mapping[str, Any]


class Plugin:
    """The base of all plugins. One instance works for one page.

    `required` says what happens to an event when `before` or `enrich` fail or take too long: True,
    it is not sent; False, it goes on as it was.
    """

    name = ""
    required = False
    site: Site

    def start(self) -> None:
        """Get ready; `self.site` is there, `self.site.options` are those given to `load`."""

    def before(self, event: Event) -> Event | None:
        """Change the event, or return another one in its place. Raise Drop to stop it."""

    def enrich(self, event: Event) -> Event | None:
        """The same, after all `before` and the page's own plugins."""

    def destination(self, event: Event) -> Awaitable[None] | None:
        """Bring the event somewhere. It is on its way to the site's own destinations by then."""

    def after(self, event: Event) -> Awaitable[None] | None:
        """See what became of the event; nothing waits for this."""
