"""Decides which event field each parameter of the Snowplow tracker protocol becomes, and its type.

The names and types are those of Snowplow's enriched event. A parameter that is absent or empty
gives no field; one that cannot be read as its type makes the event bad.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from collector.json_text import JsonError, read_json, shown

Fields = dict[str, Any]

MAX_TIME = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp() * 1000)
MAX_INTEGER = 2**31 - 1

_INTEGER = re.compile(r"[+-]?[0-9]{1,10}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", re.ASCII)
_TIME = re.compile(r"[0-9]{1,15}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_SIZE = re.compile(r"([0-9]{1,9})x([0-9]{1,9})", re.ASCII)

EVENTS = {
    "pv": "page_view",
    "pp": "page_ping",
    "se": "struct",
    "ue": "unstruct",
    "tr": "transaction",
    "ti": "transaction_item",
}
PLATFORMS = ("web", "iot", "app", "mob", "pc", "cnsl", "tv", "srv", "headset")
BOOLEANS = {"1": True, "true": True, "0": False, "false": False}


@dataclass(frozen=True, slots=True)
class Kind:
    """What the text of a parameter must be; `read` gives its value or raises `ValueError`."""

    description: str
    read: Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """How a parameter is read, and the fields that it fills."""

    kind: Kind
    fields: tuple[str, ...]


def _matching(pattern: re.Pattern[str], convert: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        if not pattern.fullmatch(text):
            raise ValueError
        return convert(text)

    return read


def _bounded(lowest: int, highest: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        number = int(text)
        if not lowest <= number <= highest:
            raise ValueError
        return number

    return convert


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def _size(text: str) -> tuple[int, int]:
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError
    return int(match[1]), int(match[2])


def _choice(values: Mapping[str, Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        if text not in values:
            raise ValueError
        return values[text]

    return read


def _url(text: str) -> str:
    _ = urlsplit(text).port  # raises ValueError on what has no parts
    return text


def _base64_json(text: str) -> Any:
    """Read JSON in base64 of either alphabet, with or without padding."""
    standard = text.translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        decoded = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise JsonError("it is not base64url") from None
    return read_json(decoded)


TEXT = Kind("text", str)
INTEGER = Kind("a whole number", _matching(_INTEGER, _bounded(-MAX_INTEGER - 1, MAX_INTEGER)))
DECIMAL = Kind("a number", _matching(_DECIMAL, _finite))
TIME = Kind("milliseconds since 1970", _matching(_TIME, _bounded(0, MAX_TIME)))
UUID = Kind("a UUID", _matching(_UUID, str))
BOOLEAN = Kind("1 or 0", _choice(BOOLEANS))
SIZE = Kind("WIDTHxHEIGHT", _size)
URL = Kind("a URL", _url)
JSON = Kind("JSON", lambda text: read_json(text.encode()))
BASE64 = Kind("JSON in base64url", _base64_json)

PARAMETERS = {
    name: Parameter(kind, tuple(fields.split()))
    for name, kind, fields in (
        ("e", Kind(f"one of {', '.join(EVENTS)}", _choice(EVENTS)), "event"),
        ("eid", UUID, "event_id"),
        (
            "p",
            Kind(
                f"one of {', '.join(PLATFORMS)}",
                _choice({name: name for name in PLATFORMS}),
            ),
            "platform",
        ),
        ("aid", TEXT, "app_id"),
        ("tna", TEXT, "name_tracker"),
        ("tv", TEXT, "v_tracker"),
        ("dtm", TIME, "dvce_created_tstamp"),
        ("ttm", TIME, "true_tstamp"),
        ("stm", TIME, "dvce_sent_tstamp"),
        ("duid", TEXT, "domain_userid"),
        ("vid", INTEGER, "domain_sessionidx"),
        ("sid", UUID, "domain_sessionid"),
        ("uid", TEXT, "user_id"),
        ("nuid", TEXT, "network_userid"),
        ("tnuid", TEXT, "network_userid"),
        ("ip", TEXT, "user_ipaddress"),
        ("ua", TEXT, "useragent"),
        ("fp", TEXT, "user_fingerprint"),
        ("tid", INTEGER, "txn_id"),
        ("tz", TEXT, "os_timezone"),
        ("lang", TEXT, "br_lang"),
        ("cs", TEXT, "doc_charset"),
        ("res", SIZE, "dvce_screenwidth dvce_screenheight"),
        ("cd", TEXT, "br_colordepth"),
        ("vp", SIZE, "br_viewwidth br_viewheight"),
        ("ds", SIZE, "doc_width doc_height"),
        ("cookie", BOOLEAN, "br_cookies"),
        ("f_pdf", BOOLEAN, "br_features_pdf"),
        ("f_fla", BOOLEAN, "br_features_flash"),
        ("f_java", BOOLEAN, "br_features_java"),
        ("f_dir", BOOLEAN, "br_features_director"),
        ("f_qt", BOOLEAN, "br_features_quicktime"),
        ("f_realp", BOOLEAN, "br_features_realplayer"),
        ("f_wma", BOOLEAN, "br_features_windowsmedia"),
        ("f_gears", BOOLEAN, "br_features_gears"),
        ("f_ag", BOOLEAN, "br_features_silverlight"),
        ("url", URL, "page_url"),
        ("refr", URL, "page_referrer"),
        ("page", TEXT, "page_title"),
        ("co", JSON, "contexts"),
        ("cx", BASE64, "contexts"),
        ("ue_pr", JSON, "unstruct_event"),
        ("ue_px", BASE64, "unstruct_event"),
        ("se_ca", TEXT, "se_category"),
        ("se_ac", TEXT, "se_action"),
        ("se_la", TEXT, "se_label"),
        ("se_pr", TEXT, "se_property"),
        ("se_va", DECIMAL, "se_value"),
        ("pp_mix", INTEGER, "pp_xoffset_min"),
        ("pp_max", INTEGER, "pp_xoffset_max"),
        ("pp_miy", INTEGER, "pp_yoffset_min"),
        ("pp_may", INTEGER, "pp_yoffset_max"),
        ("tr_id", TEXT, "tr_orderid"),
        ("tr_af", TEXT, "tr_affiliation"),
        ("tr_tt", DECIMAL, "tr_total"),
        ("tr_tx", DECIMAL, "tr_tax"),
        ("tr_sh", DECIMAL, "tr_shipping"),
        ("tr_ci", TEXT, "tr_city"),
        ("tr_st", TEXT, "tr_state"),
        ("tr_co", TEXT, "tr_country"),
        ("tr_cu", TEXT, "tr_currency"),
        ("ti_id", TEXT, "ti_orderid"),
        ("ti_sk", TEXT, "ti_sku"),
        ("ti_na", TEXT, "ti_name"),
        ("ti_nm", TEXT, "ti_name"),
        ("ti_ca", TEXT, "ti_category"),
        ("ti_pr", DECIMAL, "ti_price"),
        ("ti_qu", INTEGER, "ti_quantity"),
        ("ti_cu", TEXT, "ti_currency"),
    )
}


def read_fields(parameters: Mapping[str, Any]) -> tuple[Fields, list[str]]:
    """Give the fields of an event, and what is wrong with the parameters that give none.

    Times are milliseconds since the epoch; `contexts` and `unstruct_event` are decoded but not
    checked. Values that are no text are left to the check against payload_data.
    """
    fields: Fields = {}
    flaws: list[str] = []
    for name, value in parameters.items():
        rule = PARAMETERS.get(name)
        if rule is None or not isinstance(value, str) or not value:
            continue
        try:
            read = rule.kind.read(value)
        except JsonError as error:
            flaws.append(f"{name} is {shown(value)}, must be {rule.kind.description}: {error}")
        except ValueError:
            flaws.append(f"{name} is {shown(value)}, must be {rule.kind.description}")
        else:
            fields |= zip(rule.fields, read if rule.kind is SIZE else (read,), strict=True)
    if isinstance(own := parameters.get("tnuid"), str) and own:
        fields["network_userid"] = own  # Snowplow: the tracker's id wins over the collector's
    return fields, flaws
