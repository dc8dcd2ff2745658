"""JavaScript's own text functions, exactly as browsers compute them.

>>> encode_component("a b/ü"), number_text(1e21), iso_time(0)
('a%20b%2F%C3%BC', '1e+21', '1970-01-01T00:00:00.000Z')
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from urllib.parse import quote

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPES = re.compile("((?:%[0-9A-Fa-f]{2})+)")
_WEEKDAYS = ("Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed")  # the epoch was a Thursday
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY_MS = 86_400_000
_LAST_TIME = 8.64e15  # what a Date can hold, on both sides of the epoch


def well_formed(text: str) -> str:
    """The text with lone surrogates replaced by U+FFFD (`toWellFormed`)."""
    return _LONE_SURROGATE.sub("\ufffd", text)


def encode_component(text: str) -> str:
    """`encodeURIComponent`; lone surrogates become U+FFFD instead of an exception."""
    return quote(well_formed(text), safe="-_.!~*'()")


def decode_component(text: str) -> str | None:
    """`decodeURIComponent`; None for text that is not percent-encoded UTF-8."""
    plain_and_escaped = _ESCAPES.split(text)
    if any("%" in plain for plain in plain_and_escaped[::2]):
        return None
    try:
        plain_and_escaped[1::2] = [
            bytes.fromhex(escaped.replace("%", "")).decode() for escaped in plain_and_escaped[1::2]
        ]
    except UnicodeDecodeError:
        return None
    return "".join(plain_and_escaped)


def number_text(number: float) -> str:
    """`String(number)`."""
    value = _as_double(number)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    # repr() finds the same shortest digits; only the layout differs (Number::toString, ECMA-262)
    _, all_digits, exponent = Decimal(repr(abs(value))).as_tuple()
    digits = "".join(map(str, all_digits))
    point = len(digits) + int(exponent)
    return ("-" if value < 0 else "") + _lay_out(digits.rstrip("0"), point)


def iso_time(epoch_ms: float) -> str:
    """`new Date(epoch_ms).toISOString()`. Raises ValueError where that throws a RangeError."""
    time = _as_time(epoch_ms)
    if time is None:
        raise ValueError(f"no Date can hold the time {epoch_ms!r}")
    year, month, day, ms = _split(time)
    sign = "-" if year < 0 else "+"
    year_text = f"{year:04}" if 0 <= year <= 9999 else f"{sign}{abs(year):06}"
    return f"{year_text}-{month:02}-{day:02}T{_time_of_day(ms)}.{ms % 1000:03}Z"


def utc_text(epoch_ms: float) -> str:
    """`new Date(epoch_ms).toUTCString()`, the date form of cookies."""
    time = _as_time(epoch_ms)
    if time is None:
        return "Invalid Date"
    year, month, day, ms = _split(time)
    weekday = _WEEKDAYS[time // _DAY_MS % 7]
    year_text = f"{'-' if year < 0 else ''}{abs(year):04}"
    return f"{weekday}, {day:02} {_MONTHS[month - 1]} {year_text} {_time_of_day(ms)} GMT"


def _as_double(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _lay_out(digits: str, point: int) -> str:
    if len(digits) <= point <= 21:
        return digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{point - 1:+}"


def _as_time(epoch_ms: float) -> int | None:
    value = _as_double(epoch_ms)
    return int(value) if abs(value) <= _LAST_TIME else None


def _split(time: int) -> tuple[int, int, int, int]:
    """Year, month, day and milliseconds of the day, in the Gregorian calendar without end."""
    days, ms = divmod(time, _DAY_MS)
    # counted from 1 March 0000, so that the leap day is the last of a year and 400 years repeat
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    months_from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * months_from_march + 2) // 5 + 1
    month = (months_from_march + 2) % 12 + 1
    return year_of_era + era * 400 + (month <= 2), month, day, ms


def _time_of_day(ms: int) -> str:
    seconds = ms // 1000
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
