"""The `cioanalytics` API: what each call does, wired from the other modules.

    analytics = Analytics(browser, send)
    analytics.receive([Call("c1", "load", ["write key", {}], at, page)])
    analytics.receive([Call("c2", "track", ["Signed up"], at, page)])

Answers go out through `send` as messages; `tracker.bridge` describes them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tracker.arguments import (
    resolve_alias,
    resolve_entity,
    resolve_page,
    resolve_track,
)
from tracker.browser import Browser
from tracker.calls import Answers, Call, Message, replay_order
from tracker.delivery.customerio import CustomerIo
from tracker.errors import TrackerError, shown
from tracker.events import Visit, boolean_integrations, make_event
from tracker.identity import Group, Identity, User
from tracker.pipeline import Pipeline
from tracker.plugins import PageCode, Plugins
from tracker.privacy import Privacy
from tracker.query_string import QueryStringRules, read, strip, term
from tracker.settings import CUSTOMERIO, Settings, check
from tracker.storage.domain import accepts_domain, discover_root_domain
from tracker.storage.strategy import TABLE, Stores
from tracker.tasks import spawn

Json = dict[str, Any]

# Calls after which the visitor may be somebody else.
CHANGERS = frozenset(
    (
        "load",
        "identify",
        "group",
        "reset",
        "user.logout",
        "user.reset",
        "group.logout",
        "group.reset",
    )
)

# Stages that behave like plugins of the incumbent: `ready` answers with one outcome for each.
BUILT_IN = ("Event Validation", "Page Enrichment", CUSTOMERIO)


class Analytics:
    """One tracker of one page. Nothing it is given makes it raise."""

    def __init__(self, browser: Browser, send: Callable[[Message], None]) -> None:
        self._browser = browser
        self._answers = Answers(browser, send)
        self._code = PageCode(browser, self._answers)
        self._plugins = Plugins(self._code, self._answers)
        self._early: list[Call] = []
        self._waiting: list[Call] = []
        self._busy = False
        self._seen: dict[str, None] = {}
        self._loaded: _Loaded | None = None
        self._refused = False

    def receive(self, calls: list[Call]) -> None:
        """Take calls over, in call order. Calls before `load` wait for it."""
        fresh = [call for call in calls if call.id not in self._seen]
        self._seen.update(dict.fromkeys(call.id for call in fresh))
        if self._loaded is None and not self._refused:
            self._early += fresh
            if not any(call.method == "load" for call in self._early):
                return
            fresh, self._early = replay_order(self._early), []
        self._waiting += fresh
        if not self._busy:
            spawn(self._work())

    def answer(self, answers: list[Json]) -> None:
        """Take over what functions of the page answered."""
        for item in answers:
            self._code.answer(item)

    def report(self, error: TrackerError) -> None:
        """One console error, and `on('error')`."""
        self._answers.report(error)

    def save(self) -> None:
        """Make events of the calls taken over safe; hosts do so before they go idle."""
        if self._loaded is not None:
            self._loaded.destination.queue.save()

    def ask(self, method: str, args: list[Any]) -> Any:
        """Answer a getter or setter at once. Raises TrackerError for a wrong value."""
        if method not in GETTERS:
            raise _unknown_method(method)
        self._look_around()
        if self._loaded is None or not self._loaded.privacy.may_identify:
            return {} if method.endswith("traits") else None
        value = GETTERS[method](self._loaded, args)
        if args:
            self._tell_identity()
        return value

    async def _work(self) -> None:
        self._busy = True
        while self._waiting:
            call = self._waiting.pop(0)
            try:
                await self._handle(call)
            except Exception as error:
                self._answers.fail(call, error)
            if call.method in CHANGERS:
                self._tell_identity()
        self._busy = False

    def _look_around(self) -> None:
        """Take in what changed since the last call: the visitor refuses, or is somebody else."""
        if self._loaded is None:
            return
        refused_by = self._loaded.privacy.refused_by()
        if refused_by is not None:
            self._refuse(self._loaded.settings, refused_by)
        elif self._loaded.privacy.may_identify:
            self._loaded.user.follow_others()

    def _tell_identity(self) -> None:
        """Tell the listeners of `identity` if the visitor is somebody else than before."""
        now = self._loaded
        if now is None or not now.privacy.may_identify:
            return
        identity = {
            "userId": now.user.get_id(),
            "anonymousId": now.user.anonymous_id(),
            "traits": now.user.traits(),
            "groupId": now.group.get_id(),
            "groupTraits": now.group.traits(),
        }
        if identity != now.told:
            now.told = identity
            self._answers.emit("identity", identity)

    async def _handle(self, call: Call) -> None:
        self._look_around()
        if call.method == "load":
            await self._load(call)
        elif self._loaded is None:
            if self._refused:
                self._answers.result(call)
            else:
                self._early.append(call)
        elif call.method in GETTERS:
            self._answers.result(call, self.ask(call.method, call.args))
        elif call.method in _METHODS:
            _METHODS[call.method](self, self._loaded, call)
        else:
            raise _unknown_method(call.method)

    # load

    async def _load(self, call: Call) -> None:
        if self._loaded is not None or self._refused:
            raise TrackerError(
                "Already loaded",
                "load: the tracker of this page is loaded; allowed: one load. See docs/api.md#load",
            )
        settings, errors, warnings = check(*[*call.args, None, None][:2])
        for warning in warnings:
            self._browser.console("warn", warning)
        privacy = Privacy(self._browser, settings)
        refused_by = privacy.refused_by()
        if refused_by is not None:
            self._refuse(settings, refused_by)
        else:
            try:
                settings = await self._with_domain(settings)
            except TrackerError as refused:
                errors.append(refused)
                settings = replace(settings, cookie=replace(settings.cookie, domain=None))
                settings = await self._with_domain(settings)
            self._start(settings, privacy, call)
        for error in errors:
            self._answers.report(error)
        if errors:
            self._answers.reject(call, errors[0])
        else:
            self._answers.result(call)

    async def _with_domain(self, settings: Settings) -> Settings:
        """Settings with the domain cookies are written for. Raises TrackerError (decision I16)."""
        if "cookie" not in TABLE["id"][settings.strategy]:
            return settings
        url = self._browser.parse_url(self._browser.page().href)
        hostname = url.hostname if url else ""
        attributes = f"; SameSite={settings.cookie.same_site}"
        attributes += "; Secure" if settings.cookie.secure else ""
        domain = settings.cookie.domain
        if domain is None:
            domain = await discover_root_domain(self._browser, hostname, attributes)
        elif not await accepts_domain(self._browser, domain, attributes):
            raise TrackerError(
                "Invalid option cookie.domain",
                f"load: option cookie.domain is {shown(domain)}, and the browser refuses cookies "
                f"for it on {hostname or 'this page'}; allowed: this host or a parent domain that "
                "is no public suffix. Used instead: the widest accepted domain. "
                "See docs/options.md#cookie",
            )
        return replace(settings, cookie=replace(settings.cookie, domain=domain))

    def _start(self, settings: Settings, privacy: Privacy, call: Call) -> None:
        stores = Stores.open(self._browser, settings.cookie, settings.strategy)
        user = User(self._browser, settings.user, stores, settings.trait_store)
        group = Group(self._browser, settings.group, stores, settings.trait_store)
        user.companions.append(group)
        destination = CustomerIo(self._browser, settings, stores.of("queue"), self._report)
        destination.failed_initializations = self._plugins.failed
        pipeline = Pipeline(self._browser, self._answers, self._plugins, destination)
        pipeline.debug = settings.debug
        self._loaded = _Loaded(settings, privacy, user, group, destination, pipeline, Visit())
        if privacy.may_identify:
            user.import_old_names()
            group.import_old_names()
            if user.kept:
                user.anonymous_id()  # made before anything else runs (decision I4)
        spawn(destination.start())
        self._answers.emit("initialize", {"writeKey": settings.write_key}, settings.given)
        if settings.query_string is not None:
            self._follow_link(settings.query_string, call)
        if settings.initial_pageview:
            self._waiting.insert(0, replace(call, id=call.id + "-page", method="page", args=[]))

    def _follow_link(self, rules: QueryStringRules, load: Call) -> None:
        """Make the calls that the page's address asks for, and take them out of the address."""
        url = self._browser.parse_url(load.page.href)
        calls = self._link_calls(load, term(url), rules) if url else []
        if not calls:
            return
        self._waiting = replay_order([*calls, *self._waiting])
        now = self._browser.page().href
        if rules.strip and strip(self._browser, now) != now:
            self._browser.replace_address(strip(self._browser, now))

    def _link_calls(self, by: Call, text: str, rules: QueryStringRules) -> list[Call]:
        asked = read(text, rules, self._browser.decode_component)
        wanted: list[tuple[str, list[Any]]] = []
        if asked.anonymous_id is not None:
            wanted.append(("setAnonymousId", [asked.anonymous_id]))
        if asked.user_id is not None:
            wanted.append(("identify", [asked.user_id, asked.traits]))
        if asked.event is not None:
            wanted.append(("track", [asked.event, asked.properties]))
        return [
            replace(by, id=f"{by.id}-{method}", method=method, args=args, from_link=True)
            for method, args in wanted
        ]

    def _refuse(self, settings: Settings, option: str) -> None:
        """The visitor refuses: remove what is kept, drop what waits (decision S3)."""
        kept = self._loaded
        if kept is None:
            stores = Stores.open(self._browser, settings.cookie, settings.strategy)
            user = User(self._browser, settings.user, stores, settings.trait_store)
            group = Group(self._browser, settings.group, stores, settings.trait_store)
            queue = CustomerIo(self._browser, settings, stores.of("queue"), self._report).queue
        else:
            user, group, queue = kept.user, kept.group, kept.destination.queue
            kept.pipeline.clear()
        user.logout()
        group.clear()
        queue.clear()
        self._loaded, self._refused = None, True
        self._browser.console("info", f"cioanalytics: nothing is tracked, because of {option}.")

    # calls that make events

    def _track(self, loaded: _Loaded, call: Call) -> None:
        event, properties, options = resolve_track(call.args)
        if event is None:
            raise TrackerError(
                "Event missing",
                f"track: the event name is {shown(call.first)}; allowed: text that is not empty. "
                "See docs/api.md#track",
            )
        members = {"event": event, "properties": properties}
        self._event(loaded, call, "track", members, options, [event, properties])

    def _page(self, loaded: _Loaded, call: Call) -> None:
        category, name, properties, options = resolve_page(call.args)
        given = dict(properties)
        if category is not None:
            properties = {**properties, "category": category}
        members: Json = {"properties": properties}
        members |= {"category": category} if category is not None else {}
        members |= {"name": name} if name is not None else {}
        self._event(loaded, call, call.method, members, options, [category, name, given])

    def _screen(self, loaded: _Loaded, call: Call) -> None:
        category, name, properties, options = resolve_page(call.args)
        members: Json = {"properties": properties}
        members |= {"category": category} if category is not None else {}
        members |= {"name": name} if name is not None else {}
        self._event(loaded, call, call.method, members, options, [category, name, properties])

    def _identify(self, loaded: _Loaded, call: Call) -> None:
        id_, traits, options = resolve_entity(call.args, self._browser.number_text)
        if self._skipped_while_anonymous(loaded, call):
            return
        user = loaded.user
        user.identify(id_ if id_ is not None else user.get_id(), traits)
        members = {"traits": user.traits()}
        self._event(loaded, call, "identify", members, options, [user.get_id(), traits])

    def _group(self, loaded: _Loaded, call: Call) -> None:
        id_, traits, options = resolve_entity(call.args, self._browser.number_text)
        if self._skipped_while_anonymous(loaded, call):
            return
        group = loaded.group
        group.identify(id_ if id_ is not None else group.get_id(), traits)
        members = {"groupId": group.get_id(), "traits": group.traits()}
        self._event(loaded, call, "group", members, options, [group.get_id(), traits])

    def _alias(self, loaded: _Loaded, call: Call) -> None:
        to, previous, options = resolve_alias(call.args, self._browser.number_text)
        if self._skipped_while_anonymous(loaded, call):
            return
        current = loaded.user.get_id()
        members = {
            "userId": to if to is not None else current,
            "previousId": previous or current or loaded.user.anonymous_id(),
        }
        self._event(loaded, call, "alias", members, options, [to, previous])

    def _event(
        self, loaded: _Loaded, call: Call, type_: str, members: Json, options: Json, told: list[Any]
    ) -> None:
        """Make the event, queue it and answer the call; `told` goes to listeners of its type."""
        identity, options = self._identity(loaded, options)
        page, rules = call.page, loaded.settings.query_string
        if rules is not None and rules.strip:
            # ids and traits of a link do not travel on in the address of every event
            page = replace(page, href=strip(self._browser, page.href))
        if not call.kept:
            page = loaded.visit.with_referrer(page)
        event = make_event(
            self._browser,
            type_,
            members,
            identity=identity,
            options=options,
            page=page,
            at=call.at,
            integrations=boolean_integrations(loaded.settings.integrations),
        )
        loaded.pipeline.put(call, event, told)

    def _identity(self, loaded: _Loaded, options: Json) -> tuple[Identity, Json]:
        """Who the event belongs to, and the options that may go with it."""
        if not loaded.privacy.may_identify:
            hidden = ("userId", "anonymousId", "traits")
            allowed = {name: value for name, value in options.items() if name not in hidden}
            return Identity(None, loaded.page_id(self._browser)), allowed
        if options.get("anonymousId"):
            loaded.user.set_anonymous_id(options["anonymousId"])
        return Identity(loaded.user.get_id(), loaded.user.anonymous_id()), options

    def _skipped_while_anonymous(self, loaded: _Loaded, call: Call) -> bool:
        """Calls that name the visitor are neither sent nor remembered meanwhile (decision S5)."""
        if loaded.privacy.may_identify:
            return False
        if loaded.pipeline.debug:
            self._browser.console("log", f"{call.method}: not sent, tracking is anonymous.")
        self._answers.result(call)
        return True

    # other calls

    def _reset(self, loaded: _Loaded, call: Call) -> None:
        loaded.user.logout()
        loaded.group.clear()
        if loaded.user.kept:
            loaded.user.anonymous_id()  # unrelated to the former one (decision I11)
        self._answers.emit("reset")
        self._answers.result(call)

    def _ready(self, loaded: _Loaded, call: Call) -> None:
        async def answer() -> None:
            spawn(tell())  # events do not wait for a plugin that is not ready

        async def tell() -> None:
            outcomes = [*[None] * len(BUILT_IN), *await self._plugins.ready()]
            self._answers.callback(call, outcomes)
            self._answers.result(call, outcomes)

        loaded.pipeline.then(call, answer)

    def _add_source_middleware(self, loaded: _Loaded, call: Call) -> None:
        if not call.with_function:
            raise TrackerError(
                "Invalid middleware",
                f"addSourceMiddleware: the argument is {shown(call.first)}; allowed: a function. "
                "See docs/api.md#middleware",
            )
        self._plugins.add_middleware(call.id)
        self._answers.result(call)

    def _add_destination_middleware(self, loaded: _Loaded, call: Call) -> None:
        if not isinstance(call.first, str) or not call.first or not call.with_function:
            raise TrackerError(
                "Invalid middleware",
                f"addDestinationMiddleware: the first argument is {shown(call.first)}; allowed: "
                "the name of a destination, then a function. See docs/api.md#middleware",
            )
        self._plugins.add_middleware(call.id, call.first)
        self._answers.result(call)

    def _register(self, loaded: _Loaded, call: Call) -> None:
        async def register() -> None:
            await self._plugins.register(call.id, call.args)
            self._answers.result(call)

        loaded.pipeline.then(call, register)  # events behind it wait until plugins are loaded

    def _deregister(self, loaded: _Loaded, call: Call) -> None:
        async def deregister() -> None:
            await self._plugins.deregister(call.args)
            self._answers.result(call)

        loaded.pipeline.then(call, deregister)

    def _set_debug(self, loaded: _Loaded, call: Call) -> None:
        loaded.pipeline.debug = call.first is not False
        self._answers.result(call)

    def _query_string(self, loaded: _Loaded, call: Call) -> None:
        text = call.first
        if not isinstance(text, str):
            raise TrackerError(
                "Invalid query string",
                f"queryString: the query is {shown(text)}; allowed: text such as "
                "'?ajs_uid=u1'. See docs/api.md#querystring",
            )
        rules = loaded.settings.query_string or QueryStringRules()
        self._waiting = [*self._link_calls(call, text, rules), *self._waiting]
        self._answers.result(call)

    def _timeout(self, loaded: _Loaded, call: Call) -> None:
        delay = call.first
        if isinstance(delay, bool) or not isinstance(delay, int | float) or delay < 0:
            raise TrackerError(
                "Invalid timeout",
                f"timeout: the delay is {shown(delay)}; allowed: milliseconds, 0 or more. "
                "See docs/api.md#timeout",
            )
        loaded.pipeline.callback_delay = delay
        self._answers.result(call)

    def _report(self, what: str, facts: Json) -> None:
        """What happened to events on their way out."""
        self._answers.emit(what, facts)
        if what == "dropped":
            number, reason = len(facts["events"]), facts["reason"]
            detail = f"{number} event(s) were dropped: {reason}. See docs/api.md#delivery"
            self._answers.report(TrackerError("Events dropped", detail))


