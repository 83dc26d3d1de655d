"""Calls of one server by gRPC: under TLS, and where target or options need it."""

import os
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc

from seedbed.errors import ForkError
from seedbed.interrupts.held_signals import signals_held
from seedbed.transports.cancellation import Cancellation
from seedbed.transports.channel import open_channel
from seedbed.transports.forks import forgets_after_fork
from seedbed.transports.http2.errors import CallError, UnmetError
from seedbed.transports.security import AUTHORIZATION, PLAIN, Security
from seedbed.transports.traces import trace_headers
from seedbed.transports.trust import Trust
from seedbed.transports.try_limits import STALL_SECONDS, TryLimits

# How gRPC words that no connection could be made: where a name's addresses take turns, and else.
NOT_CONNECTED = ("connections to all backends failing", "failed to connect to all addresses")

# What is kept for later; a program with more threads than that opens new ones.
MOST_IDLE = 8

# What belongs to the process that this one was forked from. To free it would be to call gRPC, whose
# locks may be held by threads that are not here.
_left: list[object] = []
_first_user: int | None = None  # the process that first used gRPC here


@dataclass(slots=True, eq=False, weakref_slot=True)
class _Channel:
    """A channel, for one call at a time."""

    channel: grpc.Channel
    trust: Trust | None
    """What it is secured with."""


class GrpcCalls:
    """Makes calls over gRPC's channels. Safe to use from several threads.

    Each call has a channel, and its one connection, to itself: a reader that pauses holds up nobody
    else, whatever a proxy in between makes of streams that share a connection.

    A child forked from a process that has made such calls can make none; one that is forked before
    the first can.

    Args:
        target: the server's address, as given to ``connect``.
        options: gRPC channel arguments.
        security: what the channels are secured with.
    """

    def __init__(
        self,
        target: str,
        options: Mapping[str, int | str],
        security: Security = PLAIN,
    ) -> None:
        self._target = target
        self._options = options
        self._security = security
        self._idle: list[_Channel] = []
        # As in our own connections: what an interrupt parts from its call ends as nobody has it.
        self._busy: weakref.WeakSet[_Channel] = weakref.WeakSet()
        self._trust: Trust | None = None  # that of idle channels
        self._is_closed = False
        self._under_way: weakref.WeakSet[GrpcCall] = weakref.WeakSet()
        self.forget()
        forgets_after_fork(self)

    def forget(self) -> None:
        """Leave the channels to the process that opened them."""
        self._lock = threading.Lock()
        _left.extend((*self._idle, *self._busy))
        self._idle, self._busy = [], weakref.WeakSet()
        for call in self._under_way:
            call.forget()
        self._under_way = weakref.WeakSet()

    def close(self) -> None:
        """Close the channels; calls under way end with CANCELLED."""
        with signals_held(), self._lock:
            self._is_closed = True
            for call in self._under_way:
                call.stop()
            for each in (*self._idle, *self._busy):
                each.channel.close()

    def _taken(self) -> _Channel:
        """Return a channel that no other call uses: a new one where what secures them has changed.

        Called under the lock.
        """
        if self._is_closed:
            raise ValueError("Cannot invoke RPC on closed channel!")
        trust = self._security.trust() if self._security.trust is not None else None
        if trust is not self._trust:
            self._trust = trust
            while self._idle:
                self._idle.pop().channel.close()
        found = self._idle.pop() if self._idle else _Channel(self._open(trust), trust)
        self._busy.add(found)
        return found

    def _give_back(self, found: _Channel) -> None:
        if found not in self._busy:  # it is the parent's of this process
            return
        self._busy.remove(found)
        if found.trust is self._trust and not self._is_closed and len(self._idle) < MOST_IDLE:
            self._idle.append(found)
        else:
            found.channel.close()

    @contextmanager
    def call(
        self, method: str, message: bytes, limits: TryLimits, cancellation: Cancellation
    ) -> Iterator["GrpcCall"]:
        """Yield a call; see :class:`seedbed.transports.calls.Calls`."""
        # Unary calls are read as streams as well: only those can be cancelled by another thread
        # without a thread of gRPC's that waits for them.
        metadata = trace_headers()
        if (authorization := self._security.authorization()) is not None:
            metadata[AUTHORIZATION] = authorization
        _check_process()
        taken: _Channel | None = None
        call: GrpcCall | None = None
        try:
            with signals_held():  # what an interrupt parts from this block would never end
                with self._lock:
                    taken = self._taken()
                make: Any = taken.channel.unary_stream(method)
                seconds = limits.timeout_seconds
                made = make(message, timeout=seconds, metadata=tuple(metadata.items()))
                call = GrpcCall(made)
                with self._lock:
                    self._under_way.add(call)
            with cancellation.stopping(made.cancel):
                yield call
        finally:
            with signals_held():
                self._end(taken, call)

    def _end(self, taken: _Channel | None, call: "GrpcCall | None") -> None:
        """End a call that was made, and give its channel back."""
        if call is not None:
            call.end()
        with self._lock:
            if call is not None:
                self._under_way.discard(call)
            if taken is not None:
                self._give_back(taken)

    def _open(self, trust: Trust | None) -> grpc.Channel:
        return open_channel(
            self._target,
            self._options,
            trust=trust,
            server_name=self._security.server_name,
            has_secret=self._security.token is not None,
        )


