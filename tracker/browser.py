"""The port: all that the core needs from the outside, and its one implementation over a window.

`Browser` is what the core asks; `WindowBrowser` answers from a window-like JavaScript object (the
real `window`, or a mirror of it in a worker). `tracker.testing.FakeBrowser` answers on CPython.
This is the only module that knows JavaScript.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tracker.golden import Golden
from tracker.tasks import Future, spawn

LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class StorageError(Exception):
    """The browser refused a storage access: denied, full, or not there."""


class NetworkError(Exception):
    """A request got no answer: no network, blocked, or no answer within its time limit."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a page was at one moment.

    Addresses are complete; `canonical` is the href attribute as written in the document, or "".
    """

    href: str
    title: str = ""
    referrer: str = ""
    canonical: str = ""


@dataclass(frozen=True, slots=True)
class Url:
    """An address taken apart as the browser's `URL` does."""

    href: str
    protocol: str  # with the colon: "https:"
    host: str
    hostname: str
    pathname: str
    search: str  # with the question mark, or ""
    hash: str  # with the number sign, or ""


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request to make. `timeout_ms` 0 means no limit."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    keepalive: bool = False
    credentials: str | None = None
    timeout_ms: int = 0


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer. Header names are lower case; `text` is read for GET requests only.

    `redirect` is the address that answered, if it is not the one that was asked.
    """

    status: int
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    redirect: str = ""


class Storage(Protocol):
    """`localStorage` or `sessionStorage`. Every method may raise StorageError."""

    def get(self, key: str) -> str | None:
        """The text under `key`, None if there is none."""

    def set(self, key: str, value: str) -> None:
        """Keep a text under `key`."""

    def remove(self, key: str) -> None:
        """Forget `key`."""

    def keys(self) -> list[str]:
        """All keys of the origin."""


@dataclass(slots=True)
class Runtime:
    """What the pages of one runtime share.

    `held` are ids of events that one of them holds, or has sent; `settings` what an address
    answered, and when (ms since the epoch). By the key of a queue: `bases` are the first numbers of
    this runtime's segments, `looks` when it last looked for what nobody owns (ms since the epoch).
    `keepalive_bytes` are those of bodies under way that may outlive the page. `extended` is done
    when the whole standard library is there; `plugins` are classes by the address of their wheel,
    and `more` are the addresses of what runs them, and of the folder with what they need.
    """

    more: tuple[str, str] = ("", "")
    held: dict[str, None] = field(default_factory=dict)
    settings: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    bases: dict[str, Future[int]] = field(default_factory=dict)
    looks: dict[str, int] = field(default_factory=dict)
    keepalive_bytes: int = 0
    extended: Future[None] | None = None
    plugins: dict[str, Future[list[Any]]] = field(default_factory=dict)


class Browser(Protocol):
    """The port. Nothing here raises unless it says so. `golden` is for tests (option `testing`)."""

    runtime: Runtime
    golden: Golden | None

    @property
    def writes_later(self) -> bool:
        """Whether the browser applies writes later, so that reading back proves nothing."""

    @property
    def local_storage(self) -> Storage:
        """The origin's `localStorage`."""

    @property
    def session_storage(self) -> Storage:
        """The tab's `sessionStorage`."""

    def refresh(self) -> Future[None]:
        """Done when reads of out-queues show what other runtimes wrote until now."""

    @property
    def has_locks(self) -> bool:
        """Whether the page has Web Locks, which `claim`, `claimed` and `release` need."""

    def extend(self) -> Future[None]:
        """Make what runs plugins importable, and all of the standard library; once for a runtime.

        Rejected with RuntimeError if it cannot be had.
        """

    def download(self, url: str) -> Future[tuple[int, bytes]]:
        """The HTTP status and content of a file. Rejected with NetworkError without an answer."""

    def install(self, wheels: Mapping[str, bytes]) -> Future[None]:
        """Install wheels, by their file names. Rejected with RuntimeError if that fails."""

    def claim(self, name: str) -> Future[bool]:
        """Hold a name of the origin as long as this runtime lives. False if anybody holds it."""

    def claimed(self) -> Future[frozenset[str]]:
        """The names that runtimes of this origin hold."""

    def release(self, name: str) -> None:
        """Hold a name no longer."""

    def close(self) -> None:
        """The page is gone: stop timers and listeners."""

    def cookies(self) -> str:
        """`document.cookie`: `name=value` pairs, joined by `; `; "" where reading is denied."""

    def set_cookie(self, assignment: str) -> None:
        """Assign to `document.cookie`. Raises StorageError if the browser throws."""

    def try_cookie(self, name: str, attributes: str) -> Future[bool]:
        """Whether the browser keeps a cookie with these attributes (`; Domain=…; Path=/`).

        Writes a cookie of that name, reads it back and deletes it.
        """

    def page(self) -> Page:
        """The page as it is now."""

    def replace_address(self, href: str) -> None:
        """`history.replaceState`: another address of the same origin for the same document."""

    def navigator(self, name: str) -> Any:
        """A plain member of `navigator` (text, number or boolean), None if absent."""

    def window(self, name: str) -> Any:
        """A plain member of `window`, None if absent."""

    def has(self, name: str) -> bool:
        """Whether `window` has a member of this name, or of a path such as `a.b`."""

    def document(self) -> dict[str, Any]:
        """`charset` and `language` as text, `width` and `height` in CSS pixels; {} if not known."""

    def screen(self) -> dict[str, float]:
        """`width`, `height`, `colorDepth` (bits) and `density` (device pixels per CSS pixel)."""

    def client_hints(self) -> dict[str, Any] | None:
        """`navigator.userAgentData` as plain data, None where the browser has none."""

    def timezone(self) -> str:
        """The IANA name of the time zone, "" if not known."""

    def now(self) -> int:
        """Milliseconds since the epoch, by the visitor's clock."""

    def told_now(self) -> int:
        """The time that servers are told, in milliseconds since the epoch."""

    def uuid(self) -> str:
        """A new random UUID v4 in lower case."""

    def random(self) -> float:
        """A number from 0 to below 1, for jitter (not for ids)."""

    def set_timer(self, delay_ms: float, callback: Callable[[], None]) -> Any:
        """Call back once after a delay of at most 24 days. Returns a handle for `clear_timer`."""

    def clear_timer(self, handle: Any) -> None:
        """Cancel a timer; a timer that has fired is ignored."""

    def fetch(self, request: Request) -> Future[Response]:
        """Make a request. The future is rejected with NetworkError if no answer came."""

    def listen(self, name: str, callback: Callable[[], None]) -> None:
        """Call back on `online`, `pagehide`, `pageshow`, `hidden` or `visible`."""

    def console(self, level: str, message: str) -> None:
        """Write to the console; `level` is `error`, `warn`, `info` or `log`."""

    def parse_url(self, text: str, base: str = "") -> Url | None:
        """The address, resolved against `base`; None if it is none."""

    def encode_component(self, text: str) -> str:
        """`encodeURIComponent`; lone surrogates become U+FFFD instead of an exception."""

    def decode_component(self, text: str) -> str | None:
        """`decodeURIComponent`; None for text that is not percent-encoded UTF-8."""

    def number_text(self, number: float) -> str:
        """`String(number)`."""

    def iso_time(self, epoch_ms: float) -> str:
        """`new Date(epoch_ms).toISOString()`, for times that are dates."""

    def utc_text(self, epoch_ms: float) -> str:
        """`new Date(epoch_ms).toUTCString()`, the date form of cookies."""


