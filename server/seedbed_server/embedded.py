"""The server's core without a server: a transport that samples in the client's own process, the same bits.

The SDK finds it by the entry point ``seedbed.transports``, so that the SDK itself stays light.
"""

import functools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from importlib import metadata
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from seedbed.spec.digests import DIGEST_ALGORITHMS, Digest, DigestAlgorithm
from seedbed.spec.dtypes import Dtype
from seedbed.spec.info import (
    MAX_CHUNK_BYTES,
    NUMERICS,
    InitializerInfo,
    Limits,
    ServerInfo,
    TensorDescription,
)
from seedbed.spec.tensors import TensorRequest
from seedbed.wire.chunks import Chunk
from seedbed_server.backends.base import Backend, CancelledError
from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.local_device import LocalGpu
from seedbed_server.sampling.descriptions import catalogue, describe
from seedbed_server.sampling.sampler import TensorSource, plan
from seedbed_server.streams.sampling_threads import SamplingPools
from seedbed_server.streams.stream import TensorStream

# Large enough that a task's own cost vanishes, small enough that all threads end together.
TASK_BYTES = 2**20


@functools.cache
def _pools() -> SamplingPools:
    """Return the engine of this process; its kernels are compiled on first use."""
    return SamplingPools(CpuBackend())


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_pools().backend.threads, thread_name_prefix="seedbed-embedded")


def forget_after_fork() -> None:
    """Make a forked child build its own threads: none of the parent's are there."""
    _pools.cache_clear()
    _threads.cache_clear()


os.register_at_fork(after_in_child=forget_after_fork)


class EmbeddedTransport:
    """Samples in this process. It has no limits but the machine's, and no deadline."""

    target = "embedded:"

    def __init__(self) -> None:
        _pools()  # what is missing shall be missed here
        self._under_way: set[TensorStream | TensorSource] = set()
        self._is_cancelled = False

    def another(self) -> Self:
        """Return a transport to the same engine, whose calls are cancelled apart from this one's."""
        return type(self)()

    def cancel(self) -> None:
        """Make calls under way end soon, and later ones at once, with CancelledError; done from another thread."""
        self._is_cancelled = True
        for work in tuple(self._under_way):
            work.cancel()

    @contextmanager
    def _cancellable(self, work: TensorStream | TensorSource) -> Iterator[None]:
        self._under_way.add(work)
        try:
            if self._is_cancelled:
                work.cancel()
            yield
        finally:
            self._under_way.discard(work)

    @property
    def _backend(self) -> Backend:
        return _pools().backend

    def close(self) -> None:
        """Do nothing: the engine belongs to the process."""

    def wait_ready(self, timeout_seconds: float) -> None:
        """Do nothing: the engine was ready when this was made."""

    def server_info(self, timeout_seconds: float | None = None) -> ServerInfo:
        """Return what the engine is."""
        limits = Limits(
            **dict.fromkeys(Limits.__dataclass_fields__, 2**63 - 1)
            | {"max_rank": 32, "max_name_bytes": 1024}
        )
        return ServerInfo(
            version=metadata.version("seedbed"),
            numerics=(NUMERICS,),
            dtypes=tuple(Dtype),
            digest_algorithms=DIGEST_ALGORITHMS,
            backend=self._backend.name,
            device=self._backend.device,
            threads=self._backend.threads,
            limits=limits,
        )

    def list_initializers(self, timeout_seconds: float | None = None) -> list[InitializerInfo]:
        """Return every initializer."""
        return catalogue()

    def describe(
        self, requests: Sequence[TensorRequest], timeout_seconds: float | None = None
    ) -> list[TensorDescription]:
        """Return what sampling the requests would give."""
        return [describe(plan(request), MAX_CHUNK_BYTES) for request in requests]

    def digest(
        self,
        requests: Sequence[TensorRequest],
        algorithm: DigestAlgorithm,
        timeout_seconds: float | None = None,
    ) -> list[Digest]:
        """Return the digests of the requests, without holding their bytes."""
        plans = [plan(request) for request in requests]
        stream = TensorStream(
            plans,
            _pools(),
            max_chunk_bytes=MAX_CHUNK_BYTES,
            algorithm=algorithm,
            with_checksums=False,
        )
        with self._cancellable(stream):
            return [piece.digest for piece in stream.pieces() if piece.digest is not None]

    def chunks(
        self, request: TensorRequest, first_byte: int = 0, timeout_seconds: float | None = None
    ) -> Iterator[Chunk]:
        """Yield the bytes of one request from ``first_byte`` on."""
        stream = TensorStream(
            [plan(request)], _pools(), max_chunk_bytes=MAX_CHUNK_BYTES, first_byte=first_byte
        )
        with self._cancellable(stream):
            for piece in stream.pieces():
                if piece.data:
                    data = bytes(piece.data)
                    yield Chunk(piece.byte_offset, piece.crc32c, memoryview(data))

    def fill(
        self,
        requests: Sequence[TensorRequest],
        outs: Sequence[memoryview],
        on_bytes: Callable[[int], None],
        timeout_seconds: float | None = None,
        *,
        may_map: bool = False,
    ) -> Sequence[memoryview]:
        """Write the bytes of the requests straight into the given memory, and return it."""
        for request, out in zip(requests, outs, strict=True):
            source = TensorSource(plan(request), self._backend)
            with self._cancellable(source):
                _fill(source, np.asarray(out), on_bytes)
        return outs

    def sample_on(
        self,
        device: LocalGpu,
        requests: Sequence[TensorRequest],
        on_bytes: Callable[[int], None],
        timeout_seconds: float | None = None,
    ) -> list[Any]:
        """Sample on the device itself: no byte passes through the host."""
        arrays = []
        for request in requests:
            if self._is_cancelled:
                raise CancelledError
            arrays.append(device.sample(request))
            on_bytes(request.size_bytes)
        return arrays


def _fill(source: TensorSource, out: NDArray[np.uint8], on_bytes: Callable[[int], None]) -> None:
    """Write all bytes of a source; when this ends, no thread writes any more, however it ends."""
    itemsize = source.plan.dtype.itemsize
    done = threading.Lock()

    def task(begin: int) -> None:
        part = out[begin : begin + TASK_BYTES]
        source.fill(begin // itemsize, part)
        with done:
            on_bytes(part.size)

    begins = range(0, out.size, TASK_BYTES)
    if len(begins) == 1:
        task(0)
        return
    tasks = [_threads().submit(task, begin) for begin in begins]
    try:
        for each in tasks:
            each.result()
    finally:
        source.cancel()
        for each in tasks:
            each.cancel()
        wait(tasks)
