"""The bytes of a request's tensors, piece by piece: sampled a few chunks ahead of the reader, and never more.

Chunks are sampled on a pool of threads while earlier ones are on their way. Where there are as many
streams as
processors, each samples its own chunks when they are due: nothing is handed over, and the bytes are
still in the cache when they are summed up and sent. A stream holds the memory of a fixed number of
chunks, whatever the size of its tensors and the speed of its reader.
"""

import functools
import threading
from collections import deque
from collections.abc import Hashable, Iterator, Sequence
from concurrent.futures import CancelledError as FutureCancelledError
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from seedbed.spec.digests import DIGEST_BYTES, Digest, DigestAlgorithm, Digester
from seedbed.wire.chunks import checksum
from seedbed_server.backends.base import CancelledError
from seedbed_server.sampling.sampler import ChunkPlan, SamplePlan, TensorSource
from seedbed_server.streams.sampling_threads import SamplingPools
from seedbed_server.streams.shared_chunks import Buffer, Flight

# Silence after which a reader is told that the server is still computing.
HEARTBEAT_SECONDS = 5.0

# How many chunks a stream has memory for when it samples them itself: the one that is due, and the
# next.
OWN_AHEAD = 2

# What is sampled in some ten microseconds, which is what a hand-over to another thread takes.
SMALL_BYTES = 2**14

NOTHING = np.empty(0, np.uint8)


# A named tuple, as one is made or two for each message; a frozen dataclass takes five times as long
# to make.
class Piece(NamedTuple):
    """What comes next of a stream: of one tensor, its beginning, some bytes, its end, or a sign of life."""

    tensor_index: int
    """Which tensor of the request."""
    plan: SamplePlan
    """What is known of it."""
    is_first: bool
    """Whether nothing of it came before."""
    byte_offset: int
    """Where in its slice the bytes begin."""
    data: memoryview
    """The bytes; valid until the next piece is asked for. Empty in a heartbeat and for an empty tensor."""
    crc32c: int
    """Their checksum."""
    is_last: bool
    """Whether nothing of it comes after."""
    digest: Digest | None
    """In the last piece of a tensor, if wanted: the digest of all bytes that this stream gave of it."""
    buffer: Buffer | None = None
    """The stream's memory that the data lies in."""


@dataclass(slots=True)
class _Job:
    tensor_index: int
    source: TensorSource
    chunk: ChunkPlan | None
    is_first: bool
    is_last: bool
    starts: bool
    """Whether it is the tensor's first chunk; stays, while ``is_first`` ends with a heartbeat."""
    byte_offset: int
    """Where in the slice its bytes begin."""
    size_bytes: int
    placement: "Placement"
    flight: Flight | None = None
    flight_key: Hashable = None
    """What two streams have in common whose messages for the chunk are the same bytes."""


class Placement(NamedTuple):
    """How a tensor is put into its memory."""

    is_shared: bool = False
    """Whether other streams may read it there at the same time; the memory is then never written again."""
    given: "Future[Digest | None] | None" = None
    """Where nothing is sampled, because another stream does it: what becomes its digest. May be cancelled."""
    has_digest: bool = True
    """Whether a digest is wanted."""
    max_piece_bytes: int | None = None
    """The largest piece; None is the stream's own."""


class Memory(Protocol):
    """Where a stream's pieces are sampled to."""

    def place(self, tensor_index: int, plan: SamplePlan) -> Placement:
        """Return how the next tensor is put into memory; called once for each."""

    def take(self, piece: Piece, size_bytes: int) -> Buffer:
        """Return memory for a piece, which is given as it will be but for its data, and its sums' values."""

    def filled(self, buffer: Buffer) -> None:
        """Take note, in the thread that sampled it, that a piece is there."""

    def give_back(self, buffer: Buffer) -> None:
        """Have memory back whose piece has been consumed."""


@dataclass(frozen=True, slots=True)
class _Reused:
    data: NDArray[np.uint8]
    whole: NDArray[np.uint8]


class ReusedMemory:
    """Memory that is used again and again: a piece's data is gone when the next piece is asked for."""

    def __init__(self) -> None:
        self._free: deque[NDArray[np.uint8]] = deque()

    def place(self, tensor_index: int, plan: SamplePlan) -> Placement:
        """Return that there is nothing special about it."""
        del tensor_index, plan
        return Placement()

    def take(self, piece: Piece, size_bytes: int) -> Buffer:
        """Return some of the memory that was given back, or new memory."""
        del piece
        while self._free:
            whole = self._free.popleft()
            if whole.size >= size_bytes:
                return _Reused(whole[:size_bytes], whole)
        whole = np.empty(size_bytes, np.uint8)
        return _Reused(whole, whole)

    def filled(self, buffer: Buffer) -> None:
        """Do nothing."""

    def give_back(self, buffer: Buffer) -> None:
        """Keep the memory for a later piece."""
        assert isinstance(buffer, _Reused)
        self._free.append(buffer.whole)


