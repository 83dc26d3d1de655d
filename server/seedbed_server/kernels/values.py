"""The loops over the element functions, one for each distribution and width.

Each loop draws a tile of words, which stays in the processor's cache, turns it into values, and
goes on. Words and values are separate loops because LLVM vectorizes each of them well, and both
together badly. Narrow floats, of 16 and 8 bits, are float32 values that a third loop rounds; they
are written as their bits. The parameters come in a tuple: minval, width and ceiling for a uniform;
step, low_edge, high_edge, remainder, lower, upper, mean and stddev for a normal.
"""

from typing import Any

import numpy as np
from numba import uint64

from seedbed_server.kernels.intrinsics import prefer_wide_vectors
from seedbed_server.kernels.normal import (
    CENTRAL_HALF_WIDTH,
    central_quantile_float64,
    normal_float32,
    place_float64,
    scaled_float64,
    tail_quantile_float64,
)
from seedbed_server.kernels.philox import next_words
from seedbed_server.kernels.rounding import write_rounded
from seedbed_server.kernels.uniform import uniform_float32, uniform_float64

TILE_WORDS = 4096
"""Words drawn at a time: 16 KiB, half of a first-level cache. No part of the contract."""

# Arguments of every kernel: firsts and counts of the runs (uint64), the key, the word below which
# the median lies (normal only), the parameters, the format (narrow floats only: its place in
# rounding.FORMATS), and the values' array.


def uniform_float32_values(firsts: Any, counts: Any, key: Any, params: Any, out: Any) -> None:
    """Fill a float32 array with uniform numbers."""
    prefer_wide_vectors()
    minval, width, ceiling = params
    words = np.empty(TILE_WORDS, np.uint32)
    at = run = done = uint64(0)
    while at < uint64(out.size):
        size, run, done = next_words(firsts, counts, uint64(1), run, done, key, words)
        tile = out[at : at + size]
        for i in range(size):
            tile[i] = uniform_float32(words[i], minval, width, ceiling)
        at += size


def uniform_narrow_values(
    firsts: Any, counts: Any, key: Any, params: Any, number: Any, out: Any
) -> None:
    """Fill an array of bytes with uniform numbers of a narrow format."""
    prefer_wide_vectors()
    minval, width, ceiling = params
    words = np.empty(TILE_WORDS, np.uint32)
    values = np.empty(TILE_WORDS, np.float32)
    at = run = done = uint64(0)
    while at < uint64(out.size):
        size, run, done = next_words(firsts, counts, uint64(1), run, done, key, words)
        for i in range(size):
            values[i] = uniform_float32(words[i], minval, width, ceiling)
        at += write_rounded(values[:size], number, out[at:])


def uniform_float64_values(firsts: Any, counts: Any, key: Any, params: Any, out: Any) -> None:
    """Fill a float64 array with uniform numbers."""
    prefer_wide_vectors()
    minval, width, ceiling = params
    words = np.empty(2 * TILE_WORDS, np.uint32)
    pairs = words.view(np.uint64)
    at = run = done = uint64(0)
    while at < uint64(out.size):
        size, run, done = next_words(firsts, counts, uint64(2), run, done, key, words)
        size //= uint64(2)
        tile = out[at : at + size]
        for i in range(size):
            tile[i] = uniform_float64(pairs[i], minval, width, ceiling)
        at += size


def normal_float32_values(
    firsts: Any, counts: Any, key: Any, split: Any, params: Any, out: Any
) -> None:
    """Fill a float32 array with normal numbers."""
    prefer_wide_vectors()
    step, low, high, _, lower, upper, mean, stddev = params
    words = np.empty(TILE_WORDS, np.uint32)
    at = run = done = uint64(0)
    while at < uint64(out.size):
        size, run, done = next_words(firsts, counts, uint64(1), run, done, key, words)
        tile = out[at : at + size]
        for i in range(size):
            tile[i] = normal_float32(words[i], split, step, low, high, lower, upper, mean, stddev)
        at += size


def normal_narrow_values(
    firsts: Any, counts: Any, key: Any, split: Any, params: Any, number: Any, out: Any
) -> None:
    """Fill an array of bytes with normal numbers of a narrow format."""
    prefer_wide_vectors()
    step, low, high, _, lower, upper, mean, stddev = params
    words = np.empty(TILE_WORDS, np.uint32)
    values = np.empty(TILE_WORDS, np.float32)
    at = run = done = uint64(0)
    while at < uint64(out.size):
        size, run, done = next_words(firsts, counts, uint64(1), run, done, key, words)
        for i in range(size):
            values[i] = normal_float32(words[i], split, step, low, high, lower, upper, mean, stddev)
        at += write_rounded(values[:size], number, out[at:])


def normal_float64_values(
    firsts: Any, counts: Any, key: Any, split: Any, params: Any, out: Any
) -> None:
    """Fill a float64 array with normal numbers.

    The middle and the tails are two formulas, which LLVM vectorizes only apart: all elements get
    that of the middle, and those in a tail are then gathered, computed and put in their places.
    """
    prefer_wide_vectors()
    step, low, high, remainder, lower, upper, mean, stddev = params
    words = np.empty(2 * TILE_WORDS, np.uint32)
    pairs = words.view(np.uint64)
    in_tail = np.empty(TILE_WORDS, np.uint8)
    outer = np.empty(TILE_WORDS, np.uint64)
    places = np.empty(TILE_WORDS, np.uint32)
    values = np.empty(TILE_WORDS, np.float64)
    at = run = done = uint64(0)
    while at < uint64(out.size):
        size, run, done = next_words(firsts, counts, uint64(2), run, done, key, words)
        size //= uint64(2)
        tile = out[at : at + size]
        for i in range(size):
            below, _, middle = place_float64(pairs[i], split, step, low, high, remainder)
            tile[i] = scaled_float64(
                central_quantile_float64(middle), below, lower, upper, mean, stddev
            )
            in_tail[i] = middle > CENTRAL_HALF_WIDTH
        count = uint64(0)
        for i in range(size):
            outer[count] = pairs[i]
            places[count] = i
            count += uint64(in_tail[i])
        for j in range(count):
            below, tail, _ = place_float64(outer[j], split, step, low, high, remainder)
            values[j] = scaled_float64(
                tail_quantile_float64(tail), below, lower, upper, mean, stddev
            )
        for j in range(count):
            tile[places[j]] = values[j]
        at += size