@dataclass(slots=True)
class _Loaded:
    """What exists from `load` on."""

    settings: Settings
    privacy: Privacy
    user: User
    group: Group
    destination: CustomerIo
    pipeline: Pipeline
    visit: Visit
    told: Json | None = None
    _page_id: str | None = None

    def page_id(self, browser: Browser) -> str:
        """The id that stands for the visitor while tracking is anonymous: new for each page."""
        if self._page_id is None:
            self._page_id = browser.uuid()
        return self._page_id


def _unknown_method(method: str) -> TrackerError:
    return TrackerError(
        "Unknown method",
        f"{method}: there is no such method; allowed: {', '.join(PUBLIC_METHODS)}. See docs/api.md",
    )


def _user_logout(loaded: _Loaded, args: list[Any]) -> None:
    loaded.user.logout()


def _group_reset(loaded: _Loaded, args: list[Any]) -> None:
    loaded.group.clear()


# name -> (what is there now, arguments) -> answer; without arguments each is a getter
GETTERS: dict[str, Callable[[_Loaded, list[Any]], Any]] = {
    "user.id": lambda now, args: now.user.set_id(args[0]) if args else now.user.get_id(),
    "user.anonymousId": lambda now, args: (
        now.user.set_anonymous_id(args[0]) if args else now.user.anonymous_id()
    ),
    "user.traits": lambda now, args: now.user.set_traits(args[0]) if args else now.user.traits(),
    "user.logout": _user_logout,
    "user.reset": _user_logout,
    "group.id": lambda now, args: now.group.set_id(args[0]) if args else now.group.get_id(),
    "group.traits": lambda now, args: now.group.set_traits(args[0]) if args else now.group.traits(),
    "group.logout": _group_reset,
    "group.reset": _group_reset,
    "setAnonymousId": lambda now, args: (
        now.user.set_anonymous_id(args[0]) if args else now.user.anonymous_id()
    ),
}

_METHODS: dict[str, Callable[[Analytics, _Loaded, Call], None]] = {
    "track": Analytics._track,
    "page": Analytics._page,
    "screen": Analytics._screen,
    "identify": Analytics._identify,
    "group": Analytics._group,
    "alias": Analytics._alias,
    "reset": Analytics._reset,
    "ready": Analytics._ready,
    "addSourceMiddleware": Analytics._add_source_middleware,
    "addDestinationMiddleware": Analytics._add_destination_middleware,
    "register": Analytics._register,
    "deregister": Analytics._deregister,
    "queryString": Analytics._query_string,
    "debug": Analytics._set_debug,
    "timeout": Analytics._timeout,
}

PUBLIC_METHODS = ("load", *_METHODS, "setAnonymousId", "user", "group", "on", "once", "off")
