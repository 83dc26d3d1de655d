"""Several servers, or several connections to one: parallel ranges, and retry elsewhere.

Content is a pure function of the request, so any server may answer any part of it. A fetch is cut
into portions, each connection takes the next one, and a portion that failed is fetched again by
another connection.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from seedbed.deadlines import deadline
from seedbed.devices import LocalDevice
from seedbed.errors import DataLossError, OverloadedError, TransportError, UnavailableError
from seedbed.spec.digests import Digest, DigestAlgorithm
from seedbed.spec.info import InitializerInfo, ServerInfo, TensorDescription
from seedbed.spec.tensors import TensorRequest
from seedbed.transports.base import Transport
from seedbed.transports.ranges import Portion, portions
from seedbed.wire.chunks import Chunk

# Large enough that a request's own cost vanishes, small enough that all connections end at about
# the same time.
PORTION_BYTES = 32 * 2**20

# Failures that another server, or another try, may not have.
RETRIED = (UnavailableError, OverloadedError, DataLossError)
TRIES_OF_EACH = 2

T = TypeVar("T")


class ReplicasTransport:
    """Sends each request, or each portion of it, to one of several transports.

    Args:
        transports: at least one; closed with this.
        first: whose turn it is.
    """

    def __init__(self, transports: Sequence[Transport], first: int = 0) -> None:
        self._transports = tuple(transports)
        self._turn = first
        self._lock = threading.Lock()

    @property
    def target(self) -> str:
        """All different targets, separated by commas."""
        return ",".join(dict.fromkeys(transport.target for transport in self._transports))

    def close(self) -> None:
        """Close all connections."""
        for transport in self._transports:
            transport.close()

    def another(self) -> "ReplicasTransport":
        """Return a transport to the same servers; calls by one after another take turns, too."""
        return ReplicasTransport([each.another() for each in self._transports], self._next())

    def cancel(self) -> None:
        """End this object's calls, now and later, with CancelledError."""
        for transport in self._transports:
            transport.cancel()

    def wait_ready(self, timeout_seconds: float) -> None:
        """Return when every server can answer, or raise UnavailableError."""
        remaining = deadline(self.target, timeout_seconds)
        for transport in self._transports:
            transport.wait_ready(remaining() or 0.0)

    def server_info(self, timeout_seconds: float | None = None) -> ServerInfo:
        """Return what one of the servers is."""
        return self._of_any(lambda transport: transport.server_info(timeout_seconds))

    def list_initializers(self, timeout_seconds: float | None = None) -> list[InitializerInfo]:
        """Return every initializer of one of the servers."""
        return self._of_any(lambda transport: transport.list_initializers(timeout_seconds))

    def describe(
        self, requests: Sequence[TensorRequest], timeout_seconds: float | None = None
    ) -> list[TensorDescription]:
        """Return what sampling the requests would give."""
        return self._of_any(lambda transport: transport.describe(requests, timeout_seconds))

    def digest(
        self,
        requests: Sequence[TensorRequest],
        algorithm: DigestAlgorithm,
        timeout_seconds: float | None = None,
    ) -> list[Digest]:
        """Return the digests of what sampling the requests would give."""
        return self._of_any(
            lambda transport: transport.digest(requests, algorithm, timeout_seconds)
        )

    def chunks(
        self, request: TensorRequest, first_byte: int = 0, timeout_seconds: float | None = None
    ) -> Iterator[Chunk]:
        """Yield the bytes of one request; where a server fails, another one goes on."""
        remaining = deadline(self.target, timeout_seconds)
        position = first_byte
        failures = 0
        for transport in self._in_turn():
            try:
                for chunk in transport.chunks(request, position, remaining()):
                    position = chunk.byte_offset + len(chunk.data)
                    failures = 0
                    yield chunk
            except RETRIED:
                failures += 1
                if failures >= self._most_tries:
                    raise
            else:
                return

    def fill(
        self,
        requests: Sequence[TensorRequest],
        outs: Sequence[memoryview],
        on_bytes: Callable[[int], None],
        timeout_seconds: float | None = None,
        *,
        may_map: bool = False,
    ) -> Sequence[memoryview]:
        """Fill the memory of each request by all connections at the same time; map nothing."""
        del may_map
        work = _Work(portions(requests, outs, PORTION_BYTES), on_bytes)
        remaining = deadline(self.target, timeout_seconds)
        with ThreadPoolExecutor(len(self._transports), thread_name_prefix="seedbed-fetch") as pool:
            try:
                for done in [
                    pool.submit(work.run, transport, remaining) for transport in self._transports
                ]:
                    done.result()
            finally:
                work.stop()
        work.check()
        return outs

    def sample_on(
        self,
        device: LocalDevice,
        requests: Sequence[TensorRequest],
        on_bytes: Callable[[int], None],
        timeout_seconds: float | None = None,
    ) -> list[Any]:
        """Put the bytes of each request on a device as they arrive, and return the arrays."""
        remaining = deadline(self.target, timeout_seconds)
        arrays = []
        for request in requests:
            landing = device.landing(request)
            for chunk in self.chunks(request, 0, remaining()):
                landing.write(chunk.byte_offset, chunk.data)
                on_bytes(len(chunk.data))
            arrays.append(landing.array())
        return arrays

    @property
    def _most_tries(self) -> int:
        return TRIES_OF_EACH * len(self._transports)

    def _next(self) -> int:
        with self._lock:
            first = self._turn
            self._turn = (first + 1) % len(self._transports)
        return first

    def _in_turn(self) -> Iterator[Transport]:
        """Yield the transports round and round, beginning with another one each time."""
        first = self._next()
        while True:
            yield self._transports[first % len(self._transports)]
            first += 1

    def _of_any(self, ask: Callable[[Transport], T]) -> T:
        failures = 0
        for transport in self._in_turn():
            try:
                return ask(transport)
            except RETRIED:
                failures += 1
                if failures >= self._most_tries:
                    raise
        raise AssertionError  # the turns never end


