"""Which `load()` options there are, and how given options become checked `Settings`.

`OPTIONS` is the one table: it validates, gives defaults, and is what docs/options.md is made from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tracker.errors import TrackerError, shown
from tracker.options import (
    Option,
    amount,
    choice,
    is_boolean,
    is_number,
    is_object,
    is_text,
    named,
    wrong,
    yes_no,
)
from tracker.query_string import QueryStringRules, to_rules
from tracker.snowplow.settings import (
    SNOWPLOW_OPTIONS,
    WITHOUT_EFFECT,
    TrackerSettings,
    to_tracker_settings,
)
from tracker.storage.cookies import CookieAttributes
from tracker.storage.strategy import STRATEGIES

# names of the destinations, as `integrations` has them
CUSTOMERIO = "Customer.io Data Pipelines"
SNOWPLOW = "Snowplow"

# Browsers keep no cookie longer, whatever a site asks for.
MAX_COOKIE_DAYS = 400


def _reads_query(value: Any) -> bool:
    try:
        to_rules(value)
    except ValueError:
        return False
    return isinstance(value, dict)


def _batches(value: Any) -> bool:
    if not isinstance(value, dict):
        return is_boolean(value)
    return not value.keys() - {"size", "timeout"} and all(map(is_number, value.values()))


OPTIONS: dict[str, Option] = {
    "cookie.domain": named(
        None, "Domain of the identity cookies; without it the widest one the browser accepts."
    ),
    "cookie.maxage": Option(
        365, "days, 0 or more", is_number, "Lifetime of the identity cookies in days; at most 400."
    ),
    "cookie.path": named("/", "Path of the identity cookies."),
    "cookie.sameSite": choice(
        "Lax", ("Lax", "Strict", "None"), "SameSite of the identity cookies; None needs secure."
    ),
    "cookie.secure": yes_no(False, "Whether the identity cookies are sent over HTTPS only."),
    "user.persist": yes_no(True, "false keeps the user in this page's memory."),
    "user.disable": yes_no(False, "true switches user id, anonymous id and traits off."),
    "user.cookie.key": named("ajs_user_id", "Name of the user id in cookies and local storage."),
    "user.cookie.oldKey": named("ajs_user", "Older cookie that is imported once, then deleted."),
    "user.localStorage.key": named("ajs_user_traits", "Name of the user's traits."),
    "user.localStorageFallbackDisabled": yes_no(False, "true keeps the user out of local storage."),
    "group.persist": yes_no(True, "false keeps the group in this page's memory."),
    "group.disable": yes_no(False, "true switches group id and traits off."),
    "group.cookie.key": named("ajs_group_id", "Name of the group id in cookies and local storage."),
    "group.localStorage.key": named("ajs_group_properties", "Name of the group's traits."),
    "group.localStorageFallbackDisabled": yes_no(
        False, "true keeps the group out of local storage."
    ),
    "storage.traits": choice(
        "localStorage",
        ("localStorage", "cookie"),
        "Where traits are kept. Cookies are sent with every request, so think twice.",
    ),
    "stateStorageStrategy": choice(
        "cookieAndLocalStorage",
        STRATEGIES,
        "Where state may be kept in the visitor's browser.",
        "none",
    ),
    "disableClientPersistence": yes_no(
        False, "true keeps everything in memory; beats stateStorageStrategy.", True
    ),
    "optOutCookie": named(None, "A visitor with a cookie of this name (not empty) is not tracked."),
    "respectDoNotTrack": yes_no(
        False, "true: a visitor who sends Do Not Track is not tracked.", True
    ),
    "respectGlobalPrivacyControl": Option(
        None,
        "true or false",
        is_boolean,
        "The same for Global Privacy Control; without it respectDoNotTrack counts.",
        True,
    ),
    "anonymousTracking": Option(
        False,
        "true, false or an object",
        lambda value: is_boolean(value) or is_object(value),
        "true sends events without user id, traits or a lasting anonymous id, and keeps nothing.",
        True,
    ),
    "useQueryString": Option(
        True,
        "true, false or {uid, aid, events, strip}",
        lambda value: is_boolean(value) or _reads_query(value),
        "Whether ajs_uid, ajs_aid and ajs_event in a page's address count. Anybody can hand out "
        "such links: uid and aid are regular expressions for the ids you accept, events lists the "
        "accepted event names, strip false leaves the parameters in the address.",
        False,
    ),
    "initialPageview": yes_no(False, "true calls page() once when the tracker has loaded."),
    "integrations": Option(
        {}, "an object", is_object, "Destinations switched on or off, sent with every event."
    ),
    "retryQueue": yes_no(True, "false: one attempt for each event, then it is dropped."),
    "customerio.apiHost": named(
        "cdp.customer.io/v1",
        "Where events go: host and path, with or without the scheme. Also `apiHost`.",
    ),
    "customerio.protocol": choice(
        "https", ("https", "http"), "Scheme of apiHost where it names none. Also `protocol`."
    ),
    "customerio.settingsUrl": Option(
        None,
        "an address, or false",
        lambda value: is_text(value) or value is False,
        "Where the project's settings are read; false reads none. "
        "Without it `<apiHost>/projects/<write key>/settings`.",
    ),
    "customerio.settings": Option(
        None,
        "an object",
        is_object,
        "The project's settings, as that address answers them; with them nothing is read.",
    ),
    "customerio.batch": Option(
        False,
        "true, false or {size, timeout}",
        _batches,
        "true sends up to 10 events together, after 5,000 ms at the latest.",
    ),
    "globalAnalyticsKey": named("cioanalytics", "A further name of the global object."),
    "alias": yes_no(False, "true also makes the global `analytics`, if that name is free."),
    "host": choice(
        "auto",
        ("auto", "shared", "worker", "page"),
        "Where Python runs: in a worker that all pages of the origin share, in a worker of the "
        "page, or on the page's own thread. Where one cannot be used, the next one is. auto begins "
        "with shared.",
    ),
    "saveData": choice(
        "skip",
        ("skip", "load"),
        "What a visitor with Save-Data gets: skip downloads no runtime and keeps the calls for a "
        "later page, load downloads it as for everybody.",
    ),
    "debug": yes_no(False, "true writes every event to the console."),
    "testing.seed": Option(
        None,
        "text or a number",
        lambda value: is_text(value) or is_number(value),
        "For golden tests, on pages of this machine only (`localhost`): the same ids in each run.",
    ),
    "testing.now": amount(
        None,
        "ms since the epoch",
        "For golden tests, on pages of this machine only: the time of all events and sessions. It "
        "does not pass.",
    ),
    "plugins": Option(
        [],
        "addresses of wheels, as a list or as a text with spaces between them",
        lambda value: is_text(value) or (isinstance(value, list) and all(map(is_text, value))),
        "Plugins in Python, see docs/plugins.md.",
    ),
    "pluginOrigins": Option(
        [],
        "a list of origins, like `https://static.example`",
        lambda value: isinstance(value, list) and all(map(is_text, value)),
        "Where plugins may come from, besides the page's own origin.",
    ),
    "sessions": yes_no(
        False, "true keeps the visitor and session state of Snowplow without a Snowplow collector."
    ),
    **{f"snowplow.{name}": option for name, option in SNOWPLOW_OPTIONS.items()},
}

# options of Snowplow as the first part of their name
_SNOWPLOW = dict.fromkeys(name.partition(".")[0] for name in SNOWPLOW_OPTIONS)

# names at the top level that mean an option of a group
ALIASES = {
    **{name: f"snowplow.{name}" for name in _SNOWPLOW if name != "plugins"},
    "apiHost": "customerio.apiHost",
    "protocol": "customerio.protocol",
}

# groups that may be false instead of an object
SWITCHES = {"customerio", "snowplow"}

# options of releases to come: accepted, with a warning that says so
PLANNED = frozenset(f"snowplow.{name}" for name in WITHOUT_EFFECT)

# options of `load` that a tracker made by `newTracker` has as well
SHARED = (
    "stateStorageStrategy",
    "disableClientPersistence",
    "optOutCookie",
    "respectDoNotTrack",
    "respectGlobalPrivacyControl",
    "anonymousTracking",
    "debug",
)

GROUPS = {name[: name.rindex(".")] for name in OPTIONS if "." in name} | {
    "user",
    "group",
    "snowplow",
}


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
class PrivacySettings:
    """What a tracker starts with: `signals` by option, and where state may be kept."""

    signals: dict[str, Any]
    strategy: str
    anonymous: Any


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked options. `given` is what the site passed to `load`."""

    write_key: str
    given: dict[str, Any]
    cookie: CookieAttributes
    user: EntityOptions
    group: EntityOptions
    trait_store: str
    privacy: PrivacySettings
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
    snowplow: TrackerSettings | None
    debug: bool
    plugins: tuple[str, ...]  # addresses of wheels
    plugin_origins: tuple[str, ...]
    seed: str | float | None  # of ids, for tests
    now: int | None

    @property
    def requires_plugins(self) -> bool:
        """Whether nothing may be sent without one of the plugins."""
        marks = [entry.partition("#")[2].split("&") for entry in self.plugins]
        return any("required" in each for each in marks)


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
    reader = _Reader("load", ALIASES)
    options = reader.read(options)
    settings = _settings(write_key, options, reader.given)
    missing = settings.snowplow is not None and settings.snowplow.collector_url is None
    if missing and not reader.given.get("sessions"):
        reader.errors.append(_no_collector("load: option snowplow.collectorUrl", None))
        settings = replace(settings, snowplow=None)
    _advise(settings, reader.given, reader.warnings)
    return settings, reader.errors, reader.warnings


