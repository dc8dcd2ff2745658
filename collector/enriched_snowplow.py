"""Decides how a stored Snowplow event looks in the form of Snowplow Micro.

The fields are those that the parameters give (`collector.snowplow_fields`) and those that a
Snowplow pipeline adds without further data: the parts of addresses, the derived time, the name of
the event. All atomic fields are there; what nothing fills is null. Looking up places, devices,
campaigns or currencies is left to a real pipeline.
"""

from __future__ import annotations

from typing import Any

from collector.enriched import (
    COLLECTOR,
    SNOWPLOW,
    URL_PARTS,
    Json,
    derived_time,
    iglu,
    iso,
    request_side,
    url_part,
)
from collector.iglu import ADDRESS
from collector.queries import Row
from collector.snowplow import inner_event
from collector.snowplow_fields import PARAMETERS

GOOGLE = "com.google.analytics"

# Event to the schema that Snowplow gives it; a self-describing event names its own.
SCHEMAS = {
    "page_view": iglu(SNOWPLOW, "page_view"),
    "page_ping": iglu(SNOWPLOW, "page_ping"),
    "struct": iglu(GOOGLE, "event"),
    "transaction": iglu(SNOWPLOW, "transaction"),
    "transaction_item": iglu(SNOWPLOW, "transaction_item"),
}

_OTHERS = """
    etl_tstamp collector_tstamp event_vendor event_name event_format event_version v_collector v_etl
    etl_tags event_fingerprint derived_tstamp derived_contexts refr_domain_userid refr_dvce_tstamp
    refr_medium refr_source refr_term mkt_medium mkt_source mkt_term mkt_content mkt_campaign
    mkt_clickid mkt_network geo_country geo_region geo_city geo_zipcode geo_latitude geo_longitude
    geo_region_name geo_timezone ip_isp ip_organization ip_domain ip_netspeed br_name br_family
    br_version br_type br_renderengine os_name os_family os_manufacturer dvce_type dvce_ismobile
    tr_total_base tr_tax_base tr_shipping_base ti_price_base base_currency
"""
ATOMIC = (
    *dict.fromkeys(field for rule in PARAMETERS.values() for field in rule.fields),
    *(f"{side}_{part}" for side in ("page", "refr") for part in URL_PARTS),
    *_OTHERS.split(),
)
TIMES = ("dvce_created_tstamp", "dvce_sent_tstamp", "true_tstamp")

# Names of headers as Snowplow's collector passes them on; HTTP itself does not mind their case.
HEADER_NAMES = {"dnt": "DNT", "sec-gpc": "Sec-GPC", "sp-anonymous": "SP-Anonymous"}


def good_event(row: Row) -> Json:
    """Give a stored good event in the form of `/micro/good`."""
    fields = row["fields"]
    schema = SCHEMAS.get(row["type"]) or inner_event(fields)[0]
    contexts = fields.get("contexts") or {}
    event = dict.fromkeys(ATOMIC) | fields | _collected(row) | _named(schema)
    event |= {name: iso(fields.get(name)) for name in TIMES}
    event["derived_tstamp"] = event["true_tstamp"] or derived_time(row)
    event["page_url"] = event["page_url"] or _referer(row)
    for side, url in (("page", event["page_url"]), ("refr", event["page_referrer"])):
        event |= {f"{side}_{part}": url_part(url, part) for part in URL_PARTS}
    event |= _linked(event["page_urlquery"])
    event["contexts"] = contexts if contexts.get("data") else {}
    return {
        "rawEvent": raw_event(row),
        "eventType": row["type"],
        "schema": schema,
        "contexts": [entity["schema"] for entity in contexts.get("data", ())],
        "event": event,
    }


def raw_event(row: Row) -> Json:
    """Give the request side of an event: the parameters as they came, and who sent them."""
    parameters = row["payload"] if isinstance(row["payload"], dict) else {}
    headers = [f"{_header(name)}: {value}" for name, value in row["request"]["headers"]]
    version = "tp1" if row["request"]["path"] == "/i" else "tp2"
    return request_side(row, {"vendor": SNOWPLOW, "version": version}, parameters, headers)


def _collected(row: Row) -> Json:
    return {
        "collector_tstamp": iso(row["receivedTime"]),
        "v_collector": COLLECTOR,
        "event_id": row["messageId"],
        "network_userid": row["networkUserId"],
        "user_ipaddress": row["ip"],
        "useragent": row["userAgent"],
        "derived_contexts": {},
    }


def _named(schema: str) -> Json:
    match = ADDRESS.fullmatch(schema)
    return {f"event_{part}": value for part, value in match.groupdict().items()} if match else {}


def _referer(row: Row) -> str | None:
    """Give the page's address where the tracker did not say it, as a pixel without script."""
    return dict(row["request"]["headers"]).get("referer")


def _linked(query: str | None) -> Json:
    """Give who came over a decorated link: `_sp=duid.time…` in the query of the page."""
    for pair in (query or "").split("&"):
        name, _, value = pair.partition("=")
        if name == "_sp":
            duid, _, rest = value.partition(".")
            time = rest.partition(".")[0]
            known = time.isascii() and time.isdigit() and len(time) <= 15
            return {
                "refr_domain_userid": duid or None,
                "refr_dvce_tstamp": iso(int(time)) if known else None,
            }
    return {}


def _header(name: str) -> Any:
    return HEADER_NAMES.get(name) or name.title()
