"""The bytes of a request's tensors, piece by piece: sampled a few chunks ahead of the reader, and never more.

Chunks are sampled on a pool of threads while earlier ones are on their way. A fixed ring of buffers bounds the memory
of a stream, whatever the size of its tensors and the speed of its reader.
"""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedbed.wire.chunks import checksum
from seedbed.wire.digests import Digest, DigestAlgorithm, Digester
from seedbed_server.backends.base import Backend, CancelledError, Orthogonal
from seedbed_server.sampler import ChunkPlan, SamplePlan, TensorSource

# Silence after which a reader is told that the server is still computing.
HEARTBEAT_SECONDS = 5.0


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
    sampled: "Future[tuple[NDArray[np.uint8], int]] | None" = None


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
    ) -> None:
        self._plans = plans
        self._pools = pools
        self._max_chunk_bytes = max_chunk_bytes
        self._algorithm = algorithm
        self._first_tensor = first_tensor
        self._first_byte = first_byte
        self._with_checksums = with_checksums
        self._ahead = pools.backend.threads + 1
        self._free: deque[NDArray[np.uint8]] = deque()
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
                for beat in self._heartbeats(job):
                    yield beat
                    job.is_first = False
                buffer, crc32c = job.sampled.result() if job.sampled else (np.empty(0, np.uint8), 0)
                data = buffer.data[: self._size_bytes(job)]
                digester.update(data)
                yield Piece(
                    tensor_index=job.tensor_index,
                    plan=job.source.plan,
                    is_first=job.is_first,
                    byte_offset=self._byte_offset(job),
                    data=data,
                    crc32c=crc32c,
                    digest=digester.digest() if job.is_last else None,
                )
                self._waiting.popleft()
                if buffer.size:
                    self._free.append(buffer)
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
                yield _Job(index, source, chunk, is_first, is_last=following is None)
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
                buffer = self._free.popleft() if self._free else np.empty(self._buffer_bytes(job), np.uint8)
                if buffer.size < self._size_bytes(job):
                    buffer = np.empty(self._buffer_bytes(job), np.uint8)
                job.sampled = self._pools.pool_for(job.source.plan).submit(self._sample, job, buffer)
            self._waiting.append(job)

    def _sample(self, job: _Job, buffer: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
        assert job.chunk is not None
        if self._cancelled.is_set():
            raise CancelledError
        data = buffer[: self._size_bytes(job)]
        job.source.fill(job.chunk.first_element, data)
        return buffer, checksum(data.data) if self._with_checksums else 0

    def _heartbeats(self, job: _Job) -> Iterator[Piece]:
        """Yield signs of life until the job's bytes are there."""
        is_first = job.is_first
        while job.sampled is not None:
            try:
                job.sampled.exception(timeout=HEARTBEAT_SECONDS)
                return
            except FutureTimeoutError:
                empty = memoryview(b"")
                yield Piece(job.tensor_index, job.source.plan, is_first, self._byte_offset(job), empty, 0, None)
                is_first = False

    def _abandon(self) -> None:
        for job in self._waiting:
            job.source.cancel()
            if job.sampled is not None:
                job.sampled.cancel()

    def _buffer_bytes(self, job: _Job) -> int:
        """Return a size that serves this tensor's later chunks as well, and small tensors with little."""
        return min(self._max_chunk_bytes, max(job.source.plan.size_bytes, 4096))

    @staticmethod
    def _size_bytes(job: _Job) -> int:
        return job.chunk.element_count * job.source.plan.dtype.itemsize if job.chunk else 0

    def _byte_offset(self, job: _Job) -> int:
        itemsize = job.source.plan.dtype.itemsize
        if job.chunk is None:
            return self._first_byte if job.tensor_index == self._first_tensor else 0
        return job.chunk.first_element * itemsize
