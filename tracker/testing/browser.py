"""The visitor's browser and its pages.

>>> browser = FakeBrowser("https://www.site.example/")
>>> browser.listen("hidden", lambda: print("the visitor looks elsewhere"))
>>> browser.hide()
the visitor looks elsewhere
"""

from __future__ import annotations

import random
import sys
import uuid
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from tracker.browser import Page, Request, Response, Runtime, StorageError, Url
from tracker.golden import Golden
from tracker.tasks import Future
from tracker.testing import javascript
from tracker.testing.clock import START_MS, VirtualClock, run_all
from tracker.testing.cookies import CookieAccess, CookieJar
from tracker.testing.network import Network
from tracker.testing.page_life import PageLife
from tracker.testing.storage import FakeStorage, StorageRules
from tracker.testing.urls import origin_of, parse_url

_NAVIGATOR = {
    "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/156.0.0.0 Safari/537.36",
    "language": "en-GB",
}
_WINDOW = {"innerWidth": 1200, "innerHeight": 800}
_SCREEN = {"width": 1920.0, "height": 1080.0, "colorDepth": 24.0, "density": 1.0}
_DOCUMENT = {"charset": "UTF-8", "language": "en", "width": 1200, "height": 3000}


class FakeProfile:
    """One visitor's browser: what all of its pages share.

    Its attributes may be changed at any time. `navigator` and `window` hold plain members and are
    added to the defaults; `navigator.onLine` and `navigator.cookieEnabled` follow the network and
    the jar unless they are given. Ids are the `uuids` given, then random ones from `seed`.
    """

    def __init__(
        self,
        *,
        now: int = START_MS,
        seed: int = 0,
        uuids: Iterable[str] = (),
        navigator: Mapping[str, Any] | None = None,
        window: Mapping[str, Any] | None = None,
        screen: Mapping[str, float] | None = None,
        document: Mapping[str, Any] | None = None,
        client_hints: Mapping[str, Any] | None = None,
        timezone: str = "Europe/London",
        cookie_access: CookieAccess = "normal",
        cap_lifetimes: bool = False,
        public_suffixes: Iterable[str] = (),
    ) -> None:
        self.clock = VirtualClock(now)
        self.network = Network(self.clock)
        self.jar = CookieJar(
            lambda: self.clock.now,
            access=cookie_access,
            cap_lifetimes=cap_lifetimes,
            public_suffixes=public_suffixes,
        )
        self.local_rules = StorageRules()
        self.session_rules = StorageRules()
        self.random = random.Random(seed)
        self.uuids = iter(uuids)
        self.navigator = {**_NAVIGATOR, **(navigator or {})}
        self.window = {**_WINDOW, **(window or {})}
        self.document = {**_DOCUMENT, **(document or {})}
        self.screen = dict(_SCREEN if screen is None else screen)
        self.client_hints = None if client_hints is None else dict(client_hints)
        self.timezone = timezone
        self.cookie_probe_delay_ms: float | None = None  # None: `try_cookie` answers at once
        self.files: dict[str, bytes] = {}  # what can be downloaded, by its address
        self.has_locks = True  # Web Locks; pages without HTTPS have none
        self.lock_delay_ms: float | None = None  # None: `claim` answers at once
        self.locks: dict[tuple[str, str], FakeBrowser] = {}  # by origin and name
        self.pages: list[FakeBrowser] = []  # that are open
        self._local_storage: dict[str, FakeStorage] = {}

    def open(
        self, url: str, *, referrer: str = "", title: str = "", canonical: str = ""
    ) -> FakeBrowser:
        """Open a page in a new tab."""
        return FakeBrowser(url, self, referrer=referrer, title=title, canonical=canonical)

    def local_storage(self, origin: str) -> FakeStorage:
        """The local storage of an origin such as `https://www.site.example`."""
        return self._local_storage.setdefault(origin, FakeStorage(self.local_rules))

    def go_offline(self) -> None:
        """Lose the network: requests fail from now on."""
        self.network.online = False

    def go_online(self) -> None:
        """Regain the network. All open pages hear `online`."""
        self.network.online = True
        run_all([partial(page.tell, "online") for page in self.pages])


