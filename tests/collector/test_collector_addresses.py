import pytest

from collector.addresses import visitor_address
from collector.settings import parse_networks

PROXY = "10.0.0.1"


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "forwarded", "expected"),
    [
        ("203.0.113.9", [], [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], [], "203.0.113.9"),  # not a proxy: not believed
        (PROXY, [], [], PROXY),
        (PROXY, ["198.51.100.1"], [], "198.51.100.1"),
        (PROXY, ["6.6.6.6, 198.51.100.1"], [], "198.51.100.1"),  # the left one is made up
        (PROXY, ["6.6.6.6", "198.51.100.1, 10.0.0.2"], [], "198.51.100.1"),  # two headers
        (PROXY, ["10.0.0.3, 10.0.0.2"], [], "10.0.0.3"),  # an inside visitor
        (PROXY, ["198.51.100.1, unknown"], [], PROXY),  # nothing beyond garbage is believed
        (PROXY, ["198.51.100.1:4711"], [], "198.51.100.1"),
        (PROXY, ["[2001:db8::1]:4711"], [], "2001:db8::1"),
        (PROXY, ["2001:db8::1"], [], "2001:db8::1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], [], "198.51.100.1"),
        (PROXY, [], ["for=198.51.100.1;proto=https"], "198.51.100.1"),
        (PROXY, [], ['proto=http; For="[2001:db8::1]:80", for=10.0.0.2'], "2001:db8::1"),
        (PROXY, [], ["for=_hidden"], PROXY),
        (PROXY, ["198.51.100.1"], ["for=6.6.6.6"], "198.51.100.1"),
        ("", ["198.51.100.1"], [], ""),
    ],
)
def test_the_address_nearest_to_the_visitor_that_can_be_believed_is_taken(
    peer: str, forwarded_for: list[str], forwarded: list[str], expected: str
) -> None:
    trusted = parse_networks(["10.0.0.0/8", "fd00::/8"])
    assert visitor_address(peer, forwarded_for, forwarded, trusted) == expected


def test_without_trusted_proxies_no_header_is_believed() -> None:
    assert visitor_address("10.0.0.1", ["1.2.3.4"], ["for=1.2.3.4"], ()) == "10.0.0.1"
