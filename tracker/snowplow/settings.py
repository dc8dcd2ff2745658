"""The options of a Snowplow tracker, and how given ones become `TrackerSettings`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tracker.options import (
    Option,
    amount,
    choice,
    function,
    is_boolean,
    is_object,
    named,
    yes_no,
)

POST_PATH = "/com.snowplowanalytics.snowplow/tp2"

PLATFORMS = ("web", "mob", "pc", "srv", "app", "tv", "cnsl", "iot")
VIEW_PARTS = ("full", "pathname", "pathnameAndSearch")
EXTENDED_LINK_PARTS = ("userId", "sessionId", "sourceId", "sourcePlatform", "reason")


def _are_headers(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _are_codes(value: Any) -> bool:
    return isinstance(value, list) and all(type(code) is int for code in value)


def _are_plugins(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(plugin, dict) for plugin in value)


def _are_schemas(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(schema, str) and schema.startswith("iglu:") for schema in value.values()
    )


def _is_method(value: Any) -> bool:
    return isinstance(value, str) and value.lower() in ("post", "get")


def _codes(help_: str) -> Option:
    return Option([], "a list of HTTP status codes", _are_codes, help_)


SNOWPLOW_OPTIONS: dict[str, Option] = {
    "collectorUrl": named(
        None,
        "The Snowplow collector. Without a scheme it is reached as the page is; events go to it "
        "once this is given.",
    ),
    "namespace": named("sp", "The tracker's name, sent with every event."),
    "appId": named(None, "The application's id, sent with every event."),
    "appVersion": named(None, "The application's version, an entity of every event."),
    "platform": choice("web", PLATFORMS, "The platform, sent with every event."),
    "schemas": Option(
        {},
        "an object of event names and iglu: addresses",
        _are_schemas,
        "`track` sends these events as self-describing ones, all others as structured ones.",
    ),
    "cookieName": named("_sp_", "What the names of the visitor and session cookies begin with."),
    "cookieDomain": named(
        None, "Domain of these cookies; without it the widest one the browser accepts."
    ),
    "discoverRootDomain": yes_no(
        True, "false: without cookieDomain these cookies belong to this host only."
    ),
    "cookieSameSite": choice(
        "Lax", ("Lax", "Strict", "None"), "SameSite of these cookies; None needs cookieSecure."
    ),
    "cookieSecure": yes_no(True, "Whether these cookies are sent over HTTPS only."),
    "cookiePath": named("/", "Path of these cookies; also `setCookiePath`."),
    "cookieLifetime": amount(
        63_072_000,
        "seconds",
        "Lifetime of the visitor cookie in seconds; 0: as long as the browser is open. Also "
        "`setVisitorCookieTimeout`.",
    ),
    "sessionCookieTimeout": amount(
        1800,
        "seconds",
        "A session ends after so many seconds without an event. Also `setSessionCookieTimeout`.",
    ),
    "synchronousCookieWrite": yes_no(False, "Accepted; cookies are always written at once."),
    "eventMethod": Option(
        "post", "'post', 'get'", _is_method, "How events are sent: in batches, or one by one."
    ),
    "encodeBase64": Option(
        None,
        "true or false",
        is_boolean,
        "Whether JSON in events is base64url; without it only with eventMethod 'get'.",
    ),
    "postPath": named(POST_PATH, "The collector's path for POST."),
    "bufferSize": amount(1, "events", "So many events are sent together. Also `setBufferSize`."),
    "maxPostBytes": amount(40_000, "bytes", "The largest POST body."),
    "useStm": yes_no(True, "false: a GET request does not say when it was sent."),
    "connectionTimeout": amount(5000, "ms", "A request without an answer ends after so many ms."),
    "customHeaders": Option(
        {}, "an object of texts", _are_headers, "Headers of every request to the collector."
    ),
    "credentials": choice(
        None,
        ("include", "same-origin", "omit"),
        "Whether the collector gets and sets its cookies; not given: `include`, and `omit` while "
        "nothing may be kept in the browser.",
    ),
    "keepalive": yes_no(False, "true: every request outlives the page, where there is room."),
    "retryFailedRequests": yes_no(True, "false: one attempt for each event."),
    "retryStatusCodes": _codes("Answers after which an event is sent again."),
    "dontRetryStatusCodes": _codes("Answers after which an event is dropped."),
    "maxGetBytes": amount(0, "bytes", "Accepted; a GET request carries one event, however long."),
    "maxLocalStorageQueueSize": amount(
        1000, "events", "So many events wait for the collector; then the oldest are dropped."
    ),
    "cookieExtensionService": named(
        None,
        "An address that is asked once, before the first request, so that it may set a cookie.",
    ),
    "idService": named(None, "The former name of `cookieExtensionService`."),
    "onRequestSuccess": function("Called with the events of a request that was accepted."),
    "onRequestFailure": function(
        "Called with {events, status, message, willRetry} of a request that was not."
    ),
    "onSessionUpdateCallback": function("Called once for each new session, with its entity."),
    "contexts.webPage": yes_no(True, "Whether events carry the entity `web_page`."),
    "contexts.session": yes_no(False, "Whether events carry the entity `client_session`."),
    "contexts.browser": yes_no(False, "Whether events carry the entity `browser_context`."),
    "disableSessionContextWithinWebView": yes_no(
        False, "true: no `client_session` inside an app's web view."
    ),
    "plugins": Option(
        [], "a list of plugins", _are_plugins, "Snowplow plugins, see docs/snowplow.md."
    ),
    "crossDomainLinker": function(
        "Says for each link of the page whether it carries the visitor to another domain."
    ),
    "useExtendedCrossDomainLinker": Option(
        False,
        f"true, false or {{{', '.join(EXTENDED_LINK_PARTS)}}}",
        lambda value: is_boolean(value) or is_object(value),
        "What such a link carries besides the visitor's id.",
    ),
    "resetActivityTrackingOnPageView": yes_no(
        True, "false: `trackPageView` does not start activity tracking anew."
    ),
    "preservePageViewIdForUrl": Option(
        False,
        "true, false, 'full', 'pathname' or 'pathnameAndSearch'",
        lambda value: is_boolean(value) or value in VIEW_PARTS,
        "The page view id changes with this part of the address.",
    ),
    "preserveOriginalReferrer": yes_no(False, "true: the first referrer stays the referrer."),
}

# options of the incumbent that have no effect (yet): they are accepted with a warning
WITHOUT_EFFECT = ("customFetch", "eventStore", "useLocalStorage")


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """Checked options of one tracker; lifetimes in seconds, functions as marks."""

    namespace: str
    collector_url: str | None
    app_id: str | None
    app_version: str | None
    platform: str
    schemas: dict[str, str]
    cookie_name: str
    cookie_domain: str | None
    discover_root_domain: bool
    cookie_same_site: str
    cookie_secure: bool
    cookie_path: str
    cookie_lifetime_s: float
    session_timeout_s: float
    method: str
    base64: bool
    post_path: str
    buffer_size: int
    max_post_bytes: int
    send_time_in_get: bool
    timeout_ms: int
    headers: dict[str, str]
    credentials: str | None
    keepalive: bool
    retry: bool
    retry_codes: frozenset[int]
    dont_retry_codes: frozenset[int]
    queue_size: int
    id_service: str | None
    on_success: Any
    on_failure: Any
    on_session: Any
    web_page: bool
    session_entity: bool
    browser_entity: bool
    no_session_in_web_view: bool
    plugins: list[dict[str, Any]]
    linker: Any
    extended_link: dict[str, Any] | None
    reset_activity: bool
    preserve_page_view_id_for: str | None
    preserve_referrer: bool


def to_tracker_settings(value: Callable[[str], Any]) -> TrackerSettings:
    """The settings of a tracker; `value` answers the checked value of an option."""
    method = value("eventMethod").lower()
    base64, extended = value("encodeBase64"), value("useExtendedCrossDomainLinker")
    preserve = value("preservePageViewIdForUrl")
    return TrackerSettings(
        namespace=value("namespace"),
        collector_url=value("collectorUrl"),
        app_id=value("appId"),
        app_version=value("appVersion"),
        platform=value("platform"),
        schemas=value("schemas"),
        cookie_name=value("cookieName"),
        cookie_domain=value("cookieDomain"),
        discover_root_domain=value("discoverRootDomain"),
        cookie_same_site=value("cookieSameSite"),
        cookie_secure=value("cookieSecure"),
        cookie_path=value("cookiePath"),
        cookie_lifetime_s=value("cookieLifetime"),
        session_timeout_s=value("sessionCookieTimeout"),
        method=method,
        base64=base64 if base64 is not None else method == "get",
        post_path=value("postPath"),
        buffer_size=max(1, int(value("bufferSize"))),
        max_post_bytes=int(value("maxPostBytes")),
        send_time_in_get=value("useStm"),
        timeout_ms=int(value("connectionTimeout")),
        headers=value("customHeaders"),
        credentials=value("credentials"),
        keepalive=value("keepalive"),
        retry=value("retryFailedRequests"),
        retry_codes=frozenset(value("retryStatusCodes")),
        dont_retry_codes=frozenset(value("dontRetryStatusCodes")),
        queue_size=max(1, int(value("maxLocalStorageQueueSize"))),
        id_service=value("cookieExtensionService") or value("idService"),
        on_success=value("onRequestSuccess"),
        on_failure=value("onRequestFailure"),
        on_session=value("onSessionUpdateCallback"),
        web_page=value("contexts.webPage"),
        session_entity=value("contexts.session"),
        browser_entity=value("contexts.browser"),
        no_session_in_web_view=value("disableSessionContextWithinWebView"),
        plugins=value("plugins"),
        linker=value("crossDomainLinker"),
        extended_link=extended if isinstance(extended, dict) else {} if extended else None,
        reset_activity=value("resetActivityTrackingOnPageView"),
        preserve_page_view_id_for="full" if preserve is True else preserve or None,
        preserve_referrer=value("preserveOriginalReferrer"),
    )
