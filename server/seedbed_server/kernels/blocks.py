"""The work of one GPU thread: the elements that one Philox block feeds.

The CPU's loops (:mod:`seedbed_server.kernels.values`) draw many words and then turn them into
values. A GPU's thread draws the four words of one block, and writes the elements of its run that
take them. Both call the same element functions, so both give the same bits. Nothing here needs a
GPU: a block kernel is a function of its thread's number.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit, uint8, uint16, uint32, uint64
from numpy.typing import NDArray

from seedbed_server.kernels.normal import normal_float32, normal_float64
from seedbed_server.kernels.philox import block_words, word_of_lane
from seedbed_server.kernels.rounding import (
    bfloat16_bits,
    float8_e4m3fn_bits,
    float8_e5m2_bits,
    float16_bits,
)
from seedbed_server.kernels.uniform import uniform_float32, uniform_float64


def run_table(
    firsts: NDArray[np.uint64], counts: NDArray[np.uint64], elements_per_block: int
) -> tuple[NDArray[np.uint64], int]:
    """Return the table in which a launch's threads find their elements, and the number of threads.

    Args:
        firsts: the index of each run's first element in the whole tensor.
        counts: how many elements each run has; none has 0.
        elements_per_block: 4, or 2 for float64.

    Returns:
        A table with a row for each of: firsts; counts; how many elements come before a run; how
        many threads the runs up to and with this one have.
    """
    size = np.uint64(elements_per_block)
    blocks = (firsts + counts - np.uint64(1)) // size - firsts // size + np.uint64(1)
    ends = np.cumsum(blocks, dtype=np.uint64)
    before = np.cumsum(counts, dtype=np.uint64) - counts
    return np.stack((firsts, counts, before, ends)), int(ends[-1])


@njit(inline="always")
def run_of_thread(thread: Any, runs: Any) -> Any:
    """Return the run that a thread works on: the first one whose threads end beyond it."""
    low, high = uint64(0), uint64(runs.shape[1] - 1)
    while low < high:
        middle = (low + high) >> uint64(1)
        if thread < runs[3, middle]:
            high = middle
        else:
            low = middle + uint64(1)
    return low


@njit(inline="always")
def pair_of_words(words: Any, lane: Any) -> Any:
    """Return the 64-bit word of a block's first or second float64 element."""
    low = words[0] if lane == uint64(0) else words[2]
    high = words[1] if lane == uint64(0) else words[3]
    return uint64(low) | (uint64(high) << uint64(32))


# An element's value: from its block's words, its lane, and the parameters that
# seedbed_server.kernels.values lists. All take the same arguments, also those that they do not use.


@njit(inline="always")
def uniform_float32_value(words: Any, lane: Any, split: Any, params: Any) -> Any:
    """Return a uniform float32."""
    return uniform_float32(word_of_lane(words, lane), params[0], params[1], params[2])


@njit(inline="always")
def uniform_float16_value(words: Any, lane: Any, split: Any, params: Any) -> Any:
    """Return the bits of a uniform float16."""
    return uint16(
        float16_bits(uniform_float32(word_of_lane(words, lane), params[0], params[1], params[2]))
    )


@njit(inline="always")
def uniform_bfloat16_value(words: Any, lane: Any, split: Any, params: Any) -> Any:
    """Return the bits of a uniform bfloat16."""
    return uint16(
        bfloat16_bits(uniform_float32(word_of_lane(words, lane), params[0], params[1], params[2]))
    )


@njit(inline="always")
def uniform_float8_e4m3fn_value(words: Any, lane: Any, split: Any, params: Any) -> Any:
    """Return the bits of a uniform float8_e4m3fn."""
    return uint8(
        float8_e4m3fn_bits(
            uniform_float32(word_of_lane(words, lane), params[0], params[1], params[2])
        )
    )


@njit(inline="always")
def uniform_float8_e5m2_value(words: Any, lane: Any, split: Any, params: Any) -> Any:
    """Return the bits of a uniform float8_e5m2."""
    return uint8(
        float8_e5m2_bits(
            uniform_float32(word_of_lane(words, lane), params[0], params[1], params[2])
        )
    )


@njit(inline="always")
def uniform_float64_value(words: Any, lane: Any, split: Any, params: Any) -> Any:
    """Return a uniform float64."""
    return uniform_float64(pair_of_words(words, lane), params[0], params[1], params[2])


@njit(inline="always")
def normal_float32_value(words: Any, lane: Any, split: Any, params: Any) -> Any:
    """Return a normal float32."""
    return normal_float32(
        word_of_lane(words, lane),
        split,
        params[0],
        params[1],
        params[2],
        params[4],
        params[5],
        params[6],
        params[7],
    )


