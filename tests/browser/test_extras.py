"""Plugins, links and forms: the page's own code, which few pages use."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import ATTRIBUTES, Collector, Tab, snippet

Json = dict[str, Any]

QUIET = ATTRIBUTES.replace("></script>", ' data-initial-pageview="false"></script>')


def names(events: list[Json]) -> list[str]:
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
    assert collector.asked_for("extras") == []


LINKS = """
    <a id=plain href="/next.html?from=plain">plain</a>
    <a id=blank href="/next.html?from=blank" target=_blank>blank</a>
    <a id=handled href="/next.html?from=handled">handled</a>
    <a id=selfish href="/next.html?from=selfish">selfish</a>
    <a id=download href="/next.html?from=download" download=page.html>download</a>
    <a id=parent href="/next.html?from=parent"><b id=child>child</b></a>
    <a id=here href="#here">here</a>
    <form id=form action="/next.html">
        <input name=email type=email required value="x@y.example">
        <input type=hidden name=submit value=field>
        <button id=send name=kind value=clicked>Send</button>
        <button id=other name=kind value=other formaction="/other.html">Other</button>
        <button id=anyway name=kind value=anyway formnovalidate>Anyway</button>
        <button id=tab name=kind value=tab formtarget=_blank>Tab</button>
    </form>
    <form id=own action="/next.html"><input name=q><button id=ask>Ask</button></form>
    <script>
        document.querySelector('#handled').addEventListener('click', (e) => e.preventDefault());
        document.querySelector('#form')
            .addEventListener('submit', () => document.title = 'own handler');
        document.querySelector('#selfish')
            .addEventListener('click', (e) => e.stopImmediatePropagation());
        document.querySelector('#own').addEventListener('submit', (e) => {
            e.preventDefault();
            handled = [e.submitter?.id, new FormData(e.target).get('q')];
        });
    </script>
