"""The addresses to listen on, and what they need."""

import socket

from seedbed.spec.errors import SeedbedError
from seedbed_server.security.certificates import certificate_files
from seedbed_server.settings import Settings


class ListenError(SeedbedError):
    """An address that the server cannot listen on."""


def check_transport_security(settings: Settings) -> None:
    """Refuse certificates that do not fit.

    Raises:
        CertificateError: naming the setting, or the file.
    """
    files = certificate_files(settings)
    if files is not None:
        files.read()


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
