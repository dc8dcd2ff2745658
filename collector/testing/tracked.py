"""Decides what a test can ask about what the pages under test tracked."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import SchemaError  # type: ignore[import-untyped]

from collector.testing.likeness import differences, nearest
from collector.testing.settling import READ_ON, settle

Json = dict[str, Any]

PAUSE = 0.05  # s between two looks
SHOWN = 8  # differences of an error
NAMED = ("track", "screen", "page")  # types whose name a plan goes by


class WaitedInVainError(AssertionError):
    """What a test expects did not arrive in time."""


class PlanError(ValueError):
    """A tracking plan is none."""


class Tracked:
    """The events of the pages under test, at a collector of their own.

    `url` is the collector: `apiHost: tracked.url + '/v1'`, `snowplow: {collectorUrl: tracked.url}`.
    An event is the body that a page sent: Customer.io's as it is, of Snowplow's its `fields`.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def reset(self) -> None:
        """Forget all events."""
        self._ask("/api/reset", method="POST")

    def records(self, **filters: Any) -> list[Json]:
        """All that the collector says of its events, oldest first.

        Filters are those of `/api/events`: protocol, type, name, id, text, valid.
        """
        given = {name: value for name, value in filters.items() if value is not None}
        records: list[Json] = []
        while True:
            after = records[-1]["seq"] if records else 0
            query = urllib.parse.urlencode({"limit": 1000, "order": "asc", "after": after, **given})
            more = self._ask(f"/api/events?{query}")["events"]
            records += more
            if len(more) < 1000:
                return records

    def events(
        self,
        *,
        type: str | None = None,
        name: str | None = None,
        protocol: str | None = None,
        timeout: float = 0,
    ) -> list[Json]:
        """The events of a type, a name, a protocol (`customerio` or `snowplow`), oldest first.

        With a timeout (s) it waits for the first one; there may be none when it is over.
        """
        end = time.monotonic() + timeout
        while True:
            records = self.records(type=type, name=name, protocol=protocol)
            if records or time.monotonic() >= end:
                return [_event(record) for record in records]
            time.sleep(PAUSE)

    def expect(
        self,
        event: Mapping[str, Any] | None = None,
        *,
        type: str | None = None,
        name: str | None = None,
        protocol: str | None = None,
        count: int | None = None,
        timeout: float = 20,
    ) -> Json:
        """Wait for an event that has at least these members, and return it.

        A member may be a function that is to answer true for the value. With `count` so many of
        them have to be there. Raises `WaitedInVainError` after the timeout (s), which shows how the
        nearest event differs.
        """
        wanted = event or {}
        end = time.monotonic() + timeout
        while True:
            events = self.events(type=type, name=name, protocol=protocol)
            found = [each for each in events if not any(differences(wanted, each))]
            if (found and count is None) or (found and len(found) == count):
                return found[0]
            if time.monotonic() >= end:
                break
            time.sleep(PAUSE)
        kinds = {"type": type, "name": name, "protocol": protocol}
        raise WaitedInVainError(self._explain(wanted, kinds, events, found, count, timeout))

    def settled(
        self, *driven: Any, timeout: float = 30, quiet: float = 1, name: str = "cioanalytics"
    ) -> None:
        """Wait until all that was tracked has arrived.

        Takes what drives the browser: pages, contexts or browsers of Playwright, drivers of
        Selenium. Each of their pages then sends what waits, until its queue is empty. Without any
        this can only watch: it waits until nothing has arrived for `quiet` s. `name` is that of the
        global object. Raises `WaitedInVainError` after the timeout (s), and for a page without a
        tracker.
        """
        end = time.monotonic() + timeout
        for each in driven:
            wrong = list(settle(each, name, max(end - time.monotonic(), 0)))
            if wrong:
                raise WaitedInVainError("\n".join(["events did not settle:", *wrong, READ_ON]))
        if driven:
            return
        known, since = len(self.records()), time.monotonic()
        while time.monotonic() - since < quiet:
            if time.monotonic() >= end:
                raise WaitedInVainError(
                    f"events still arrive after {timeout:g} s: {known} until now. {READ_ON}"
                )
            time.sleep(PAUSE)
            if (now := len(self.records())) != known:
                known, since = now, time.monotonic()

    def identities(self, id: str) -> list[Json]:
        """Who an id belonged to over time: anonymousId, userId, groupId, first and last seen."""
        query = urllib.parse.urlencode({"id": id})
        identities: list[Json] = self._ask(f"/api/identities?{query}")["identities"]
        return identities

    def validate(self, plan: Mapping[str, Any] | str | Path) -> None:
        """Check all events against a tracking plan: JSON Schemas by the name of an event.

        A plan is an object, or a file with one: `{"Order Completed": {…}, "page": {…}}`. Events
        without a name go by their type. The schema describes `properties`, of `identify` and
        `group` the `traits`. Raises `PlanError` for what is no plan, AssertionError that names all
        events which break it or stand in no plan.
        """
        schemas = _read_plan(plan)
        wrong = []
        for event in self.events(protocol="customerio"):
            title = event.get("event") or event.get("name") or event.get("type")
            schema = schemas.get(str(title), schemas.get(str(event.get("type"))))
            if schema is None:
                wrong.append(f"{title}: stands in no plan; planned are {', '.join(schemas)}")
                continue
            data = event.get("traits" if event["type"] in ("identify", "group") else "properties")
            for flaw in Draft202012Validator(schema).iter_errors(data or {}):
                place = ".".join(map(str, flaw.absolute_path))
                wrong.append(f"{title}: {place + ': ' if place else ''}{flaw.message}")
        if wrong:
            raise AssertionError("\n".join(["events break the tracking plan:", *wrong, READ_ON]))

    def _explain(
        self,
        wanted: Mapping[str, Any],
        kinds: Json,
        events: list[Json],
        found: list[Json],
        count: int | None,
        timeout: float,
    ) -> str:
        which = " ".join(f"{key} {value!r}" for key, value in kinds.items() if value is not None)
        lines = [f"waited {timeout:g} s in vain for an event{' of ' + which if which else ''}"]
        if count is not None:
            lines[0] += f": expected {count} that match, found {len(found)}"
        if not found and (near := nearest(wanted, events)) is not None:
            index, flaws = near
            lines.append(f"the nearest is number {index + 1} of {len(events)}:")
            lines += [f"  {flaw}" for flaw in flaws[:SHOWN]]
            lines += [f"  and {len(flaws) - SHOWN} more"] if len(flaws) > SHOWN else []
        elif not events:
            all_of_them = [f"{r['type']} {r['name'] or ''}".strip() for r in self.records()]
            lines.append(f"there is none of this kind; stored are: {', '.join(all_of_them) or '-'}")
        bad = self.records(valid="false")
        for record in bad[:SHOWN]:
            lines.append(f"refused: {record['name'] or record['type']}: {record['reasons']}")
        return "\n".join([*lines, READ_ON])

    def _ask(self, path: str, method: str = "GET") -> Any:
        request = urllib.request.Request(self.url + path, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            detail = error.read().decode("utf-8", "replace")
            raise ValueError(f"{path}: {detail} {READ_ON}") from None
        except OSError as error:
            raise ConnectionError(
                f"no collector answers at {self.url}: {error} {READ_ON}"
            ) from None


def _event(record: Json) -> Json:
    fields: Json | None = record["fields"]
    payload: Json = record["payload"] if isinstance(record["payload"], dict) else {}
    return payload if fields is None else fields


def _read_plan(plan: Mapping[str, Any] | str | Path) -> dict[str, Any]:
    where = "plan"
    if isinstance(plan, str | Path):
        where = str(plan)
        try:
            plan = json.loads(Path(plan).read_text(encoding="utf-8"))
        except OSError as error:
            raise PlanError(f"{where} cannot be read: {error.strerror}. {READ_ON}") from None
        except ValueError as error:
            raise PlanError(f"{where} is no JSON: {error}. {READ_ON}") from None
    if not isinstance(plan, Mapping):
        shown = json.dumps(plan)[:60]
        raise PlanError(f"{where} is {shown}; allowed: an object of schemas by name. {READ_ON}")
    for name, schema in plan.items():
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            raise PlanError(
                f"{where}: {name} is no JSON Schema: {error.message}. {READ_ON}"
            ) from None
    return dict(plan)
