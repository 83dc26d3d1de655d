"""The server's core as a transport that samples in the client's own process.

The SDK finds it by the entry point ``seedbed.transports``, so that the SDK itself stays light.
"""

import functools
import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from seedbed.interrupts.held_signals import signals_held
from seedbed.interrupts.threads import Threads
from seedbed.spec.digests import DIGEST_ALGORITHMS, Digest, DigestAlgorithm, Digester
from seedbed.spec.dtypes import Dtype
from seedbed.spec.info import (
    MAX_CHUNK_BYTES,
    NUMERICS,
    InitializerInfo,
    Limits,
    ServerInfo,
    TensorDescription,
)
from seedbed.spec.stats import ClientStats
from seedbed.spec.tensors import TensorRequest
from seedbed.wire.parts import Chunk
from seedbed_server.backends.base import SamplingCancelledError
from seedbed_server.backends.compilation import cache_directory
from seedbed_server.backends.cpu import CpuBackend, kernel_names
from seedbed_server.backends.cpu_kernels import CpuKernels, is_kept
from seedbed_server.sampling.descriptions import catalogue, describe
from seedbed_server.sampling.sampler import TensorSource, plan
from seedbed_server.sampling.self_test import SelfTest

if TYPE_CHECKING:
    from seedbed_server.local_device import LocalGpu

# Large enough that a task's own cost vanishes, small enough that all threads end together.
TASK_BYTES = 2**20

# What is read piece by piece stays in the processor's cache.
PIECE_BYTES = 2**21
PIECES_AHEAD = 3


log = logging.getLogger("seedbed")


@functools.cache
def _backend() -> CpuBackend:
    """Return the engine of this process."""
    return CpuBackend(kernels=CpuKernels(_announce))


@functools.cache
def _self_test() -> SelfTest:
    return SelfTest(_backend())


def _announce(text: str) -> None:
    """Tell a user at a terminal, or else the log, why nothing else happens for some seconds."""
    if sys.stderr is not None and sys.stderr.isatty():
        print(f"seedbed: {text}", file=sys.stderr, flush=True)  # noqa: T201
    else:
        log.info("%s", text)


def warm_up() -> Path | None:
    """Compile every kernel that the cache lacks, and return its folder; None if it keeps none."""
    kernels = CpuKernels(_announce)
    kernels.load()
    return cache_directory() if all(map(is_kept, kernels)) else None


@functools.cache
def _threads() -> Threads:
    return Threads(_backend().threads, thread_name_prefix="seedbed-embedded")


def forget_after_fork() -> None:
    """Make a forked child build its own threads: none of the parent's are there."""
    _backend.cache_clear()
    _self_test.cache_clear()
    _threads.cache_clear()


os.register_at_fork(after_in_child=forget_after_fork)


class EmbeddedTransport:
    """Samples in this process. It has no limits but the machine's, and no deadline."""

    target = "embedded:"

    def __init__(self) -> None:
        _backend()  # what is missing shall be missed here
        self._under_way: set[TensorSource] = set()
        self._is_cancelled = False

    def another(self) -> Self:
        """Return a transport to the same engine, whose calls are cancelled separately."""
        return type(self)()

    def cancel(self) -> None:
        """Make current calls end soon, and later ones at once, with SamplingCancelledError.

        Called by another thread.
        """
        self._is_cancelled = True
        for work in tuple(self._under_way):
            work.cancel()

    def _sampled(
        self, request: TensorRequest, first_byte: int
    ) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        source = _source(request)
        with self._cancellable(source):
            yield from _ahead(source, first_byte)

    @contextmanager
    def _cancellable(self, work: TensorSource) -> Iterator[None]:
        self._under_way.add(work)
        try:
            if self._is_cancelled:
                work.cancel()
            yield
        finally:
            self._under_way.discard(work)

    def close(self) -> None:
        """Do nothing: the engine belongs to the process; the client knows that it is closed."""

    def stats(self) -> ClientStats:
        """Return that no server has been asked."""
        return ClientStats(())

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
            capabilities=(),
            backend=_backend().name,
            device=_backend().device,
            threads=_backend().threads,
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
        digests = []
        for request in requests:
            digester = Digester(algorithm)
            for _, data in self._sampled(request, 0):
                digester.update(data.data)
            digests.append(digester.digest())
        return digests

    def chunks(
        self, request: TensorRequest, first_byte: int = 0, timeout_seconds: float | None = None
    ) -> Iterator[Chunk]:
        """Yield the bytes of one request from ``first_byte`` on."""
        digester = Digester()
        for begin, sampled in self._sampled(request, first_byte):
            data = sampled.tobytes()
            digester.update(data)
            yield Chunk(begin, digester.digest().value, memoryview(data))

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
            source = _source(request)
            with self._cancellable(source):
                _fill(source, np.asarray(out), on_bytes)
        return outs

    def sample_on(
        self,
        device: "LocalGpu",
        requests: Sequence[TensorRequest],
        on_bytes: Callable[[int], None],
        timeout_seconds: float | None = None,
    ) -> list[Any]:
        """Sample on the device itself: no byte passes through the host."""
        arrays = []
        for request in requests:
            if self._is_cancelled:
                raise SamplingCancelledError
            arrays.append(device.sample(request))
            on_bytes(request.size_bytes)
        return arrays


def _source(request: TensorRequest) -> TensorSource:
    """Return what samples a request; its kernels are ready, and give the contract's bits."""
    sample_plan, backend = plan(request), _backend()
    # On the caller's thread, which an interrupt reaches.
    backend.load(sample_plan.rule, sample_plan.dtype)
    _self_test().check(kernel_names(sample_plan.rule, sample_plan.dtype))
    return TensorSource(sample_plan, backend)


def _ahead(source: TensorSource, first_byte: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Yield where each piece begins and its bytes, in order, sampled a little ahead.

    Memory is used again: a piece is valid until the next one is asked for.
    """
    size_bytes, itemsize = source.plan.size_bytes, source.plan.dtype.itemsize
    begins = iter(range(first_byte, size_bytes, PIECE_BYTES))
    free = deque(np.empty(min(PIECE_BYTES, size_bytes), np.uint8) for _ in range(PIECES_AHEAD))
    under_way: deque[tuple[int, NDArray[np.uint8], Future[None]]] = deque()
    try:
        while True:
            while free and (begin := next(begins, None)) is not None:
                piece = free.popleft()[: size_bytes - begin]
                task = _threads().submit(source.fill, begin // itemsize, piece)
                under_way.append((begin, piece, task))
            if not under_way:
                return
            begin, piece, task = under_way.popleft()
            task.result()
            yield begin, piece
            free.append(piece)
    finally:
        source.cancel()
        for _, _, task in under_way:
            task.cancel()


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
    tasks: list[Future[None]] = []
    try:
        for begin in begins:  # a task that is not in the list would go on writing
            _threads().submit_to(tasks, task, begin)
        for each in tasks:
            each.result()
    finally:
        with signals_held():
            source.cancel()
            for each in tasks:
                each.cancel()
            wait(tasks)
