"""The addresses to listen on, and why one cannot be had."""

import socket

from seedbed.spec.errors import SeedbedError


class ListenError(SeedbedError):
    """An address that the server cannot listen on."""


def socket_addresses(address: str) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    """Return what ``host:port`` stands for.

    Raises:
        ListenError: if the name is unknown.
    """
    host, _, port = address.rpartition(":")
    try:
        found = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise cannot_listen(address, error) from None
    return [(family, (str(where[0]), int(where[1]))) for family, _, _, _, where in found]


def cannot_listen(address: str, error: OSError) -> ListenError:
    """Return the error that says why."""
    return ListenError(f"cannot listen on {address}: {error.strerror or error}")
