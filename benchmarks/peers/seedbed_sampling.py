"""seedbed's own kernels, as its server runs them: parts of the memory on a pool of threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.peers.names import ITEM_BYTES, LIMIT, STDDEV, cell
from benchmarks.work import Action
from seedbed.spec.initializers import (
    InitializerSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    TruncatedNormalSpec,
)
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.sampling.sampler import TensorSource, plan

PARTS_PER_THREAD = 8

INITIALIZERS: dict[str, InitializerSpec] = {
    "uniform": RandomUniformSpec(-LIMIT, LIMIT),
    "normal": RandomNormalSpec(0.0, STDDEV),
    "truncated normal": TruncatedNormalSpec(0.0, STDDEV),
}


def actions(*, size_bytes: int, threads: int) -> dict[str, Action]:
    """Return what fills memory with each distribution in each dtype."""
    backend = CpuBackend(threads)
    pool = ThreadPoolExecutor(threads)
    out = np.ones(size_bytes, np.uint8)

    def fill(initializer: InitializerSpec, dtype: str) -> Action:
        itemsize = ITEM_BYTES[dtype]
        count = size_bytes // itemsize
        request = TensorRequest(TensorSpec("w", count, dtype, initializer, seed=1))
        step = -(-count // (threads * PARTS_PER_THREAD))

        def fill_part(first: int) -> None:
            source.fill(first, out[first * itemsize : (first + step) * itemsize])

        def run() -> None:
            list(pool.map(fill_part, range(0, count, step)))

        source = TensorSource(plan(request), backend)
        return run

    return {
        cell(name, dtype): fill(spec, dtype)
        for name, spec in INITIALIZERS.items()
        for dtype in ITEM_BYTES
    }