class GrpcCall:
    """A call that gRPC reads, as bytes.

    Args:
        made: gRPC's side of it.
    """

    def __init__(self, made: Any) -> None:
        self._made = made
        self._rest = memoryview(b"")
        self._waits_since: float | None = None  # a reader may take its time between responses
        self._is_over = False
        self._is_stalled = False
        self._reading = threading.Lock()  # whoever holds it may read gRPC's events
        self._is_left = False
        # GRPC looks after the connection; that nothing of the answer comes, it does not notice.
        self._watch: threading.Timer | None = None
        self._watch_for(STALL_SECONDS)

    def forget(self) -> None:
        """Leave the call to the process that made it."""
        _left.append(self._made)
        self._is_left = True

    def next_message(self) -> int | None:
        """Return the size of the next response, or None at the end."""
        if self._is_left:
            raise _forked()
        if self._is_over:
            return None
        self._waits_since = time.monotonic()
        try:
            # An interrupt inside gRPC would lose an event, which ``end`` would wait for.
            with self._reading, signals_held(self._made.cancel):
                data = next(self._made, None)
        except grpc.RpcError as error:
            if self._is_stalled:
                raise CallError(
                    grpc.StatusCode.UNAVAILABLE, f"nothing came for {STALL_SECONDS:g} s"
                ) from None
            details = error.details() or ""
            if any(words in details for words in NOT_CONNECTED):
                raise UnmetError(details) from None
            raise
        finally:
            self._waits_since = None
        self._rest = memoryview(data if data is not None else b"")
        return None if data is None else len(data)

    def read(self, size_bytes: int) -> bytes:
        """Return the next bytes of a response."""
        data, self._rest = bytes(self._rest[:size_bytes]), self._rest[size_bytes:]
        return data

    def read_into(self, memory: memoryview) -> None:
        """Fill memory with the next bytes of a response."""
        memory[:], self._rest = self._rest[: len(memory)], self._rest[len(memory) :]

    def cancel(self) -> None:
        """Tell the server that nothing more is wanted."""
        self._is_over = True
        if not self._is_left:
            self._made.cancel()

    def end(self) -> None:
        """End the call, and have gRPC give its connection back."""
        self._is_over = True
        if self._is_left:
            return
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self._made.cancel()
        with self._reading:
            _drain(self._made)

    def stop(self) -> None:
        """End the call from another thread: at once, or when the thread that reads it notices."""
        self._made.cancel()
        if self._reading.acquire(blocking=False):
            try:
                _drain(self._made)
            finally:
                self._reading.release()

    def _watch_for(self, seconds: float) -> None:
        self._watch = watch = threading.Timer(seconds, self._look)
        watch.daemon = True
        watch.start()
        if self._is_over:  # ended while this began, when only the watch before was there to end
            watch.cancel()

    def _look(self) -> None:
        """Cancel the call if nothing has come for too long; else look again in time."""
        if self._is_over or self._made.done():  # also while this began
            return
        since = self._waits_since
        left = STALL_SECONDS - (time.monotonic() - since if since is not None else 0.0)
        if left <= 0:
            self._is_stalled = True
            self._made.cancel()
        else:
            self._watch_for(left)


def _check_process() -> None:
    """Raise a ForkError in a child of a process that has used gRPC.

    GRPC's threads are not there, and its locks may be held: of children that called all the same
    some were ended by gRPC, and others hung. See docs/decisions/0026.
    """
    global _first_user  # noqa: PLW0603  # as gRPC's own state, one for the process
    if _first_user is None:
        _first_user = os.getpid()
    if _first_user != os.getpid():
        raise _forked()


def _forked() -> ForkError:
    return ForkError(
        "gRPC, which makes all calls under TLS or with options, cannot be used in a process forked"
        " from one that has used it: start the process by 'spawn' or 'forkserver', or fork before"
        " the first call"
    )


def _drain(made: Any) -> None:
    """Read the end of a call that was cancelled, so that gRPC gives its connection back.

    Who reads a call's events is also who frees it, and gRPC itself reads no more of a cancelled
    one: each would keep its connection open until the process ends. No public method does it.
    """
    while made._state.due:  # noqa: SLF001
        made._consume_next_event()  # noqa: SLF001
