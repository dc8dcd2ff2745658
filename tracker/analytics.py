"""The `cioanalytics` API: what each call does, wired from the other modules.

    analytics = Analytics(browser, send)
    analytics.receive([Call("c1", "load", ["write key", {}], at, page)])
    analytics.receive([Call("c2", "track", ["Signed up"], at, page)])

Answers go out through `send` as messages; `tracker.bridge` describes them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tracker.arguments import (
    resolve_alias,
    resolve_entity,
    resolve_page,
    resolve_track,
)
from tracker.browser import Browser, Page
from tracker.calls import CREATING, Answers, Call, Message, replay_order
from tracker.delivery.customerio import CustomerIo
from tracker.delivery.queue import OutQueue
from tracker.delivery.snowplow import SnowplowCollector
from tracker.errors import TrackerError, shown
from tracker.events import Visit, boolean_integrations, make_event
from tracker.golden import PAGES, Golden, is_local
from tracker.identity import Group, Identity, User
from tracker.pipeline import Pipeline
from tracker.plugins import (
    LOAD_DEADLINE_MS,
    REQUIRED_DEADLINE_MS,
    PageCode,
    Plugins,
    in_time,
)
from tracker.privacy import Anonymity, Privacy
from tracker.query_string import QueryStringRules, read, strip, term
from tracker.settings import CUSTOMERIO, Settings, check, check_tracker
from tracker.snowplow import calls as snowplow
from tracker.snowplow.page import PageViews
from tracker.snowplow.settings import TrackerSettings
from tracker.snowplow.tracker import SnowplowTracker
from tracker.storage.domain import Domains
from tracker.storage.strategy import STRATEGIES, Stores
from tracker.tasks import spawn

if TYPE_CHECKING:
    from tracker.plugin import Plugin

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
        "clearUserData",
        "disableAnonymousTracking",
    )
)

# Stages that behave like plugins of the incumbent: `ready` answers with one outcome for each.
BUILT_IN = ("Event Validation", "Page Enrichment", CUSTOMERIO)


class Analytics:
    """One tracker of one page. Nothing it is given makes it raise."""

    def __init__(
        self, browser: Browser, send: Callable[[Message], None], plugins: Sequence[Plugin] = ()
    ) -> None:
        self._browser = browser
        self._answers = Answers(browser, send)
        self._code = PageCode(browser, self._answers)
        self._given_plugins = plugins
        self._plugins = Plugins(self._code, self._answers)
        self._pipeline = Pipeline(browser, self._answers, self._plugins)
        self._domains = Domains(browser)
        self._views = PageViews(browser)
        self._trackers: dict[str, SnowplowTracker] = {}
        self._early: list[Call] = []
        self._waiting: list[Call] = []
        self._busy = False
        self._dropped = 0  # events
        self._seen: dict[str, None] = {}
        self._loaded: _Loaded | None = None
        self._refused = False
        self._handled: deque[str] = deque(maxlen=1000)

    def receive(self, calls: list[Call]) -> None:
        """Take calls over, in call order. Calls before `load` wait for it."""
        fresh = [snowplow.addressed(call) for call in calls if call.id not in self._seen]
        self._seen.update(dict.fromkeys(call.id for call in fresh))
        self._early += fresh
        creating = any(call.method in CREATING for call in self._early)
        # a load under way waits for the page: what comes meanwhile comes behind it
        if not (creating or self._busy or self._loaded or self._trackers or self._refused):
            return
        fresh, self._early = replay_order(self._early) if creating else self._early, []
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
        for queue in self._queues():
            queue.save()

    @property
    def idle(self) -> bool:
        """Whether no event waits."""
        return not any(len(queue) for queue in self._queues())

    def release(self) -> None:
        """The page is gone: leave what waits to other pages."""
        for queue in self._queues():
            queue.release()

    def _destinations(self) -> list[CustomerIo | SnowplowCollector]:
        own: list[CustomerIo | SnowplowCollector] = []
        if self._loaded is not None:
            own.append(self._loaded.destination)
        return [*own, *(tracker.collector for tracker in self._trackers.values())]

    def _queues(self) -> list[OutQueue]:
        return [destination.queue for destination in self._destinations()]

    def _queue_facts(self) -> Json:
        """What waits: `pending` events, their `bytes`, the time of the `oldest`, and how many were
        `dropped` on this page.
        """
        queues = self._queues()
        times = [self._time_of(queue.oldest) for queue in queues if queue.oldest]
        return {
            "pending": sum(map(len, queues)),
            "oldest": min(times, default=None),
            "bytes": sum(queue.bytes for queue in queues),
            "dropped": self._dropped,
        }

    def _time_of(self, event: Json) -> str:
        time = event.get("ttm") or event.get("dtm")
        if time is None:
            return str(event.get("timestamp"))
        return self._browser.iso_time(int(time))

    def view(self) -> Json | None:
        """What getters answer now, and the ids of the calls handled since the last view.

        None while calls are under way: what the page knows itself is as good then. `idPlaces` and
        `traitPlaces` are the stores that hold the user's id and traits, in the order in which they
        win; `hidden` says that getters answer nothing (decision S5). Making no anonymous id, a view
        writes nothing that a getter would not write.
        """
        if self._busy or (self._loaded is None and self._early):
            return None
        handled, now = list(self._handled), self._loaded
        self._handled.clear()
        self._look_around()
        hidden = now is None or now.refused or not now.privacy.may_identify
        getters: Json = dict.fromkeys(VIEWED)
        if now is not None and not hidden:
            getters = {name: GETTERS[name](now, []) for name in VIEWED if name != ANONYMOUS}
            getters[ANONYMOUS] = now.user.known_anonymous_id()
        for name in VIEWED:
            getters[name] = {} if name.endswith("traits") and hidden else getters[name]
        disabled = []
        if now is not None:
            disabled = [name for name in ("user", "group") if getattr(now, name).disabled]
        trackers = {
            name: {getter: answer(tracker, ["*"]) for getter, answer in snowplow.VIEWED.items()}
            for name, tracker in self._trackers.items()
        }
        return {
            "handled": handled,
            "getters": {**getters, "hidden": hidden, "disabled": disabled},
            "idPlaces": now.privacy.places("id") if now else (),
            "traitPlaces": now.user.trait_places if now else (),
            "trackers": trackers,
            "first": next(iter(trackers), ""),
        }

    def ask(self, method: str, args: list[Any], name: str = "") -> Any:
        """Answer a getter or setter at once; `name` is that of a Snowplow tracker.

        Raises TrackerError for a wrong value.
        """
        self._look_around()
        if method in snowplow.GETTERS:
            first = next(iter(self._trackers), "")
            if method == "getDomainSessionId" and args and isinstance(args[0], str):
                name = args[0]  # its argument names a tracker
            tracker = self._trackers.get(name or first)
            return None if tracker is None else snowplow.GETTERS[method](tracker, args)
        if method not in GETTERS:
            raise _unknown_method(method)
        now = self._loaded
        if now is None or now.refused or not now.privacy.may_identify:
            return {} if method.endswith("traits") else None
        value = GETTERS[method](now, args)
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
            self._handled.append(call.id)
        self._busy = False

    def _look_around(self) -> None:
        """Take in what changed since the last call: the visitor refuses, or is somebody else."""
        now = self._loaded
        if now is None:
            return
        refused_by = now.privacy.refused_by()
        if refused_by is None:
            now.refused = False
            if now.privacy.may_identify:
                now.user.follow_others()
        elif not now.refused:
            now.refused = True
            self._forget(now, refused_by)

    def _tell_identity(self) -> None:
        """Tell the listeners of `identity` if the visitor is somebody else than before."""
        now = self._loaded
        if now is None or now.refused or not now.privacy.may_identify:
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
        golden = self._browser.golden
        if golden is not None:
            call = replace(
                call, at=golden.now or call.at, spare="" if golden.names_ids else call.spare
            )
        if call.spare and self._loaded is not None:
            self._loaded.user.spare = call.spare
        if call.method == "load":
            await self._load(call)
        elif call.method == "newTracker":
            await self._new_tracker(call)
        elif call.method in snowplow.PRIVACY_METHODS:
            await _PRIVACY[call.method](self, call)
            self._answers.result(call)
        elif call.method in snowplow.METHODS:
            self._snowplow(call)
        elif call.method in GETTERS or call.method in snowplow.GETTERS:
            self._answers.result(call, self.ask(call.method, call.args, next(iter(call.to), "")))
        elif call.method not in _METHODS and call.method not in _QUEUE:
            raise _unknown_method(call.method)
        elif self._refused or (self._loaded and self._loaded.refused):
            self._answers.result(call)
        elif call.method in _QUEUE and (self._loaded or self._trackers):
            _QUEUE[call.method](self, call)
        elif self._loaded is None:
            self._early.append(call)
        else:
            _METHODS[call.method](self, self._loaded, call)

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
        privacy = Privacy(self._browser, settings.privacy)
        self._prepare(privacy, "")
        tracker = self._make_tracker(settings.snowplow, privacy, errors)
        refused_by = privacy.refused_by()
        if refused_by is not None:
            self._refused = True
            self._forget(self._make(settings, privacy, tracker), refused_by)
        else:
            call = self._for_test(call, settings, privacy, errors)
            try:
                settings = await self._with_domain(settings, privacy)
            except TrackerError as refused:
                errors.append(refused)
                settings = replace(settings, cookie=replace(settings.cookie, domain=None))
                settings = await self._with_domain(settings, privacy)
            now = self._make(settings, privacy, tracker)
            self._clear_early(tracker, now)
            if settings.plugins or self._given_plugins:
                await self._load_plugins(settings, call.page.href)
            if tracker is not None:
                tracker.address.follow(self._page_of(call, settings.query_string))
                await tracker.start()
            self._start(now, call)
        for error in errors:
            self._answers.report(error)
        if errors:
            self._answers.reject(call, errors[0])
        else:
            self._answers.result(call)

    def _for_test(
        self, call: Call, settings: Settings, privacy: Privacy, errors: list[TrackerError]
    ) -> Call:
        """Ids and times of a test from this call on, on pages of this machine."""
        if settings.seed is None and settings.now is None:
            return call
        url = self._browser.parse_url(call.page.href)
        if url is None or not is_local(url.hostname):
            given, host = shown(settings.given["testing"]), url.hostname if url else "no host"
            errors.append(
                TrackerError(
                    "Invalid option testing",
                    f"load: option testing is {given}, and the page is of {host}; allowed: pages "
                    "of localhost, 127.0.0.1 and [::1]. Ids and times are real. "
                    "See docs/options.md#testing",
                )
            )
            return call
        stores = Stores(self._browser, settings.cookie, privacy.places).of("queue")
        golden = Golden(settings.seed, settings.now, stores)
        self._browser.golden = golden
        golden.begin(call.id)
        return replace(call, at=settings.now or call.at)

    async def _load_plugins(self, settings: Settings, page: str) -> None:
        """Have plugins in Python: those of the option, and those that a test brought along."""
        limit_ms = REQUIRED_DEADLINE_MS if settings.requires_plugins else LOAD_DEADLINE_MS
        late = f"what runs plugins is not there after {limit_ms} ms"
        try:
            await in_time(self._browser, self._browser.extend(), limit_ms, late)
        except Exception as error:
            self._plugins.missing = settings.requires_plugins
            then = "Nothing is sent." if settings.requires_plugins else "Tracking goes on."
            detail = f"load: option plugins: {error}. {then} See docs/plugins.md#wheels"
            self._answers.report(TrackerError("Plugin not loaded", detail))
            return
        from tracker.python_plugins import PythonPlugins  # which that brings

        python = self._plugins.python = PythonPlugins(self._browser, self._answers)
        for plugin in self._given_plugins:
            python.add(plugin, settings.given)
        await python.load(settings.plugins, page, settings.plugin_origins, settings.given)

    async def _with_domain(self, settings: Settings, privacy: Privacy) -> Settings:
        """Settings with the domain cookies are written for. Raises TrackerError (decision I16)."""
        if "cookie" not in privacy.places("id"):
            return settings
        attributes = f"; SameSite={settings.cookie.same_site}"
        attributes += "; Secure" if settings.cookie.secure else ""
        domain, hostname = settings.cookie.domain, self._domains.hostname or "this page"
        if domain is None:
            domain = await self._domains.root(attributes)
        elif not await self._domains.accepts(domain, attributes):
            raise TrackerError(
                "Invalid option cookie.domain",
                f"load: option cookie.domain is {shown(domain)}, and the browser refuses cookies "
                f"for it on {hostname}; allowed: this host or a parent domain that "
                "is no public suffix. Used instead: the widest accepted domain. "
                "See docs/options.md#cookie",
            )
        return replace(settings, cookie=replace(settings.cookie, domain=domain))

    def _make(
        self, settings: Settings, privacy: Privacy, tracker: SnowplowTracker | None
    ) -> _Loaded:
        """What exists from `load` on."""
        stores = Stores(self._browser, settings.cookie, privacy.places)
        user = User(self._browser, settings.user, stores, settings.trait_store)
        group = Group(self._browser, settings.group, stores, settings.trait_store)
        user.companions.append(group)
        destination = CustomerIo(self._browser, settings, stores.of("queue"), self._report)
        return _Loaded(settings, privacy, user, group, stores, destination, Visit(), tracker)

    def _start(self, now: _Loaded, call: Call) -> None:
        settings, privacy, user, tracker = now.settings, now.privacy, now.user, now.tracker
        destination = now.destination
        destination.failed_initializations = self._plugins.failed
        self._pipeline.destinations.append(destination)
        self._pipeline.debug = settings.debug
        self._loaded = now
        if tracker is not None:
            tracker.site_user = lambda: user.get_id() if privacy.may_identify else None
            self._pipeline.destinations.append(tracker)
        self._know_visitor(now)
        spawn(destination.start())
        self._answers.emit("initialize", {"writeKey": settings.write_key}, settings.given)
        if settings.query_string is not None and not call.again:
            self._follow_link(settings.query_string, call)
        if settings.initial_pageview and not call.again:
            page = replace(call, id=call.id + "-page", method="page", args=[])
            self._waiting = replay_order([page, *self._waiting])

    def _know_visitor(self, now: _Loaded) -> None:
        """Take over what older libraries left, and make an anonymous id (decision I4)."""
        if now.privacy.may_identify:
            now.user.import_old_names()
            now.group.import_old_names()
            if now.user.kept:
                now.user.anonymous_id()

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

    def _forget(self, now: _Loaded, refused_by: str) -> None:
        """The visitor refuses: remove what is kept, drop what waits (decision S3)."""
        self._pipeline.clear()
        now.destination.queue.clear()
        now.user.wipe()
        now.group.wipe()
        now.stores.by_name["localStorage"].remove(PAGES)
        if now.tracker is not None:
            now.tracker.refuse()
        self._browser.console("info", f"cioanalytics: nothing is tracked, because of {refused_by}.")

    # Snowplow trackers and privacy

    async def _new_tracker(self, call: Call) -> None:
        settings, allowed, errors, warnings = check_tracker(*[*call.args, None, None, None][:3])
        for warning in warnings:
            self._browser.console("warn", warning)
        privacy = Privacy(self._browser, allowed)
        self._prepare(privacy, settings.namespace)
        tracker = self._make_tracker(settings, privacy, errors)
        if tracker is not None:
            self._clear_early(tracker)
            tracker.address.follow(self._stripped(call).page)
            await tracker.start()
        for error in errors:
            self._answers.report(error)
        self._answers.result(call)

    def _make_tracker(
        self, settings: TrackerSettings | None, privacy: Privacy, errors: list[TrackerError]
    ) -> SnowplowTracker | None:
        """A tracker of this page; the first one with a namespace holds it."""
        if settings is None:
            return None
        if settings.namespace in self._trackers:
            self._browser.console(
                "warn", f"newTracker: there is a tracker {shown(settings.namespace)} already."
            )
            return None
        try:
            tracker = SnowplowTracker(
                self._browser,
                settings,
                privacy,
                self._views,
                self._domains,
                self._code,
                self._answers,
                self._report,
            )
        except TrackerError as error:
            errors.append(error)
            return None
        self._trackers[settings.namespace] = tracker
        return tracker

    def _prepare(self, privacy: Privacy, name: str) -> None:
        """Let early privacy calls hold before anything is read or written (decision D9)."""
        for call in self._waiting:
            if not call.to or name in call.to:
                if call.method == "setOptOutCookie":
                    privacy.opt_out_cookie = _cookie_name(call)
                elif call.method == "enableAnonymousTracking":
                    privacy.anonymity, strategy = _anonymity(call)
                    privacy.strategy = strategy or privacy.strategy

    def _clear_early(self, tracker: SnowplowTracker | None, now: _Loaded | None = None) -> None:
        """Let early calls of `clearUserData` hold before anything is read (decision D9)."""
        name = "" if tracker is None else tracker.settings.namespace
        for call in self._waiting:
            if call.method == "clearUserData" and (not call.to or name in call.to):
                _clear(call, now, [tracker] if tracker is not None else [])

    def _snowplow(self, call: Call) -> None:
        trackers = self._addressed(call)
        if call.method in snowplow.EVENTS:
            call = self._stripped(call)
        if not trackers and not self._refused:
            if self._loaded is None and not self._trackers:
                self._early.append(call)
                return
            raise TrackerError(
                "No tracker",
                f"{call.method}: there is no Snowplow tracker"
                f"{' ' + ', '.join(call.to) if call.to else ''}; make one with the option "
                "snowplow of load, or with newTracker. See docs/snowplow.md#trackers",
            )

        async def work() -> None:
            problems: list[Exception] = []
            for tracker in trackers:
                try:
                    done = snowplow.METHODS[call.method](tracker, call)
                    if done is not None:
                        await done
                except Exception as error:
                    problems.append(error)
            if problems:
                raise problems[0]
            self._answers.result(call)

        self._pipeline.then(call, work)

    def _addressed(self, call: Call) -> list[SnowplowTracker]:
        """The trackers that a call is for."""
        if not call.to:
            return list(self._trackers.values())
        return [self._trackers[name] for name in call.to if name in self._trackers]

    def _visitors(self, call: Call) -> Iterator[tuple[Privacy, list[SnowplowTracker], bool]]:
        """Whom a privacy call concerns: those who share a `Privacy`, `cioanalytics` among them."""
        trackers, now = self._addressed(call), self._loaded
        if now is not None and (not call.to or now.tracker in trackers):
            yield now.privacy, [t for t in trackers if t.privacy is now.privacy], True
        for tracker in trackers:
            if now is None or tracker.privacy is not now.privacy:
                yield tracker.privacy, [tracker], False

    async def _set_opt_out_cookie(self, call: Call) -> None:
        name = _cookie_name(call)
        for privacy, trackers, _ in self._visitors(call):
            privacy.opt_out_cookie = name
            for tracker in trackers:
                if privacy.refused_by() is not None:
                    tracker.refuse()
        self._look_around()

    async def _enable_anonymity(self, call: Call) -> None:
        anonymity, strategy = _anonymity(call)
        for privacy, trackers, with_site in self._visitors(call):
            before = privacy.anonymity, privacy.strategy
            asked = anonymity, strategy or privacy.strategy
            if asked == before:
                continue
            self._change(privacy, trackers, with_site, *asked)
            if not anonymity.on:
                await self._identified(privacy, trackers, with_site)
            elif before != (replace(anonymity, server=before[0].server), privacy.strategy):
                # a session goes on where only the server is to be told something else
                for tracker in trackers:
                    await tracker.enable_anonymity()

    async def _disable_anonymity(self, call: Call) -> None:
        strategy = _strategy(call)
        for privacy, trackers, with_site in self._visitors(call):
            self._change(privacy, trackers, with_site, Anonymity(), strategy or privacy.strategy)
            await self._identified(privacy, trackers, with_site)

    async def _identified(
        self, privacy: Privacy, trackers: list[SnowplowTracker], with_site: bool
    ) -> None:
        """Anonymity has ended, or another strategy begins."""
        if privacy.refused_by() is not None:
            return
        for tracker in trackers:
            await tracker.disable_anonymity()
        if with_site and self._loaded is not None:
            await self._identify_again(self._loaded)

    async def _identify_again(self, now: _Loaded) -> None:
        """The visitor may be known again: what memory holds goes where it may be kept."""
        settings = await self._with_domain(now.settings, now.privacy)
        now.stores.cookies.attributes = settings.cookie
        now.user.settle()
        now.group.settle()
        self._know_visitor(now)

    def _change(
        self,
        privacy: Privacy,
        trackers: list[SnowplowTracker],
        with_site: bool,
        anonymity: Anonymity,
        strategy: str,
    ) -> None:
        """Change what may be kept; waiting events move to where they may be."""
        queues = [tracker.collector.queue for tracker in trackers]
        if with_site and self._loaded is not None:
            queues.append(self._loaded.destination.queue)
        for queue in queues:
            queue.withdraw()
        privacy.anonymity, privacy.strategy = anonymity, strategy
        for queue in queues:
            queue.save()

    async def _clear_user_data(self, call: Call) -> None:
        for _, trackers, with_site in self._visitors(call):
            _clear(call, self._loaded if with_site else None, trackers)

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
        call = self._stripped(call)
        page = call.page if call.kept else loaded.visit.with_referrer(call.page)
        event = make_event(
            self._browser,
            type_,
            members,
            identity=identity,
            options=options,
            page=page,
            at=call.at,
            id_=call.event_id(self._browser),
            integrations=boolean_integrations(loaded.settings.integrations),
        )
        self._pipeline.put(call, event, told)

    def _stripped(self, call: Call) -> Call:
        """A call whose address does not tell the ids and traits of a link on with every event."""
        rules = self._loaded.settings.query_string if self._loaded is not None else None
        return replace(call, page=self._page_of(call, rules))

    def _page_of(self, call: Call, rules: QueryStringRules | None) -> Page:
        if rules is None or not rules.strip:
            return call.page
        return replace(call.page, href=strip(self._browser, call.page.href))

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
        if self._pipeline.debug:
            self._browser.console("log", f"{call.method}: not sent, tracking is anonymous.")
        self._answers.result(call)
        return True

    # other calls

    def _reset(self, loaded: _Loaded, call: Call) -> None:
        loaded.user.logout()
        loaded.group.clear()
        if loaded.tracker is not None:
            loaded.tracker.reset()
        if loaded.user.kept:
            loaded.user.anonymous_id()  # unrelated to the former one (decision I11)
        self._answers.emit("reset")
        self._answers.result(call)

    def _flush(self, call: Call) -> None:
        async def flush() -> None:
            for done in [each.sender.flush() for each in self._destinations() if each.enabled]:
                await done
            self._answers.result(call, self._queue_facts())

        spawn(flush())

    def _queue(self, call: Call) -> None:
        self._answers.result(call, self._queue_facts())

    def _ready(self, loaded: _Loaded, call: Call) -> None:
        async def answer() -> None:
            spawn(tell())  # events do not wait for a plugin that is not ready

        async def tell() -> None:
            outcomes = [*[None] * len(BUILT_IN), *await self._plugins.ready()]
            self._answers.callback(call, outcomes)
            self._answers.result(call, outcomes)

        self._pipeline.then(call, answer)

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

        self._pipeline.then(call, register)  # events behind it wait until plugins are loaded

    def _deregister(self, loaded: _Loaded, call: Call) -> None:
        async def deregister() -> None:
            await self._plugins.deregister(call.args)
            self._answers.result(call)

        self._pipeline.then(call, deregister)

    def _set_debug(self, loaded: _Loaded, call: Call) -> None:
        self._pipeline.debug = call.first is not False
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
        self._pipeline.callback_delay = delay
        self._answers.result(call)

    def _report(self, what: str, facts: Json) -> None:
        """What happened to events on their way out."""
        if what == "error":
            self._answers.report(TrackerError(facts["message"], facts["detail"]))
        else:
            self._answers.emit(what, facts)
        if what == "dropped":
            self._dropped += len(facts["events"])
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
    stores: Stores
    destination: CustomerIo
    visit: Visit
    tracker: SnowplowTracker | None
    told: Json | None = None
    refused: bool = False
    _page_id: str | None = None

    def page_id(self, browser: Browser) -> str:
        """The id that stands for the visitor while tracking is anonymous (decision S5).

        It is new for each page, or with session tracking for each session.
        """
        if self.tracker is not None and self.privacy.anonymity.session:
            id_ = self.tracker.session.page_id("anonymousId")
            if id_ is not None:
                return id_
        if self._page_id is None:
            self._page_id = browser.uuid()
        return self._page_id


def _unknown_method(method: str) -> TrackerError:
    return TrackerError(
        "Unknown method",
        f"{method}: there is no such method; allowed: {', '.join(PUBLIC_METHODS)}. See docs/api.md",
    )


def _cookie_name(call: Call) -> str | None:
    """The name that `setOptOutCookie` gives; None switches it off."""
    if call.first is not None and not isinstance(call.first, str):
        raise snowplow.invalid(call.method, "name", call.first, "text, or null for none")
    return call.first or None


def _anonymity(call: Call) -> tuple[Anonymity, str | None]:
    """What `enableAnonymousTracking` asks for; nothing given means true."""
    given = call.first if isinstance(call.first, dict) else {}
    option = given.get("options")
    return Anonymity.of(True if option is None else option), _strategy(call)


def _strategy(call: Call) -> str | None:
    given = call.first if isinstance(call.first, dict) else {}
    strategy = given.get("stateStorageStrategy")
    if strategy is not None and strategy not in STRATEGIES:
        allowed = ", ".join(f"'{name}'" for name in STRATEGIES)
        raise snowplow.invalid(call.method, "stateStorageStrategy", strategy, allowed)
    return strategy


def _clear(call: Call, now: _Loaded | None, trackers: list[SnowplowTracker]) -> None:
    """What `clearUserData` does to the visitor of `cioanalytics` and to those of trackers."""
    given = call.first if isinstance(call.first, dict) else {}
    session = given.get("preserveSession") is True
    user = given.get("preserveUser") is True
    for tracker in trackers:
        tracker.clear(preserve_session=session, preserve_user=user)
    if now is not None:
        now.user.wipe(preserve_ids=user)
        now.group.wipe(preserve_ids=user)


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

# the getters without arguments that a view answers
ANONYMOUS = "user.anonymousId"
VIEWED = ("user.id", "user.traits", ANONYMOUS, "group.id", "group.traits")

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

_QUEUE: dict[str, Callable[[Analytics, Call], None]] = {
    "flush": Analytics._flush,
    "queue": Analytics._queue,
}

_PRIVACY: dict[str, Callable[[Analytics, Call], Awaitable[None]]] = {
    "setOptOutCookie": Analytics._set_opt_out_cookie,
    "enableAnonymousTracking": Analytics._enable_anonymity,
    "disableAnonymousTracking": Analytics._disable_anonymity,
    "clearUserData": Analytics._clear_user_data,
}

PUBLIC_METHODS = (
    *["load", *_METHODS, *_QUEUE, "setAnonymousId", "user", "group", "on", "once", "off"],
    *[*snowplow.PRIVACY_METHODS, "newTracker", *snowplow.METHODS],
    *[name for name in snowplow.GETTERS if name != "getDecoratedLink"],
)