@njit(inline="always")
def normal_float16_value(words: Any, lane: Any, split: Any, params: Any) -> Any:
    """Return the bits of a normal float16."""
    return uint16(float16_bits(normal_float32_value(words, lane, split, params)))


@njit(inline="always")
def normal_bfloat16_value(words: Any, lane: Any, split: Any, params: Any) -> Any:
    """Return the bits of a normal bfloat16."""
    return uint16(bfloat16_bits(normal_float32_value(words, lane, split, params)))


@njit(inline="always")
def normal_float8_e4m3fn_value(words: Any, lane: Any, split: Any, params: Any) -> Any:
    """Return the bits of a normal float8_e4m3fn."""
    return uint8(float8_e4m3fn_bits(normal_float32_value(words, lane, split, params)))


@njit(inline="always")
def normal_float8_e5m2_value(words: Any, lane: Any, split: Any, params: Any) -> Any:
    """Return the bits of a normal float8_e5m2."""
    return uint8(float8_e5m2_bits(normal_float32_value(words, lane, split, params)))


@njit(inline="always")
def normal_float64_value(words: Any, lane: Any, split: Any, params: Any) -> Any:
    """Return a normal float64."""
    return normal_float64(
        pair_of_words(words, lane),
        split,
        params[0],
        params[1],
        params[2],
        params[3],
        params[4],
        params[5],
        params[6],
        params[7],
    )


@dataclass(frozen=True, slots=True)
class BlockKernel:
    """One kernel, before it is compiled for a device.

    ``body(thread, runs, key, split, params, out)`` writes the elements of one block:

    - thread: uint64, its number; :func:`run_table` says how many there are.
    - runs: the table, uint64.
    - key: four uint32.
    - split: a word (uint32, uint64 for float64), the number of words below the median; a uniform
      does not use it.
    - params: ``param_count`` numbers (float32, float64 for float64), as in
      :mod:`seedbed_server.kernels.values`.
    - out: the values of all elements of all runs, one after another; 16-bit and 8-bit floats as
      their bits.
    """

    name: str
    """Distribution and dtype, such as ``normal_bfloat16``."""
    body: Callable[..., None]
    elements_per_block: int
    param_count: int
    out: np.dtype[Any]
    """The type of the array ``out``."""

    @property
    def word(self) -> np.dtype[Any]:
        """The type of ``split``."""
        return np.dtype(np.uint64 if self.elements_per_block == 2 else np.uint32)

    @property
    def real(self) -> np.dtype[Any]:
        """The type of the parameters."""
        return np.dtype(np.float64 if self.elements_per_block == 2 else np.float32)


def _body(value: Any, elements_per_block: int) -> Callable[..., None]:
    size = uint64(elements_per_block)
    last = uint32(elements_per_block)

    @njit(inline="always")
    def write_block(thread: Any, runs: Any, key: Any, split: Any, params: Any, out: Any) -> None:
        run = run_of_thread(thread, runs)
        threads_before = runs[3, run - uint64(1)] if run > uint64(0) else uint64(0)
        first, count, before = runs[0, run], runs[1, run], runs[2, run]
        block = first // size + (thread - threads_before)
        words = block_words(block, key)
        for lane in range(last):
            # An element before the run's first one wraps around to beyond its count.
            place = block * size + uint64(lane) - first
            if place < count:
                out[before + place] = value(words, uint64(lane), split, params)

    return write_block


def _kernels() -> Iterator[BlockKernel]:
    eight, sixteen = np.dtype(np.uint8), np.dtype(np.uint16)
    single, double = np.dtype(np.float32), np.dtype(np.float64)
    for name, value, param_count, out in (
        ("uniform_float16", uniform_float16_value, 3, sixteen),
        ("uniform_bfloat16", uniform_bfloat16_value, 3, sixteen),
        ("uniform_float8_e4m3fn", uniform_float8_e4m3fn_value, 3, eight),
        ("uniform_float8_e5m2", uniform_float8_e5m2_value, 3, eight),
        ("uniform_float32", uniform_float32_value, 3, single),
        ("uniform_float64", uniform_float64_value, 3, double),
        ("normal_float16", normal_float16_value, 8, sixteen),
        ("normal_bfloat16", normal_bfloat16_value, 8, sixteen),
        ("normal_float8_e4m3fn", normal_float8_e4m3fn_value, 8, eight),
        ("normal_float8_e5m2", normal_float8_e5m2_value, 8, eight),
        ("normal_float32", normal_float32_value, 8, single),
        ("normal_float64", normal_float64_value, 8, double),
    ):
        elements_per_block = 16 // max(4, out.itemsize)
        yield BlockKernel(
            name, _body(value, elements_per_block), elements_per_block, param_count, out
        )


BLOCK_KERNELS = {kernel.name: kernel for kernel in _kernels()}
"""Every kernel by its name."""
