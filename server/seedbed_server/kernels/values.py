"""From many words to many values: the loops over the element functions, one for each distribution and dtype.

Each loop reads ``words`` and writes ``out`` of the same length; 16-bit floats are written as their bits. The parameters
come in arrays, because numba unpacks an array argument faster than a dozen scalars: of a uniform minval, width and
ceiling; of a normal step, low_edge, high_edge, remainder, lower, upper, mean and stddev.
"""

from typing import Any

from numba import uint16

from seedbed_server.kernels.intrinsics import prefer_wide_vectors
from seedbed_server.kernels.normal import normal_float32, normal_float64
from seedbed_server.kernels.rounding import bfloat16_bits, float16_bits
from seedbed_server.kernels.uniform import uniform_float32, uniform_float64


def uniform_float32_values(words: Any, params: Any, out: Any) -> None:
    """Fill a float32 array with uniform numbers."""
    prefer_wide_vectors()
    minval, width, ceiling = params[0], params[1], params[2]
    for i in range(words.size):
        out[i] = uniform_float32(words[i], minval, width, ceiling)


def uniform_float16_values(words: Any, params: Any, out: Any) -> None:
    """Fill a uint16 array with the bits of uniform float16 numbers."""
    prefer_wide_vectors()
    minval, width, ceiling = params[0], params[1], params[2]
    for i in range(words.size):
        out[i] = uint16(float16_bits(uniform_float32(words[i], minval, width, ceiling)))


def uniform_bfloat16_values(words: Any, params: Any, out: Any) -> None:
    """Fill a uint16 array with the bits of uniform bfloat16 numbers."""
    prefer_wide_vectors()
    minval, width, ceiling = params[0], params[1], params[2]
    for i in range(words.size):
        out[i] = uint16(bfloat16_bits(uniform_float32(words[i], minval, width, ceiling)))


def uniform_float64_values(words: Any, params: Any, out: Any) -> None:
    """Fill a float64 array with uniform numbers."""
    prefer_wide_vectors()
    minval, width, ceiling = params[0], params[1], params[2]
    for i in range(words.size):
        out[i] = uniform_float64(words[i], minval, width, ceiling)


def normal_float32_values(words: Any, split: Any, params: Any, out: Any) -> None:
    """Fill a float32 array with normal numbers."""
    prefer_wide_vectors()
    below, step, low, high = split[0], params[0], params[1], params[2]
    lower, upper, mean, stddev = params[4], params[5], params[6], params[7]
    for i in range(words.size):
        out[i] = normal_float32(words[i], below, step, low, high, lower, upper, mean, stddev)


def normal_float16_values(words: Any, split: Any, params: Any, out: Any) -> None:
    """Fill a uint16 array with the bits of normal float16 numbers."""
    prefer_wide_vectors()
    below, step, low, high = split[0], params[0], params[1], params[2]
    lower, upper, mean, stddev = params[4], params[5], params[6], params[7]
    for i in range(words.size):
        out[i] = uint16(float16_bits(normal_float32(words[i], below, step, low, high, lower, upper, mean, stddev)))


def normal_bfloat16_values(words: Any, split: Any, params: Any, out: Any) -> None:
    """Fill a uint16 array with the bits of normal bfloat16 numbers."""
    prefer_wide_vectors()
    below, step, low, high = split[0], params[0], params[1], params[2]
    lower, upper, mean, stddev = params[4], params[5], params[6], params[7]
    for i in range(words.size):
        out[i] = uint16(bfloat16_bits(normal_float32(words[i], below, step, low, high, lower, upper, mean, stddev)))


def normal_float64_values(words: Any, split: Any, params: Any, out: Any) -> None:
    """Fill a float64 array with normal numbers."""
    prefer_wide_vectors()
    below, step, low, high, remainder = split[0], params[0], params[1], params[2], params[3]
    lower, upper, mean, stddev = params[4], params[5], params[6], params[7]
    for i in range(words.size):
        out[i] = normal_float64(words[i], below, step, low, high, remainder, lower, upper, mean, stddev)
