"""What a Snowplow tracker says of the page: address, referrer, title, page view and tab.

Rules: Snowplow browser tracker; a parameter that cannot be decoded is an absent one (S9).
"""

from __future__ import annotations

from tracker.browser import Browser, Page
from tracker.snowplow.addresses import (
    cleaned,
    page_of_cache,
    referrer_parameter,
    resolve_custom,
)
from tracker.snowplow.settings import TrackerSettings


class PageViews:
    """The page view of a document, shared by its trackers."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._id: str | None = None
        self._seen_by: set[str] = set()
        self._address = ""

    def id_for(self, address: str, by: str | None) -> str:
        """The id of the page view; `by` names the part of the address that makes a new one."""
        if by is not None and self._part(address, by) != self._part(self._address, by):
            self.renew()
        if self._id is None:
            self._id, self._address = self._browser.uuid(), address
        return self._id

    def viewed(self, namespace: str, address: str, by: str | None, *, preserve: bool) -> None:
        """A tracker tells of a page view: its second one of the same id makes a new id."""
        self.id_for(address, by)  # another address is another view already
        if namespace in self._seen_by and not preserve:
            self.renew()
        self._seen_by.add(namespace)

    def renew(self) -> None:
        """From now on it is another page view."""
        self._id, self._seen_by = None, set()

    def _part(self, address: str, by: str | None) -> str:
        url = self._browser.parse_url(address)
        if url is None or by == "full":
            return address
        return url.pathname + (url.search if by == "pathnameAndSearch" else "")


class Address:
    """Address, referrer and title as one tracker reports them."""

    def __init__(self, browser: Browser, settings: TrackerSettings) -> None:
        self.discard_hash = False
        self.discard_brace = False
        self.custom_url: str | None = None
        self._browser = browser
        self._referrer: str | None = None
        self._custom_referrer: str | None = None
        self._preserve_referrer = settings.preserve_referrer
        self._href: str | None = None
        self._title: str | None = None
        self._title_of_view: str | None = None
        self._title_seen: str | None = None

    def set_referrer(self, url: str | None) -> None:
        """Report this referrer from now on."""
        self._custom_referrer = url or None

    def set_custom_url(self, url: str | None, page: Page) -> None:
        """Report this address from now on, resolved against the page's own; None: the page's."""
        self.follow(page)
        href = page.href.partition("#")[0] if self.discard_hash else page.href
        self.custom_url = resolve_custom(self._browser, href, url) if url else None

    def set_title(self, title: str | None) -> None:
        """Report this title from now on."""
        self._title = title or None

    def title(self, page: Page) -> str:
        """The title of the page view."""
        return self._title_of_view or self._title or page.title

    def title_for_view(self, page: Page, given: str | None) -> str:
        """The title of a new page view; a given one holds for it only."""
        self._title_of_view = given or None
        self._title_seen = page.title
        if given:
            self._title = None
        return self.title(page)

    def title_for_ping(self, page: Page) -> str:
        """The title of the page view, until the document has another one."""
        if self._title_seen not in (None, page.title):
            self._title_of_view, self._title, self._title_seen = None, None, page.title
        return self.title(page)

    def report(self, page: Page) -> tuple[str, str]:
        """Address and referrer of a page, as events carry them."""
        self.follow(page)
        href, referrer = page_of_cache(self._browser, page.href, self._referrer or "", "")
        referrer = self._custom_referrer or referrer
        if self._preserve_referrer and referrer:
            self._custom_referrer = referrer
        return self._cleaned(self.custom_url or href), self._cleaned(referrer)

    def follow(self, page: Page) -> None:
        """The referrer is the address before this one, unless the address itself names one."""
        if self._href == page.href:
            return
        before = page.referrer if self._href is None else self._href
        self._referrer = referrer_parameter(self._browser, page.href) or before
        self._href = page.href

    def _cleaned(self, url: str) -> str:
        return cleaned(url, hash_tag=self.discard_hash, brace=self.discard_brace)
