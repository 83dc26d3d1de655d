"""The addresses of a server, opened in gRPC."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc

from seedbed_server.security.listeners import ListenError, cannot_listen, socket_addresses
from seedbed_server.service.tls import ListenerTls


def open_tcp(
    server: grpc.aio.Server, address: str, *, tls: ListenerTls | None, share_port: bool
) -> str:
    """Listen on ``host:port`` and return it, the port resolved.

    Args:
        server: not started yet.
        address: where.
        tls: what it shows; None is plain TCP.
        share_port: whether other processes listen there as well.

    Raises:
        ListenError: saying why it cannot be had.
    """
    try:
        if tls is None:
            port = server.add_insecure_port(address)
        else:
            port = server.add_secure_port(address, tls.credentials())
    except RuntimeError:
        _find_tcp_error(address, share_port=share_port)
        raise _refused(address) from None
    return f"{address.rpartition(':')[0]}:{port}"


def open_unix(server: grpc.aio.Server, address: str, mode: int) -> str:
    """Listen on ``unix:///path``, a file of a mode, and return it; gRPC removes the file.

    Raises:
        ListenError: saying why it cannot be had.
    """
    path = Path(address.removeprefix("unix://"))
    if _answers(path):  # gRPC would take the path away from it
        raise ListenError(f"cannot listen on {address}: another server does")
    # The socket's file has its mode from the start: gRPC binds it here.
    with _umask(0o777 & ~mode):
        try:
            server.add_insecure_port(f"unix:{path}")
        except RuntimeError:
            _find_unix_error(address, path)
            raise _refused(address) from None
    return address


def _refused(address: str) -> ListenError:
    return ListenError(f"cannot listen on {address}: gRPC refuses it")


# gRPC does not say why it could not bind an address. A socket of our own finds that out.


def _find_tcp_error(address: str, *, share_port: bool) -> None:
    for family, where in socket_addresses(address):
        try:
            socket.create_server(where, family=family, reuse_port=share_port).close()
        except OSError as error:
            raise cannot_listen(address, error) from None


def _find_unix_error(address: str, path: Path) -> None:
    if path.exists() and not path.is_socket():
        raise ListenError(f"cannot listen on {address}: something else is there")
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.bind(str(path))
        except OSError as error:
            raise cannot_listen(address, error) from None
    path.unlink()


def _answers(path: Path) -> bool:
    """Return whether a server listens on a Unix socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except BlockingIOError:  # it has not accepted those before: it may be busy, or hang
            return True
        except OSError:
            return False
        return True


@contextmanager
def _umask(mask: int) -> Iterator[None]:
    others = os.umask(mask)
    try:
        yield
    finally:
        os.umask(others)