def check_tracker(
    namespace: Any, endpoint: Any, options: Any
) -> tuple[TrackerSettings, PrivacySettings, list[TrackerError], list[str]]:
    """Check the arguments of `newTracker`.

    Returns as `check` does. Raises TrackerError without a namespace or a collector.
    """
    if not is_text(namespace):
        raise TrackerError(
            "Namespace missing",
            f"newTracker: the namespace is {shown(namespace)}; allowed: text that is not empty. "
            "See docs/snowplow.md#newtracker",
        )
    if not is_text(endpoint):
        raise _no_collector("newTracker: the collector", endpoint)
    own = {name: f"snowplow.{name}" for name in _SNOWPLOW}
    reader = _Reader("newTracker", own | {name: name for name in SHARED})
    reader.read(options)
    reader.given |= {"snowplow.namespace": namespace, "snowplow.collectorUrl": endpoint}
    settings = to_tracker_settings(_values("snowplow.", reader.given))
    return settings, _privacy(reader.given), reader.errors, reader.warnings


def nearest(name: str, known: list[str]) -> str | None:
    """The known name that a misspelled one most likely means, None if none is near."""
    near = min(known, key=lambda each: (_distance(name.lower(), each.lower()), each), default=None)
    return (
        near if near and _distance(name.lower(), near.lower()) <= max(2, len(name) // 3) else None
    )


class _Reader:
    """Given options, checked: `given` by full name, and what is to be said about them."""

    def __init__(self, call: str, names: Mapping[str, str]) -> None:
        self.given: dict[str, Any] = {}
        self.errors: list[TrackerError] = []
        self.warnings: list[str] = []
        self._call = call
        self._names = names

    def read(self, options: Any) -> dict[str, Any]:
        """Take options in; returns them, {} for what are none."""
        if options is not None and not isinstance(options, dict):
            self.errors.append(wrong(self._call, "options", options, "an object", "{}"))
            options = None
        self._read("", options or {})
        return options or {}

    def _read(self, prefix: str, options: dict[str, Any]) -> None:
        for key, value in options.items():
            name = self._names.get(prefix + key, prefix + key)
            if value is None:
                continue
            if name in GROUPS:
                if isinstance(value, dict):
                    self.given.setdefault(name, True)
                    self._read(name + ".", value)
                elif is_boolean(value) and name in SWITCHES:
                    self.given[name] = value
                else:
                    self.errors.append(wrong(self._call, name, value, "an object", "its default"))
            elif name in OPTIONS:
                self._take(name, OPTIONS[name], value)
            elif name in PLANNED:
                self.warnings.append(f"{self._call}: option {name} has no effect in this version.")
            else:
                self.warnings.append(_unknown(self._call, prefix, key))

    def _take(self, name: str, option: Option, value: Any) -> None:
        if option.accepts(value):
            self.given[name] = value
        else:
            self.given[name] = option.default if option.instead is ... else option.instead
            used = shown(self.given[name])
            self.errors.append(wrong(self._call, name, value, option.allowed, used))


def _values(prefix: str, given: Mapping[str, Any]) -> Callable[[str], Any]:
    """What answers the value of an option: the given one, else its default."""
    return lambda name: given.get(prefix + name, OPTIONS[prefix + name].default)


def _privacy(given: Mapping[str, Any]) -> PrivacySettings:
    value = _values("", given)
    return PrivacySettings(
        signals={
            name: value(name)
            for name in ("respectDoNotTrack", "respectGlobalPrivacyControl", "optOutCookie")
        },
        strategy="none" if value("disableClientPersistence") else value("stateStorageStrategy"),
        anonymous=value("anonymousTracking"),
    )


def _no_collector(what: str, value: Any) -> TrackerError:
    return TrackerError(
        "Collector missing",
        f"{what} is {shown(value)}; allowed: the address of a Snowplow collector. Nothing is sent "
        "to Snowplow without it. See docs/options.md#snowplow",
    )


def _settings(write_key: str, options: dict[str, Any], given: dict[str, Any]) -> Settings:
    value = _values("", given)

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

    plugins = value("plugins")
    snowplow = None
    if given.get("snowplow") or value("snowplow.collectorUrl") or value("sessions"):
        snowplow = to_tracker_settings(_values("snowplow.", given))
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
        trait_store=value("storage.traits"),
        privacy=_privacy(given),
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
        snowplow=snowplow if given.get("snowplow") is not False else None,
        debug=value("debug"),
        plugins=tuple(plugins.split() if isinstance(plugins, str) else plugins),
        plugin_origins=tuple(origin.rstrip("/") for origin in value("pluginOrigins")),
        seed=value("testing.seed"),
        now=None if value("testing.now") is None else int(value("testing.now")),
    )


def to_batch(value: Any) -> Batch | None:
    """Batching as `true` or `{size, timeout}` ask for it, None for false."""
    if not isinstance(value, dict):
        return Batch() if value else None
    size, timeout = value.get("size"), value.get("timeout")
    return Batch(
        int(size) if size and is_number(size) else Batch.size,
        float(timeout) if timeout is not None and is_number(timeout) else Batch.timeout_ms,
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


def _unknown(call: str, prefix: str, key: str) -> str:
    level = {name[len(prefix) :].partition(".")[0] for name in OPTIONS if name.startswith(prefix)}
    if not prefix:
        level |= PLANNED | ALIASES.keys()
    near = nearest(key, sorted(level))
    meant = f" Did you mean {prefix}{near}?" if near else ""
    return (
        f"{call}: option {prefix}{key} is not known and has no effect.{meant} See docs/options.md"
    )


def _distance(one: str, other: str) -> int:
    """How many letters have to change to make one word of the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]