class FakeBrowser(PageLife):
    """One page in one tab: `tracker.browser.Browser`, and what a visitor does with the page.

    Without a profile it makes its own. `console_messages` holds what was written to the console.
    `referrer`, `title` and `canonical` may be changed, the address with `push_state`.
    """

    writes_later = False  # a window, no mirror of one

    def __init__(
        self,
        url: str,
        profile: FakeProfile | None = None,
        *,
        referrer: str = "",
        title: str = "",
        canonical: str = "",
    ) -> None:
        parsed = parse_url(url)
        if parsed is None or parsed.protocol not in ("http:", "https:"):
            raise ValueError(f"{url!r} is no http(s) address")
        self.profile = profile or FakeProfile()
        super().__init__(self.profile.clock)
        self.referrer = referrer
        self.title = title
        self.canonical = canonical
        self.written_address: str | None = None  # what `page` tells instead of `url`
        self.console_messages: list[tuple[str, str]] = []
        self.runtime = Runtime()
        self.golden: Golden | None = None
        self._url = parsed
        self._session_storage: dict[str, FakeStorage] = {}  # of the tab, by origin
        self.profile.pages.append(self)

    @property
    def url(self) -> str:
        """The address of the page."""
        return self._url.href

    @property
    def origin(self) -> str:
        """The origin of the page: `https://www.site.example`."""
        return origin_of(self._url)

    @property
    def network(self) -> Network:
        """The visitor's network."""
        return self.profile.network

    @property
    def jar(self) -> CookieJar:
        """The visitor's cookies."""
        return self.profile.jar

    def navigate(
        self, url: str, *, referrer: str | None = None, title: str = "", canonical: str = ""
    ) -> FakeBrowser:
        """Load another page in this tab and return it. This page ends.

        The referrer is what browsers send by default (`strict-origin-when-cross-origin`).
        """
        target = self._resolve(url)
        if referrer is None:
            referrer = _default_referrer(self._url, target)
        self.close()
        page = FakeBrowser(
            target.href, self.profile, referrer=referrer, title=title, canonical=canonical
        )
        page._session_storage = self._session_storage
        return page

    def reload(self) -> FakeBrowser:
        """Load the same page again and return it. This page ends."""
        return self.navigate(
            self.url, referrer=self.referrer, title=self.title, canonical=self.canonical
        )

    def push_state(self, url: str, title: str | None = None) -> None:
        """Change the address, and perhaps the title, within this page (`history.pushState`)."""
        target, self.written_address = self._resolve(url), None
        if origin_of(target) != self.origin:
            raise ValueError(f"a page of {self.origin} cannot change its address to {target.href}")
        self._url = target
        if title is not None:
            self.title = title

    def close(self) -> None:
        """Close the tab. Listeners hear `pagehide` and `hidden`, and the page ends.

        Its timers never fire and its requests never answer; those without `keepalive` are
        cancelled.
        """
        try:
            super().close()
        finally:
            self._end()

    def crash(self) -> None:
        """The page's process ends: like `close`, but nobody hears of it."""
        super().crash()
        self._end()

    def _end(self) -> None:
        self.network.end_document(self)
        for lock in [lock for lock, page in self.profile.locks.items() if page is self]:
            del self.profile.locks[lock]
        if self in self.profile.pages:
            self.profile.pages.remove(self)

    # What the tracker asks: see tracker.browser.Browser

    @property
    def local_storage(self) -> FakeStorage:
        """The origin's `localStorage`."""
        return self.profile.local_storage(self.origin)

    @property
    def session_storage(self) -> FakeStorage:
        """The tab's `sessionStorage`."""
        return self._session_storage.setdefault(
            self.origin, FakeStorage(self.profile.session_rules)
        )

    def refresh(self) -> Future[None]:
        """Storage always shows what is there."""
        return Future.of(None)

    def extend(self) -> Future[None]:
        """CPython has all of it."""
        return Future.of(None)

    def download(self, url: str) -> Future[tuple[int, bytes]]:
        """One of the profile's `files`."""
        content = self.profile.files.get(url)
        return Future.of((404, b"") if content is None else (200, content))

    def install(self, wheels: Mapping[str, bytes]) -> Future[None]:
        """Make wheels importable as they are."""
        folder = Path(mkdtemp(prefix="wheels"))
        for name, content in wheels.items():
            (folder / name).write_bytes(content)
            sys.path.append(str(folder / name))
        return Future.of(None)

    @property
    def has_locks(self) -> bool:
        """Whether the profile's pages have Web Locks."""
        return self.profile.has_locks

    def claim(self, name: str) -> Future[bool]:
        """Hold a name of the origin until this page ends, if it is free.

        Answers at once, or after the profile's `lock_delay_ms` as browsers do.
        """
        lock = (self.origin, name)
        free = lock not in self.profile.locks
        if free:
            self.profile.locks[lock] = self
        if self.profile.lock_delay_ms is None:
            return Future.of(free)
        answer: Future[bool] = Future()
        self.set_timer(self.profile.lock_delay_ms, lambda: answer.resolve(free))
        return answer

    def claimed(self) -> Future[frozenset[str]]:
        """The names that pages of the origin hold."""
        locks = self.profile.locks
        return Future.of(frozenset(name for origin, name in locks if origin == self.origin))

    def release(self, name: str) -> None:
        """Hold a name no longer."""
        self.profile.locks.pop((self.origin, name), None)

    def cookies(self) -> str:
        """`document.cookie`."""
        return self.jar.read(self.url)

    def set_cookie(self, assignment: str) -> None:
        """Assign to `document.cookie`. Raises StorageError if `jar.access` is `throws`."""
        self.jar.assign(self.url, assignment)

    def try_cookie(self, name: str, attributes: str) -> Future[bool]:
        """Whether the browser keeps a cookie with these attributes.

        Answers at once as a page does, or after the profile's `cookie_probe_delay_ms` as a worker
        does, which has to ask its page.
        """
        delay_ms = self.profile.cookie_probe_delay_ms
        if delay_ms is None:
            return Future.of(self._probe(name, attributes))
        answer: Future[bool] = Future()
        self.set_timer(delay_ms, lambda: answer.resolve(self._probe(name, attributes)))
        return answer

    def page(self) -> Page:
        """The page as it is now."""
        return Page(self.written_address or self.url, self.title, self.referrer, self.canonical)

    def replace_address(self, href: str) -> None:
        """The same as `push_state`, which keeps no history here."""
        self.push_state(href)

    def navigator(self, name: str) -> Any:
        """A plain member of `navigator`, None if absent."""
        known = {"onLine": self.network.online, "cookieEnabled": self.jar.access != "disabled"}
        return _plain({**known, **self.profile.navigator}.get(name))

    def window(self, name: str) -> Any:
        """A plain member of `window`, None if absent."""
        return _plain(self.profile.window.get(name))

    def has(self, name: str) -> bool:
        """Whether `window` has a member, or one of this path."""
        member: Any = self.profile.window
        for part in name.split("."):
            member = member.get(part) if isinstance(member, dict) else None
        return member is not None

    def document(self) -> dict[str, Any]:
        """`charset`, `language`, `width` and `height`."""
        return dict(self.profile.document)

    def screen(self) -> dict[str, float]:
        """`width`, `height`, `colorDepth` and `density`."""
        return dict(self.profile.screen)

    def client_hints(self) -> dict[str, Any] | None:
        """`navigator.userAgentData` as plain data."""
        hints = self.profile.client_hints
        return None if hints is None else dict(hints)

    def timezone(self) -> str:
        """The IANA name of the time zone."""
        return self.profile.timezone

    def now(self) -> int:
        """Milliseconds since the epoch, by the visitor's clock."""
        return self.clock.now

    def told_now(self) -> int:
        """The virtual time, or the one of option `testing`."""
        return self.now() if self.golden is None or self.golden.now is None else self.golden.now

    def uuid(self) -> str:
        """The next of the profile's `uuids`, else a random UUID v4 that `seed` decides."""
        if self.golden is not None and self.golden.names_ids:
            return self.golden.uuid()
        random_bits = self.profile.random.getrandbits(128)
        return next(self.profile.uuids, None) or str(uuid.UUID(int=random_bits, version=4))

    def random(self) -> float:
        """A number from 0 to below 1 that the profile's `seed` decides."""
        return self.profile.random.random()

    def fetch(self, request: Request) -> Future[Response]:
        """Make a request, which the profile's network answers when the clock runs."""
        return self.network.fetch(request, self)

    def console(self, level: str, message: str) -> None:
        """Write to `console_messages`."""
        self.console_messages.append((level, message))

    def parse_url(self, text: str, base: str = "") -> Url | None:
        """The address, resolved against `base`; None if it is none."""
        return parse_url(text, base)

    encode_component = staticmethod(javascript.encode_component)
    decode_component = staticmethod(javascript.decode_component)
    number_text = staticmethod(javascript.number_text)
    iso_time = staticmethod(javascript.iso_time)
    utc_text = staticmethod(javascript.utc_text)

    def _resolve(self, url: str) -> Url:
        target = parse_url(url, self.url)
        if target is None:
            raise ValueError(f"{url!r} is no address")
        return target

    def _probe(self, name: str, attributes: str) -> bool:
        pair = f"{name}=1"
        try:
            self.jar.assign(self.url, pair + attributes, probe=True)
            kept = pair in self.cookies().split("; ")
            gone = "; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
            self.jar.assign(self.url, f"{name}={attributes}{gone}", probe=True)
        except StorageError:
            return False
        return kept


def _default_referrer(source: Url, target: Url) -> str:
    if source.protocol == "https:" and target.protocol != "https:":
        return ""
    if origin_of(source) != origin_of(target):
        return origin_of(source) + "/"
    return origin_of(source) + source.pathname + source.search


def _plain(value: Any) -> Any:
    """A text, number or boolean; the port gives nothing else away."""
    return value if isinstance(value, str | int | float) else None
