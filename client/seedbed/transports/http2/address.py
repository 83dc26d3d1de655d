"""From a target to a socket: which targets need nothing that only gRPC can do."""

import errno
import itertools
import math
import os
import re
import select
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from seedbed.transports.cancellation import Cancellation
from seedbed.transports.proxies import proxy_variable

# One host and port. Lists of addresses, other resolvers and escaped characters are gRPC's.
HOST_AND_PORT = re.compile(
    r"(?:dns:(?:///)?|ipv4:|ipv6:)?(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})"
)
UNIX = re.compile(r"unix:(?://(?=/))?(?P<path>[^%]+)")

_TURNS = itertools.count()


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens: a Unix socket, or else a host and a port."""

    path: str | None
    host: str
    port: int

    @property
    def authority(self) -> str:
        """What HTTP/2 calls the server."""
        return "localhost" if self.path is not None else f"{self.host}:{self.port}"

    @property
    def name(self) -> str:
        """Whom its certificate is to be for."""
        return self.host.strip("[]").rstrip(".")

    def connect(self, timeout_seconds: float, cancellation: Cancellation) -> socket.socket:
        """Return a new connection.

        Args:
            timeout_seconds: for all addresses of the host together, but not for finding them.
            cancellation: ends the wait from another thread, but not that for the addresses: the
                system's resolver cannot be told to stop.

        Raises:
            OSError: if there is none.
        """
        if self.path is not None:
            return _connected(socket.AF_UNIX, self.path, timeout_seconds, cancellation)
        end = time.monotonic() + timeout_seconds
        failure = OSError("the name has no address")
        # As bytes: for text, Python imports a codec, which a process forked meanwhile never could.
        host = self.host.strip("[]").encode()
        found = socket.getaddrinfo(host, self.port, type=socket.SOCK_STREAM)
        # A name with several addresses is that of several servers: connections take turns.
        first = next(_TURNS) % max(len(found), 1)
        for i, (family, _, _, _, where) in enumerate(found[first:] + found[:first]):
            seconds = (end - time.monotonic()) / (len(found) - i)
            try:
                connection = _connected(family, where, seconds, cancellation)
            except OSError as error:
                failure = error
                continue
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        raise failure


def _connected(
    family: int, where: Any, timeout_seconds: float, cancellation: Cancellation
) -> socket.socket:
    connection = socket.socket(family)
    try:
        connection.setblocking(False)
        error = connection.connect_ex(where)
        if error == errno.EINPROGRESS:
            # Only now: a socket that does not connect yet cannot be shut down.
            with cancellation.stopping(lambda: _shut(connection)):
                error = _outcome(connection, timeout_seconds)
        if error:
            raise OSError(error, os.strerror(error))
    except BaseException:
        connection.close()
        raise
    return connection


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # the attempt has just failed
        connection.shutdown(socket.SHUT_RDWR)


def _outcome(connection: socket.socket, timeout_seconds: float) -> int:
    """Return the error number of an attempt to connect, when it is over; 0 for none."""
    poll = select.poll()
    poll.register(connection, select.POLLOUT)
    if not poll.poll(math.ceil(max(timeout_seconds, 1e-3) * 1000)):
        raise TimeoutError("timed out")
    return connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def plain_address(target: str, options: Mapping[str, int | str]) -> Address | None:
    """Return the address that a target names, or None where the way there is gRPC's to find.

    Whether TLS is spoken there makes no difference.

    Args:
        target: as given to ``connect``.
        options: gRPC channel arguments of the user's; whoever gives some wants gRPC's ways.
    """
    if options:
        return None
    if match := UNIX.fullmatch(target):
        return Address(match["path"], "", 0)
    if proxy_variable() is not None:
        return None
    match = HOST_AND_PORT.fullmatch(target)
    if match is None or int(match["port"]) >= 2**16:
        return None
    return Address(None, match["host"], int(match["port"]))
