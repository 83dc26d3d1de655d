"""The connections to one server, each used again by later calls."""

import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata

import hpack
from hpack.hpack import encode_integer

from seedbed.transports.cancellation import Cancellation
from seedbed.transports.forks import forgets_after_fork
from seedbed.transports.http2.address import Address
from seedbed.transports.http2.call import Http2Call
from seedbed.transports.http2.connection import Connection
from seedbed.transports.http2.errors import (
    ConnectionLostError,
    SilentError,
    UnmetError,
    closed_here,
    deadline_exceeded,
)
from seedbed.transports.traces import trace_headers
from seedbed.transports.try_limits import TryLimits

# Before the headers: that no table is kept for them, as a server may ask for (RFC 7541, sections
# 4.2 and 6.3).
NO_TABLE = b"\x20"

# Read now: it imports modules, and a process forked while another thread imports one could never
# import it.
USER_AGENT = f"seedbed/{metadata.version('seedbed')}"

# What is kept for later; a program with more threads than that opens new ones.
MOST_IDLE = 8


class Connections:
    """The connections to one server. Safe to use from several threads, and after a fork.

    Args:
        address: where it listens.
        authorization: gives the header that lets a call in, or None.
    """

    def __init__(
        self, address: Address, authorization: Callable[[], str | None] = lambda: None
    ) -> None:
        self._address = address
        self._authorization = authorization
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        # An interrupt may part a call from its connection, which then ends as nobody has it.
        self._busy: weakref.WeakSet[Connection] = weakref.WeakSet()
        self._is_closed = False
        self._headers: dict[str, bytes] = {}
        forgets_after_fork(self)

    def close(self) -> None:
        """Close all connections; calls under way end with CANCELLED."""
        with self._lock:
            self._is_closed = True
            for connection in self._busy:
                connection.shut()
        self._close_idle()

    @contextmanager
    def call(
        self,
        method: str,
        message: bytes,
        limits: TryLimits,
        cancellation: Cancellation,
    ) -> Iterator[Http2Call]:
        """Yield a call that the server has begun to answer; it ends with the block.

        Args:
            method: its full name, with slashes.
            message: the request.
            limits: how long it may wait.
            cancellation: ends the call from another thread, with CANCELLED.

        Raises:
            CallError: if there is no answer.
            ValueError: if the connections are closed, as gRPC's channels have it.
        """
        deadline = None
        if limits.timeout_seconds is not None:
            deadline = time.monotonic() + limits.timeout_seconds
        while True:
            connection, is_new = self._take(limits, deadline, cancellation)
            call = None
            try:
                # To reset the stream would be to write between the frames of the thread that has
                # the call. Its connection is shut instead: nobody else has a call on it, and the
                # server takes that as the end, too.
                with cancellation.stopping(connection.shut):
                    call = Http2Call(connection)
                    call.begin(self._headers_of(method, limits.timeout_seconds), message)
                    yield call
                return
            except SilentError:
                self._close_idle()  # they lead to the same place
                raise
            except ConnectionLostError:
                # A server may close an idle connection just when it is wanted; nothing has come of
                # the answer yet.
                if is_new or (call is not None and call.has_headers):
                    raise
            finally:
                self._give_back(connection, is_free=call is not None and call.is_done)

    def _close_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(
        self, limits: TryLimits, deadline: float | None, cancellation: Cancellation
    ) -> tuple[Connection, bool]:
        """Return a connection, and whether it is a new one."""
        while True:
            with self._lock:
                if self._is_closed:
                    raise ValueError("Cannot invoke RPC on closed channel!")
                connection = self._idle.pop() if self._idle else None
                if connection is not None:
                    self._busy.add(connection)
            if connection is None:
                return self._open(limits, deadline, cancellation), True
            connection.limits, connection.deadline = limits, deadline
            is_alive = False
            try:
                is_alive = connection.is_alive()
            finally:
                if not is_alive:
                    self._give_back(connection, is_free=False)
            if is_alive:
                return connection, False

    def _open(
        self, limits: TryLimits, deadline: float | None, cancellation: Cancellation
    ) -> Connection:
        seconds = limits.connect_seconds
        if deadline is not None:
            seconds = min(seconds, max(deadline - time.monotonic(), 1e-3))
        try:
            connection = Connection(self._address.connect(seconds, cancellation))
        except OSError as error:
            if cancellation.is_cancelled:
                raise closed_here() from None
            if deadline is not None and time.monotonic() >= deadline:
                raise deadline_exceeded() from None
            where = self._address.path or self._address.authority
            failure = UnmetError if isinstance(error, ConnectionResetError) else SilentError
            raise failure(f"cannot connect to {where}: {error}") from None
        connection.limits, connection.deadline = limits, deadline
        with self._lock:
            self._busy.add(connection)
            is_closed = self._is_closed
        if is_closed:
            self._give_back(connection, is_free=False)
            raise closed_here()
        return connection

    def _give_back(self, connection: Connection, *, is_free: bool) -> None:
        with self._lock:
            self._busy.discard(connection)
            if (
                is_free
                and connection.is_usable
                and not self._is_closed
                and len(self._idle) < MOST_IDLE
            ):
                self._idle.append(connection)
                return
        connection.close()

    def forget(self) -> None:
        """Leave the connections to the process that opened them.

        Two processes would get each other's answers.
        """
        self._lock = threading.Lock()
        for connection in (*self._idle, *self._busy):
            connection.close()
        self._idle, self._busy = [], weakref.WeakSet()

    def _headers_of(self, method: str, timeout_seconds: float | None) -> bytes:
        """Return the headers of a request (gRPC's PROTOCOL-HTTP2.md); no table is kept for them."""
        if method not in self._headers:
            headers = {
                ":method": "POST",
                ":scheme": "http",
                ":path": method,
                ":authority": self._address.authority,
                "te": "trailers",
                "content-type": "application/grpc",
                "user-agent": USER_AGENT,
            }
            self._headers[method] = NO_TABLE + _encoded(headers)
        more = trace_headers()
        if timeout_seconds is not None:
            more["grpc-timeout"] = _timeout(timeout_seconds)
        block = self._headers[method] + _encoded(more)
        authorization = self._authorization()
        return block if authorization is None else block + _secret(authorization)


def _encoded(headers: dict[str, str]) -> bytes:
    encoder = hpack.Encoder()
    return bytes(
        encoder.encode(
            [hpack.NeverIndexedHeaderTuple(*each) for each in headers.items()], huffman=False
        )
    )


def _secret(authorization: str) -> bytes:
    """Return the header for a token, which no table is to keep; hpack's encoder would log it.

    Its name is the 23rd of the static table (RFC 7541, sections 6.2.3 and 5.2).
    """
    value = authorization.encode("ascii")
    return b"\x1f\x08" + encode_integer(len(value), 7) + value


def _timeout(seconds: float) -> str:
    """Return a time as gRPC writes it: at most eight digits and a unit.

    It is rounded up, since the client watches the clock as well.
    """
    milliseconds = int(seconds * 1000) + 1
    return f"{milliseconds}m" if milliseconds < 10**8 else f"{milliseconds // 60_000 + 1}M"
