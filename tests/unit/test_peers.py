"""Peers: who shares a share."""

import pytest

from seedbed_server.security.peers import peer_of_connection


@pytest.mark.parametrize(
    ("name", "peer"),
    [
        ("ipv4:10.1.2.3:4567", "10.1.2.3"),
        ("ipv6:%5B::1%5D:4567", "::/64"),
        ("ipv6:[2001:db8:0:7:aaaa::1]:4567", "2001:db8:0:7::/64"),
        ("ipv6:%5B2001:db8:0:7::2%5D:9", "2001:db8:0:7::/64"),
        ("ipv6:[2001:db8:0:8::2]:9", "2001:db8:0:8::/64"),
        ("ipv6:%5Bfe80::1%25eth0%5D:4567", "fe80::/64"),
        ("ipv6:[fe80::1%10]:4567", "fe80::/64"),
        ("ipv6:[::ffff:10.1.2.3]:4567", "10.1.2.3"),
        ("unix:", "unix:"),
        ("unix:/run/s.sock", "unix:"),
        ("vsock:3:4567", "3"),
    ],
)
def test_a_peer_is_an_address_or_a_network_of_ipv6_without_a_port(name: str, peer: str) -> None:
    assert peer_of_connection(name) == peer
