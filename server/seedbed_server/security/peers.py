"""Peers: whose shares and turns the calls of a connection take."""

import ipaddress
from functools import lru_cache
from urllib.parse import unquote

UNIX_PEER = "unix:"
"""All clients of Unix sockets."""


@lru_cache(maxsize=4096)
def peer_of_connection(name: str) -> str:
    """Return a connection's peer: its address, or the network of 64 bits where that is IPv6.

    Whoever has one IPv6 address has usually 2**64 of them (RFC 6177), and would get the share of so
    many clients.

    Args:
        name: gRPC's for the connection: ``ipv4:ADDRESS:PORT``, ``ipv6:[ADDRESS]:PORT`` with or
            without its brackets as %5B and %5D, or what begins with ``unix:``.
    """
    if name.startswith(UNIX_PEER):
        return UNIX_PEER
    host = name.partition(":")[2].rpartition(":")[0]
    host = (unquote(host) if host.startswith("%5B") else host).strip("[]")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:  # no other kind is known of
        return host
    if address.version == 4:
        return host
    if mapped := address.ipv4_mapped:
        return str(mapped)
    return f"{ipaddress.IPv6Address(address.packed[:8] + bytes(8))}/64"
