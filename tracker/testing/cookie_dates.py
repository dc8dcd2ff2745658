"""The dates of cookies, which browsers read leniently (RFC 6265bis, 5.1.1).

>>> parse_cookie_date("Thu, 15 Jan 2026 12:00:00 GMT")
1768478400000
>>> parse_cookie_date("soon") is None
True
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

_DELIMITERS = re.compile(r"[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# A token is the first of these that it fits and that is not found yet.
_FIELDS = {
    "time": re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?!\d)", re.ASCII),
    "day": re.compile(r"(\d{1,2})(?!\d)", re.ASCII),
    "month": re.compile("(" + "|".join(_MONTHS) + ")", re.IGNORECASE),
    "year": re.compile(r"(\d{2,4})(?!\d)", re.ASCII),
}


def parse_cookie_date(text: str) -> int | None:
    """Milliseconds since the epoch, None for what is no date."""
    found: dict[str, tuple[str, ...]] = {}
    for token in _DELIMITERS.split(text):
        for field, pattern in _FIELDS.items():
            match = pattern.match(token)
            if field not in found and match:
                found[field] = match.groups()
                break
    if len(found) < len(_FIELDS):
        return None
    year = _full_year(int(found["year"][0]))
    month = _MONTHS.index(found["month"][0].lower()) + 1
    hour, minute, second = map(int, found["time"])
    if year < 1601:
        return None
    try:
        date = datetime(year, month, int(found["day"][0]), hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return round(date.timestamp() * 1000)


def _full_year(year: int) -> int:
    if 70 <= year <= 99:
        return year + 1900
    return year + 2000 if year <= 69 else year
