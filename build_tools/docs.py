"""`docs/options.md`, made from the tables of the core: `python -m build_tools.docs` writes it."""

import json
import sys
from collections.abc import Iterable
from typing import Any

from build_tools.paths import ROOT
from tracker.options import Option
from tracker.privacy import PRECHECK
from tracker.settings import ALIASES, OPTIONS, PLANNED
from tracker.storage.strategy import STRATEGIES, TABLE

TARGET = ROOT / "docs" / "options.md"
COMMAND = "python -m build_tools.docs"

# Options without a group, by subject; what is not listed goes to "Other options".
SUBJECTS = {
    "Where state is kept": ("stateStorageStrategy", "disableClientPersistence"),
    "Privacy": (
        "optOutCookie",
        "respectDoNotTrack",
        "respectGlobalPrivacyControl",
        "anonymousTracking",
    ),
    "Events": ("initialPageview", "useQueryString", "integrations", "retryQueue", "debug"),
    "Start": ("globalAnalyticsKey", "alias", "host", "saveData"),
}

GROUPS = {
    "cookie": "Attributes of the identity cookies. `cookie.maxage: 0` makes cookies that expire at "
    "once, so ids live in local storage only. Warnings: more than 400 days count as 400, as in "
    "browsers; `sameSite: 'None'` without `secure` makes cookies that browsers refuse. A `domain` "
    "that the browser refuses on this page is an error, and the widest one is used.",
    "user": "How the user's id and traits are kept. `user.persist: false` and `group.persist: "
    "false` hold under every strategy.",
    "group": "How the group's id and traits are kept. Each field has its own default.",
    "storage": "Traits go into a cookie only if their encoded text fits 4,000 bytes, else they "
    "stay in memory. Under the strategy `cookie` that holds without this option.",
    "customerio": "The Customer.io destination. `customerio: false` switches it off. An `apiHost` "
    "that begins with `/` is on the page's own origin. Where neither it nor `protocol` names a "
    "scheme, a loopback host is reached over `http` from an `http` page.",
    "snowplow": "A Snowplow collector as a destination, and the session it needs: see "
    "[snowplow.md](snowplow.md). Off until `snowplow` or `collectorUrl` is given; "
    "`snowplow: false` switches it off.",
}

NOTES = {
    "Where state is kept": "`disableClientPersistence: true` beats `stateStorageStrategy`. "
    "`anonymousTracking` keeps nothing under any strategy, but for the session and unsent events "
    "with `withSessionTracking`. The second store of the session is used only where the first one "
    "does not keep it; where a store fails, memory answers. More is in "
    "[snowplow.md](snowplow.md#where-state-is-kept).",
    "Privacy": "What a refusal does is in [Privacy](architecture.md#privacy); calls that change it "
    "at run time are in [snowplow.md](snowplow.md#privacy-and-consent). An object for "
    "`anonymousTracking` is `{withSessionTracking, withServerAnonymisation}`: the first keeps "
    "sessions without identity, the second asks the Snowplow collector to forget the visitor's "
    "address. `{}` is the same as `true`.",
    "Events": "`debug` writes each event, as it is queued. Destinations in `integrations` are "
    "explained in [Delivery](api.md#delivery), `useQueryString` and its risk in "
    "[queryString](api.md#querystring). Its patterns are regular expressions or their text, such "
    "as `{uid: /^[0-9]+$/, events: ['Mail Opened']}`; they match anywhere in an id unless `^` and "
    "`$` say otherwise, and of their flags only `i` counts.",
    "Start": "What the values of `host` mean is in [hosts.md](hosts.md). "
    "`globalAnalyticsKey` in the options of `load` adds a second name; the attribute "
    "`data-global-analytics-key` gives the name itself.",
}

HEAD = f"""# Options

<!-- Made by `{COMMAND}` from tracker/settings.py. Change it there. -->

Options are the second argument of `load`, or attributes of the script tag. A name with dots is a
path:

```js
cioanalytics.load('YOUR_WRITE_KEY', {{
  apiHost: 'events.site.example/v1',
  cookie: {{ maxage: 90, sameSite: 'Strict' }},
  user: {{ cookie: {{ key: 'my_user_id' }} }},
}});
```

A wrong value does not stop tracking. `load` rejects its promise, writes an error to the console and
tells `on('error')`; the option then takes its default, or the stricter value where the table names
one. An option that is not known is a warning with the nearest known name.

## Write key

The first argument of `load`: the write key of your source, as text that is not empty. A whole
number is taken as its digits. Without a usable key nothing is tracked.

## Script tag

```html
<script async src="/tracker/loader.js" data-write-key="YOUR_WRITE_KEY" data-api-host="/v1"></script>
```

| attribute | what it does |
|---|---|
| `data-write-key` | loads the tracker with this key and calls `page()` |
| `data-options` | options as a JSON object |
| `data-initial-pageview` | `false`: no `page()` |
| `data-global-analytics-key` | name of the global object instead of `cioanalytics` |
| `data-some-option` | the option `someOption`; wins over the same name in `data-options` |

A value that is JSON (`true`, `30`, `{{"a": 1}}`) is read as JSON, every other value is text. Text
that looks like JSON needs quotes: `data-opt-out-cookie='"1"'`. Use a classic script: with
`type="module"` it cannot read its attributes.
"""


