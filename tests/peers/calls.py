"""The calls that both trackers get, by name: JavaScript in which `tracker` is the tracker.

Each starts with a visitor that nobody knows, whose anonymous id is `anon-1`, on the same page.
"""

from __future__ import annotations

KNOWN = "await tracker.identify('u1', {plan: 'free', seats: 1});"
ELSEWHERE = "const here = location.href; history.replaceState({}, '', %r);"
BACK = "history.replaceState({}, '', here);"
CANONICAL = """
    const link = document.createElement('link');
    link.rel = 'canonical';
    link.setAttribute('href', %r);
    document.head.append(link);
    await tracker.page();
    link.remove();
"""


def at(address: str, statements: str) -> str:
    """Statements for when the page has another address."""
    return ELSEWHERE % address + statements + BACK


TRACK = {
    "track: name": "await tracker.track('Ev')",
    "track: name, properties": "await tracker.track('Ev', {p: 1})",
    "track: name, properties, options": (
        "await tracker.track('Ev', {p: 1}, {context: {ip: '192.0.2.1'}})"
    ),
    "track: name, null, options": "await tracker.track('Ev', null, {context: {ip: '192.0.2.1'}})",
    "track: name, undefined, options": "await tracker.track('Ev', undefined, {ip: '192.0.2.1'})",
    "track: name, text, options": "await tracker.track('Ev', 'text', {ip: '192.0.2.1'})",
    "track: name, array, options": "await tracker.track('Ev', [{a: 1}], {ip: '192.0.2.1'})",
    "track: callbacks": """
        await tracker.track('One', () => {});
        await tracker.track('Two', {p: 2}, () => {});
        await tracker.track('Three', {p: 3}, {ip: '192.0.2.1'}, () => {});
    """,
    "track: no name": """
        for (const name of [undefined, null, '', 5, {}, {event: ''}, []])
            await Promise.resolve().then(() => tracker.track(name)).catch(() => {});
    """,
    "track: object": "await tracker.track({event: 'Ev', properties: {p: 1}, userId: 'ignored'})",
    "track: object, options": (
        "await tracker.track({event: 'Ev', properties: {p: 1}}, {ip: '192.0.2.1'})"
    ),
}

PAGE = {
    "page": "await tracker.page()",
    "page: name": "await tracker.page('Home')",
    "page: name, properties, options": "await tracker.page('Home', {p: 1}, {ip: '192.0.2.1'})",
    "page: category, name, properties, options": (
        "await tracker.page('Docs', 'Home', {p: 1}, {ip: '192.0.2.1'})"
    ),
    "page: empty category, empty name": "await tracker.page('', '', null, {ip: '192.0.2.1'})",
    "page: properties, options": "await tracker.page({p: 1}, {ip: '192.0.2.1'})",
    "page: null, name, properties, options": (
        "await tracker.page(null, 'Home', {p: 1}, {ip: '192.0.2.1'})"
    ),
    "page: name, null, options": "await tracker.page('Home', null, {ip: '192.0.2.1'})",
    "page: own facts": (
        "await tracker.page('Home', {title: 'Own', url: 'https://own.example/x', path: '/x'})"
    ),
    "page: callback": "await tracker.page(() => {})",
    "page: canonical address": CANONICAL % "https://www.site.example/canonical",
    "page: canonical address with a query": CANONICAL % "https://www.site.example/c?id=7",
    "page: relative canonical address": CANONICAL % "/canonical",
    "page: null, null, properties": "await tracker.page(null, null, {p: 1})",
    "screen": "await tracker.screen()",
    "screen: name, properties": "await tracker.screen('Home', {p: 1})",
    "screen: properties, options": "await tracker.screen({p: 1}, {ip: '192.0.2.1'})",
    "screen: category, name, properties, options": (
        "await tracker.screen('Docs', 'Home', {p: 1}, {ip: '192.0.2.1'})"
    ),
}

