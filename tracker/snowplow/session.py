"""Sessions: which visit an event belongs to, kept in `_sp_id` and `_sp_ses`.

The stores are the truth, because other tabs and trackers write them too; memory answers where no
store holds the state, and ends with the page (decision S12). Rules: Snowplow browser tracker, with
decisions S4 (a salt in anonymous sessions), S8 (memory is valid), S9, S10 and S14.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import Any

from tracker.browser import Browser
from tracker.golden import derived_uuid
from tracker.privacy import Privacy
from tracker.snowplow.settings import TrackerSettings
from tracker.snowplow.visitor import Visitor, parse_visitor, to_seconds
from tracker.storage.cookies import CookieAttributes
from tracker.storage.expiring import BROWSER_SESSION_S, SessionStore

_SALT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Session:
    """The session of one tracker. Nothing is read or written where privacy forbids to follow."""

    def __init__(
        self,
        browser: Browser,
        settings: TrackerSettings,
        privacy: Privacy,
        attributes: CookieAttributes,
    ) -> None:
        self.lifetime_s = settings.cookie_lifetime_s
        self.timeout_s = settings.session_timeout_s
        self.visits = 1
        self.store = SessionStore(browser, attributes, lambda: privacy.places("session"))
        self._browser = browser
        self._privacy = privacy
        self._prefix = settings.cookie_name
        self._domain = ""
        self._user_id = ""
        self._session_id = ""
        self._salt = ""
        self._memory: Visitor | None = None
        self._kept = True
        self._last_event_ms = browser.told_now()
        self._announced = ""
        self._former_names: set[str] = set()
        self._outdated: str | None = None  # what a store holds that took nothing newer

    def cookie_name(self, base: str) -> str:
        """The name under which `id` or `ses` is kept: domain and path are part of it."""
        path = self.store.attributes.path or "/"
        digest = hashlib.sha1((self._domain + path).encode()).hexdigest()
        return f"{self._prefix}{base}.{digest[:4]}"

    @property
    def names(self) -> tuple[str, str]:
        """The names of the visitor and the session value."""
        return self.cookie_name("id"), self.cookie_name("ses")

    async def open(self) -> None:
        """What a page does first: continue the session, or start the next one."""
        if self._privacy.may_follow:
            await self.store.look(self.names)
            self.resume()

    def resume(self) -> None:
        """Continue the session that the stores or memory hold, or start the next one."""
        visitor, alive = self._current()
        if not alive:
            visitor.start_session(self._new_session_id())
        self._touch(visitor, ses_first=True)

    def count_event(self, event_id: str, time_ms: int) -> tuple[Visitor, bool]:
        """Take an event into the session.

        Returns the visitor with it, and whether a new session is to be announced.
        """
        visitor, alive = self._current()
        if not alive:
            if not visitor.found:
                visitor.visits += 1
            visitor.start_session(self._new_session_id())
        visitor.count_event(event_id, time_ms)
        self._touch(visitor)
        return visitor, visitor.event_index == 1 and self._announce(visitor)

    def renew(self) -> Visitor:
        """Start a new session now (`newSession`). It is to be announced."""
        visitor, _ = self._current()
        if not visitor.found:
            visitor.visits += 1
        visitor.start_session(self._new_session_id())
        self._touch(visitor)
        self._announce(visitor)
        return visitor

    def info(self) -> list[Any]:
        """The eleven items of `getDomainUserInfo`; the first is '1' where no store holds them."""
        visitor = self._current()[0]
        visitor.found = self.store.read(self.names[0]) is not None
        return visitor.to_list()

    @property
    def user_id(self) -> str | None:
        """The visitor's id, None while it must not be known."""
        return self._current()[0].user_id if self._privacy.may_identify else None

    @property
    def session_id(self) -> str | None:
        """The session's id, None without one."""
        return self._session_id or None if self._privacy.may_follow else None

    def page_id(self, purpose: str) -> str | None:
        """An id for something of an anonymous session, None without one."""
        return derived_uuid(self._salt, purpose) if self._salt else None

    def become_anonymous(self) -> None:
        """Anonymity begins: with session tracking a new session, unrelated to the visitor."""
        if self._privacy.may_follow:
            self._touch(self._anonymous_visitor())

    def become_identified(self) -> None:
        """Anonymity ends, or another strategy begins: the session goes on."""
        if self._session_id and self.store.read(self.names[1]) is None and not self._expired():
            self.store.write(self.names[1], "*", self.timeout_s)
        self._salt = ""
        self.resume()
        for name in self.names:
            self.store.remove(name, but=self._privacy.places("session"))

    def clear(self, *, preserve_session: bool = False, preserve_user: bool = False) -> None:
        """Forget what is kept; ids that are not to be preserved are made anew."""
        for name in {*self.names, *self._former_names}:
            self.store.remove(name)
        self._memory = None
        if not preserve_session:
            self._salt = ""
            self._session_id, self.visits = self._new_session_id(), 1
        if not preserve_user:
            self._user_id = "" if self._privacy.anonymity.on else self._browser.uuid()

    def wipe(self) -> None:
        """Forget everything under any name that this tracker could have kept it under."""
        self.store.remove_like(re.compile(re.escape(self._prefix) + r"(id|ses)\.[0-9a-f]{4}"))
        self.clear()

    def use_path(self, path: str) -> None:
        """Keep state under another cookie path, and so under other names, from now on."""
        self._former_names.update(self.names)
        self.store.use(path=path)

    def use_domain(self, scope: str, domain: str | None) -> None:
        """Keep state under names for `scope`, in cookies of `domain` (None: this host only)."""
        self._domain = scope
        self.store.use(domain=domain)

    # what is there

    def _current(self) -> tuple[Visitor, bool]:
        """The visitor, and whether his session is alive."""
        now_s = to_seconds(self._browser.told_now())
        id_name, ses_name = self.names
        text = self.store.read(id_name)
        if text is None or text == self._outdated:
            visitor, alive = self._from_memory(now_s), not self._expired()
        else:
            visitor = parse_visitor(
                text, now_s=now_s, visits=self.visits, new_id=self._browser.uuid()
            )
            alive = self._adopt_salt(self.store.read(ses_name), visitor)
        if self._privacy.anonymity.on:
            return self._without_identity(visitor, alive)
        if not visitor.user_id:
            visitor.user_id = self._user_id = self._user_id or self._browser.uuid()
        return visitor, alive

    def _from_memory(self, now_s: int) -> Visitor:
        if self._memory is not None and not self._kept:
            return replace(self._memory)
        return Visitor(False, self._user_id, now_s, self.visits, now_s, None, self._session_id)

    def _expired(self) -> bool:
        """Whether the session in memory has ended, or there is none."""
        idle_ms = self._browser.told_now() - self._last_event_ms
        limit_ms = (self.timeout_s or BROWSER_SESSION_S) * 1000
        return not self._session_id or idle_ms > limit_ms

    def _adopt_salt(self, value: str | None, visitor: Visitor) -> bool:
        """Whether the session is alive by its stored value; a salt among them is taken over."""
        anonymous = self._privacy.anonymity.on
        if value and anonymous and _SALT.fullmatch(value) and value != self._salt:
            self._salt = value
            visitor.session_id = derived_uuid(value)
        return bool(value)

    def _without_identity(self, visitor: Visitor, alive: bool) -> tuple[Visitor, bool]:
        """The visitor of an anonymous session: nothing of an identified one goes on (S4)."""
        ours = self._salt and visitor.session_id == derived_uuid(self._salt)
        if (alive and not ours) or visitor.user_id:
            return self._anonymous_visitor(), True
        return visitor, alive

    def _anonymous_visitor(self) -> Visitor:
        now_s = to_seconds(self._browser.told_now())
        return Visitor(False, "", now_s, 1, now_s, None, self._new_session_id())

    def _new_session_id(self) -> str:
        if not self._privacy.anonymity.on:
            return self._browser.uuid()
        self._salt = self._browser.uuid()
        return derived_uuid(self._salt)

    def _touch(self, visitor: Visitor, *, ses_first: bool = False) -> None:
        """The visitor is here now: keep him in the stores and in memory."""
        anonymous = self._privacy.anonymity.on
        visitor.now_s = to_seconds(self._browser.told_now())
        self._session_id, self.visits = visitor.session_id, visitor.visits
        self._last_event_ms = self._browser.told_now()
        if visitor.user_id:
            self._user_id = visitor.user_id
        text = visitor.to_text(anonymous=anonymous)
        values = [
            (self.names[0], text, self.lifetime_s),
            (self.names[1], self._salt if anonymous else "*", self.timeout_s),
        ]
        kept = [self.store.write(*value) for value in (values[::-1] if ses_first else values)]
        self._kept = all(kept)
        self._outdated = None if self._kept else self.store.read(self.names[0])
        # a visitor who is found is one whose former session can be told from the next one
        self._memory = replace(visitor, found=True)

    def _announce(self, visitor: Visitor) -> bool:
        """Whether this session has not been announced yet (decision S14)."""
        if self._announced == visitor.session_id:
            return False
        self._announced = visitor.session_id
        return True
