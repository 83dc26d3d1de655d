"""TLS over a socket that nobody waits for: what poll says of the socket is acted upon here.

The ssl module works on memory, and the bytes between it and the socket are moved here. So a write
to a broken connection ends no program by SIGPIPE, and another thread can end a handshake.
"""

import math
import select
import socket
import ssl
import time
from contextlib import suppress
from typing import Any, Self

from seedbed.transports.cancellation import Cancellation
from seedbed.transports.trust import ALPN

# Four of TLS's records, read from the kernel together: larger is no faster, and no longer stays in
# the processor's nearest caches.
BUFFER_BYTES = 2**16


class NoHttp2Error(ssl.SSLError):
    """A server that speaks TLS, and something else than HTTP/2 in it."""


class TlsSocket:
    """A connected socket under TLS, with the methods of a socket that does not block.

    Args:
        connected: the socket; not blocking, and closed with this.
        context: whom to trust.
        host: whom the server's certificate must be for: a name or an address.
    """

    def __init__(self, connected: socket.socket, context: ssl.SSLContext, host: str) -> None:
        self._socket = connected
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        # As bytes: for text, Python imports a codec, which a process forked meanwhile never could.
        name = host.encode("ascii")
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._buffer = memoryview(bytearray(BUFFER_BYTES))
        self._unsent = memoryview(b"")
        self._written = 0  # of what the caller still offers, until all of it is sent

    @classmethod
    def agreed(
        cls,
        connected: socket.socket,
        context: ssl.SSLContext,
        host: str,
        timeout_seconds: float,
        cancellation: Cancellation,
    ) -> Self:
        """Return a connection after its handshake; if it fails, the socket is closed.

        Args:
            connected: see the class.
            context: likewise.
            host: likewise.
            timeout_seconds: for the handshake.
            cancellation: ends it from another thread.

        Raises:
            OSError: if it fails; ssl.SSLError is one.
            UnicodeError: if no certificate can be for such a host.
        """
        try:
            secured = cls(connected, context, host)
            secured._handshake(timeout_seconds, cancellation)
        except BaseException:
            connected.close()
            raise
        return secured

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return self._socket.fileno()

    def shutdown(self, how: int) -> None:
        """End the connection; called by any thread."""
        self._socket.shutdown(how)

    def close(self) -> None:
        """Close the socket; the server takes it as the end."""
        self._socket.close()

    @property
    def certificate(self) -> dict[str, Any]:
        """The server's, once it has been checked; its fields are those of the ssl module."""
        return self._tls.getpeercert() or {}

    @property
    def has_input(self) -> bool:
        """Whether there is input that the kernel has handed over already."""
        return bool(self._incoming.pending or self._tls.pending())

    def recv_into(self, memory: memoryview) -> int:
        """Read what is there into memory, and return how many bytes; 0 is the end.

        Raises:
            BlockingIOError: if there is nothing.
            OSError: if the connection is broken, or what came is damaged.
        """
        while True:
            try:
                # The annotation knows only one kind of buffer.
                return self._tls.read(len(memory), memory)  # type: ignore[return-value]
            except ssl.SSLWantReadError:
                # Keys, tickets and the like are no data; some of them want an answer.
                with suppress(BlockingIOError):
                    self._flush()
                self._fetch()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return 0

    def send(self, data: memoryview, _flags: int = 0) -> int:
        """Send some of the data, and return how many bytes.

        Raises:
            BlockingIOError: if there is no room; the same data is to be given again.
            OSError: if the connection is broken.
        """
        if not self._written:
            self._written = self._tls.write(data)
        self._flush()
        count, self._written = self._written, 0
        return count

    def _handshake(self, timeout_seconds: float, cancellation: Cancellation) -> None:
        """Agree with the server upon keys, and check who it is."""
        end = time.monotonic() + timeout_seconds
        with cancellation.stopping(self._shut):
            try:
                while not self._is_agreed(end):
                    pass
            except ssl.SSLError:
                with suppress(OSError):
                    self._flush()  # an alert, for the server's log
                raise
        if self._tls.selected_alpn_protocol() != ALPN:
            raise NoHttp2Error("the server speaks TLS, and no HTTP/2 in it")

    def _is_agreed(self, end: float) -> bool:
        """Go on with the handshake as far as possible, then wait."""
        is_done = True
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            is_done = False
        try:
            self._flush()
        except BlockingIOError:
            self.wait(select.POLLOUT, end)
            return False
        if not is_done:
            try:
                self._fetch()
            except BlockingIOError:
                self.wait(select.POLLIN, end)
        return is_done

    def wait(self, event: int, end: float) -> None:
        """Wait until the socket is ready, or a time of the monotonic clock.

        Raises:
            TimeoutError: if it is not ready by then.
        """
        poll = select.poll()
        poll.register(self._socket, event)
        seconds = end - time.monotonic()
        if seconds <= 0 or not poll.poll(math.ceil(seconds * 1000)):
            raise TimeoutError("timed out")

    def _fetch(self) -> None:
        """Take what the kernel has."""
        count = self._socket.recv_into(self._buffer)
        if count:
            self._incoming.write(self._buffer[:count])
        else:
            self._incoming.write_eof()

    def _flush(self) -> None:
        """Send all that TLS has written."""
        while self._unsent or self._outgoing.pending:
            self._unsent = self._unsent or memoryview(self._outgoing.read())
            # Some programs let SIGPIPE end them.
            sent = self._socket.send(self._unsent, socket.MSG_NOSIGNAL)
            self._unsent = self._unsent[sent:]

    def _shut(self) -> None:
        with suppress(OSError):  # the server was faster
            self._socket.shutdown(socket.SHUT_RDWR)
