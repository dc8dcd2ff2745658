"""How a call becomes an event: page facts, context, and the members of each type.

An event is complete and frozen here (decision D5); what is added when it is sent belongs to the
destination. Member names and rules: Customer.io client, event factory and page enrichment.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tracker import __version__
from tracker.browser import Browser, Page, Url
from tracker.errors import TrackerError
from tracker.identity import Identity, to_id

Json = dict[str, Any]

LIBRARY = {"name": "analytics.js", "version": f"next-{__version__}"}

PAGE_FACTS = ("path", "referrer", "search", "title", "url")

SCREEN = ("width", "height", "density")

# options that are members of the event itself; every other one goes into the context
_TOP_LEVEL = ("anonymousId", "userId", "timestamp")


class Visit:
    """One document over its changes of address (history.pushState)."""

    def __init__(self) -> None:
        self._address: str | None = None
        self._referrer = ""

    def with_referrer(self, page: Page) -> Page:
        """The page with the address before it as referrer, which `document.referrer` is not."""
        address = page.href.partition("#")[0]
        if self._address is None:
            self._referrer = page.referrer
        elif address != self._address:
            self._referrer = self._address
        self._address = address
        return replace(page, referrer=self._referrer)


def make_event(
    browser: Browser,
    type_: str,
    members: Json,
    *,
    identity: Identity,
    options: Json,
    page: Page,
    at: int,
    id_: str,
    integrations: Json,
) -> Json:
    """The event of a call made at `at` (ms since the epoch) on `page`, with the UUID `id_`.

    `members` are those of the type (`event`, `properties`, `traits`, …). Raises TrackerError if no
    usable id is left.
    """
    facts = page_facts(browser, page)
    if type_ == "page":
        members["properties"] = {**facts, **members["properties"]}
        facts = {name: members["properties"][name] or facts[name] for name in PAGE_FACTS}
        if members.get("name"):
            members["properties"]["name"] = members["name"]
    event: Json = {
        "type": type_,
        "messageId": "ajs-next-" + id_.replace("-", ""),
        "timestamp": browser.iso_time(at),
        "userId": identity.user_id,
        "anonymousId": identity.anonymous_id,
        "integrations": {**integrations, **_dict(options.get("integrations"))},
        **members,
    }
    for name in _TOP_LEVEL:
        if options.get(name) is not None:
            event[name] = options[name]
    for name in ("userId", "anonymousId"):
        event[name] = to_id(browser, f"{type_}: options.{name}", event[name])
    if event["userId"] is None and event["anonymousId"] is None:
        raise TrackerError(
            "Missing userId or anonymousId",
            f"{type_}: there is no user id and no anonymous id, because option user.disable is "
            "true; pass options.userId or options.anonymousId. See docs/api.md#identity",
        )
    event["context"] = _context(browser, facts, page, options)
    return event


def page_facts(browser: Browser, page: Page) -> Json:
    """Path, referrer, search, title and address of a page; a canonical link wins."""
    url = browser.parse_url(page.href)
    if url is None:
        return {**dict.fromkeys(PAGE_FACTS, ""), "title": page.title, "url": page.href}
    canonical = browser.parse_url(page.canonical, page.href) if page.canonical else None
    return {
        "path": (canonical or url).pathname,
        "referrer": page.referrer,
        "search": url.search,
        "title": page.title,
        "url": _address(canonical, url),
    }


def campaign(search: str, browser: Browser) -> Json:
    """The `utm_…` parameters of a query, `utm_campaign` as `name`."""
    found: Json = {}
    for part in search.removeprefix("?").replace("?", "&").split("&"):
        name, _, rest = part.partition("=")
        if name.startswith("utm_") and len(name) > 4:
            key = "name" if name == "utm_campaign" else name[4:]
            # the incumbent loses text behind a second equals sign, and campaign names depend on it
            text = rest.partition("=")[0].replace("+", " ")
            decoded = browser.decode_component(text)
            found[key] = text if decoded is None else decoded
    return found


def boolean_integrations(integrations: Json) -> Json:
    """Integrations of `load` as every event carries them: settings become true."""
    return {
        name: value if isinstance(value, bool) else value is not None
        for name, value in integrations.items()
    }


def _context(browser: Browser, facts: Json, page: Page, options: Json) -> Json:
    given = {**_dict(options.get("context"))}
    for key, value in options.items():
        if key not in (*_TOP_LEVEL, "context", "integrations"):
            _set_path(given, key, value)
    url = browser.parse_url(page.href)
    context: Json = {
        "locale": browser.navigator("userLanguage") or browser.navigator("language") or "",
        "library": dict(LIBRARY),
        "timezone": browser.timezone(),
        "screen": {name: value for name, value in browser.screen().items() if name in SCREEN},
        "userAgentData": browser.client_hints(),
        **({"campaign": campaign(url.search, browser)} if url and url.search else {}),
    }
    context = {name: value for name, value in context.items() if value not in (None, "")}
    context.update(given)
    context["page"] = {**facts, **_dict(given.get("page"))}
    context["userAgent"] = browser.navigator("userAgent") or ""
    return context


def _address(canonical: Url | None, url: Url) -> str:
    chosen = canonical or url
    address = chosen.href[: len(chosen.href) - len(chosen.hash)]
    return address + url.search if canonical and not canonical.search else address


def _set_path(target: Json, path: str, value: Any) -> None:
    """Set `a.b.c`; objects on the way are copied, because the caller's must stay as they are."""
    *parents, last = path.split(".")
    for name in parents:
        target[name] = {**_dict(target.get(name))}
        target = target[name]
    target[last] = value


def _dict(value: Any) -> Json:
    return value if isinstance(value, dict) else {}
