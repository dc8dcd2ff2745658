from __future__ import annotations

from typing import Any

import pytest

from tracker.errors import TrackerError
from tracker.settings import OPTIONS, PLANNED, Batch, check, nearest


@pytest.mark.parametrize("key", [None, "", "  ", {}, True, ["wk"]])
def test_load_without_a_usable_write_key_is_an_error(key: Any) -> None:
    with pytest.raises(TrackerError) as error:
        check(key, {})
    assert "write key" in error.value.detail
    assert "allowed" in error.value.detail
    assert "docs/options.md" in error.value.detail


def test_a_numeric_write_key_is_taken_as_text() -> None:
    assert check(123, None)[0].write_key == "123"


def test_every_option_has_its_documented_default() -> None:
    settings, errors, warnings = check("wk", {})
    assert (errors, warnings) == ([], [])
    assert settings.cookie.days == 365
    assert settings.cookie.same_site == "Lax"
    assert settings.cookie.path == "/"
    assert not settings.cookie.secure
    assert settings.user.id_key == "ajs_user_id"
    assert settings.user.traits_key == "ajs_user_traits"
    assert settings.group.id_key == "ajs_group_id"
    assert settings.group.traits_key == "ajs_group_properties"
    assert settings.privacy.strategy == "cookieAndLocalStorage"
    assert settings.api_host == "cdp.customer.io/v1"
    assert settings.batch is None


@pytest.mark.parametrize("name", [name for name in OPTIONS if OPTIONS[name].allowed])
def test_a_wrong_value_is_named_with_what_is_allowed_and_the_default_is_used(name: str) -> None:
    wrong: Any = -1
    for part in reversed(name.split(".")):
        wrong = {part: wrong}
    if name.startswith("snowplow.") and name != "snowplow.collectorUrl":
        wrong["collectorUrl"] = "c.example"
    errors = [e for e in check("wk", wrong)[1] if e.message != "Collector missing"]
    assert len(errors) == 1
    detail = errors[0].detail
    assert f"option {name} is -1 (number)" in detail
    assert f"allowed: {OPTIONS[name].allowed}" in detail
    assert "See docs/options.md#" in detail


@pytest.mark.parametrize(
    ("option", "attribute", "stricter"),
    [
        ("stateStorageStrategy", "strategy", "none"),
        ("anonymousTracking", "anonymous", True),
        ("disableClientPersistence", "strategy", "none"),
    ],
)
def test_a_wrong_privacy_option_takes_the_stricter_side(
    option: str, attribute: str, stricter: Any
) -> None:
    settings, errors, _ = check("wk", {option: 17})
    assert errors
    assert getattr(settings.privacy, attribute) == stricter


def test_wrong_do_not_track_options_are_taken_as_true() -> None:
    wrong = {"respectDoNotTrack": "si", "respectGlobalPrivacyControl": 1}
    settings, errors, _ = check("wk", wrong)
    assert len(errors) == 2
    assert settings.privacy.signals["respectDoNotTrack"] is True
    assert settings.privacy.signals["respectGlobalPrivacyControl"] is True


@pytest.mark.parametrize("options", ["text", 5, [], True])
def test_options_that_are_no_object_are_an_error(options: Any) -> None:
    _, errors, _ = check("wk", options)
    assert "allowed: an object" in errors[0].detail


def test_a_group_that_is_no_object_is_an_error() -> None:
    _, errors, _ = check("wk", {"cookie": "strict"})
    assert "option cookie is 'strict' (text); allowed: an object" in errors[0].detail


@pytest.mark.parametrize(
    ("options", "meant"),
    [
        ({"cookies": {}}, "cookie"),
        ({"cookie": {"samesite": "Lax"}}, "cookie.sameSite"),
        ({"user": {"persistt": True}}, "user.persist"),
        ({"statestoragestrategy": "none"}, "stateStorageStrategy"),
        ({"respectDNT": True}, None),
        ({"xyzzy": 1}, None),
    ],
)
def test_an_unknown_option_warns_with_the_nearest_name(
    options: dict[str, Any], meant: str | None
) -> None:
    _, errors, warnings = check("wk", options)
    assert errors == []
    assert len(warnings) == 1
    assert "is not known" in warnings[0]
    assert (f"Did you mean {meant}?" in warnings[0]) == (meant is not None)


def test_options_of_later_versions_say_that_they_have_no_effect() -> None:
    for name in PLANNED:
        given: Any = {}
        for part in reversed(name.split(".")):
            given = {part: given}
        warnings = check("wk", given)[2]
        errors = [e for e in check("wk", given)[1] if e.message != "Collector missing"]
        assert not errors
        assert "no effect in this version" in warnings[0]


def test_partial_options_keep_the_other_defaults_of_their_own_kind() -> None:
    settings, _, _ = check("wk", {"group": {"cookie": {"key": "g"}}, "user": {"persist": False}})
    assert settings.group.id_key == "g"
    assert settings.group.traits_key == "ajs_group_properties"
    assert settings.user.id_key == "ajs_user_id"


def test_null_means_not_given() -> None:
    settings, errors, warnings = check("wk", {"cookie": {"domain": None}, "user": None})
    assert (errors, warnings) == ([], [])
    assert settings.cookie.domain is None


def test_disabling_persistence_beats_the_strategy() -> None:
    given = {"disableClientPersistence": True, "stateStorageStrategy": "cookie"}
    assert check("wk", given)[0].privacy.strategy == "none"


def test_a_cookie_life_above_400_days_is_capped_with_a_warning() -> None:
    settings, _, warnings = check("wk", {"cookie": {"maxage": 1000}})
    assert settings.cookie.days == 400
    assert "1000 days" in warnings[0]


def test_same_site_none_without_secure_warns() -> None:
    assert "cookie.secure" in check("wk", {"cookie": {"sameSite": "None"}})[2][0]
    assert not check("wk", {"cookie": {"sameSite": "None", "secure": True}})[2]


def test_api_host_may_stand_at_the_top_level_or_in_its_group() -> None:
    assert check("wk", {"apiHost": "a.example/v1"})[0].api_host == "a.example/v1"
    assert check("wk", {"customerio": {"apiHost": "b.example/v1"}})[0].api_host == "b.example/v1"


def test_customerio_may_be_switched_off() -> None:
    assert not check("wk", {"customerio": False})[0].customerio
    assert check("wk", {"customerio": {"apiHost": "x"}})[0].customerio


@pytest.mark.parametrize(
    ("value", "batch"),
    [
        (True, Batch(10, 5000)),
        (False, None),
        ({"size": 3}, Batch(3, 5000)),
        ({"timeout": 0}, Batch(10, 0)),
    ],
)
def test_batching_has_a_size_and_a_timeout(value: Any, batch: Batch | None) -> None:
    assert check("wk", {"customerio": {"batch": value}})[0].batch == batch


@pytest.mark.parametrize(
    "options",
    [
        {"customerio": {"batch": {"size": "x"}}},
        {"customerio": {"batch": {"sise": 3}}},
        {"useQueryString": {"uids": "^[0-9]+$"}},
    ],
)
def test_a_wrong_or_misspelled_member_of_an_option_is_an_error(options: dict[str, Any]) -> None:
    settings, errors, _ = check("wk", options)
    assert len(errors) == 1
    assert settings.batch is None
    assert (settings.query_string is None) == ("useQueryString" in options)


def test_the_nearest_name_is_near() -> None:
    assert nearest("cokie", ["cookie", "user"]) == "cookie"
    assert nearest("zzzzzz", ["cookie", "user"]) is None
    assert nearest("a", []) is None
