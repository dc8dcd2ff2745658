"""Judging the Customer.io cases: their vocabulary, and whether an observation meets an expectation.

An observation is a dict of plain data:

    returns         {"0": value, ...}, by the index of the call
    cookies         {name: {value, domain, hostOnly, path, sameSite, secure, days}}
    localStorage    {key: text}
    requests        [{method, url, headers, body, keepalive if true}], event POSTs only
    settingsUrl     text or None
    callbacks       {name: [arguments, ...]}
    log, console    ["mw:a", ...], [[level, text], ...]
    loaded          true or false
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .matchers import MISSING, Matching, Mismatch, found, is_matcher, unknown_matchers

NAME = "customerio"
HEADER = "howToRead"

SETUP_KEYS = frozenset(
    [
        "url",
        "referrer",
        "title",
        "canonical",
        "cookies",
        "localStorage",
        "options",
        "settings",
        "settingsStatus",
        "network",
        "networkDefault",
        "offline",
        "cookiesDisabled",
        "lsUnavailable",
        "lsFull",
        "lsFullKeys",
    ]
)
STEPS = frozenset(
    [
        "@wait",
        "@navigate",
        "@pushState",
        "@pagehide",
        "@hidden",
        "@visible",
        "@offline",
        "@online",
        "@snippet",
        "@deleteCookie",
        "@setCookie",
        "@clearLocalStorage",
        "@setLocalStorage",
        "@advanceDays",
    ]
)
TOKENS = frozenset(
    ["$fn", "$regex", "$flags", "$date", "$undefined", "$nan", "$middleware", "$plugin"]
)
MIDDLEWARE_KEYS = frozenset(["name", "set", "next"])
PLUGIN_KEYS = frozenset(
    [
        "name",
        "type",
        "version",
        "hooks",
        "loadThrow",
        "loadHang",
        "readyHang",
        "readyReject",
        "alternativeNames",
    ]
)
HOOK_KEYS = frozenset(["throw", "cancel", "set"])


def unknown_words(case: dict[str, Any]) -> list[str]:
    """The words of a case that this runner does not know, each with the place it stands in."""
    setup, calls = case.get("setup", {}), case.get("calls", [])
    words = [f"setup key {key}" for key in setup if key not in SETUP_KEYS]
    words += [f"step {call[0]}" for call in calls if call[0][:1] == "@" and call[0] not in STEPS]
    for value in [*calls, setup.get("options", {})]:
        words += [f"token {word}" for word in _unknown_tokens(value)]
    for part in ("expect", "better"):
        words += unknown_expectations(case.get(part, {}))
    return words


def unknown_expectations(expectation: dict[str, Any]) -> list[str]:
    """The unknown words of an expectation."""
    keys = [f"expectation {key}" for key in expectation if key not in (*COMPARISONS, "note")]
    return keys + [f"matcher {word}" for word in unknown_matchers(expectation)]


def compare(expectation: dict[str, Any], observation: dict[str, Any]) -> list[Mismatch]:
    """Where an observation is not what is expected. Only what is listed is looked at."""
    matching = Matching()
    for key, expected in expectation.items():
        if key in COMPARISONS:
            COMPARISONS[key](matching, key, expected, observation)
        else:
            matching.fail(key, "a known expectation", key)
    return matching.finish()


def _plain(matching: Matching, key: str, expected: Any, observation: dict[str, Any]) -> None:
    matching.match(key, expected, observation.get(key, MISSING))


def _cookies(matching: Matching, key: str, expected: Any, observation: dict[str, Any]) -> None:
    cookies = observation["cookies"]
    specifications = expected.get("$exact", expected) if isinstance(expected, dict) else {}
    seen = {
        name: cookie if _lists_attributes(specifications.get(name)) else cookie["value"]
        for name, cookie in cookies.items()
    }
    matching.match(key, expected, seen)


def _lists_attributes(specification: Any) -> bool:
    return isinstance(specification, dict) and not is_matcher(specification)


def _request_count(matching: Matching, key: str, expected: Any, observation: Any) -> None:
    matching.match(key, expected, len(observation["requests"]))


def _callback_count(matching: Matching, key: str, expected: Any, observation: Any) -> None:
    counts = dict.fromkeys(expected if isinstance(expected, dict) else (), 0)
    counts |= {name: len(calls) for name, calls in observation["callbacks"].items()}
    matching.match(key, expected, counts)


def _console(matching: Matching, key: str, expected: Any, observation: Any) -> None:
    """Every listed line was written, among others; an empty list means that nothing was."""
    lines = observation["console"]
    if not isinstance(expected, list) or not expected:
        matching.match(key, expected, lines)
        return
    for index, wanted in enumerate(expected):
        if not any(_is_line(wanted, level, text) for level, text in lines):
            matching.fail(f"{key}[{index}]", wanted, lines)


def _is_line(wanted: Any, level: str, text: str) -> bool:
    if not isinstance(wanted, list) or len(wanted) != 2 or wanted[0] != level:
        return False
    part = wanted[1]
    if isinstance(part, dict) and "$re" in part:
        return found(part["$re"], text)
    return isinstance(part, str) and part in text


COMPARISONS: dict[str, Callable[[Matching, str, Any, dict[str, Any]], None]] = {
    "returns": _plain,
    "cookies": _cookies,
    "localStorage": _plain,
    "requests": _plain,
    "requestCount": _request_count,
    "settingsUrl": _plain,
    "callbacks": _plain,
    "callbackCount": _callback_count,
    "log": _plain,
    "console": _console,
    "loaded": _plain,
}


def _unknown_tokens(value: Any) -> list[str]:
    if isinstance(value, list):
        return [word for item in value for word in _unknown_tokens(item)]
    if not isinstance(value, dict):
        return []
    words = [key for key in value if key.startswith("$") and key not in TOKENS]
    middleware, plugin = value.get("$middleware"), value.get("$plugin")
    if isinstance(middleware, dict):
        words += [f"$middleware.{key}" for key in middleware if key not in MIDDLEWARE_KEYS]
    if isinstance(plugin, dict):
        words += [f"$plugin.{key}" for key in plugin if key not in PLUGIN_KEYS]
        for hook in plugin.get("hooks", {}).values():
            words += [f"$plugin.hooks.{key}" for key in hook if key not in HOOK_KEYS]
    return words + [word for item in value.values() for word in _unknown_tokens(item)]
