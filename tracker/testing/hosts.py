"""Host names and addresses, read as the URL Standard reads them.

>>> parse_host("WWW.Bücher.example"), parse_host("0x7f.1"), parse_host("not a host")
('www.xn--bcher-kva.example', '127.0.0.1', None)
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from urllib.parse import unquote_to_bytes

_FORBIDDEN_IN_HOSTS = re.compile(r"[\x00\t\n\r #/:<>?@\[\\\]^|]")
_FORBIDDEN_IN_DOMAINS = re.compile(r"[\x00-\x20\"#%/:<>?@\[\\\]^`{|}\x7f]")
_IGNORED_IN_DOMAINS = re.compile("[\u00ad\u200b\u2060\ufe00-\ufe0f\ufeff]")
_NUMBER = re.compile(r"0[xX][0-9A-Fa-f]*|[0-9]+")
_LONGEST_ZEROS = re.compile(r"\b0(?::0)+\b")


def parse_host(text: str) -> str | None:
    """The host of an http(s) address in its one normal form, None if it is none."""
    if text.startswith("["):
        return _parse_ipv6(text)
    try:
        domain = _to_ascii(unquote_to_bytes(text).decode())
    except UnicodeError:
        return None
    if not domain or _FORBIDDEN_IN_DOMAINS.search(domain):
        return None
    return _parse_ipv4(domain) if _ends_in_number(domain) else domain


def parse_opaque_host(text: str) -> str | None:
    """The host of an address of an unknown scheme, which is left as it is written."""
    if text.startswith("["):
        return _parse_ipv6(text)
    return None if _FORBIDDEN_IN_HOSTS.search(text) else text


def is_ip_address(host: str) -> bool:
    """Whether a parsed host is an address rather than a name."""
    return host.startswith("[") or _ends_in_number(host)


def is_loopback(host: str) -> bool:
    """Whether browsers trust the host without TLS, because it is this machine."""
    return (
        host in ("localhost", "[::1]")
        or host.endswith(".localhost")
        or (host.startswith("127.") and is_ip_address(host))
    )


def _to_ascii(domain: str) -> str:
    # The `idna` codec is the older IDNA 2003 and maps ß to ss; browsers follow UTS 46.
    visible = _IGNORED_IN_DOMAINS.sub("", domain)
    mapped = unicodedata.normalize("NFKC", visible.lower()).replace("\u3002", ".")
    return ".".join(map(_label_to_ascii, mapped.split(".")))


def _label_to_ascii(label: str) -> str:
    return label if label.isascii() else "xn--" + label.encode("punycode").decode()


def _ends_in_number(domain: str) -> bool:
    parts = domain.removesuffix(".").split(".")
    return _NUMBER.fullmatch(parts[-1]) is not None


def _parse_ipv4(domain: str) -> str | None:
    parts = domain.removesuffix(".").split(".")
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    try:
        *leading, last = [_ipv4_number(part) for part in parts]
    except ValueError:
        return None
    if any(number > 255 for number in leading) or last >= 256 ** (4 - len(leading)):
        return None
    address = last + sum(number * 256 ** (3 - i) for i, number in enumerate(leading))
    return str(ipaddress.IPv4Address(address))


def _ipv4_number(part: str) -> int:
    if part[:2] in ("0x", "0X"):
        return int(part[2:] or "0", 16)
    return int(part, 8 if part.startswith("0") else 10)


def _parse_ipv6(text: str) -> str | None:
    if not text.endswith("]") or "%" in text:
        return None
    try:
        address = ipaddress.IPv6Address(text[1:-1])
    except ValueError:
        return None
    pieces = ":".join(f"{int(piece, 16):x}" for piece in address.exploded.split(":"))
    longest = max(_LONGEST_ZEROS.findall(pieces), key=len, default="")
    if longest:
        before, after = pieces.split(longest, 1)
        pieces = before.removesuffix(":") + "::" + after.removeprefix(":")
    return f"[{pieces}]"
