"""Servers as a transport: each call is tried until it ends well, or its time or patience is over.

Content is a pure function of the request, so a try may go to any server, and goes on where the last
one broke.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypeVar

from seedbed.deadlines import checked_timeout
from seedbed.devices import LocalDevice
from seedbed.errors import SeedbedError, TlsError
from seedbed.spec.digests import Digest, DigestAlgorithm
from seedbed.spec.info import MAX_SMALL_TENSOR_BYTES, InitializerInfo, ServerInfo, TensorDescription
from seedbed.spec.stats import ClientStats
from seedbed.spec.tensors import TensorRequest
from seedbed.spec.tls import Tls
from seedbed.transports.assemble import Assembler
from seedbed.transports.calls import Calls
from seedbed.transports.cancellation import Cancellation
from seedbed.transports.endings import cancelled, closed
from seedbed.transports.filler import Filler
from seedbed.transports.forks import forgets_after_fork
from seedbed.transports.grpc_calls import GrpcCalls
from seedbed.transports.http2.address import plain_address
from seedbed.transports.http2.connections import Connections
from seedbed.transports.mapping import Mapper
from seedbed.transports.messages import (
    SERVICE,
    DescriptionReader,
    DigestReader,
    bytes_of_small_tensor,
    describe_message,
    digest_message,
    initializers_of,
    sample_message,
    server_info_of,
    small_tensor_message,
    with_right_checksum,
)
from seedbed.transports.probe import Probe
from seedbed.transports.ranged_fetch import RangedFetch
from seedbed.transports.ranges import portions
from seedbed.transports.replica import LOOK_LIMITS, SAMPLE, Replica
from seedbed.transports.replicas import Replicas, check_welcome
from seedbed.transports.security import PLAIN, Security
from seedbed.transports.statuses import not_ready
from seedbed.transports.tries import RETRIED, Tries
from seedbed.transports.try_limits import ALONE, AMONG_REPLICAS, TryLimits
from seedbed.v1 import service_pb2
from seedbed.wire.parts import Chunk, decode_parts

SERVER_INFO = f"/{SERVICE}/GetServerInfo"
LIST = f"/{SERVICE}/ListInitializers"
DESCRIBE = f"/{SERVICE}/DescribeTensors"
DIGEST = f"/{SERVICE}/DigestTensors"
SAMPLE_ONE = f"/{SERVICE}/SampleSmallTensor"

# Large enough that a request's own cost vanishes, small enough that all connections end at about
# the same time.
PORTION_BYTES = 32 * 2**20
# Less comes by one connection: threads of several would take longer to start.
RANGED_BYTES = 2**20

# How often a server that starts is asked whether it serves, and how long it may take to say so.
FIRST_LOOK_SECONDS = 0.02
LONGEST_LOOK_SECONDS = 0.5
LOOK_SECONDS = 2.0

# How soon a call that waits notices that its client was closed.
LONGEST_SLEEP_SECONDS = 0.2

T = TypeVar("T")


class RemoteTransport:
    """Asks one server, or several that give the same bits.

    Args:
        replicas: the servers; shared by all that :meth:`another` returns.
        patience_seconds: how long a call without a time limit goes on without progress.
    """

    def __init__(self, replicas: Replicas, patience_seconds: float) -> None:
        self._replicas = replicas
        self._patience_seconds = patience_seconds
        self.forget()
        forgets_after_fork(self)

    @classmethod
    def open(
        cls,
        targets: Sequence[str],
        options: Mapping[str, int | str],
        *,
        channels: int,
        patience_seconds: float,
        shared_memory_dir: str | None = None,
        tls: Tls | None = None,
        token: str | Path | None = None,
    ) -> Self:
        """Return a transport; it connects at its first call.

        Args:
            targets: the servers' addresses, as given to ``connect``; each once.
            options: gRPC channel arguments.
            channels: connections to each server that a fetch uses.
            patience_seconds: how long a call without a time limit goes on without progress.
            shared_memory_dir: where the server's shared memory is for this process, if elsewhere.
            tls: how to speak TLS with each; None is a plain connection.
            token: what goes with each call, or its file.
        """
        security = Security.of(tls, token)
        replicas = [
            Replica(
                target,
                calls_to(target, options, security),
                Mapper(target, shared_memory_dir),
                Probe(plain_address(target, {}), tls, security.trust),
                has_others=len(targets) > 1,
            )
            for target in targets
        ]
        return cls(Replicas(replicas, channels), patience_seconds)

    def forget(self) -> None:
        """Begin anew in a forked child: who cancels, or is cancelled, is not there."""
        self._cancellation = Cancellation()

    @property
    def target(self) -> str:
        """The servers' addresses, separated by commas."""
        return self._replicas.target

    def close(self) -> None:
        """Close the connections; calls under way end with CancelledError."""
        for replica in self._replicas:
            replica.close()

    def another(self) -> Self:
        """Return a transport to the same servers; its calls are cancelled apart."""
        return type(self)(self._replicas, self._patience_seconds)

    def cancel(self) -> None:
        """End this object's calls, now and later, with CancelledError."""
        self._cancellation.cancel()

    def stats(self) -> ClientStats:
        """Return what has been asked of each server so far."""
        return ClientStats(tuple(replica.stats for replica in self._replicas))

    def wait_ready(self, timeout_seconds: float) -> None:
        """Return when a server says that it serves.

        Raises:
            UnavailableError: if none does within the time.
            TlsError: if the only one never will to this client.
        """
        end = time.monotonic() + timeout_seconds
        pause = FIRST_LOOK_SECONDS
        while (left := end - time.monotonic()) > 0:
            for replica in self._replicas:
                limits = replace(LOOK_LIMITS, timeout_seconds=min(LOOK_SECONDS, left))
                try:
                    serves = replica.serves(limits, self._cancellation)
                except TlsError:
                    if len(self._replicas) == 1:
                        raise
                    continue
                if serves:
                    replica.found()
                    return
            self._sleep(min(pause, left))
            pause = min(pause * 2, LONGEST_LOOK_SECONDS)
        raise not_ready(self.target, timeout_seconds)

    def server_info(self, timeout_seconds: float | None = None) -> ServerInfo:
        """Return what one of the servers is."""

        def ask(replica: Replica, limits: TryLimits) -> ServerInfo:
            message = service_pb2.GetServerInfoRequest()
            parse = with_right_checksum(service_pb2.GetServerInfoResponse.FromString)
            response = replica.response(SERVER_INFO, message, parse, limits, self._cancellation)
            return server_info_of(replica.target, response)

        return self._tried(ask, self._tries(timeout_seconds))

    def list_initializers(self, timeout_seconds: float | None = None) -> list[InitializerInfo]:
        """Return every initializer of one of the servers."""

        def ask(replica: Replica, limits: TryLimits) -> list[InitializerInfo]:
            message = service_pb2.ListInitializersRequest()
            parse = with_right_checksum(service_pb2.ListInitializersResponse.FromString)
            response = replica.response(LIST, message, parse, limits, self._cancellation)
            return initializers_of(replica.target, response)

        return self._tried(ask, self._tries(timeout_seconds))

    def describe(
        self, requests: Sequence[TensorRequest], timeout_seconds: float | None = None
    ) -> list[TensorDescription]:
        """Return what sampling the requests would give."""

        def ask(replica: Replica, limits: TryLimits) -> list[TensorDescription]:
            reader = DescriptionReader(replica.target, requests)
            message = describe_message(requests)
            for data in replica.responses(DESCRIBE, message, bytes, limits, self._cancellation):
                reader.feed(data)
            return reader.finish()

        return self._tried(ask, self._tries(timeout_seconds))

    def digest(
        self,
        requests: Sequence[TensorRequest],
        algorithm: DigestAlgorithm,
        timeout_seconds: float | None = None,
    ) -> list[Digest]:
        """Return the digests of what sampling the requests would give."""
        tries = self._tries(timeout_seconds)
        found: list[Digest] = []

        def ask(replica: Replica, limits: TryLimits) -> None:
            rest = requests[len(found) :]
            if not rest:  # only the end of the last try was missing
                return
            replica.count("resumes", bool(found))
            reader = DigestReader(replica.target, rest, algorithm)
            message = digest_message(rest, algorithm)
            for data in replica.responses(DIGEST, message, bytes, limits, self._cancellation):
                digests = reader.feed(data)
                if digests:
                    tries.progressed()
                    found.extend(digests)
                else:
                    tries.heard()
            reader.finish()

        self._tried(ask, tries)
        return found

    def chunks(
        self, request: TensorRequest, first_byte: int = 0, timeout_seconds: float | None = None
    ) -> Iterator[Chunk]:
        """Yield the bytes of one request from ``first_byte`` on, each chunk verified."""
        assembler = Assembler([request], first_byte)
        for _, chunk in self._chunks(assembler, [request], timeout_seconds):
            yield chunk

    def fill(
        self,
        requests: Sequence[TensorRequest],
        outs: Sequence[memoryview],
        on_bytes: Callable[[int], None],
        timeout_seconds: float | None = None,
        *,
        may_map: bool = False,
    ) -> Sequence[memoryview]:
        """Write each request's bytes into its memory, or map the server's shared memory."""
        tries = self._tries(timeout_seconds)
        if len(requests) == 1 and requests[0].size_bytes <= MAX_SMALL_TENSOR_BYTES:
            outs[0][:] = self._small_tensor(requests[0], tries)
            on_bytes(len(outs[0]))
            return outs
        mapper = next(iter(self._replicas)).mapper
        if may_map and mapper.is_of_use and self._replicas.most_lanes == 1:
            with mapper.attempt(on_bytes) as count:
                filler = Filler(requests, outs, _telling(tries, count), mapper.map_segment)
                self._fill_by_one(filler, tries)
                return filler.finish()
        size_bytes = sum(map(len, outs))
        if self._replicas.most_lanes == 1 or size_bytes < RANGED_BYTES:
            filler = Filler(requests, outs, _telling(tries, on_bytes))
            self._fill_by_one(filler, tries)
            return outs
        # One more than there are portions, for what lags.
        lanes = self._replicas.lanes(2 + size_bytes // PORTION_BYTES)
        work = portions(requests, outs, PORTION_BYTES)
        RangedFetch(work, lanes, tries, on_bytes, self._cancellation).run()
        return outs

    def sample_on(
        self,
        device: LocalDevice,
        requests: Sequence[TensorRequest],
        on_bytes: Callable[[int], None],
        timeout_seconds: float | None = None,
    ) -> list[Any]:
        """Put the bytes of each request on a device as they arrive, and return the arrays."""
        landings = [device.landing(request) for request in requests]
        assembler = Assembler(requests)
        for index, chunk in self._chunks(assembler, requests, timeout_seconds):
            landings[index].write(chunk.byte_offset, chunk.data)
            on_bytes(len(chunk.data))
        return [landing.array() for landing in landings]

    # Ways of getting bytes.

    def _small_tensor(self, request: TensorRequest, tries: Tries) -> bytes:
        """Return all of a small tensor."""

        def ask(replica: Replica, limits: TryLimits) -> bytes:
            message = small_tensor_message(request)
            data = replica.response(SAMPLE_ONE, message, bytes, limits, self._cancellation)
            found = bytes_of_small_tensor(replica.target, request, data)
            replica.count("bytes", len(found))
            return found

        return self._tried(ask, tries)

    def _fill_by_one(self, filler: Filler, tries: Tries) -> None:
        """Fill the memory of all requests by one connection at a time."""

        def ask(replica: Replica, limits: TryLimits) -> None:
            replica.fill(filler, limits, self._cancellation, tries.heard)

        self._tried(ask, tries)

    def _chunks(
        self, assembler: Assembler, requests: Sequence[TensorRequest], timeout_seconds: float | None
    ) -> Iterator[tuple[int, Chunk]]:
        """Yield the verified chunks of all requests, each with its request's place."""
        tries = self._tries(timeout_seconds)
        replica = self._replicas.next()
        begin = assembler.resume_point
        while not assembler.is_complete:
            try:
                replica.count("tries")
                replica.count("resumes", assembler.resume_point != begin)
                index, first_byte = assembler.resume_point
                assembler.begin_stream()
                message = sample_message(requests[index:], first_byte)
                # A payload must not pass through protobuf's own parser; see seedbed.wire.parts.
                for parts in replica.responses(
                    SAMPLE, message, decode_parts, tries.limits(), self._cancellation
                ):
                    tries.heard()
                    for index, chunk in assembler.feed(parts):
                        replica.count("bytes", len(chunk.data))
                        yield index, chunk
                        tries.progressed()
                assembler.finish()
            except RETRIED as error:
                replica = self._after(error, replica, tries)
        replica.succeeded()

    # Tries.

    def _tries(self, timeout_seconds: float | None) -> Tries:
        limits = AMONG_REPLICAS if len(self._replicas) > 1 else ALONE
        return Tries(self.target, checked_timeout(timeout_seconds), self._patience_seconds, limits)

    def _tried(self, ask: Callable[[Replica, TryLimits], T], tries: Tries) -> T:
        """Return what a server answers, after as many tries as that takes."""
        replica = self._replicas.next()
        while True:
            try:
                limits = tries.limits()
                replica.count("tries")
                result = ask(replica, limits)
            except RETRIED as error:
                replica = self._after(error, replica, tries)
            else:
                replica.succeeded()
                return result

    def _after(self, error: SeedbedError, replica: Replica, tries: Tries) -> Replica:
        """Return whom to try after a failure, when it is time to.

        Raises:
            SeedbedError: the error with which the call ends, if it is enough.
        """
        replica.failed(error)
        check_welcome(error, replica, self._replicas)
        tries.failed(error)
        other = self._replicas.next(avoiding=replica)
        has_turn = tries.failures_in_a_row % len(self._replicas)
        if other is not replica and not other.is_set_aside and has_turn:
            return other
        self._sleep(tries.wait_seconds(error, self._replicas.ready_in_seconds))
        return self._replicas.next(avoiding=replica)

    def _sleep(self, seconds: float) -> None:
        """Wait for a time.

        Raises:
            CancelledError: as soon as the client is closed, or the call cancelled.
        """
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not (
            self._replicas.is_closed or self._cancellation.is_cancelled
        ):
            self._cancellation.sleep(min(left, LONGEST_SLEEP_SECONDS))
        if self._cancellation.is_cancelled:
            raise cancelled(self.target)
        if self._replicas.is_closed:
            raise closed(self.target)


def calls_to(target: str, options: Mapping[str, int | str], security: Security = PLAIN) -> Calls:
    """Return what makes calls to a target: our HTTP/2 reader wherever it can, gRPC under TLS."""
    address = plain_address(target, options) if security.trust is None else None
    if address is None:
        return GrpcCalls(target, options, security)
    return Connections(address, security.authorization)


def _telling(tries: Tries, on_bytes: Callable[[int], None]) -> Callable[[int], None]:
    """Return what reports bytes, and renews the call's patience with them."""

    def tell(size_bytes: int) -> None:
        tries.progressed()
        on_bytes(size_bytes)

    return tell
