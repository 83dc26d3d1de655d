"""The bytes of a request's tensors, piece by piece: sampled a few chunks ahead of the reader, and never more.

Chunks are sampled on a pool of threads while earlier ones are on their way. A stream holds the memory of a fixed number
of chunks, whatever the size of its tensors and the speed of its reader.
"""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seedbed.wire.chunks import checksum
from seedbed.wire.digests import DIGEST_BYTES, Digest, DigestAlgorithm, Digester
from seedbed_server.backends.base import Backend, CancelledError, Orthogonal
from seedbed_server.sampler import ChunkPlan, SamplePlan, TensorSource

# Silence after which a reader is told that the server is still computing.
HEARTBEAT_SECONDS = 5.0

NOTHING = np.empty(0, np.uint8)


@dataclass(frozen=True, slots=True)
class Piece:
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
    digest: Digest | None
    """In the last piece of a tensor: the digest of all bytes that this stream gave of it."""


@dataclass(slots=True)
class _Job:
    tensor_index: int
    source: TensorSource
    chunk: ChunkPlan | None
    is_first: bool
    is_last: bool
    data: NDArray[np.uint8]
    sampled: "Future[int] | None" = None

    @property
    def size_bytes(self) -> int:
        return self.chunk.element_count * self.source.plan.dtype.itemsize if self.chunk else 0


class Memory(Protocol):
    """Where a stream's pieces are sampled to."""

    def take(self, piece: Piece, size_bytes: int) -> NDArray[np.uint8]:
        """Return memory for a piece, which is given as it will be but for its data, and its sums' values."""

    def give_back(self, data: NDArray[np.uint8]) -> None:
        """Have memory back whose piece has been consumed."""


class ReusedMemory:
    """Memory that is used again and again: a piece's data is gone when the next piece is asked for."""

    def __init__(self) -> None:
        self._free: deque[NDArray[np.uint8]] = deque()

    def take(self, piece: Piece, size_bytes: int) -> NDArray[np.uint8]:
        """Return some of the memory that was given back, or new memory."""
        del piece
        while self._free:
            whole = self._free.popleft()
            if whole.size >= size_bytes:
                return whole[:size_bytes]
        return np.empty(size_bytes, np.uint8)[:]

    def give_back(self, data: NDArray[np.uint8]) -> None:
        """Keep the memory for a later piece."""
        assert isinstance(data.base, np.ndarray)
        self._free.append(data.base)


class SamplingPools:
    """The threads that sample, shared by all streams of a process."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._chunks = ThreadPoolExecutor(backend.threads, thread_name_prefix="seedbed-sample")
        # One orthogonal matrix at a time: it uses every thread, and as much memory as all else together.
        self._matrices = ThreadPoolExecutor(1, thread_name_prefix="seedbed-matrix")

    def pool_for(self, plan: SamplePlan) -> ThreadPoolExecutor:
        """Return where the chunks of a plan are sampled."""
        return self._matrices if isinstance(plan.rule, Orthogonal) else self._chunks

    def close(self) -> None:
        """End the threads; what waits is dropped."""
        self._chunks.shutdown(wait=False, cancel_futures=True)
        self._matrices.shutdown(wait=False, cancel_futures=True)
        self.backend.close()


class TensorStream:
    """One pass over the tensors of a request, from a resume point on."""

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
        self._memory = memory or ReusedMemory()
        self._waiting: deque[_Job] = deque()
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Stop sampling soon; the iteration ends with :class:`CancelledError`. May be called by any thread."""
        self._cancelled.set()
        for job in tuple(self._waiting):
            job.source.cancel()

    def pieces(self) -> Iterator[Piece]:
        """Yield the pieces in order.

        Raises:
            CancelledError: after :meth:`cancel`.
        """
        jobs = self._jobs()
        try:
            self._submit(jobs)
            digester = Digester(self._algorithm)
            while self._waiting:
                job = self._waiting[0]
                if job.is_first:
                    digester = Digester(self._algorithm)
                yield from self._heartbeats(job)
                crc32c = job.sampled.result() if job.sampled else 0
                digester.update(job.data.data)
                yield self._piece(job, job.data.data, crc32c, digester.digest() if job.is_last else None)
                self._waiting.popleft()
                if job.sampled:
                    self._memory.give_back(job.data)
                self._submit(jobs)
        finally:
            self._abandon()

    def _jobs(self) -> Iterator[_Job]:
        for index in range(self._first_tensor, len(self._plans)):
            plan = self._plans[index]
            source = TensorSource(plan, self._pools.backend)
            skipped = self._first_byte // plan.dtype.itemsize if index == self._first_tensor else 0
            chunks = plan.chunks(self._max_chunk_bytes, skipped)
            chunk = next(chunks, None)
            is_first = True
            while True:
                following = next(chunks, None)
                yield _Job(index, source, chunk, is_first, following is None, NOTHING)
                if following is None:
                    break
                chunk, is_first = following, False

    def _submit(self, jobs: Iterator[_Job]) -> None:
        while len(self._waiting) < self._ahead:
            if self._cancelled.is_set():
                raise CancelledError
            job = next(jobs, None)
            if job is None:
                return
            if job.chunk is not None:
                job.data = self._memory.take(self._expected(job), job.size_bytes)
                job.sampled = self._pools.pool_for(job.source.plan).submit(self._sample, job)
            self._waiting.append(job)

    def _sample(self, job: _Job) -> int:
        """Fill the job's memory and return its checksum."""
        assert job.chunk is not None
        if self._cancelled.is_set():
            raise CancelledError
        job.source.fill(job.chunk.first_element, job.data)
        return checksum(job.data.data) if self._with_checksums else 0

    def _expected(self, job: _Job) -> Piece:
        """Return the job's piece with a checksum and a digest that stand for those to come."""
        algorithm = self._algorithm
        total = job.source.plan.size_bytes - (self._first_byte if job.tensor_index == self._first_tensor else 0)
        digest = Digest(algorithm, bytes(DIGEST_BYTES[algorithm]), total) if job.is_last else None
        return self._piece(job, NOTHING.data, 1, digest)

    def _piece(self, job: _Job, data: memoryview, crc32c: int, digest: Digest | None) -> Piece:
        plan = job.source.plan
        return Piece(job.tensor_index, plan, job.is_first, self._byte_offset(job), data, crc32c, digest)

    def _heartbeats(self, job: _Job) -> Iterator[Piece]:
        """Yield signs of life until the job's bytes are there."""
        while job.sampled is not None:
            try:
                job.sampled.exception(timeout=HEARTBEAT_SECONDS)
                return
            except FutureTimeoutError:
                yield self._piece(job, NOTHING.data, 0, None)
                job.is_first = False

    def _abandon(self) -> None:
        for job in self._waiting:
            job.source.cancel()
            if job.sampled is not None:
                job.sampled.cancel()

    def _byte_offset(self, job: _Job) -> int:
        itemsize = job.source.plan.dtype.itemsize
        if job.chunk is None:
            return self._first_byte if job.tensor_index == self._first_tensor else 0
        return job.chunk.first_element * itemsize
