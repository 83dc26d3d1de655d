"""Which listeners other hosts can reach, and what each must have for that."""

import ipaddress
import logging
import socket

from seedbed.spec.errors import SeedbedError
from seedbed_server.security.certificates import certificate_files
from seedbed_server.settings import Settings

log = logging.getLogger(__name__)


class ListenError(SeedbedError):
    """An address that the server cannot, or will not, listen on."""


def check_transport_security(settings: Settings) -> None:
    """Refuse certificates that do not fit, and plain TCP to other hosts that nobody asked for.

    Raises:
        CertificateError: naming the setting, or the file.
        ListenError: naming the address.
    """
    files = certificate_files(settings)
    if files is not None:
        files.read()
        return
    for address in filter(_is_open, settings.listen):
        if not settings.insecure:
            raise ListenError(
                f"without TLS, {address} is open to all who can reach or overhear it: give "
                "--tls-cert and --tls-key, listen on 127.0.0.1 or a Unix socket, or allow it by "
                "--insecure (SEEDBED_INSECURE=1)"
            )
        heard = "" if settings.tokens is None else ": tokens can be overheard, and used by others"
        log.warning("listening without TLS%s", heard, extra={"fields": {"address": address}})


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
    # What Python adds to the system's words has the address once more.
    reason = (error.strerror or str(error)).partition(" (while ")[0]
    return ListenError(f"cannot listen on {address}: {reason}")


def _is_open(address: str) -> bool:
    """Return whether other hosts may reach an address."""
    if address.startswith("unix:"):
        return False
    return not all(
        ipaddress.ip_address(host).is_loopback for _, (host, _) in socket_addresses(address)
    )
