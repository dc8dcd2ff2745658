"""How a link to another domain tells it who the visitor is: the `_sp` parameter.

Rules: Snowplow tracker v4, cross-domain links. The value is read by the pipeline
(`refr_domain_userid`, `refr_dvce_tstamp`, entity `cross_navigation`), never by a tracker.
"""

from __future__ import annotations

import base64
from typing import Any

from tracker.browser import LONE_SURROGATE

PARAMETER = "_sp="

# Which parts the extended form has if nothing is said; a visitor's id and the time always are.
DEFAULTS = {
    "sessionId": True,
    "userId": False,
    "sourceId": True,
    "sourcePlatform": False,
    "reason": False,
}


def decorated(href: str, value: str) -> str:
    """The address with `_sp=value`; unchanged if the value is "".

    The first `_sp` of the query is replaced in its place, else the parameter comes first.
    """
    if not value:
        return href
    address, number_sign, fragment = href.partition("#")
    path, _, query = address.partition("?")
    fields = query.split("&") if query else []
    place = next((i for i, field in enumerate(fields) if field.startswith(PARAMETER)), None)
    if place is None:
        fields.insert(0, PARAMETER + value)
    else:
        fields[place] = PARAMETER + value
    return f"{path}?{'&'.join(fields)}{number_sign}{fragment}"


def basic(user_id: str | None, now_ms: int) -> str:
    """The value `<domain user id>.<ms since the epoch>`; "" for a visitor without id (S5, S6)."""
    return f"{user_id}.{now_ms}" if user_id else ""


def extended(
    options: dict[str, Any],
    *,
    user_id: str | None,
    now_ms: int,
    session_id: str | None,
    business_id: str | None,
    app_id: str | None,
    platform: str | None,
    reason: str | None,
) -> str:
    """The value of up to seven parts; "" for a visitor without id (decisions S5, S6).

    `options` switches parts on or off (`DEFAULTS`); `business_id` is the one of `setUserId`;
    `reason` is what the option's function answered, else the text of the link.
    """
    if not user_id:
        return ""
    wanted = {**DEFAULTS, **options}
    parts = {
        "sessionId": session_id or "",
        "userId": _encoded(business_id),
        "sourceId": _encoded(app_id),
        "sourcePlatform": platform or "",
        "reason": _encoded((reason or "").strip()),
    }
    values = [value if wanted[name] else "" for name, value in parts.items()]
    return ".".join([user_id, str(now_ms), *values]).rstrip(".")


def _encoded(text: str | None) -> str:
    """base64url of the UTF-8 bytes without padding; the incumbent fails beyond Latin-1."""
    data = LONE_SURROGATE.sub("\ufffd", text or "").encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
