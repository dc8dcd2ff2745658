"""Links that carry the visitor to another domain: `_sp=<visitor>.<ms>…` in their address.

Rules: Snowplow browser tracker, cross-domain linker; text is encoded as UTF-8, so that any fits.
"""

from __future__ import annotations

import re
from typing import Any

from tracker.snowplow.payload import base64url

_OWN = re.compile(r"([?&]_sp=)[^&#]*")

# parts of an extended link, and whether they are in it unless the site says otherwise
DEFAULT_PARTS = {
    "userId": False,
    "sessionId": True,
    "sourceId": True,
    "sourcePlatform": False,
    "reason": False,
}


def decorated(href: str, value: str) -> str:
    """An address with `_sp`: an older one is replaced, else it comes first in the query."""
    address, mark, fragment = href.partition("#")
    if _OWN.search(address):
        address = _OWN.sub(lambda match: match[1] + value, address, count=1)
    else:
        path, _, query = address.partition("?")
        address = f"{path}?_sp={value}{'&' + query if query else ''}"
    return address + mark + fragment


def basic(user_id: str, now_ms: int) -> str:
    """The visitor and the time (ms since the epoch), "" without a visitor."""
    return f"{user_id}.{now_ms}" if user_id else ""


def extended(
    options: dict[str, Any],
    *,
    user_id: str,
    now_ms: int,
    session_id: str,
    business_id: str,
    app_id: str,
    platform: str,
    reason: str,
) -> str:
    """The visitor, the time and what `options` add; empty parts at the end are left out."""
    wanted = {**DEFAULT_PARTS, **options}
    parts = [
        user_id,
        str(now_ms),
        session_id if wanted["sessionId"] else "",
        base64url(business_id) if wanted["userId"] else "",
        base64url(app_id) if wanted["sourceId"] else "",
        platform if wanted["sourcePlatform"] else "",
        base64url(reason) if wanted["reason"] else "",
    ]
    return ".".join(parts).rstrip(".") if user_id else ""
