"""Takes e-mail addresses and card numbers out of whatever an event holds."""

from __future__ import annotations

import re
from typing import Any

from tracker.plugin import Event, Plugin

EMAIL = re.compile(r"[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+")
CARD = re.compile(r"\b(?:\d[ -]?){13,19}\b")
IDS = ("messageId", "anonymousId", "userId", "groupId", "timestamp", "type")


def is_card(digits: str) -> bool:
    """Whether the last digit is the check digit that cards have (Luhn)."""
    numbers = [int(digit) for digit in digits if digit.isdecimal()]
    doubled = [sum(divmod(2 * number, 10)) for number in numbers[-2::-2]]
    return (sum(numbers[-1::-2]) + sum(doubled)) % 10 == 0


def scrubbed(value: Any) -> Any:
    """The value without what is personal."""
    if isinstance(value, str):
        text = EMAIL.sub("[email]", value)
        return CARD.sub(lambda found: "[card]" if is_card(found[0]) else found[0], text)
    if isinstance(value, dict):
        return {key: scrubbed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [scrubbed(item) for item in value]
    return value


class PiiScrubber(Plugin):
    """Scrubs last of all, and no event is sent that it could not see."""

    name = "PII scrubber"
    required = True

    def enrich(self, event: Event) -> Event:
        """All members but the ids."""
        return {key: item if key in IDS else scrubbed(item) for key, item in event.items()}
