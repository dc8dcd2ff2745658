"""Which `load()` options there are, and how given options become checked `Settings`.

`OPTIONS` is the one table: it validates, gives defaults, and is what docs/options.md is made from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tracker.errors import TrackerError, shown
from tracker.query_string import QueryStringRules, to_rules
from tracker.storage.cookies import CookieAttributes
from tracker.storage.strategy import STRATEGIES

CUSTOMERIO = "Customer.io Data Pipelines"

# Browsers keep no cookie longer, whatever a site asks for.
MAX_COOKIE_DAYS = 400


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its value when not given, what is allowed, and what it does."""

    default: Any
    allowed: str
    accepts: Callable[[Any], bool]
    help: str
    # what is used instead of a wrong value; privacy options take the stricter side (decision C1)
    instead: Any = field(default=...)


def _text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _object(value: Any) -> bool:
    return isinstance(value, dict)


def _reads_query(value: Any) -> bool:
    try:
        to_rules(value)
    except ValueError:
        return False
    return isinstance(value, dict)


def _one_of(*values: str) -> Callable[[Any], bool]:
    return lambda value: value in values


def _yes_no(default: bool, help_: str, instead: Any = ...) -> Option:
    return Option(default, "true or false", _boolean, help_, instead)


def _named(default: str | None, help_: str) -> Option:
    return Option(default, "text that is not empty", _text, help_)


def _choice(default: str, values: tuple[str, ...], help_: str, instead: Any = ...) -> Option:
    allowed = ", ".join(f"'{value}'" for value in values)
    return Option(default, allowed, _one_of(*values), help_, instead)


OPTIONS: dict[str, Option] = {
    "cookie.domain": _named(
        None, "Domain of the identity cookies; without it the widest one the browser accepts."
    ),
    "cookie.maxage": Option(
        365, "days, 0 or more", _number, "Lifetime of the identity cookies in days; at most 400."
    ),
    "cookie.path": _named("/", "Path of the identity cookies."),
    "cookie.sameSite": _choice(
        "Lax", ("Lax", "Strict", "None"), "SameSite of the identity cookies; None needs secure."
    ),
    "cookie.secure": _yes_no(False, "Whether the identity cookies are sent over HTTPS only."),
    "user.persist": _yes_no(True, "false keeps the user in this page's memory."),
    "user.disable": _yes_no(False, "true switches user id, anonymous id and traits off."),
    "user.cookie.key": _named("ajs_user_id", "Name of the user id in cookies and local storage."),
    "user.cookie.oldKey": _named("ajs_user", "Older cookie that is imported once, then deleted."),
    "user.localStorage.key": _named("ajs_user_traits", "Name of the user's traits."),
    "user.localStorageFallbackDisabled": _yes_no(
        False, "true keeps the user out of local storage."
    ),
    "group.persist": _yes_no(True, "false keeps the group in this page's memory."),
    "group.disable": _yes_no(False, "true switches group id and traits off."),
    "group.cookie.key": _named(
        "ajs_group_id", "Name of the group id in cookies and local storage."
    ),
    "group.localStorage.key": _named("ajs_group_properties", "Name of the group's traits."),
    "group.localStorageFallbackDisabled": _yes_no(
        False, "true keeps the group out of local storage."
    ),
    "storage.traits": _choice(
        "localStorage",
        ("localStorage", "cookie"),
        "Where traits are kept. Cookies are sent with every request, so think twice.",
    ),
    "stateStorageStrategy": _choice(
        "cookieAndLocalStorage",
        STRATEGIES,
        "Where state may be kept in the visitor's browser.",
        "none",
    ),
    "disableClientPersistence": _yes_no(
        False, "true keeps everything in memory; beats stateStorageStrategy.", True
    ),
    "optOutCookie": _named(
        None, "A visitor with a cookie of this name (not empty) is not tracked."
    ),
    "respectDoNotTrack": _yes_no(
        False, "true: a visitor who sends Do Not Track is not tracked.", True
    ),
    "respectGlobalPrivacyControl": Option(
        None,
        "true or false",
        _boolean,
        "The same for Global Privacy Control; without it respectDoNotTrack counts.",
        True,
    ),
    "anonymousTracking": Option(
        False,
        "true, false or an object",
        lambda value: _boolean(value) or _object(value),
        "true sends events without user id, traits or a lasting anonymous id, and keeps nothing.",
        True,
    ),
    "useQueryString": Option(
        True,
        "true, false or {uid, aid, events, strip}",
        lambda value: _boolean(value) or _reads_query(value),
        "Whether ajs_uid, ajs_aid and ajs_event in a page's address count. Anybody can hand out "
        "such links: uid and aid are regular expressions for the ids you accept, events lists the "
        "accepted event names, strip false leaves the parameters in the address.",
        False,
    ),
    "initialPageview": _yes_no(False, "true calls page() once when the tracker has loaded."),
    "integrations": Option(
        {}, "an object", _object, "Destinations switched on or off, sent with every event."
    ),
    "retryQueue": _yes_no(True, "false: one attempt for each event, then it is dropped."),
    "customerio.apiHost": _named(
        "cdp.customer.io/v1",
        "Where events go: host and path, with or without the scheme. Also `apiHost`.",
    ),
    "customerio.protocol": _choice(
        "https", ("https", "http"), "Scheme of apiHost where it names none. Also `protocol`."
    ),
    "customerio.settingsUrl": Option(
        None,
        "an address, or false",
        lambda value: _text(value) or value is False,
        "Where the project's settings are read; false reads none. "
        "Without it `<apiHost>/projects/<write key>/settings`.",
    ),
    "customerio.settings": Option(
        None,
        "an object",
        _object,
        "The project's settings, as that address answers them; with them nothing is read.",
    ),
    "customerio.batch": Option(
        False,
        "true, false or {size, timeout}",
        lambda value: _boolean(value) or _object(value),
        "true sends up to 10 events together, after 5,000 ms at the latest.",
    ),
    "globalAnalyticsKey": _named("cioanalytics", "A further name of the global object."),
    "alias": _yes_no(False, "true also makes the global `analytics`, if that name is free."),
    "host": _choice("auto", ("auto", "page"), "Where Python runs."),
    "saveData": _choice(
        "skip",
        ("skip", "load"),
        "What a visitor with Save-Data gets: skip downloads no runtime and keeps the calls for a "
        "later page, load downloads it as for everybody.",
    ),
    "debug": _yes_no(False, "true writes every event to the console."),
}

