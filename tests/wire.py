"""What the suites send is what collectors take: every body, judged by the collector's own checks.

Those are the Iglu schemas of Snowplow, and the documented members of Customer.io's API.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from collector.customerio import ENDPOINTS, take_batch, take_single
from collector.iglu import Schemas
from collector.network_id import NIL, Visitor
from collector.records import Intake, RequestFacts
from collector.snowplow import take_get, take_post
from tracker.browser import Request, Response
from tracker.tasks import Future
from tracker.testing.network import Document, Network

SCHEMAS = Schemas()


def intake(request: Request) -> Intake | None:
    """What the collector makes of a request; None if it carries no events."""
    url = urlsplit(request.url)
    body = (request.body or "").encode("utf-8", "surrogatepass")
    facts = RequestFacts(request.method, url.path, url.query, "", (), "127.0.0.1", "", 0)
    if request.method == "GET":
        if url.path.endswith("/i") and "eid=" in url.query:
            return take_get(b"", facts, "{}", visitor=Visitor(NIL), schemas=SCHEMAS)
        return None
    if "payload_data" in (request.body or "")[:200]:
        return take_post(body, facts, "{}", visitor=Visitor(NIL), schemas=SCHEMAS)
    kind = ENDPOINTS.get(url.path.rpartition("/")[2], "")
    if kind is None:
        return take_batch(body, facts, "{}")
    return take_single(body, facts, "{}", expected=kind) if kind else None


def flaws(request: Request) -> list[str]:
    """What is wrong with the events of a request."""
    found = intake(request)
    return [reason for event in found.events for reason in event.reasons] if found else []


@pytest.fixture(autouse=True)
def only_good_events(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Fail a test that sends what a collector refuses, unless it is marked `sends_flaws`."""
    requests: list[Request] = []
    fetch = Network.fetch

    def noted(self: Network, request: Request, document: Document) -> Future[Response]:
        requests.append(request)
        return fetch(self, request, document)

    monkeypatch.setattr(Network, "fetch", noted)
    yield
    if request.node.get_closest_marker("sends_flaws") is None:
        wrong = [(each.url, flaws(each)) for each in requests if flaws(each)]
        assert not wrong, wrong
