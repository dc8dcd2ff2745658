"""What an answer means for an event, and how long to wait before the next attempt (D2, D3)."""

from __future__ import annotations

from collections.abc import Mapping

from tracker.browser import Request, Response

DELIVERED, RETRY, REJECTED = "delivered", "retry", "rejected"

RETRIED_CLIENT_ERRORS = frozenset({408, 425, 429})
FINAL_SERVER_ERRORS = frozenset({501, 505, 511})

BASE_MS = 500
CAP_MS = 60_000
RETRY_AFTER_CAP_MS = 300_000


def judge(status: int) -> str:
    """Whether an HTTP status means delivered, to be tried again, or refused for good."""
    if 200 <= status < 400:
        return DELIVERED
    if status in RETRIED_CLIENT_ERRORS or (status >= 500 and status not in FINAL_SERVER_ERRORS):
        return RETRY
    return REJECTED


def mistake(request: Request, response: Response | None) -> tuple[str, str] | None:
    """What is wrong with a server that no collector does, and what to change; else None.

    Takes the request and its answer, None if there was none.
    """
    address = request.url.partition("?")[0]
    if response is None:
        return "No answer", (
            f"{address} does not answer, or not for this page. Allowed: an address that can be "
            "reached, and whose answers name the origin of this page in "
            "Access-Control-Allow-Origin (not * where credentials are sent)"
        )
    if response.redirect and request.method != "GET":
        return "Wrong answer", (
            f"{address} redirects to {response.redirect}, and what is posted may be lost on the "
            "way. Allowed: the address that answers itself"
        )
    if response.status < 400 and "text/html" in response.headers.get("content-type", ""):
        return "Wrong answer", (
            f"{address} answers with a page of HTML. Allowed: the address of a collector, with "
            "nothing before it that shows pages, such as a login"
        )
    return None


def backoff_ms(failures: int, random: float) -> float:
    """Exponential with full jitter: a random part of 0.5 s, 1 s, 2 s, … at most 60 s."""
    return random * min(CAP_MS, BASE_MS * 2.0 ** min(failures, 16))


def retry_after_ms(headers: Mapping[str, str]) -> float | None:
    """What the server asked to wait, capped at 300 s; None where it named no seconds."""
    text = headers.get("retry-after", "").strip()
    return min(RETRY_AFTER_CAP_MS, int(text) * 1000.0) if text.isdecimal() else None
