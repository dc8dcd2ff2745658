"""One owner of a queue (decision D6), in hosts where each tab has its own core."""

from __future__ import annotations

import pytest

from tests.browser.conftest import HOST, Collector, Tab, snippet

pytestmark = pytest.mark.skipif(HOST == "shared", reason="all tabs share one core")

QUEUE = "cioOutQueue_wk_post"
OPTIONS = "{ apiHost: '/v1', initialPageview: false }"


def opened(tab: Tab, collector: Collector, path: str) -> Tab:
    other = Tab(tab.context, collector.url)
    other.open(snippet(options=OPTIONS), path)
    other.ready()
    return other


def test_tabs_keep_their_events_apart_and_a_dead_ones_are_sent_within_seconds(
    tab: Tab, collector: Collector
) -> None:
    one, two = (opened(tab, collector, f"/{name}.html") for name in ("one", "two"))
    collector.between.answer("/v1/", [503] * 1000)
    for name, each in (("one", one), ("two", two)):
        each.run(f"() => cioanalytics.track('of {name}') && undefined")
    kept = lambda: {key: text for key, text in one.local.items() if QUEUE in key}  # noqa: E731
    one.wait_for(lambda: sum(".expires" not in key for key in kept()) == 2, "two segments")
    texts = [text for key, text in sorted(kept().items()) if ".expires" not in key]
    assert ["of one" in text for text in texts] != ["of two" in text for text in texts]
    two.page.close()
    collector.between.reset()
    one.wait_for(lambda: len(collector.records()) >= 4, "all events")
    names = sorted(record["payload"].get("event", "page") for record in collector.records())
    assert names == ["of one", "of two", "page", "page"]
    one.wait_for(lambda: not kept(), "an empty queue")