""" + snippet(
    """
    cioanalytics.trackLink(document.querySelectorAll('a'), (link) => 'Clicked ' + link.id,
        (link) => ({href: link.pathname}));
    cioanalytics.trackForm(document.querySelector('#form'), 'Sent', {form: 1});
    cioanalytics.trackSubmit([document.querySelector('#own')], (form) => 'Own ' + form.id);
    """
)


def open_with_links(tab: Tab) -> None:
    for path in ("/next.html", "/other.html"):
        tab.serve(path, QUIET)  # the same site, so it sends what this page could not
    tab.open(LINKS)
    tab.ready()
    extras = "performance.getEntriesByType('resource').find((entry) => /extras/.test(entry.name))"
    tab.wait_for(lambda: tab.run(f"() => !!{extras}"), "the extras")
    tab.run(f"() => import({extras}.name).then(() => 0)")


def test_a_link_is_followed_and_its_event_is_stored(tab: Tab, collector: Collector) -> None:
    open_with_links(tab)
    tab.page.click("#plain")
    tab.page.wait_for_url("**/next.html?from=plain")
    (clicked,) = collector.events(1, name="Clicked plain")
    assert clicked["properties"] == {"href": "/next.html"}
    assert clicked["context"]["page"]["path"] == "/page.html"


@pytest.mark.parametrize(
    ("link", "how"),
    [
        ("blank", {}),
        ("plain", {"modifiers": ["Control"]}),
        ("plain", {"modifiers": ["Shift"]}),
        ("parent", {"modifiers": ["Control", "Shift"]}),
    ],
    ids=["target=_blank", "control", "shift", "control and shift"],
)
def test_a_link_for_a_new_tab_opens_one(
    tab: Tab, collector: Collector, link: str, how: Json
) -> None:
    open_with_links(tab)
    with tab.context.expect_page() as opened:
        tab.page.click("#" + link, **how)
    opened.value.wait_for_url(f"**/next.html?from={link}")
    opened.value.close()
    assert len(collector.events(1, name="Clicked " + link)) == 1
    assert tab.page.url.endswith("/page.html")


def test_the_middle_button_opens_a_tab_and_is_no_click(tab: Tab, collector: Collector) -> None:
    open_with_links(tab)
    with tab.context.expect_page() as opened:
        tab.page.click("#plain", button="middle")
    opened.value.wait_for_url("**/next.html?from=plain")
    opened.value.close()
    tab.run("() => cioanalytics.track('Later')")
    collector.events(1, name="Later")
    assert collector.records(name="Clicked plain") == []


def test_a_link_for_a_download_downloads(tab: Tab, collector: Collector) -> None:
    open_with_links(tab)
    with tab.page.expect_download() as download:
        tab.page.click("#download")
    assert download.value.suggested_filename == "page.html"
    assert len(collector.events(1, name="Clicked download")) == 1
    assert tab.page.url.endswith("/page.html")


@pytest.mark.parametrize(
    ("clicked", "link", "address"),
    [
        ("handled", "handled", "/page.html"),
        ("selfish", "selfish", "/next.html?from=selfish"),
        ("child", "parent", "/next.html?from=parent"),
        ("here", "here", "/page.html#here"),
    ],
    ids=["prevented", "stopped from spreading", "on an element inside", "within the page"],
)
def test_a_click_does_what_the_page_made_of_it_and_is_tracked_once(
    tab: Tab, collector: Collector, clicked: str, link: str, address: str
) -> None:
    open_with_links(tab)
    tab.page.click("#" + clicked)
    tab.page.wait_for_url("**" + address)
    assert len(collector.events(1, name="Clicked " + link)) == 1


def test_a_form_keeps_validation_its_handlers_and_the_clicked_button(
    tab: Tab, collector: Collector
) -> None:
    open_with_links(tab)
    tab.fill("[name=email]", "not an address")
    tab.page.click("#send")
    assert tab.page.url.endswith("/page.html"), "the browser refuses the form"
    tab.fill("[name=email]", "a@b.example")
    tab.page.click("#send")
    tab.page.wait_for_url("**/next.html?email=a%40b.example&submit=field&kind=clicked")
    (sent,) = collector.events(1, name="Sent")
    assert sent["properties"] == {"form": 1}
    assert sent["context"]["page"]["title"] in ("", "own handler")
    assert len(collector.records(name="Sent")) == 1


@pytest.mark.parametrize(
    ("submit", "address"),
    [
        ("document.querySelector('#send').click()", "/next.html?{fields}&kind=clicked"),
        ("document.querySelector('#other').click()", "/other.html?{fields}&kind=other"),
        ("document.querySelector('#form').requestSubmit()", "/next.html?{fields}"),
    ],
    ids=["button", "button with its own address", "requestSubmit"],
)
def test_a_form_goes_where_its_button_says(
    tab: Tab, collector: Collector, submit: str, address: str
) -> None:
    open_with_links(tab)
    tab.run(f"() => {{ {submit} }}")
    tab.page.wait_for_url("**" + address.format(fields="email=x%40y.example&submit=field"))
    assert len(collector.events(1, name="Sent")) == 1


def test_enter_submits_a_form_by_its_first_button(tab: Tab, collector: Collector) -> None:
    open_with_links(tab)
    tab.page.press("[name=email]", "Enter")
    tab.page.wait_for_url("**/next.html?email=x%40y.example&submit=field&kind=clicked")
    assert len(collector.events(1, name="Sent")) == 1


def test_a_button_that_asks_for_no_validation_gets_none(tab: Tab, collector: Collector) -> None:
    open_with_links(tab)
    tab.fill("[name=email]", "no address")
    tab.page.click("#anyway")
    tab.page.wait_for_url("**/next.html?email=no+address&submit=field&kind=anyway")
    assert len(collector.events(1, name="Sent")) == 1


def test_a_form_for_a_new_tab_opens_one(tab: Tab, collector: Collector) -> None:
    open_with_links(tab)
    with tab.context.expect_page() as opened:
        tab.page.click("#tab")
    opened.value.wait_for_url("**/next.html?email=x%40y.example&submit=field&kind=tab")
    opened.value.close()
    assert len(collector.events(1, name="Sent")) == 1
    assert tab.page.url.endswith("/page.html")


def test_a_form_that_the_page_sends_itself_stays(tab: Tab, collector: Collector) -> None:
    open_with_links(tab)
    tab.fill("[name=q]", "why")
    tab.page.click("#ask")
    assert tab.run("() => handled") == ["ask", "why"]
    assert len(collector.events(1, name="Own own")) == 1
    assert tab.page.url.endswith("/page.html")


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