class TensorStream:
    """One pass over the tensors of a request, from a resume point on.

    Args:
        plans: what to sample.
        pools: who does it.
        max_chunk_bytes: the largest piece.
        algorithm: of the digests.
        first_tensor: the first one wanted.
        first_byte: where in it the stream begins.
        with_checksums: whether each piece has one.
        memory: where the pieces are sampled to.
    """

    def __init__(
        self,
        plans: Sequence[SamplePlan],
        pools: SamplingPools,
        *,
        max_chunk_bytes: int,
        algorithm: DigestAlgorithm = "xxh3_128",
        first_tensor: int = 0,
        first_byte: int = 0,
        with_checksums: bool = True,
        memory: Memory | None = None,
    ) -> None:
        self._plans = plans
        self._pools = pools
        self._max_chunk_bytes = max_chunk_bytes
        self._algorithm = algorithm
        self._first_tensor = first_tensor
        self._first_byte = first_byte
        self._with_checksums = with_checksums
        self._ahead = pools.backend.threads + 1
        self._samples_itself = False
        self._memory = memory or ReusedMemory()
        self._waiting: deque[_Job] = deque()
        self._reading: set[str] = set()
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Stop sampling soon; the iteration ends with :class:`CancelledError`. May be called by any thread."""
        self._cancelled.set()
        for job in tuple(self._waiting):
            job.source.cancel()
            if job.placement.given is not None:
                job.placement.given.cancel()

    def wait_cancelled(self, timeout_seconds: float) -> None:
        """Return when :meth:`cancel` has been called, or after the time."""
        self._cancelled.wait(timeout_seconds)

    def pieces(self) -> Iterator[Piece]:
        """Yield the pieces in order.

        Raises:
            CancelledError: after :meth:`cancel`.
        """
        jobs = self._jobs()
        self._pools.enter()
        try:
            self._submit(jobs)
            digester = Digester(self._algorithm)
            while self._waiting:
                job = self._waiting[0]
                if job.is_first:
                    digester = Digester(self._algorithm)
                yield from self._heartbeats(job)
                yield self._sampled_piece(job, digester)
                self._waiting.popleft()
                self._leave(job)
                if job.is_last and self._reading:
                    self._exit(job.source.identity)
                self._submit(jobs)
        finally:
            self._abandon()

    def _jobs(self) -> Iterator[_Job]:
        for index in range(self._first_tensor, len(self._plans)):
            plan = self._plans[index]
            source = TensorSource(plan, self._pools.backend)
            placement = self._memory.place(index, plan)
            if placement.given is not None:
                yield _Job(index, source, None, True, True, True, 0, 0, placement)
                continue
            skipped = self._first_byte // plan.dtype.itemsize if index == self._first_tensor else 0
            chunks = plan.chunks(placement.max_piece_bytes or self._max_chunk_bytes, skipped)
            chunk = next(chunks, None)
            offset = self._first_byte if index == self._first_tensor else 0
            is_first = True
            while True:
                following = next(chunks, None)
                size = chunk.element_count * plan.dtype.itemsize if chunk else 0
                is_last = following is None
                yield _Job(
                    index, source, chunk, is_first, is_last, is_first, offset, size, placement
                )
                if following is None:
                    break
                chunk, is_first, offset = following, False, offset + size

    def _submit(self, jobs: Iterator[_Job]) -> None:
        while len(self._waiting) < (OWN_AHEAD if self._samples_itself else self._ahead):
            if self._cancelled.is_set():
                raise CancelledError
            job = next(jobs, None)
            if job is None:
                return
            if job.chunk is not None and not self._is_small(job):
                job.flight = self._join(job) if job.placement.is_shared else self._start(job)
            self._waiting.append(job)

    def _join(self, job: _Job) -> Flight:
        if job.source.identity not in self._reading:
            self._reading.add(job.source.identity)
            self._pools.flights.enter(job.source.identity)
        job.flight_key = self._flight_key(job)
        return self._pools.flights.join(job.flight_key, lambda: self._start(job))

    def _start(self, job: _Job) -> Flight:
        buffer = self._memory.take(self._expected(job), job.size_bytes)
        # Streams are busy while messages are sent, which is what is shared; not with a segment.
        self._samples_itself = (
            job.placement.is_shared
            and not self._pools.are_needed
            and self._pools.can_sample_here(job.source.plan)
        )
        if self._samples_itself:
            return Flight(buffer, Future(), work=functools.partial(self._sample, job, buffer))
        pool = self._pools.pool_for(job.source.plan)
        return Flight(buffer, pool.submit(self._sample, job, buffer))

    def _is_small(self, job: _Job) -> bool:
        """Return whether a tensor takes longer to hand to another thread than to sample, when it is due."""
        return (
            job.starts
            and job.is_last
            and job.size_bytes <= SMALL_BYTES
            and self._pools.can_sample_here(job.source.plan)
        )

    def _leave(self, job: _Job) -> None:
        flight, job.flight = job.flight, None
        if flight is None:
            return
        if job.placement.is_shared:
            self._pools.flights.leave(job.flight_key, flight, job.source.identity)
        elif not flight.sampled.cancel():
            self._memory.give_back(flight.buffer)

    def _flight_key(self, job: _Job) -> Hashable:
        begins_at = (
            self._first_byte if job.is_last and job.tensor_index == self._first_tensor else 0
        )
        place = job.tensor_index, job.byte_offset, job.size_bytes, job.starts, job.is_last
        return job.source.identity, place, begins_at, self._algorithm, self._with_checksums

    def _sample(self, job: _Job, buffer: Buffer) -> int:
        """Fill the memory and return its checksum."""
        assert job.chunk is not None
        job.source.fill(job.chunk.first_element, buffer.data)
        self._memory.filled(buffer)
        if self._pools.on_sampled is not None:
            self._pools.on_sampled(job.source.plan, job.size_bytes)
        return checksum(buffer.data.data) if self._with_checksums else 0

    def _sampled_piece(self, job: _Job, digester: Digester) -> Piece:
        if job.placement.given is not None:
            return self._piece(job, NOTHING.data, 0, _digest_of(job.placement.given))
        crc32c, buffer, data = 0, None, NOTHING.data
        if job.flight is not None:
            crc32c = self._checksum_of(job, job.flight)
            buffer = job.flight.buffer
            data = buffer.data.data
        elif job.chunk is not None:
            small = np.empty(job.size_bytes, np.uint8)
            crc32c, data = self._sample(job, _Reused(small, small)), small.data
        if job.placement.has_digest:
            digester.update(data)
        digest = digester.digest() if job.is_last and job.placement.has_digest else None
        return self._piece(job, data, crc32c, digest, buffer)

    def _checksum_of(self, job: _Job, flight: Flight) -> int:
        """Return what the flight gives, or another flight in its place if the stream that began it was cancelled."""
        while True:
            flight.sample_here()
            try:
                return flight.sampled.result()
            except (FutureCancelledError, CancelledError):
                if self._cancelled.is_set():
                    raise CancelledError from None
                self._leave(job)
                flight = job.flight = self._join(job)

    def _expected(self, job: _Job) -> Piece:
        """Return the job's piece with a digest and a checksum, if there will be one, that stand for those to come."""
        algorithm = self._algorithm
        total = job.source.plan.size_bytes - (
            self._first_byte if job.tensor_index == self._first_tensor else 0
        )
        digest = Digest(algorithm, bytes(DIGEST_BYTES[algorithm]), total) if job.is_last else None
        return self._piece(job, NOTHING.data, int(self._with_checksums), digest)

    @staticmethod
    def _piece(
        job: _Job,
        data: memoryview,
        crc32c: int,
        digest: Digest | None,
        buffer: Buffer | None = None,
    ) -> Piece:
        plan = job.source.plan
        return Piece(
            job.tensor_index,
            plan,
            job.is_first,
            job.byte_offset,
            data,
            crc32c,
            job.is_last,
            digest,
            buffer,
        )

    def _heartbeats(self, job: _Job) -> Iterator[Piece]:
        """Yield signs of life until the job's bytes are there."""
        sampled = None
        if job.flight is not None:
            job.flight.sample_here()
            sampled = job.flight.sampled
        awaited: Future[Any] | None = job.placement.given or sampled
        while awaited is not None and not awaited.done():
            try:
                awaited.exception(timeout=HEARTBEAT_SECONDS)
                return
            except FutureCancelledError:
                return
            except FutureTimeoutError:
                yield self._piece(job, NOTHING.data, 0, None)._replace(is_last=False)
                job.is_first = False

    def _abandon(self) -> None:
        self._pools.exit()
        for job in self._waiting:
            self._leave(job)
            job.source.cancel()
        for identity in tuple(self._reading):
            self._exit(identity)

    def _exit(self, identity: str) -> None:
        if identity in self._reading:
            self._reading.remove(identity)
            self._pools.flights.exit(identity)


def _digest_of(given: "Future[Digest | None]") -> Digest | None:
    try:
        return given.result()
    except FutureCancelledError:
        raise CancelledError from None