IDENTIFY = {
    "identify: id": "await tracker.identify('u1')",
    "identify: id, traits, options": (
        "await tracker.identify('u1', {plan: 'free'}, {ip: '192.0.2.1'})"
    ),
    "identify: number, traits": "await tracker.identify(42, {plan: 'free'})",
    "identify: id, null, options": "await tracker.identify('u1', null, {ip: '192.0.2.1'})",
    "identify: traits": "await tracker.identify({plan: 'free'})",
    "identify: traits, options": "await tracker.identify({plan: 'free'}, {ip: '192.0.2.1'})",
    "identify: null, traits, options": (
        "await tracker.identify(null, {plan: 'free'}, {ip: '192.0.2.1'})"
    ),
    "identify: null, traits, options of a known user": (
        KNOWN + "await tracker.identify(null, {plan: 'paid'}, {ip: '192.0.2.1'})"
    ),
    "identify: nothing": "await tracker.identify()",
    "identify: the same user": (
        KNOWN + "await tracker.identify('u1', {plan: 'paid'}); await tracker.track('Ev')"
    ),
    "identify: traits of a known user": KNOWN + "await tracker.identify({plan: 'paid'})",
    "identify: after anonymous traits": "await tracker.identify({colour: 'red'});" + KNOWN,
    "identify: another user": (
        KNOWN + "await tracker.identify('u2', {colour: 'red'}); await tracker.track('Ev')"
    ),
    "identify: traits in options of track": (
        KNOWN + "await tracker.track('Ev', {}, {traits: {plan: 'paid'}}); await tracker.identify()"
    ),
}

GROUP = {
    "group: id": "await tracker.group('g1')",
    "group: id, traits, options": "await tracker.group('g1', {staff: 3}, {ip: '192.0.2.1'})",
    "group: number": "await tracker.group(7)",
    "group: traits": "await tracker.group({staff: 3})",
    "group: id, null, options": "await tracker.group('g1', null, {ip: '192.0.2.1'})",
    "group: null, traits of a known group": (
        "await tracker.group('g1', {staff: 3}); await tracker.group(null, {city: 'Oslo'})"
    ),
    "group: the same group": (
        "await tracker.group('g1', {staff: 3}); await tracker.group('g1', {city: 'Oslo'})"
    ),
    "group: another group": (
        KNOWN + "await tracker.group('g1', {staff: 3}); await tracker.group('g2', {city: 'Oslo'})"
    ),
}

ALIAS = {
    "alias: to": "await tracker.alias('new')",
    "alias: to, from": "await tracker.alias('new', 'old')",
    "alias: numbers": "await tracker.alias(8, 7)",
    "alias: to, from, options": "await tracker.alias('new', 'old', {ip: '192.0.2.1'})",
    "alias: to, options": "await tracker.alias('new', {ip: '192.0.2.1'})",
    "alias: to of a known user": KNOWN + "await tracker.alias('new'); await tracker.track('Ev')",
    "alias: nothing": KNOWN + "await tracker.alias()",
}

OPTIONS = {
    "options: anonymousId lasts": (
        "await tracker.track('One', {}, {anonymousId: 'anon-2'}); await tracker.track('Two')"
    ),
    "options: userId does not last": (
        "await tracker.track('One', {}, {userId: 'u9'}); await tracker.track('Two')"
    ),
    "options: anonymousId of an identify lasts": (
        "await tracker.identify('u1', {}, {anonymousId: 'anon-2'}); await tracker.track('Two')"
    ),
    "options: timestamp as a date": (
        "await tracker.track('Ev', {}, {timestamp: new Date(Date.UTC(2020, 1, 29, 12))})"
    ),
    "options: timestamp as text": (
        "await tracker.track('Ev', {}, {timestamp: '2020-02-29T12:00:00+02:00'})"
    ),
    "options: timestamp as a number": "await tracker.track('Ev', {}, {timestamp: 1582977600000})",
    "options: dots in a name": (
        "await tracker.track('Ev', {}, {'device.os.name': 'X', context: {device: {id: 'd'}}})"
    ),
    "options: messageId": "await tracker.track('Ev', {}, {messageId: 'mine'})",
    "options: part of the page": (
        "await tracker.track('Ev', {}, {context: {page: {title: 'Own', section: 's'}}})"
    ),
    "options: another page": "await tracker.track('Ev', {}, {page: {title: 'Own'}})",
    "options: own context": """
        await tracker.track('Ev', {}, {context: {
            locale: 'de', library: {name: 'mine'}, campaign: {name: 'c'}, userAgent: 'mine',
            timezone: 'Europe/Oslo', screen: {width: 1}, userAgentData: {mobile: true},
        }})
    """,
    "options: integrations": """
        await tracker.track('Ev', {}, {integrations: {Off: true, Tool: {key: 2}, New: false}})
    """,
}

