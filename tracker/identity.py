"""Who the visitor is: the user, the group and the anonymous id, and the rules that change them.

The rules are those of Customer.io's client with the corrections of decisions I3 to I14.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tracker.browser import Browser
from tracker.errors import TrackerError, shown
from tracker.settings import EntityOptions
from tracker.storage.cookies import CookieStore
from tracker.storage.kept import KeptId, KeptTraits
from tracker.storage.stores import Store, id_from_text
from tracker.storage.strategy import Stores
from tracker.text import from_json

ANONYMOUS_KEY = "ajs_anonymous_id"
OLD_GROUP_TRAITS_KEY = "ajs_group_traits"
OLD_ANONYMOUS_COOKIE = "_sio"

_ID_HELP = "allowed: text or a number; '' or null clears. See docs/api.md#identity"
_TRAITS_HELP = "allowed: an object. See docs/api.md#identity"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an event belongs to, frozen when the call was made (decision D5)."""

    user_id: str | None
    anonymous_id: str | None


def to_id(browser: Browser, call: str, value: Any) -> str | None:
    """An id as text (decision I10); None for '' and null. Raises TrackerError for other types."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return browser.number_text(value)
    raise TrackerError("Invalid id", f"{call}: the id is {shown(value)}; {_ID_HELP}")


class Entity:
    """What a user and a group have in common: an id and traits, each under its own key."""

    def __init__(
        self, name: str, browser: Browser, options: EntityOptions, stores: Stores, trait_store: str
    ) -> None:
        self.disabled = options.disable
        self._everywhere = list(stores.by_name.values())
        self._names = {id(store): name for name, store in stores.by_name.items()}
        self._name = name
        self._browser = browser
        without = "localStorage" if options.localstorage_disabled else None
        kept = options.persist and not options.disable
        self._id_stores = stores.of("id" if kept else None, without=without)
        traits = "cookieTraits" if trait_store == "cookie" else "traits"
        self._trait_stores = stores.of(traits if kept else None, without=without)
        self._id = KeptId(browser, options.id_key, self._id_stores)
        self._traits = KeptTraits(options.traits_key, self._trait_stores)

    @property
    def trait_places(self) -> list[str]:
        """The names of the stores that hold the traits, in the order in which they win."""
        return [self._names[id(store)] for store in self._trait_stores if id(store) in self._names]

    def get_id(self) -> str | None:
        """The id, None if there is none."""
        raise NotImplementedError

    def traits(self) -> dict[str, Any]:
        """The traits, {} if there are none."""
        raise NotImplementedError

    def set_id(self, value: Any) -> str | None:
        """Set the id, or clear it with '' or null (decision I5). Returns what now holds."""
        new = to_id(self._browser, f"{self._name}.id", value)
        if self.disabled:
            return None
        if new is None:
            self._id.clear()
        else:
            self._id.write(new)
        return self.get_id()

    def set_traits(self, value: Any) -> dict[str, Any]:
        """Replace the traits; an object whose values are all '' removes just those (I7)."""
        if value is not None and not isinstance(value, dict):
            call = f"{self._name}.traits"
            raise TrackerError(
                "Invalid traits", f"{call}: the traits are {shown(value)}; {_TRAITS_HELP}"
            )
        if self.disabled:
            return {}
        if value and all(item == "" for item in value.values()):
            self._traits.write({k: v for k, v in self.traits().items() if k not in value})
        else:
            self._traits.write(value or {})
        return self.traits()

    def identify(self, new_id: str | None, traits: dict[str, Any]) -> None:
        """Take over an id and traits: traits of the same or no id are merged, else replaced."""
        current = self.get_id()
        merged = {**self.traits(), **traits} if current in (None, new_id) else dict(traits)
        if new_id:
            self.set_id(new_id)
        if not self.disabled:
            self._traits.write(merged)

    def drop_copy(self, store: Store) -> None:
        """Forget what an outdated store holds, as far as the other stores do not say the same."""
        own = id_from_text(store.get(self._id.key))
        others = [id_from_text(each.get(self._id.key)) for each in self._id_stores if each != store]
        if own is None or own not in others:
            store.remove(self._id.key)
            if store in self._trait_stores:
                self._traits.clear()

    def clear(self) -> None:
        """Forget id and traits in the stores that may be used."""
        self._id.clear()
        self._traits.clear()

    def wipe(self, *, preserve_ids: bool = False) -> None:
        """Forget id and traits in every store of the browser, whatever may be used."""
        self._traits.clear(self._everywhere)
        if not preserve_ids:
            self._id.clear(self._everywhere)

    def settle(self) -> None:
        """Write what is in memory only, now that stores may be used."""
        self._id.settle()
        self._traits.settle()


class User(Entity):
    """The visitor: id, anonymous id, traits."""

    def __init__(
        self, browser: Browser, options: EntityOptions, stores: Stores, trait_store: str
    ) -> None:
        super().__init__("user", browser, options, stores, trait_store)
        self._anonymous = KeptId(browser, ANONYMOUS_KEY, self._id_stores)
        self.companions: list[Entity] = []  # what is outdated together with the user
        self.spare = ""  # the next new anonymous id, where the page chose it
        self._old_key = options.old_key
        self._all_cookies = stores.cookies
        self._cookie_store = stores.by_name["cookie"]

    @property
    def _cookies(self) -> CookieStore | None:
        return self._all_cookies if self._cookie_store in self._id_stores else None

    @property
    def kept(self) -> bool:
        """Whether the user's ids outlive the page."""
        return bool(self._id_stores)

    def import_old_names(self) -> None:
        """Take over what older libraries left, once."""
        if self._cookies is not None:
            self._import_old_cookie(self._cookies)
            self._import_old_anonymous_id(self._cookies)

    def get_id(self) -> str | None:
        """The user id. Memory restores it only where all identity was wiped under a live page."""
        if self.disabled:
            return None
        self.follow_others()
        return self._id.read(memory_counts=self._anonymous.stored() is None)

    def anonymous_id(self) -> str | None:
        """The anonymous id, made if there is none."""
        if self.disabled:
            return None
        self.follow_others()
        current = self._anonymous.read(memory_counts=True)
        if current is None:
            current, self.spare = self.spare or self._browser.uuid(), ""
            self._anonymous.write(current)
        return current

    def known_anonymous_id(self) -> str | None:
        """The anonymous id, None if there is none yet."""
        return None if self.disabled else self._anonymous.read(memory_counts=True)

    def set_anonymous_id(self, value: Any) -> str | None:
        """Set the anonymous id, or clear it with '' or null: the next read makes a new one."""
        new = to_id(self._browser, "setAnonymousId", value)
        if self.disabled:
            return None
        if new is None:
            self._anonymous.clear()
        else:
            self._anonymous.write(new)
        return new

    def set_id(self, value: Any) -> str | None:
        """Set or clear the user id; another user gets another anonymous id (decision I6)."""
        new = to_id(self._browser, "user.id", value)
        previous = self.get_id()
        if new is not None and previous is not None and new != previous:
            self._anonymous.clear()
        return super().set_id(new)

    def traits(self) -> dict[str, Any]:
        """The user's traits. Memory answers unless another tab changed the visitor."""
        if self.disabled:
            return {}
        self.follow_others()
        return self._traits.read(memory_counts=True)

    def logout(self) -> None:
        """Forget who the visitor is: id, anonymous id, traits."""
        self.clear()
        self._anonymous.clear()
        if self._cookies is not None:
            self._cookies.remove_everywhere(self._old_key)
            self._cookies.remove_everywhere(OLD_ANONYMOUS_COOKIE)

    def wipe(self, *, preserve_ids: bool = False) -> None:
        """Forget the visitor in every store of the browser, whatever may be used."""
        super().wipe(preserve_ids=preserve_ids)
        if not preserve_ids:
            self._anonymous.clear(self._everywhere)
            self._all_cookies.remove_everywhere(self._old_key)
            self._all_cookies.remove_everywhere(OLD_ANONYMOUS_COOKIE)

    def settle(self) -> None:
        """Write what is in memory only, now that stores may be used."""
        super().settle()
        self._anonymous.settle()

    def follow_others(self) -> None:
        """Another anonymous id means that somebody else changed the visitor: a tab or a subdomain.

        Memory is outdated then, and so is a store of this origin that still has the former
        anonymous id: without this a reset on one subdomain would be undone by the next (I11).
        """
        stored = self._anonymous.stored()
        if stored is None or stored == self._anonymous.memory:
            return
        if self._anonymous.memory is not None:
            self._anonymous.memory = stored
            self._id.memory = None
            self._traits.forget_memory()
        for store in self._id_stores:
            if id_from_text(store.get(ANONYMOUS_KEY)) not in (None, stored):
                for entity in (self, *self.companions):
                    entity.drop_copy(store)

    def _import_old_cookie(self, cookies: CookieStore) -> None:
        """The classic library's one cookie, imported once (decision I9)."""
        text = cookies.get(self._old_key)
        if text is None:
            return
        old = from_json(text)
        if self._id.stored() is None:
            old_id = old.get("id") if isinstance(old, dict) else text
            if isinstance(old_id, str | int) and not isinstance(old_id, bool) and old_id:
                self._id.write(str(old_id))
            old_traits = old.get("traits") if isinstance(old, dict) else None
            if isinstance(old_traits, dict) and self._traits.stored() is None:
                self._traits.write(old_traits)
        cookies.remove_everywhere(self._old_key)

    def _import_old_anonymous_id(self, cookies: CookieStore) -> None:
        """Segment's first cookie, `<anonymous id>----<user id>`, gives the anonymous id."""
        if self._anonymous.stored() is None:
            anonymous = (cookies.get(OLD_ANONYMOUS_COOKIE) or "").partition("----")[0]
            if anonymous:
                self._anonymous.write(anonymous)


class Group(Entity):
    """The group (company, account) the visitor acts for. It never touches the user (I8)."""

    def __init__(
        self, browser: Browser, options: EntityOptions, stores: Stores, trait_store: str
    ) -> None:
        super().__init__("group", browser, options, stores, trait_store)
        self._local = stores.by_name["localStorage"]

    def import_old_names(self) -> None:
        """Take over traits from the name that older documentation gave them (decision I1)."""
        if self._traits.stored() is None and self._local in self._trait_stores:
            old = from_json(self._local.get(OLD_GROUP_TRAITS_KEY))
            if isinstance(old, dict):
                self._traits.write(old)
                self._local.remove(OLD_GROUP_TRAITS_KEY)

    def get_id(self) -> str | None:
        """The group id."""
        return None if self.disabled else self._id.read(memory_counts=False)

    def traits(self) -> dict[str, Any]:
        """The group's traits."""
        return {} if self.disabled else self._traits.read(memory_counts=False)
