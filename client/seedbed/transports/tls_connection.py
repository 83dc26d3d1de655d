"""A connection under TLS, to find out what a server makes of it.

The ssl module works on memory, and the bytes between it and the socket are moved here: a write to a
broken connection then ends no program by SIGPIPE.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any, TypeVar

from seedbed.transports.cancellation import Cancellation
from seedbed.transports.trust import ALPN

BLOCK_BYTES = 2**14

T = TypeVar("T")


class NoHttp2Error(ssl.SSLError):
    """A server that speaks TLS, and something else than HTTP/2 in it."""


class TlsConnection:
    """A connected socket under TLS; made by :func:`agreed`."""

    def __init__(
        self, connected: socket.socket, context: ssl.SSLContext, host: str, end: float
    ) -> None:
        self._socket = connected
        self._end = end  # of all waiting, by the monotonic clock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        # As bytes: for text, Python imports a codec, which a process forked meanwhile never could.
        name = host.encode("ascii")
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)

    def agree(self) -> None:
        """Shake hands."""
        self._result(self._tls.do_handshake)
        if self._tls.selected_alpn_protocol() != ALPN:
            raise NoHttp2Error("the server speaks TLS, and no HTTP/2 in it")

    @property
    def certificate(self) -> dict[str, Any]:
        """The server's, once it has been checked; its fields are those of the ssl module."""
        return self._tls.getpeercert() or {}

    def answer_to(self, data: bytes) -> bytes:
        """Send something, and return the first bytes that come; none if the server closes."""
        try:
            self._result(lambda: self._tls.write(data))
            return self._result(lambda: self._tls.read(BLOCK_BYTES))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def _result(self, step: Callable[[], T]) -> T:
        """Return what a step of TLS gives, when the server has said enough for it."""
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                pass
            finally:  # also an alert, for the server's log
                self._send()
            self._receive()

    def _send(self) -> None:
        # If the server is gone, what it said before tells more than that.
        with suppress(OSError):
            while data := self._outgoing.read():
                self._wait_at_most()
                while data:
                    data = data[self._socket.send(data, socket.MSG_NOSIGNAL) :]

    def _receive(self) -> None:
        self._wait_at_most()
        data = self._socket.recv(BLOCK_BYTES)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def _wait_at_most(self) -> None:
        """Let the socket wait for as long as there is time."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._socket.settimeout(left)


@contextmanager
def agreed(
    connected: socket.socket,
    context: ssl.SSLContext,
    host: str,
    timeout_seconds: float,
    cancellation: Cancellation,
) -> Iterator[TlsConnection]:
    """Yield a connection after its handshake; its socket is closed in any case.

    Args:
        connected: the socket.
        context: whom to trust.
        host: whom the server's certificate must be for: a name or an address.
        timeout_seconds: for all that is done.
        cancellation: ends it from another thread.

    Raises:
        OSError: if the handshake fails; ssl.SSLError is one.
        UnicodeError: if no certificate can be for such a host.
    """

    def shut() -> None:
        with suppress(OSError):  # the server was faster
            connected.shutdown(socket.SHUT_RDWR)

    with closing(connected), cancellation.stopping(shut):
        connection = TlsConnection(connected, context, host, time.monotonic() + timeout_seconds)
        connection.agree()
        yield connection
