"""Plugins, links and forms: the page's own code, which few pages use."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import ATTRIBUTES, Collector, Tab, snippet

QUIET = ATTRIBUTES.replace("></script>", ' data-initial-pageview="false"></script>')


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event.get("event", event["type"]) for event in events]


def test_plugins_of_the_page_run_in_order_and_change_events(tab: Tab, collector: Collector) -> None:
    tab.open(
        snippet(
            """
            ran = [];
            cioanalytics.track('Early');
            class Scrubber {
                constructor() { this.name = 'Scrubber'; this.type = 'before'; this.version = '1'; }
                isLoaded() { return true; }
                async load() { ran.push('load'); }
                track(context) {
                    ran.push(context.event.event);
                    if (context.event.event === 'Stop') context.cancel(new Error('stopped'));
                    if (context.event.event === 'Throw') throw new Error('boom');
                    context.updateEvent('properties.seen.by', 'Scrubber');
                    return context;
                }
                ready() { return 'fine'; }
            }
            cioanalytics.register(new Scrubber(), {
                name: 'Dest', type: 'destination', load: async () => {},
                track: (context) => new Promise(() => {}),
            });
            for (const name of ['Stop', 'Throw', 'Open']) cioanalytics.track(name);
            """
        )
    )
    events = collector.events(3)
    assert names(events) == ["page", "Early", "Open"]
    assert events[2]["properties"] == {"seen": {"by": "Scrubber"}}
    assert tab.run("() => cioanalytics.ready()") == [None, None, None, "fine", None]
    assert tab.run("() => ran") == ["load", "Early", "Stop", "Throw", "Open"]
    assert len(collector.records()) == 3
    assert tab.errors == []


def test_a_page_without_plugins_links_or_forms_downloads_nothing_for_them(
    tab: Tab, collector: Collector
) -> None:
    tab.open()
    collector.events(1)
    assert tab.asked_for("extras") == []


LINKS = """
    <a id=plain href="/next.html?from=plain">plain</a>
    <a id=blank href="/next.html?from=blank" target=_blank>blank</a>
    <a id=handled href="/next.html?from=handled">handled</a>
    <form id=form action="/next.html">
        <input name=email type=email required value="x@y.example">
        <button id=send name=kind value=clicked>Send</button>
    </form>
    <script>
        document.querySelector('#handled').addEventListener('click', (e) => e.preventDefault());
        document.querySelector('#form')
            .addEventListener('submit', () => document.title = 'own handler');
    </script>
""" + snippet(
    """
    cioanalytics.trackLink(document.querySelectorAll('a'), (link) => 'Clicked ' + link.id,
        (link) => ({href: link.pathname}));
    cioanalytics.trackForm(document.querySelector('#form'), 'Sent', {form: 1});
    """
)


def open_with_links(tab: Tab) -> None:
    tab.serve("/next.html", QUIET)  # the same site, so it sends what this page could not
    tab.open(LINKS)
    tab.ready()
    tab.wait_for(lambda: tab.asked_for("extras.js"), "the extras")
    tab.run(
        """async () => {
            const loaded = performance.getEntriesByType('resource');
            await import(loaded.find((entry) => /extras/.test(entry.name)).name);
        }"""
    )


def test_a_link_is_followed_and_its_event_is_stored(tab: Tab, collector: Collector) -> None:
    open_with_links(tab)
    tab.page.click("#plain")
    tab.page.wait_for_url("**/next.html?from=plain")
    (clicked,) = collector.events(1, name="Clicked plain")
    assert clicked["properties"] == {"href": "/next.html"}
    assert clicked["context"]["page"]["path"] == "/page.html"


def test_new_tabs_and_handlers_of_the_page_keep_working(tab: Tab, collector: Collector) -> None:
    open_with_links(tab)
    tab.page.click("#handled")
    with tab.context.expect_page() as blank:
        tab.page.click("#blank")
    assert "from=blank" in blank.value.url or blank.value.wait_for_url("**from=blank") is None
    blank.value.close()
    collector.events(1, name="Clicked handled")
    collector.events(1, name="Clicked blank")
    assert tab.page.url.endswith("/page.html")


def test_a_form_keeps_validation_its_handlers_and_the_clicked_button(
    tab: Tab, collector: Collector
) -> None:
    open_with_links(tab)
    tab.page.fill("[name=email]", "not an address")
    tab.page.click("#send")
    assert tab.page.url.endswith("/page.html"), "the browser refuses the form"
    tab.page.fill("[name=email]", "a@b.example")
    tab.page.click("#send")
    tab.page.wait_for_url("**/next.html?email=a%40b.example&kind=clicked")
    (sent,) = collector.events(1, name="Sent")
    assert sent["properties"] == {"form": 1}
    assert sent["context"]["page"]["title"] in ("", "own handler")
    assert len(collector.records(name="Sent")) == 1


@pytest.mark.parametrize(
    ("call", "level", "text"),
    [
        ("trackLink([document.body, 5], 'x')", "error", "trackLink: 5 is no element"),
        ("pageview('/old')", "warning", "pageview is deprecated"),
        ("addIntegration('x')", "warning", "addIntegration is deprecated"),
    ],
)
def test_old_names_and_wrong_elements_say_so(
    tab: Tab, collector: Collector, call: str, level: str, text: str
) -> None:
    tab.open(QUIET)
    tab.ready()
    tab.run(f"() => {{ cioanalytics.{call} }}")
    tab.wait_for(
        lambda: [1 for kind, message in tab.console if kind == level and text in message], text
    )
    assert tab.errors == []
