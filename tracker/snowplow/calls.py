"""What each Snowplow call does to a tracker, and what each getter answers.

Names and arguments: Snowplow browser tracker, version 4. Wrong values raise TrackerError.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any

from tracker.calls import Call
from tracker.errors import TrackerError, shown
from tracker.snowplow.activity import ActivityConfig
from tracker.snowplow.addresses import query_parameter
from tracker.snowplow.payload import decimal
from tracker.snowplow.settings import VIEW_PARTS
from tracker.snowplow.tracker import Outgoing, SnowplowTracker

Json = dict[str, Any]


def invalid(call: str, what: str, value: Any, allowed: str) -> TrackerError:
    """The error of a call with a wrong argument."""
    return TrackerError(
        f"Invalid {what}",
        f"{call}: the {what} is {shown(value)}; allowed: {allowed}. "
        f"See docs/snowplow.md#{call.lower()}",
    )


def _given(call: Call, *, required: bool = False) -> Json:
    """The one object that a call takes."""
    value = call.first
    if value is None and not required:
        return {}
    if not isinstance(value, dict):
        raise invalid(call.method, "argument", value, "an object")
    return value


def _text(call: Call, *, optional: bool = False) -> str | None:
    value = call.first
    if (isinstance(value, str) and value) or (optional and value in (None, "")):
        return value or None
    allowed = "text, or null for none" if optional else "text that is not empty"
    raise invalid(call.method, "argument", value, allowed)


def _seconds(call: Call) -> float:
    value = call.first
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise invalid(call.method, "timeout", value, "seconds, 0 or more")
    return value


# events


async def _page_view(tracker: SnowplowTracker, call: Call) -> None:
    given = _given(call)
    await tracker.view(call, given)
    for name in ("enableActivityTracking", "enableActivityTrackingCallback"):
        if tracker.settings.reset_activity or name not in tracker.static_contexts:
            tracker.static_contexts[name] = given


async def _struct_event(tracker: SnowplowTracker, call: Call) -> None:
    given = _given(call, required=True)
    fields = {
        "e": "se",
        "se_ca": given.get("category"),
        "se_ac": given.get("action"),
        "se_la": given.get("label"),
        "se_pr": given.get("property"),
        "se_va": decimal(given.get("value")),
    }
    await tracker.send(_outgoing(call, given, fields))


async def _self_describing_event(tracker: SnowplowTracker, call: Call) -> None:
    given = _given(call, required=True)
    event = given.get("event")
    if not isinstance(event, dict) or not isinstance(event.get("schema"), str):
        raise invalid(call.method, "event", event, "{schema, data} with an iglu: address")
    content = {"schema": event["schema"], "data": event.get("data") or {}}
    outgoing = _outgoing(call, given, {"e": "ue"})
    outgoing.self_describing = content
    await tracker.send(outgoing)


def _outgoing(call: Call, given: Json, fields: Json) -> Outgoing:
    context = given.get("context")
    return Outgoing(
        fields,
        call.page,
        call.at,
        context=context if isinstance(context, list) else [],
        time=given.get("timestamp"),
        call=call,
    )


# who and where


def _set_user_id(tracker: SnowplowTracker, call: Call) -> None:
    value = call.first
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if value is not None and not isinstance(value, str):
        raise invalid(call.method, "user id", value, "text, or null for none")
    tracker.business_id = value or None


def _user_id_from(
    read: Callable[[SnowplowTracker, Call, str], str | None],
) -> Callable[[SnowplowTracker, Call], None]:
    def set_user_id(tracker: SnowplowTracker, call: Call) -> None:
        name = _text(call)
        assert name is not None
        tracker.business_id = read(tracker, call, name) or None

    return set_user_id


def _discard(name: str) -> Callable[[SnowplowTracker, Call], None]:
    def discard(tracker: SnowplowTracker, call: Call) -> None:
        setattr(tracker.address, name, call.first is not False)

    return discard


def _preserve_view(tracker: SnowplowTracker, call: Call) -> None:
    tracker.preserve_view = True


def _preserve_view_for(tracker: SnowplowTracker, call: Call) -> None:
    mode = call.first
    if not (isinstance(mode, bool) or mode in VIEW_PARTS):
        raise invalid(call.method, "mode", mode, f"true, false, {', '.join(VIEW_PARTS)}")
    tracker.preserve_view_for = "full" if mode is True else mode or None


def _set_cookie_path(tracker: SnowplowTracker, call: Call) -> None:
    tracker.session.use_path(_text(call) or "/")


def _set_session_timeout(tracker: SnowplowTracker, call: Call) -> None:
    tracker.session.timeout_s = _seconds(call)


def _set_visitor_timeout(tracker: SnowplowTracker, call: Call) -> None:
    tracker.session.lifetime_s = _seconds(call)


def _link(tracker: SnowplowTracker, call: Call) -> None:
    if not isinstance(call.first, dict) or "$fn" not in call.first:
        raise invalid(call.method, "argument", call.first, "a function")
    tracker.watch_links(call.first)


# entities and plugins


def _add_contexts(tracker: SnowplowTracker, call: Call) -> None:
    problems = tracker.contexts.add(call.first)
    if problems:
        raise TrackerError("Invalid contexts", " ".join(problems))


def _add_plugin(tracker: SnowplowTracker, call: Call) -> None:
    plugin = _given(call, required=True).get("plugin")
    if not isinstance(plugin, dict):
        raise invalid(call.method, "plugin", plugin, "an object with contexts, filter, afterTrack")
    tracker.plugins.append(plugin)


# activity


def _enable_activity(tracker: SnowplowTracker, call: Call) -> None:
    if call.method in tracker.activities:
        return
    given = _given(call, required=True)
    config = ActivityConfig.of(call.method, given)
    callback = given.get("callback")
    if call.method == "enableActivityTrackingCallback" and not isinstance(callback, dict):
        raise invalid(call.method, "callback", callback, "a function")

    def report(facts: Json) -> Coroutine[Any, Any, None]:
        if callback is None:
            return tracker.ping(call, facts)
        return tracker.tell_activity(callback, facts)

    tracker.add_activity(call.method, config, report)


def _disable_activity(tracker: SnowplowTracker, call: Call) -> None:
    activity = tracker.activities.pop(call.method.replace("disable", "enable"), None)
    if activity is not None:
        activity.stop()


def _active_now(tracker: SnowplowTracker, call: Call) -> None:
    for activity in tracker.activities.values():
        activity.active_now()


# delivery


def _set_collector(tracker: SnowplowTracker, call: Call) -> None:
    tracker.collector.use_address(call.first, call.method)
    tracker.collector.open()


def _set_buffer_size(tracker: SnowplowTracker, call: Call) -> None:
    size = call.first
    if type(size) is not int or size < 1:
        raise invalid(call.method, "buffer size", size, "a whole number from 1")
    tracker.collector.buffer_size = size


def _flush(tracker: SnowplowTracker, call: Call) -> None:
    tracker.collector.sender.wake(now=True)
    size = _given(call).get("newBufferSize")
    if size:
        _set_buffer_size(tracker, Call("", call.method, [size], call.at, call.page))


METHODS: dict[str, Callable[[SnowplowTracker, Call], Awaitable[None] | None]] = {
    "trackPageView": _page_view,
    "trackStructEvent": _struct_event,
    "trackSelfDescribingEvent": _self_describing_event,
    "newSession": lambda tracker, call: tracker.renew_session(),
    "setUserId": _set_user_id,
    "setUserIdFromLocation": _user_id_from(
        lambda tracker, call, name: query_parameter(tracker.browser, call.page.href, name)
    ),
    "setUserIdFromReferrer": _user_id_from(
        lambda tracker, call, name: query_parameter(
            tracker.browser, tracker.address.report(call.page)[1], name
        )
    ),
    "setUserIdFromCookie": _user_id_from(
        lambda tracker, call, name: tracker.session.store.cookie(name)
    ),
    "setReferrerUrl": lambda tracker, call: tracker.address.set_referrer(
        _text(call, optional=True)
    ),
    "setCustomUrl": lambda tracker, call: tracker.address.set_custom_url(
        _text(call, optional=True), call.page
    ),
    "setDocumentTitle": lambda tracker, call: tracker.address.set_title(_text(call, optional=True)),
    "discardHashTag": _discard("discard_hash"),
    "discardBrace": _discard("discard_brace"),
    "setCookiePath": _set_cookie_path,
    "setSessionCookieTimeout": _set_session_timeout,
    "setVisitorCookieTimeout": _set_visitor_timeout,
    "crossDomainLinker": _link,
    "addGlobalContexts": _add_contexts,
    "removeGlobalContexts": lambda tracker, call: tracker.contexts.remove(call.first),
    "clearGlobalContexts": lambda tracker, call: tracker.contexts.clear(),
    "addPlugin": _add_plugin,
    "preservePageViewId": _preserve_view,
    "preservePageViewIdForUrl": _preserve_view_for,
    "enableActivityTracking": _enable_activity,
    "enableActivityTrackingCallback": _enable_activity,
    "disableActivityTracking": _disable_activity,
    "disableActivityTrackingCallback": _disable_activity,
    "updatePageActivity": _active_now,
    "setCollectorUrl": _set_collector,
    "setBufferSize": _set_buffer_size,
    "flushBuffer": _flush,
}

EVENTS = ("trackPageView", "trackStructEvent", "trackSelfDescribingEvent")

# name -> (tracker, arguments) -> answer
GETTERS: dict[str, Callable[[SnowplowTracker, list[Any]], Any]] = {
    "getDomainUserId": lambda tracker, args: (
        tracker.session.user_id if tracker.privacy.may_tell else None
    ),
    "getDomainUserInfo": lambda tracker, args: (
        tracker.session.info() if tracker.privacy.may_tell else None
    ),
    "getDomainSessionId": lambda tracker, args: tracker.session_id,
    "getDomainSessionIndex": lambda tracker, args: tracker.session.visits,
    "getUserId": lambda tracker, args: tracker.business_id if tracker.privacy.may_tell else None,
    "getCookieName": lambda tracker, args: tracker.session.cookie_name(
        str(args[0] if args else "id")
    ),
    "getPageViewId": lambda tracker, args: tracker.page_view_id,
    "getTabId": lambda tracker, args: tracker.tab_id,
    "getDecoratedLink": lambda tracker, args: tracker.decorated(str(args[0]), str(args[1])),
}

# What a view answers; the argument of `getCookieName` is put in later.
VIEWED = {name: answer for name, answer in GETTERS.items() if name != "getDecoratedLink"}

# What concerns the visitor and not one tracker only: `tracker.analytics` does it for all he meets.
PRIVACY_METHODS = (
    "setOptOutCookie",
    "enableAnonymousTracking",
    "disableAnonymousTracking",
    "clearUserData",
)


def addressed(call: Call) -> Call:
    """A call that ends with a list of namespaces, as in the npm package, is for those."""
    last = call.args[-1] if len(call.args) > 1 else None
    names = last if isinstance(last, list) else []
    listed = names and all(isinstance(name, str) for name in names)
    if not listed or call.to or call.method not in (*METHODS, *PRIVACY_METHODS):
        return call
    return replace(call, args=call.args[:-1], to=tuple(names))