class WindowStorage:
    """`localStorage` or `sessionStorage` of a window; even naming it may throw."""

    def __init__(self, window: Any, name: str) -> None:
        self._window = window
        self._name = name

    def get(self, key: str) -> str | None:
        """The text under `key`."""
        value = self._guarded("getItem", key)
        return value if isinstance(value, str) else None

    def set(self, key: str, value: str) -> None:
        """Keep a text."""
        self._guarded("setItem", key, value)

    def remove(self, key: str) -> None:
        """Forget `key`."""
        self._guarded("removeItem", key)

    def keys(self) -> list[str]:
        """All keys of the origin."""
        try:
            area = getattr(self._window, self._name)
            return [area.key(index) for index in range(area.length)]
        except Exception as error:  # JsException, or no such storage at all
            raise StorageError(str(error)) from error

    def _guarded(self, method: str, *args: str) -> Any:
        try:
            return getattr(getattr(self._window, self._name), method)(*args)
        except Exception as error:  # JsException, or no such storage at all
            raise StorageError(str(error)) from error


class WindowBrowser:
    """The port over a window-like JavaScript object.

    `window` needs what the web platform gives it: `document.cookie`, `localStorage`,
    `sessionStorage`, `location`, `navigator`, `screen`, `crypto`, `fetch`, timers, `URL`, `Date`.
    The mirror of a window in a worker has `tryCookie`, too. Pages of one runtime are given
    the same `runtime`.
    """

    def __init__(self, window: Any, runtime: Runtime | None = None) -> None:
        from pyodide import ffi

        self.runtime = runtime or Runtime()
        self.golden: Golden | None = None
        self._ffi = ffi
        self._window = window
        self._timers: set[_Timer] = set()
        self._urls: dict[tuple[str, str], Url | None] = {}
        self._constants: dict[str, Any] = {}
        self._claims: dict[str, Any] = {}  # name -> what lets go of it
        self._local = WindowStorage(window, "localStorage")
        self._session = WindowStorage(window, "sessionStorage")

    @property
    def local_storage(self) -> Storage:
        """The origin's `localStorage`."""
        return self._local

    @property
    def session_storage(self) -> Storage:
        """The tab's `sessionStorage`."""
        return self._session

    @property
    def writes_later(self) -> bool:
        """True for the mirror of a window."""
        return self.has("tryCookie")

    def refresh(self) -> Future[None]:
        """A mirror asks its page; a window always shows what is stored."""
        done: Future[None] = Future()
        if not self.writes_later:
            return Future.of(None)
        self._window.refresh().then(lambda _: done.resolve(None))
        return done

    def extend(self) -> Future[None]:
        """Download the library that plugins get."""
        runtime = self.runtime
        if runtime.extended is None or runtime.extended.failed:  # the next page tries again
            from tracker import installer

            runtime.extended = spawn(installer.extend(self.download, *runtime.more))
        return runtime.extended

    def download(self, url: str) -> Future[tuple[int, bytes]]:
        """Fetch a file."""
        answer: Future[tuple[int, bytes]] = Future()

        def failed(error: Any) -> None:
            answer.reject(NetworkError(str(error)))

        def answered(response: Any) -> None:
            status = int(response.status)
            read = lambda content: answer.resolve((status, content.to_bytes()))  # noqa: E731
            response.arrayBuffer().then(read, failed)

        self._window.fetch(url).then(answered, failed)
        return answer

    def install(self, wheels: Mapping[str, bytes]) -> Future[None]:
        """Have micropip install them."""
        from tracker import installer

        return installer.install(wheels)

    @property
    def has_locks(self) -> bool:
        """Not on pages without HTTPS."""
        return bool(getattr(self._window.navigator, "locks", None))

    def claim(self, name: str) -> Future[bool]:
        """Request a lock if it is free, and hold it."""
        answer: Future[bool] = Future()

        def hold(resolve: Any, _: Any) -> None:
            self._claims[name] = resolve

        def granted(lock: Any) -> Any:
            if not lock:
                answer.resolve(False)
                return None
            held = self._window.Promise.new(self._ffi.create_once_callable(hold))
            answer.resolve(True)
            return held

        wanted = self._ffi.to_js(
            {"ifAvailable": True}, dict_converter=self._window.Object.fromEntries
        )
        locks = self._window.navigator.locks
        request = locks.request(name, wanted, self._ffi.create_once_callable(granted))
        request.then(lambda _: None, lambda _: answer.resolve(True))  # refused: there is nobody
        return answer

    def claimed(self) -> Future[frozenset[str]]:
        """The locks that are held."""
        answer: Future[frozenset[str]] = Future()

        def told(state: Any) -> None:
            answer.resolve(frozenset(str(lock.name) for lock in state.held))

        locks = self._window.navigator.locks
        locks.query().then(told, lambda _: answer.resolve(frozenset()))
        return answer

    def release(self, name: str) -> None:
        """Let the promise of the lock be done."""
        resolve = self._claims.pop(name, None)
        if resolve is not None:
            resolve(None)

    def close(self) -> None:
        """Stop all timers; the host lets go of the listeners."""
        for timer in list(self._timers):
            self.clear_timer(timer)

    def cookies(self) -> str:
        """`document.cookie`."""
        try:
            return str(self._window.document.cookie)
        except self._ffi.JsException:
            return ""  # a sandboxed frame

    def set_cookie(self, assignment: str) -> None:
        """Assign to `document.cookie`."""
        try:
            self._window.document.cookie = assignment
        except self._ffi.JsException as error:
            raise StorageError(str(error)) from error

    def try_cookie(self, name: str, attributes: str) -> Future[bool]:
        """Write a cookie, read it back, delete it."""
        if self.writes_later:
            answer: Future[bool] = Future()
            self._window.tryCookie(name, attributes).then(lambda kept: answer.resolve(bool(kept)))
            return answer
        try:
            self.set_cookie(f"{name}=1{attributes}")
            kept = f"{name}=1" in self.cookies().split("; ")
            self.set_cookie(f"{name}={attributes}; Max-Age=0")
        except StorageError:
            kept = False
        return Future.of(kept)

    def page(self) -> Page:
        """The page as it is now."""
        document = self._window.document
        links = document.querySelectorAll("link[rel=canonical]")
        canonical = links[links.length - 1].getAttribute("href") if links.length else ""
        return Page(
            str(self._window.location.href),
            str(document.title),
            str(document.referrer),
            canonical if isinstance(canonical, str) else "",
        )

    def replace_address(self, href: str) -> None:
        """Keep the page's own history state."""
        history = self._window.history
        try:
            history.replaceState(history.state, "", href)
        except self._ffi.JsException:
            return  # a sandboxed frame, or too many changes: the address stays

    def navigator(self, name: str) -> Any:
        """A plain member of `navigator`."""
        return _plain(getattr(self._window.navigator, name, None))

    def window(self, name: str) -> Any:
        """A plain member of `window`."""
        return _plain(getattr(self._window, name, None))

    def has(self, name: str) -> bool:
        """Whether `window` has a member."""
        member = self._window
        for part in name.split("."):
            member = getattr(member, part, None)
        return member is not None

    def document(self) -> dict[str, Any]:
        """What the document says of itself; its size is that of its largest box."""
        document = self._window.document
        root, body = document.documentElement, document.body
        heights = [root.clientHeight, root.offsetHeight, root.scrollHeight]
        if body:
            heights += [body.offsetHeight, body.scrollHeight]
        return {
            "charset": _plain(document.characterSet),
            "language": _plain(root.lang),
            "width": max(root.clientWidth, root.offsetWidth, root.scrollWidth),
            "height": max(heights),
        }

    def screen(self) -> dict[str, float]:
        """Size of the screen in CSS pixels, its colors and its density."""
        screen = self._window.screen
        facts = {
            "width": screen.width,
            "height": screen.height,
            "colorDepth": screen.colorDepth,
            "density": self._window.devicePixelRatio,
        }
        return {name: value for name, value in facts.items() if isinstance(value, int | float)}

    def client_hints(self) -> dict[str, Any] | None:
        """The low-entropy client hints."""
        hints: dict[str, Any] | None = self._constant("client hints", self._read_client_hints)
        return hints

    def timezone(self) -> str:
        """The IANA name of the time zone."""
        return str(self._constant("time zone", self._read_timezone))

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return int(self._window.Date.now())

    def told_now(self) -> int:
        """The time, or the one of a test."""
        return self.now() if self.golden is None or self.golden.now is None else self.golden.now

    def uuid(self) -> str:
        """A UUID v4 from the browser's cryptographic source (decision I12)."""
        if self.golden is not None and self.golden.names_ids:
            return self.golden.uuid()
        crypto = self._window.crypto
        if hasattr(crypto, "randomUUID"):  # absent on pages without HTTPS
            return str(crypto.randomUUID())
        raw = bytearray(crypto.getRandomValues(self._window.Uint8Array.new(16)).to_py())
        raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80
        digits = raw.hex()
        parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
        return "-".join(parts)

    def random(self) -> float:
        """A number for jitter."""
        return float(self._window.Math.random())

    def set_timer(self, delay_ms: float, callback: Callable[[], None]) -> Any:
        """Call back once after a delay."""
        timer = _Timer()

        def fire() -> None:
            self._timers.discard(timer)
            timer.release()
            callback()

        timer.proxy = self._ffi.create_proxy(fire)
        timer.number = self._window.setTimeout(timer.proxy, delay_ms)
        self._timers.add(timer)
        return timer

    def clear_timer(self, handle: Any) -> None:
        """Cancel a timer."""
        self._window.clearTimeout(handle.number)
        self._timers.discard(handle)
        handle.release()

    def fetch(self, request: Request) -> Future[Response]:
        """Make a request with `fetch`."""
        answer: Future[Response] = Future()
        options: dict[str, Any] = {"method": request.method, "headers": dict(request.headers)}
        if request.body is not None:
            options["body"] = request.body
        if request.keepalive:
            options["keepalive"] = True
        if request.credentials is not None:
            options["credentials"] = request.credentials
        init = self._ffi.to_js(options, dict_converter=self._window.Object.fromEntries)
        if request.timeout_ms and hasattr(self._window, "AbortSignal"):
            init.signal = self._window.AbortSignal.timeout(request.timeout_ms)

        def failed(error: Any) -> None:
            answer.reject(NetworkError(str(error)))

        def answered(response: Any) -> None:
            status = int(response.status)
            headers = {str(name): str(value) for name, value in response.headers}
            redirect = str(response.url) if response.redirected else ""
            if request.method == "GET":
                read = lambda text: answer.resolve(  # noqa: E731
                    Response(status, str(text), headers, redirect)
                )
                response.text().then(read, failed)
            else:
                answer.resolve(Response(status, "", headers, redirect))

        try:
            self._window.fetch(request.url, init).then(answered, failed)
        except self._ffi.JsException as error:  # an address or header that fetch refuses
            failed(error)
        return answer

    def listen(self, name: str, callback: Callable[[], None]) -> None:
        """Call back on a moment of the page's life."""
        if name in ("hidden", "visible"):

            def changed(_: Any) -> None:
                if self._window.document.visibilityState == name:
                    callback()

            target, event, heard = self._window.document, "visibilitychange", changed
        else:
            target, event, heard = self._window, name, lambda _: callback()
        # capturing, so that a leaving page is known to leave before its last calls are handed over
        target.addEventListener(event, self._ffi.create_proxy(heard), True)

    def console(self, level: str, message: str) -> None:
        """Write to the console."""
        getattr(self._window.console, level)(message)

    def parse_url(self, text: str, base: str = "") -> Url | None:
        """The address, resolved against `base`."""
        if (text, base) not in self._urls:
            if len(self._urls) > 50:
                self._urls.clear()
            self._urls[text, base] = self._parse_url(text, base)
        return self._urls[text, base]

    def encode_component(self, text: str) -> str:
        """`encodeURIComponent`."""
        return str(self._window.encodeURIComponent(LONE_SURROGATE.sub("\ufffd", text)))

    def decode_component(self, text: str) -> str | None:
        """`decodeURIComponent`."""
        try:
            return str(self._window.decodeURIComponent(text))
        except self._ffi.JsException:
            return None

    def number_text(self, number: float) -> str:
        """`String(number)`."""
        return str(self._window.String(float(number)))

    def iso_time(self, epoch_ms: float) -> str:
        """`toISOString`."""
        return str(self._window.Date.new(epoch_ms).toISOString())

    def utc_text(self, epoch_ms: float) -> str:
        """`toUTCString`."""
        return str(self._window.Date.new(epoch_ms).toUTCString())

    def _parse_url(self, text: str, base: str) -> Url | None:
        try:
            url = self._window.URL.new(text, base) if base else self._window.URL.new(text)
        except self._ffi.JsException:
            return None
        return Url(
            str(url.href),
            str(url.protocol),
            str(url.host),
            str(url.hostname),
            str(url.pathname),
            str(url.search),
            str(url.hash),
        )

    def _constant(self, name: str, read: Callable[[], Any]) -> Any:
        """What does not change in the life of a page is read once: each read is a crossing."""
        if name not in self._constants:
            self._constants[name] = read()
        return self._constants[name]

    def _read_timezone(self) -> str:
        return str(self._window.Intl.DateTimeFormat().resolvedOptions().timeZone or "")

    def _read_client_hints(self) -> dict[str, Any] | None:
        hints = getattr(self._window.navigator, "userAgentData", None)
        if hints is None:
            return None
        facts = hints.toJSON().to_py()
        return facts if isinstance(facts, dict) else None


class _Timer:
    """A running timer: its number in the page, and what keeps its callback alive there."""

    number: Any = None
    proxy: Any = None

    def release(self) -> None:
        """Let go of the callback, once."""
        if self.proxy is not None:
            self.proxy.destroy()
            self.proxy = None


def _plain(value: Any) -> Any:
    """A text, number or boolean; None for everything else, null and undefined included."""
    return value if isinstance(value, str | int | float) else None
