"""numpy's fastest bit generator, with one generator and one part of the memory for each thread.

It samples float32 and float64; the 16-bit dtypes are cast from float32 in blocks that stay in the
processor's cache. Neither range nor standard deviation is applied, which is in its favour. It has
no truncated normal.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.names import cell
from benchmarks.work import Action

BLOCK_ELEMENTS = 2**15

Fill = Callable[[np.random.Generator, NDArray[Any]], None]


def actions(*, size_bytes: int, threads: int) -> dict[str, Action]:
    """Return what fills memory with each distribution in each dtype."""
    pool = ThreadPoolExecutor(threads)
    generators = [np.random.Generator(np.random.SFC64(index)) for index in range(threads)]
    out = np.ones(size_bytes, np.uint8)

    def on_threads(fill: Fill, dtype: Any) -> Action:
        parts = np.array_split(out.view(dtype), threads)

        def run() -> None:
            list(pool.map(fill, generators, parts))

        return run

    fills = {"uniform": uniform, "normal": normal}
    direct = {
        cell(name, dtype): on_threads(fill, np.dtype(dtype))
        for name, fill in fills.items()
        for dtype in ("float32", "float64")
    }
    narrow = {"bfloat16": np.dtype(ml_dtypes.bfloat16), "float16": np.dtype(np.float16)}
    cast = {
        cell(name, dtype): on_threads(_cast(fill), narrow[dtype])
        for name, fill in fills.items()
        for dtype in narrow
    }
    return {**direct, **cast}


def uniform(generator: np.random.Generator, out: NDArray[Any]) -> None:
    """Fill an array on [0, 1)."""
    generator.random(out=out, dtype=out.dtype.type)


def normal(generator: np.random.Generator, out: NDArray[Any]) -> None:
    """Fill an array with the standard normal."""
    generator.standard_normal(out=out, dtype=out.dtype.type)


def _cast(fill: Fill) -> Fill:
    def fill_narrow(generator: np.random.Generator, out: NDArray[Any]) -> None:
        wide = np.empty(BLOCK_ELEMENTS, np.float32)
        for block in _blocks(out):
            fill(generator, wide[: block.size])
            np.copyto(block, wide[: block.size], casting="unsafe")

    return fill_narrow


def _blocks(out: NDArray[Any]) -> Iterator[NDArray[Any]]:
    for begin in range(0, out.size, BLOCK_ELEMENTS):
        yield out[begin : begin + BLOCK_ELEMENTS]