# names at the top level that mean an option of a group
ALIASES = {"apiHost": "customerio.apiHost", "protocol": "customerio.protocol"}

# groups that may be false instead of an object
SWITCHES = {"customerio"}

# options of releases to come: accepted, with a warning that says so
PLANNED = frozenset(
    (
        "plugins",
        "snowplow",
        "sessions",
        "collectorUrl",
        "namespace",
        "appId",
        "platform",
        "cookieName",
        "cookieDomain",
        "cookiePath",
        "cookieSameSite",
        "cookieSecure",
        "cookieLifetime",
        "sessionCookieTimeout",
        "eventMethod",
        "schemas",
        "contexts",
    )
)

GROUPS = {name[: name.rindex(".")] for name in OPTIONS if "." in name} | {"user", "group"}


@dataclass(frozen=True, slots=True)
class EntityOptions:
    """How a user or a group is kept."""

    id_key: str
    traits_key: str
    old_key: str
    persist: bool
    disable: bool
    localstorage_disabled: bool


@dataclass(frozen=True)
class Batch:
    """When a batch is full or old enough to be sent."""

    size: int = 10
    timeout_ms: float = 5000


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked options. `given` is what the site passed to `load`."""

    write_key: str
    given: dict[str, Any]
    cookie: CookieAttributes
    user: EntityOptions
    group: EntityOptions
    strategy: str
    trait_store: str
    privacy: dict[str, Any]
    anonymous: bool
    initial_pageview: bool
    query_string: QueryStringRules | None
    integrations: dict[str, Any]
    retry: bool
    customerio: bool
    api_host: str
    protocol: str | None
    settings_url: str | bool | None
    project: dict[str, Any] | None
    batch: Batch | None
    debug: bool


def check(write_key: Any, options: Any) -> tuple[Settings, list[TrackerError], list[str]]:
    """Check the arguments of `load`.

    Returns the settings to work with, an error for each wrong value (whose default is used), and
    warnings. Raises TrackerError without a usable write key.
    """
    if isinstance(write_key, int) and not isinstance(write_key, bool):
        write_key = str(write_key)
    if not isinstance(write_key, str) or not write_key.strip():
        raise TrackerError(
            "Write key missing",
            f"load: the write key is {shown(write_key)}; allowed: the write key of your source as "
            "text. Nothing is tracked without it. See docs/options.md#write-key",
        )
    errors: list[TrackerError] = []
    warnings: list[str] = []
    if options is not None and not isinstance(options, dict):
        errors.append(_wrong("options", options, "an object", "{}"))
        options = None
    given: dict[str, Any] = {}
    _collect("", options or {}, given, errors, warnings)
    settings = _settings(write_key, options or {}, given)
    _advise(settings, given, warnings)
    return settings, errors, warnings


def nearest(name: str, known: list[str]) -> str | None:
    """The known name that a misspelled one most likely means, None if none is near."""
    near = min(known, key=lambda each: (_distance(name.lower(), each.lower()), each), default=None)
    return (
        near if near and _distance(name.lower(), near.lower()) <= max(2, len(name) // 3) else None
    )


def _collect(
    prefix: str,
    options: dict[str, Any],
    given: dict[str, Any],
    errors: list[TrackerError],
    warnings: list[str],
) -> None:
    for key, value in options.items():
        name = ALIASES.get(prefix + key, prefix + key)
        if value is None:
            continue
        if name in GROUPS:
            if isinstance(value, dict):
                _collect(name + ".", value, given, errors, warnings)
            elif value is False and name in SWITCHES:
                given[name] = False
            elif value is not True or name not in SWITCHES:
                errors.append(_wrong(name, value, "an object", "its default"))
        elif name in OPTIONS:
            option = OPTIONS[name]
            if option.accepts(value):
                given[name] = value
            else:
                given[name] = option.default if option.instead is ... else option.instead
                errors.append(_wrong(name, value, option.allowed, shown(given[name])))
        elif name in PLANNED:
            warnings.append(f"load: option {name} has no effect in this version.")
        else:
            warnings.append(_unknown(prefix, key))


def _settings(write_key: str, options: dict[str, Any], given: dict[str, Any]) -> Settings:
    def value(name: str) -> Any:
        return given.get(name, OPTIONS[name].default)

    def entity(name: str) -> EntityOptions:
        old_key = f"{name}.cookie.oldKey"
        return EntityOptions(
            id_key=value(f"{name}.cookie.key"),
            traits_key=value(f"{name}.localStorage.key"),
            old_key=value(old_key) if old_key in OPTIONS else "",
            persist=value(f"{name}.persist"),
            disable=value(f"{name}.disable"),
            localstorage_disabled=value(f"{name}.localStorageFallbackDisabled"),
        )

    anonymous = value("anonymousTracking") is not False
    persist = not value("disableClientPersistence") and not anonymous
    return Settings(
        write_key=write_key,
        given=options,
        cookie=CookieAttributes(
            domain=value("cookie.domain"),
            path=value("cookie.path"),
            days=min(value("cookie.maxage"), MAX_COOKIE_DAYS),
            same_site=value("cookie.sameSite"),
            secure=value("cookie.secure"),
        ),
        user=entity("user"),
        group=entity("group"),
        strategy=value("stateStorageStrategy") if persist else "none",
        trait_store=value("storage.traits"),
        privacy={
            name: value(name)
            for name in ("respectDoNotTrack", "respectGlobalPrivacyControl", "optOutCookie")
        },
        anonymous=anonymous,
        initial_pageview=value("initialPageview"),
        query_string=to_rules(value("useQueryString")),
        integrations=value("integrations"),
        retry=value("retryQueue"),
        customerio=given.get("customerio") is not False,
        api_host=value("customerio.apiHost"),
        protocol=given.get("customerio.protocol"),
        settings_url=value("customerio.settingsUrl"),
        project=value("customerio.settings"),
        batch=to_batch(value("customerio.batch")),
        debug=value("debug"),
    )


def to_batch(value: Any) -> Batch | None:
    """Batching as `true` or `{size, timeout}` ask for it, None for false."""
    if not isinstance(value, dict):
        return Batch() if value else None
    size, timeout = value.get("size"), value.get("timeout")
    return Batch(
        int(size) if size and _number(size) else Batch.size,
        float(timeout) if timeout is not None and _number(timeout) else Batch.timeout_ms,
    )


def _advise(settings: Settings, given: dict[str, Any], warnings: list[str]) -> None:
    if settings.cookie.same_site == "None" and not settings.cookie.secure:
        warnings.append(
            "load: option cookie.sameSite is 'None' without cookie.secure: browsers refuse such "
            "cookies. Set cookie.secure to true. See docs/options.md#cookie"
        )
    if given.get("cookie.maxage", 0) > MAX_COOKIE_DAYS:
        warnings.append(
            f"load: option cookie.maxage is {given['cookie.maxage']} days; browsers keep cookies "
            f"for at most {MAX_COOKIE_DAYS}, so {MAX_COOKIE_DAYS} is used. "
            "See docs/options.md#cookie"
        )


def _wrong(name: str, value: Any, allowed: str, used: str) -> TrackerError:
    return TrackerError(
        f"Invalid option {name}",
        f"load: option {name} is {shown(value)}; allowed: {allowed}. Used instead: {used}. "
        f"See docs/options.md#{name.partition('.')[0].lower()}",
    )


def _unknown(prefix: str, key: str) -> str:
    level = {name[len(prefix) :].partition(".")[0] for name in OPTIONS if name.startswith(prefix)}
    if not prefix:
        level |= PLANNED | ALIASES.keys()
    near = nearest(key, sorted(level))
    meant = f" Did you mean {prefix}{near}?" if near else ""
    return f"load: option {prefix}{key} is not known and has no effect.{meant} See docs/options.md"


def _distance(one: str, other: str) -> int:
    """How many letters have to change to make one word of the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]
