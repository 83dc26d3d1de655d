"""The element functions by themselves, for the device and for the processor.

Philox gives words that nobody chooses; here every word has its turn.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit, types, uint8, uint16, uint32, uint64
from numba.np.numpy_support import from_dtype

from seedbed.spec.dtypes import Dtype
from seedbed_server.backends.cpu import normal_params, uniform_params
from seedbed_server.backends.rules import Normal, Uniform
from seedbed_server.kernels.blocks import BlockKernel
from seedbed_server.kernels.intrinsics import float32_of_bits
from seedbed_server.kernels.normal import normal_float32, normal_float64
from seedbed_server.kernels.rounding import (
    bfloat16_bits,
    float8_e4m3fn_bits,
    float8_e5m2_bits,
    float16_bits,
)
from seedbed_server.kernels.uniform import uniform_float32, uniform_float64

RULES: dict[str, Uniform | Normal] = {
    "uniform": Uniform(-1.0, 3.0),
    "normal": Normal(0.1, 2.0),
    "truncated normal": Normal(0.0, 1.0, -1.0, 2.5),
}
WORDS_32 = 2**32
WORDS_64 = 2**30


@dataclass(frozen=True, slots=True)
class ElementKernel:
    """One element function, with its parameters."""

    kernel: BlockKernel
    """For the device: thread ``i`` writes the value of word number ``runs[0, 0] + i``."""
    loop: Callable[..., None]
    """For the processor, not compiled: ``(first, split, params, out)`` does that."""
    split: np.generic
    params: tuple[np.generic, ...]
    words: int
    """How many words there are to try."""

    def compiled(self) -> Callable[..., None]:
        """Return the processor's loop, compiled; it runs without Python's global lock."""
        signature = (
            types.uint64,
            from_dtype(self.kernel.word),
            types.UniTuple(from_dtype(self.kernel.real), self.kernel.param_count),
            types.Array(from_dtype(self.kernel.out), 1, "C"),
        )
        compiled: Callable[..., None] = njit(signature, nogil=True, error_model="numpy")(self.loop)
        return compiled


# All take the same arguments, also those that they do not use.


@njit(inline="always")
def every_word(number: Any, split: Any) -> Any:
    """Return a 32-bit word: its number."""
    return uint32(number)


@njit(inline="always")
def spread_word(number: Any, split: Any) -> Any:
    """Return a 64-bit word: spread over all, near both ends, and next to the median."""
    # An odd multiple goes through all of them; this one, 2**64 over the golden ratio, evenly.
    index = uint64(number >> uint64(2))
    spread = uint64(index * uint64(0x9E3779B97F4A7C15))
    small = uint64(spread >> uint64(index & uint64(63)))
    kind = uint64(number & uint64(3))
    near = uint64(split + small) if index & uint64(64) else uint64(split - small)
    end = small if kind == uint64(1) else uint64(~small)
    other = near if kind == uint64(3) else end
    return spread if kind == uint64(0) else other


@njit(inline="always")
def uniform32(word: Any, split: Any, p: Any) -> Any:
    """Return a uniform float32."""
    minval, width, ceiling = p
    return uniform_float32(word, minval, width, ceiling)


@njit(inline="always")
def normal32(word: Any, split: Any, p: Any) -> Any:
    """Return a normal float32."""
    step, low, high, _, lower, upper, mean, stddev = p
    return normal_float32(word, split, step, low, high, lower, upper, mean, stddev)


@njit(inline="always")
def uniform64(word: Any, split: Any, p: Any) -> Any:
    """Return a uniform float64."""
    minval, width, ceiling = p
    return uniform_float64(word, minval, width, ceiling)


@njit(inline="always")
def normal64(word: Any, split: Any, p: Any) -> Any:
    """Return a normal float64."""
    step, low, high, rest, lower, upper, mean, stddev = p
    return normal_float64(word, split, step, low, high, rest, lower, upper, mean, stddev)


@njit(inline="always")
def to_float16(word: Any, split: Any, p: Any) -> Any:
    """Return the float16 nearest to the float32 with these bits."""
    return uint16(float16_bits(float32_of_bits(word)))


@njit(inline="always")
def to_bfloat16(word: Any, split: Any, p: Any) -> Any:
    """Return the bfloat16 nearest to the float32 with these bits."""
    return uint16(bfloat16_bits(float32_of_bits(word)))


@njit(inline="always")
def to_float8_e4m3fn(word: Any, split: Any, p: Any) -> Any:
    """Return the float8_e4m3fn nearest to the float32 with these bits."""
    return uint8(float8_e4m3fn_bits(float32_of_bits(word)))


@njit(inline="always")
def to_float8_e5m2(word: Any, split: Any, p: Any) -> Any:
    """Return the float8_e5m2 nearest to the float32 with these bits."""
    return uint8(float8_e5m2_bits(float32_of_bits(word)))


def _element_kernel(
    name: str, value: Any, out: np.dtype[Any], split: np.generic, params: tuple[Any, ...]
) -> ElementKernel:
    # Those of float64 take words of 64 bits, too many for each to have its turn.
    is_wide = isinstance(params[0], np.float64)
    word: Any = spread_word if is_wide else every_word

    @njit(inline="always")
    def write_element(thread: Any, runs: Any, key: Any, split: Any, params: Any, out: Any) -> None:
        out[thread] = value(word(runs[0, 0] + thread, split), split, params)

    def loop(first: Any, split: Any, params: Any, out: Any) -> None:
        for i in range(uint64(out.size)):
            out[i] = value(word(first + uint64(i), split), split, params)

    kernel = BlockKernel(name, write_element, 2 if is_wide else 4, len(params), out)
    return ElementKernel(kernel, loop, split, params, WORDS_64 if is_wide else WORDS_32)


def _element_kernels() -> Iterator[ElementKernel]:
    for dtype, uniform, normal in (
        (Dtype.FLOAT32, uniform32, normal32),
        (Dtype.FLOAT64, uniform64, normal64),
    ):
        for name, rule in RULES.items():
            if isinstance(rule, Uniform):
                params = uniform_params(rule, dtype)
                split: Any = (np.uint64 if dtype is Dtype.FLOAT64 else np.uint32)(0)
            else:
                split, params = normal_params(rule, dtype)
            value = uniform if isinstance(rule, Uniform) else normal
            yield _element_kernel(f"{name} {dtype.value}", value, dtype.numpy, split, params)
    for to_name, to, out in (
        ("float16", to_float16, np.uint16),
        ("bfloat16", to_bfloat16, np.uint16),
        ("float8_e4m3fn", to_float8_e4m3fn, np.uint8),
        ("float8_e5m2", to_float8_e5m2, np.uint8),
    ):
        unused = (np.float32(0),)
        yield _element_kernel(f"rounding to {to_name}", to, np.dtype(out), np.uint32(0), unused)


ELEMENT_KERNELS = {element.kernel.name: element for element in _element_kernels()}
"""Every element function by the name of its check."""
