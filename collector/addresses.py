"""Decides which IP address a request came from, and whose forwarding headers are believed.

Only a peer that is a trusted proxy may say whom it speaks for. Its list is read from the right,
because everything left of the first untrusted address is the visitor's own invention. Where a
proxy sends both headers, X-Forwarded-For counts: nearly all proxies append to it, while an
unmodified `Forwarded` header can come from the visitor.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator

from collector.settings import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_FORWARDED_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*("[^"]*"|[^;\s]*)', re.IGNORECASE)
_WITH_PORT = re.compile(r"^(?:\[(?P<v6>[^\]]*)\](?::\d+)?|(?P<v4>[^:]*):\d+)$")


def visitor_address(
    peer: str, forwarded_for: Iterable[str], forwarded: Iterable[str], trusted: tuple[Network, ...]
) -> str:
    """Give the address nearest to the visitor that can be believed.

    `peer` is the address of the TCP connection, `forwarded_for` and `forwarded` are the values
    of all X-Forwarded-For and Forwarded headers in order.
    """
    address = _parse(peer)
    if address is None:
        return peer
    hops = list(_split(forwarded_for)) or [_for_parameter(hop) for hop in _split(forwarded)]
    while hops and _is_trusted(address, trusted):
        nearer = _parse(hops.pop())
        if nearer is None:  # "unknown" or garbage: nothing beyond it can be believed
            break
        address = nearer
    return str(address)


def is_trusted_peer(peer: str, trusted: tuple[Network, ...]) -> bool:
    """Tell whether the address of a TCP connection is that of a trusted proxy."""
    address = _parse(peer)
    return address is not None and _is_trusted(address, trusted)


def _split(values: Iterable[str]) -> Iterator[str]:
    return (hop.strip() for value in values for hop in value.split(",") if hop.strip())


def _for_parameter(hop: str) -> str:
    match = _FORWARDED_FOR.search(hop)
    return match.group(1).strip('"') if match else ""


def _parse(text: str) -> Address | None:
    if match := _WITH_PORT.match(text):
        text = match.group("v6") or match.group("v4") or ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    # A dual-stack socket shows IPv4 peers as ::ffff:192.0.2.1.
    return getattr(address, "ipv4_mapped", None) or address


def _is_trusted(address: Address, trusted: tuple[Network, ...]) -> bool:
    return any(address in network for network in trusted)
