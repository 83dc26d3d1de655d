"""Uniform numbers on [minval, maxval) from words."""

from typing import Any

from numba import float32, float64, int32, int64, njit, uint32, uint64

from seedbed_server.kernels.intrinsics import fma


@njit(inline="always")
def uniform_float32(word: Any, minval: Any, width: Any, ceiling: Any) -> Any:
    """Return ``min(fma(u, width, minval), ceiling)`` for the u in [0, 1) that a 32-bit word gives.

    u is the word's upper 24 bits * 2**-24. ``ceiling`` is the largest float32 below maxval, which
    rounding could otherwise reach.
    """
    unit = float32(int32(word >> uint32(8))) * float32(2.0**-24)
    value = fma(unit, width, minval)
    return value if value < ceiling else ceiling


@njit(inline="always")
def uniform_float64(word: Any, minval: Any, width: Any, ceiling: Any) -> Any:
    """Return the same from a 64-bit word: u = its upper 53 bits * 2**-53, in [0, 1)."""
    unit = float64(int64(word >> uint64(11))) * float64(2.0**-53)
    value = fma(unit, width, minval)
    return value if value < ceiling else ceiling