class _StoppedError(Exception):
    """The fetch is over; what is under way shall end."""


class _Work:
    """The portions of one fetch that are still to come, shared by its threads."""

    def __init__(self, todo: Iterator[Portion], on_bytes: Callable[[int], None]) -> None:
        self._fresh = todo
        self._again: deque[Portion] = deque()
        self._on_bytes = on_bytes
        self._changed = threading.Condition()
        self._under_way = 0
        self._is_stopped = False
        self._failure: TransportError | None = None

    def stop(self) -> None:
        """Make all threads end soon."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()

    def check(self) -> None:
        """Raise the last failure if portions are left that no connection could fetch."""
        if self._again and self._failure is not None:
            raise self._failure

    def run(self, transport: Transport, remaining: Callable[[], float | None]) -> None:
        """Fetch portions by one connection, until none is left or it has failed twice in a row."""
        failures = 0
        while failures < TRIES_OF_EACH and (portion := self._take()) is not None:
            arrived = 0

            def count(size_bytes: int) -> None:
                nonlocal arrived
                if self._is_stopped:
                    raise _StoppedError
                arrived += size_bytes
                self._report(size_bytes)

            again = None
            try:
                transport.fill(portion.requests, portion.outs, count, remaining())
                failures = 0
            except RETRIED as error:
                self._report(-arrived)
                self._failure = error
                again = portion
                failures += 1
            except _StoppedError:
                return
            except BaseException:
                self.stop()
                raise
            finally:
                self._finish(again)

    def _take(self) -> Portion | None:
        with self._changed:
            while not self._is_stopped:
                portion = self._again.popleft() if self._again else next(self._fresh, None)
                if portion is not None:
                    self._under_way += 1
                    return portion
                if not self._under_way:
                    return None
                self._changed.wait()  # what is under way may fail, and come back
            return None

    def _finish(self, again: Portion | None) -> None:
        with self._changed:
            if again is not None:
                self._again.append(again)
            self._under_way -= 1
            self._changed.notify_all()

    def _report(self, size_bytes: int) -> None:
        with self._changed:
            self._on_bytes(size_bytes)