def render() -> str:
    """The whole page."""
    parts = [HEAD]
    listed = {name for names in SUBJECTS.values() for name in names}
    single = [name for name in OPTIONS if "." not in name]
    subjects = {**SUBJECTS, "Other options": [name for name in single if name not in listed]}
    for title, names in subjects.items():
        there = [name for name in names if name in OPTIONS]
        if there:
            parts.append(_section(title, NOTES.get(title, ""), there, anchors=True))
        if title == "Where state is kept":
            parts.append(_strategies())
    for group in dict.fromkeys(name.partition(".")[0] for name in OPTIONS if "." in name):
        names = [name for name in OPTIONS if name.startswith(group + ".")]
        parts.append(_section(group, GROUPS.get(group, ""), names, anchors=False))
    parts.append(_short_names())
    if PLANNED:
        parts.append(_planned())
    return "\n".join(parts)


def main() -> int:
    """Write the page."""
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(render(), encoding="utf-8")
    print(f"written: {TARGET.relative_to(ROOT)}")
    return 0


def _section(title: str, note: str, names: Iterable[str], *, anchors: bool) -> str:
    rows = [_row(name, OPTIONS[name], anchor=anchors) for name in names]
    return "\n".join([f"## {title}\n", *([note + "\n"] if note else []), _table(rows)])


def _table(rows: Iterable[str]) -> str:
    head = "| name | default | allowed | what it does |\n|---|---|---|---|\n"
    return head + "\n".join(rows) + "\n"


def _row(name: str, option: Option, *, anchor: bool) -> str:
    # Messages of the core point to options by their lower-case first name.
    place = f'<a id="{name.lower()}"></a>' if anchor else ""
    text = option.help
    if option.instead is not ...:
        text += f" A wrong value counts as {_code(option.instead)}."
    cells = (f"{place}`{name}`", _code(option.default), option.allowed, text)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _code(value: Any) -> str:
    if value is None:
        return "none"
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"


def _strategies() -> str:
    """What `stateStorageStrategy` means for each kind of state; the first store wins."""
    head = "| " + " | ".join(["kind of state", *(f"`{name}`" for name in STRATEGIES)]) + " |"
    rule = "|" + "---|" * (len(STRATEGIES) + 1)
    kinds = {
        "id": "ids",
        "cookieTraits": "traits with `storage.traits: 'cookie'`",
        "session": "`_sp_id`, `_sp_ses`",
        "queue": "unsent events",
    }
    rows = []
    for kind, by_strategy in TABLE.items():
        stores = [_stores(by_strategy[name]) for name in STRATEGIES]
        rows.append("| " + " | ".join([kinds.get(kind, kind), *stores]) + " |")
    keep: Any = dict(PRECHECK["keep"])
    kept = [
        "local storage" if name in keep["stateStorageStrategy"] else "memory" for name in STRATEGIES
    ]
    rows.append("| " + " | ".join(["calls for the next page", *kept]) + " |")
    return "\n".join([head, rule, *rows]) + "\n"


def _stores(names: tuple[str, ...]) -> str:
    words = {"cookie": "cookie", "localStorage": "local storage"}
    return ", then ".join(words.get(name, name) for name in names) or "memory"


def _short_names() -> str:
    rows = [f"| `{short}` | `{name}` |" for short, name in ALIASES.items()]
    head = "## Short names\n\nAt the top level these mean an option of a group.\n"
    return "\n".join([head, "| name | means |", "|---|---|", *rows]) + "\n"


def _planned() -> str:
    names = ", ".join(f"`{name}`" for name in sorted(PLANNED, key=str.lower))
    return f"## Not yet\n\nAccepted with a warning, without effect in this version: {names}.\n"


if __name__ == "__main__":
    sys.exit(main())