VALUES = {
    "values: dates": """
        const date = new Date(Date.UTC(2024, 0, 2, 3, 4, 5, 6));
        await tracker.track('Ev', {date, inside: [{date}]});
        await tracker.identify('u1', {created: date});
    """,
    "values: text that looks like a date": (
        "await tracker.track('Ev', {day: '2024-01-02', time: '2024-01-02T03:04:05Z'})"
    ),
    "values: nothing": """
        await tracker.track('Ev', {none: null, absent: undefined, list: [undefined, null, NaN]})
    """,
    "values: numbers": (
        "await tracker.track('Ev', {n: [0.1, -0, 1e21, 1e-7, 2 ** 53, 1 / 0, NaN, 5e-324]})"
    ),
    "values: text": r"""
        await tracker.track('Ünïcode "ев" 你好 😀', {
            'a.b c': '\u2028 \\ \' " </script> \u0000 \ud800'
        })
    """,
    "values: nested": "await tracker.track('Ev', {a: {b: {c: [{}, [], '', {d: [[1], false]}]}}})",
    "values: objects with toJSON": """
        class Money { constructor() { this.amount = 1; } toJSON() { return {eur: this.amount}; } }
        await tracker.track('Ev', {price: new Money(), link: new URL('https://a.example/')});
    """,
    "values: names of page facts": (
        "await tracker.track('Played', {title: 'Song', url: 'https://song.example/', path: '/p'})"
    ),
    "values: names of members": (
        "await tracker.track('Ev', {userId: 'p', event: 'p', type: 'p', traits: {a: 1}})"
    ),
}

IDENTITY = {
    "reset": KNOWN + "await tracker.group('g1'); await tracker.reset(); await tracker.track('Ev')",
    "setters": """
        await tracker.user().id('u5');
        await tracker.user().traits({plan: 'free'});
        await tracker.group().id('g5');
        await tracker.group().traits({staff: 5});
        await tracker.identify();
        await tracker.group({city: 'Oslo'});
    """,
    "a track before an identify": (
        "await Promise.all([tracker.track('Early'), tracker.identify('u1')])"
    ),
}

# behind these the referrer differs, so they come behind all others
ADDRESSES = {
    "page: no query": at("/page.html", "await tracker.page();"),
    "page: a query without campaign": at("/page.html?a=1&b=2", "await tracker.page();"),
    "page: a strange campaign": at(
        "/page.html?utm_source=a+b%26c&utm_medium=x=y&utm_term&utm_&utm_campaign=%E4%BD%A0#top",
        "await tracker.page();",
    ),
    "page: a campaign with a prefix": at("/page.html?xutm_foo=9", "await tracker.page();"),
    "page: an old advertising network": (
        at("/page.html?urid=77", "await tracker.page(); await tracker.track('Ev');")
        + "document.cookie = 's%3Acontext.referrer=; max-age=0; path=/'"
    ),
}

# the incumbent tries this one again and again, for seconds: last, so that nothing runs meanwhile
LAST = {"options: userId as a number": "tracker.track('Ev', {}, {userId: 7})"}

CALLS = {
    **TRACK,
    **PAGE,
    **IDENTIFY,
    **GROUP,
    **ALIAS,
    **OPTIONS,
    **VALUES,
    **IDENTITY,
    **ADDRESSES,
    **LAST,
}
