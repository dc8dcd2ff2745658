"""One Snowplow tracker: its session, its page and its events, from a call to the collector's queue.

An event passes the privacy gate, gets its fields and entities, passes the plugins' filters, is
counted in the session (a filtered event is not, decision S10) and queued.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from tracker.browser import Browser, Page
from tracker.calls import Answers, Call
from tracker.delivery.snowplow import SnowplowCollector
from tracker.errors import TrackerError
from tracker.plugins import PageCode
from tracker.privacy import Privacy
from tracker.settings import SNOWPLOW
from tracker.snowplow.activity import Activity, ActivityConfig
from tracker.snowplow.addresses import cookie_hostname
from tracker.snowplow.contexts import GlobalContexts, is_self_describing
from tracker.snowplow.links import basic, decorated, extended
from tracker.snowplow.mapping import application, browser_context, content_of, web_page
from tracker.snowplow.page import Address, PageViews
from tracker.snowplow.payload import (
    CONTEXTS,
    UNSTRUCT_EVENT,
    Payload,
    as_text,
    browser_facts,
    device_facts,
    time_fields,
    view_facts,
)
from tracker.snowplow.session import Session
from tracker.snowplow.settings import TrackerSettings
from tracker.snowplow.visitor import CLIENT_SESSION, Visitor
from tracker.storage.cookies import CookieAttributes
from tracker.storage.domain import Domains
from tracker.storage.stores import LocalStore, Store
from tracker.storage.strategy import Places
from tracker.storage.tab import forget_tab, tab_id
from tracker.tasks import spawn

Json = dict[str, Any]

ACTIVITY_METRICS = "iglu:com.snowplowanalytics.snowplow/activity_metrics/jsonschema/1-0-0"

_OFFSETS = {"pp_mix": "minX", "pp_max": "maxX", "pp_miy": "minY", "pp_may": "maxY"}

ORDER = ("Expires", "Path", "Domain", "SameSite")
WEB_VIEWS = (
    "SnowplowWebInterfaceV2",
    "webkit.messageHandlers.snowplowV2",
    "ReactNativeWebView",
)


@dataclass(slots=True)
class Outgoing:
    """What is to be sent: `fields` with the kind `e`, or a self-describing event as well.

    `at` is ms since the epoch; `time` the timestamp that the site gave, if any. Without an `id` the
    event gets one of its `call`, of each tracker another.
    """

    fields: Json
    page: Page
    at: int
    self_describing: Json | None = None
    context: list[Any] = field(default_factory=list)
    time: Any = None
    id: str | None = None
    call: Call | None = None
    user_id: str | None = None


class SnowplowTracker:
    """A tracker with one namespace, and a destination of `cioanalytics` events."""

    name = SNOWPLOW

    def __init__(
        self,
        browser: Browser,
        settings: TrackerSettings,
        privacy: Privacy,
        views: PageViews,
        domains: Domains,
        code: PageCode,
        answers: Answers,
        report: Callable[[str, Json], None],
    ) -> None:
        self.settings = settings
        self.privacy = privacy
        self.business_id: str | None = None
        self.site_user: Callable[[], str | None] = lambda: None
        self.address = Address(browser, settings)
        self.contexts = GlobalContexts()
        self.plugins = list(settings.plugins)
        self.linker = settings.linker
        self.preserve_view = False
        self.preserve_view_for = settings.preserve_page_view_id_for
        self.activities: dict[str, Activity] = {}
        self.static_contexts: dict[str, Json] = {}
        self.browser = self._browser = browser
        self._views = views
        self._domains = domains
        self._code = code
        self._answers = answers
        self._report = report
        attributes = CookieAttributes(
            domain=settings.cookie_domain,
            path=settings.cookie_path,
            same_site=settings.cookie_same_site,
            secure=settings.cookie_secure,
            order=ORDER,
        )
        self.session = Session(browser, settings, privacy, attributes)
        self._local: Store = LocalStore(browser.local_storage)
        self.collector = SnowplowCollector(
            browser,
            settings,
            Places(lambda: [self._local] if privacy.places("queue") else []),
            self._note,
            lambda: privacy.may_receive_cookies,
        )
        self._facts: Json | None = None
        self._scope: str | None = None

    # life

    async def start(self) -> None:
        """Continue or start the session, and begin to send. A refusing visitor leaves no trace."""
        if self.privacy.refused_by() is not None:
            self.refuse()
            return
        await self.open_session()
        self.collector.open()
        if self.linker is not None:
            self.watch_links(self.linker)

    async def open_session(self) -> None:
        """Continue or start the session where privacy allows to follow the visitor."""
        if self.privacy.may_keep_session:
            await self._find_scope()
            await self.session.open()

    async def enable_anonymity(self) -> None:
        """What follows from anonymity that has just begun."""
        if not self.privacy.anonymity.session and not self.preserve_view:
            self._views.renew()
        if self.privacy.may_keep_session:
            await self._find_scope()
            self.session.become_anonymous()

    async def disable_anonymity(self) -> None:
        """What follows from anonymity that has just ended, or from another strategy."""
        await self._find_scope()
        self.session.become_identified()
        self.collector.queue.save()
        self.collector.sender.wake(now=True)

    def clear(self, *, preserve_session: bool = False, preserve_user: bool = False) -> None:
        """Forget what is kept of the visitor (`clearUserData`)."""
        if self._scope is None:  # the names of what former pages kept are not known
            self.session.wipe()
        self.session.clear(preserve_session=preserve_session, preserve_user=preserve_user)
        if not preserve_user:
            self.business_id = None

    def refuse(self) -> None:
        """The visitor refuses: remove what is kept, drop what waits (decision S3)."""
        self.session.wipe()
        self.business_id = None
        forget_tab(self._browser)
        self.collector.queue.clear()
        self._local.remove(f"snowplowOutQueue_{self.settings.namespace}")

    def reset(self) -> None:
        """`reset`: another user, so another session of the same visitor (decision I15)."""
        self.business_id = None
        self.renew_session()

    def renew_session(self) -> None:
        """Start a new session now."""
        if self.privacy.may_keep_session:
            self._announce(self.session.renew())

    # what is known

    @property
    def session_id(self) -> str | None:
        """The id of the session, None without one."""
        return self.session.session_id if self.privacy.may_track else None

    @property
    def page_view_id(self) -> str:
        """The id of the page view."""
        return self._views.id_for(*self._view_key)

    @property
    def _view_key(self) -> tuple[str, str | None]:
        """The address of the view, and the part of it that makes another view."""
        part = None if self.preserve_view else self.preserve_view_for
        return self.address.custom_url or self._browser.page().href, part

    @property
    def tab_id(self) -> str | None:
        """The id of the tab, None where nothing may be kept."""
        kept = self.settings.web_page and self.privacy.may_mark_tab
        return tab_id(self._browser) if kept else None

    # events

    def takes(self, event: Json) -> bool:
        """Whether an event of `cioanalytics` is for this destination."""
        wanted = event["integrations"]
        return self.settings.collector_url is not None and (
            wanted.get(SNOWPLOW) is not False
            and not (wanted.get("All") is False and not wanted.get(SNOWPLOW))
        )

    async def put(self, event: Json, call: Call) -> None:
        """Send an event of `cioanalytics` in the terms of this protocol."""
        content = content_of(event, self.settings.schemas)
        fields: Json = {"e": content.kind, **content.fields}
        if content.kind == "pv":
            fields |= self._view_fields(call.page, content.title)
        contexts = event["context"].get("snowplow")
        outgoing = Outgoing(
            fields,
            call.page,
            call.at,
            content.self_describing,
            contexts if isinstance(contexts, list) else [],
            id=_uuid_of(event["messageId"]),
            user_id=event["userId"],
        )
        await self.send(outgoing)

    async def view(self, call: Call, given: Json) -> None:
        """Send a page view."""
        fields = {"e": "pv", **self._view_fields(call.page, given.get("title"))}
        context = _list(given.get("context"))
        time = given.get("timestamp")
        await self.send(Outgoing(fields, call.page, call.at, None, context, time, call=call))
        for activity in self.activities.values():
            if self.settings.reset_activity or not activity.started:
                activity.page_viewed()

    async def ping(self, call: Call, facts: Json) -> None:
        """Send a page ping: the visitor was active."""
        view = self.static_contexts.get(call.method, {})
        page = self._browser.page()
        url, referrer = self.address.report(page)
        fields: Json = {
            "e": "pp",
            "url": url,
            "page": self.address.title_for_ping(page),
            "refr": referrer,
        }
        for name, key in _OFFSETS.items():
            fields[name] = facts.get(key) or None  # zero is left out
        context = await self._ping_context(view, facts)
        await self.send(Outgoing(fields, page, self._browser.told_now(), None, context))

    async def tell_activity(self, callback: Any, facts: Json) -> None:
        """Tell a function of the page instead."""
        view = self.static_contexts.get("enableActivityTrackingCallback", {})
        told: Json = {
            "context": await self._ping_context(view, {}),
            "pageViewId": self.page_view_id,
            **{f"{name}Offset": facts.get(name, 0) for name in _OFFSETS.values()},
        }
        told |= {"activityMetrics": facts["metrics"]} if "metrics" in facts else {}
        await self._ask(callback, [told])

    def add_activity(
        self, name: str, config: ActivityConfig, report: Callable[[Json], Coroutine[Any, Any, None]]
    ) -> None:
        """Watch the visitor's activity from the next page view on."""

        def told(facts: Json) -> None:
            spawn(report(facts))

        self.activities[name] = Activity(self._browser, config, self.read_activity, told)

    async def send(self, event: Outgoing) -> None:
        """Bring an event to the collector's queue, unless the visitor or a plugin refuses."""
        if self.privacy.refused_by() is not None:
            self.refuse()
            return
        await self._find_scope()
        payload = Payload(base64=self.settings.base64)
        payload.add(event.fields)
        payload.add({"eid": event.id or self._event_id(event.call), **self._device()})
        payload.add(time_fields(event.time, event.at))
        payload.add_json("ue_pr", "ue_px", UNSTRUCT_EVENT, event.self_describing)
        entities = await self._entities(event, payload)
        if not await self._passes(payload.fields):
            return
        payload.add(view_facts(self._browser))
        visitor, is_new = self._count(payload)
        self._identify(payload, visitor, event)
        url, referrer = self.address.report(event.page)
        payload.add({"refr": referrer, "url": url})
        if visitor is not None and self._tells_session:
            entities.append({"schema": CLIENT_SESSION, "data": self._session_data(visitor)})
        payload.add_json("co", "cx", CONTEXTS, entities)
        texts = {name: as_text(self._browser, value) for name, value in payload.fields.items()}
        self.collector.put(texts, anonymous=self.privacy.anonymity.server)
        if visitor is not None and is_new:
            self._announce(visitor)
        for plugin in self.plugins:
            if "afterTrack" in plugin:
                spawn(self.run(plugin["afterTrack"], [payload.fields]))

    def _event_id(self, call: Call | None) -> str:
        return (
            call.event_id(self._browser, self.settings.namespace) if call else self._browser.uuid()
        )

    async def run(self, mark: Any, args: list[Any]) -> Any:
        """What a function of the page answers. Raises TrackerError if it fails."""
        key = mark.get("$fn") if isinstance(mark, dict) else mark
        answer = await self._code.run("", args, fn=key)
        if "error" in answer:
            detail = f"snowplow: a function of the page failed: {answer['error']}"
            raise TrackerError("Function failed", detail)
        return answer.get("value")

    # links

    def watch_links(self, mark: Any) -> None:
        """Let the page ask for an address when a link is clicked that `mark` accepts."""
        self.linker = mark
        namespace = self.settings.namespace
        reason = (self.settings.extended_link or {}).get("reason")
        key = reason.get("$fn") if isinstance(reason, dict) else None
        where = {"fn": mark.get("$fn"), "reason": key, "job": "links", "tracker": namespace}
        self._code.run("", [], **where)

    def decorated(self, href: str, text: str) -> str:
        """The address of a link with the visitor's id, if he may be known."""
        if not self.privacy.may_tell:
            return href
        return decorated(href, self._link_value(text))

    async def read_activity(self) -> Json:
        """What happened on the page since the last time; the page begins to watch at the first."""
        answer = await self._code.run("", [], job="activity", tracker=self.settings.namespace)
        value = answer.get("value")
        return value if isinstance(value, dict) else {}

    # parts

    async def _ping_context(self, view: Json, facts: Json) -> list[Any]:
        """The entities of a ping: those of its page view, and what a function adds now."""
        context = _list(view.get("context"))
        if "contextCallback" in view:
            context = context + _list(await self._ask(view["contextCallback"], []))
        if facts.get("metrics"):
            context = [*context, {"schema": ACTIVITY_METRICS, "data": facts["metrics"]}]
        return context

    async def _find_scope(self) -> None:
        """Find out which domain the cookies belong to; their names depend on it."""
        if self._scope is not None or not self.privacy.places("session"):
            return
        settings, attributes = self.settings, self.session.store.attributes
        domain, hostname = settings.cookie_domain, self._domains.hostname
        probed = f"; SameSite={attributes.same_site}" + ("; Secure" if attributes.secure else "")
        if domain is not None and not await self._domains.accepts(domain, probed):
            root = await self._domains.root(probed)
            if root is not None:
                self._refuse_domain(domain, hostname)
                domain = root
        elif domain is None and settings.discover_root_domain:
            domain = await self._domains.root(probed)
        self._scope = domain or cookie_hostname(hostname)
        self.session.use_domain(self._scope, domain)

    def _refuse_domain(self, domain: str, hostname: str) -> None:
        detail = (
            f"option snowplow.cookieDomain is '{domain}', and the browser refuses cookies for it "
            f"on {hostname}; allowed: this host or a parent domain that is no public suffix. Used "
            "instead: the widest accepted domain. See docs/options.md#snowplow"
        )
        self._answers.report(TrackerError("Invalid option snowplow.cookieDomain", detail))

    def _device(self) -> Json:
        if self._facts is None:
            self._facts = device_facts(self._browser, self.settings)
        return self._facts

    def _view_fields(self, page: Page, title: Any) -> Json:
        """The fields of a page view, which this is from now on."""
        self._views.viewed(self.settings.namespace, *self._view_key, preserve=self.preserve_view)
        given = title if isinstance(title, str) else None
        shown = self.address.title_for_view(page, given)
        url, referrer = self.address.report(page)
        return {"url": url, "page": shown, "refr": referrer}

    async def _entities(self, event: Outgoing, payload: Payload) -> list[Any]:
        entities = [entity for entity in event.context if is_self_describing(entity)]
        if self.settings.web_page:
            entities.append(web_page(self.page_view_id))
        if self.settings.browser_entity:
            browser = browser_context(browser_facts(self._browser, self.tab_id))
            entities += [browser] if browser is not None else []
        for plugin in self.plugins:
            if "contexts" in plugin:
                entities += [e for e in _list(await self._ask(plugin["contexts"], [])) if e]
        if self.settings.app_version is not None:
            entities.append(application(self.settings.app_version))
        schema = str(event.self_describing.get("schema")) if event.self_describing else ""
        return entities + await self.contexts.entities(payload.fields, schema, self.run)

    async def _passes(self, fields: Json) -> bool:
        for plugin in self.plugins:
            if "filter" in plugin and await self._ask(plugin["filter"], [fields]) is False:
                return False
        return True

    async def _ask(self, mark: Any, args: list[Any]) -> Any:
        """The answer of a plugin's function; one that fails is reported and has none."""
        try:
            return await self.run(mark, args)
        except TrackerError as error:
            self._answers.report(error)
            return None

    def _count(self, payload: Payload) -> tuple[Visitor | None, bool]:
        if not self.privacy.may_follow:
            return None, False
        fields = payload.fields
        return self.session.count_event(fields["eid"], int(fields.get("dtm") or fields["ttm"]))

    def _identify(self, payload: Payload, visitor: Visitor | None, event: Outgoing) -> None:
        if visitor is not None:
            payload.add(visitor.fields())
            if self.privacy.may_identify:
                user = self.business_id or event.user_id or self.site_user()
                payload.add({"duid": visitor.user_id, "uid": user})

    @property
    def _tells_session(self) -> bool:
        if not self.settings.session_entity:
            return False
        hidden = self.settings.no_session_in_web_view
        return not (hidden and any(self._browser.has(name) for name in WEB_VIEWS))

    def _session_data(self, visitor: Visitor) -> Json:
        anonymous = self.privacy.anonymity.on
        mechanism = self.session.store.mechanism
        return visitor.entity(self._browser, anonymous=anonymous, mechanism=mechanism)

    def _announce(self, visitor: Visitor) -> None:
        if self.settings.on_session is not None:
            spawn(self._ask(self.settings.on_session, [self._session_data(visitor)]))

    def _link_value(self, text: str) -> str:
        visitor, options = self.session.user_id, self.settings.extended_link
        if options is None:
            return basic(visitor, self._browser.told_now())
        return extended(
            options,
            user_id=visitor,
            now_ms=self._browser.told_now(),
            session_id=self.session.session_id,
            business_id=self.business_id or self.site_user(),
            app_id=self.settings.app_id,
            platform=self.settings.platform,
            reason=text,
        )

    def _note(self, what: str, facts: Json) -> None:
        """What happened to events on their way out."""
        if what != "error":
            self._tell(what, facts)
        self._report(what, {**facts, "destination": SNOWPLOW, "namespace": self.settings.namespace})

    def _tell(self, what: str, facts: Json) -> None:
        """Tell the functions of the options about an answered request, or one without answer."""
        answer: Json = {name: facts[name] for name in ("status", "message") if name in facts}
        done, failed = self.settings.on_success, self.settings.on_failure
        if not answer:
            return
        if what == "delivered" and done is not None:
            spawn(self._ask(done, [facts["events"], answer]))
        elif what != "delivered" and failed is not None:
            message = answer.get("message") or f"HTTP {answer['status']}"
            told = {"events": facts["events"], **answer, "message": message}
            spawn(self._ask(failed, [{**told, "willRetry": what == "retry"}]))


def _uuid_of(message_id: str) -> str | None:
    """The UUID in a message id, so that an event has one identity in every destination."""
    digits = message_id.rpartition("-")[2]
    if len(digits) != 32:
        return None
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _list(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value]
    return value if isinstance(value, list) else []
