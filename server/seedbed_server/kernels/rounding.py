"""Rounding of float32 to the 16-bit and 8-bit formats: to nearest, ties to even, in integers.

numba has no bfloat16 and little float16 on the processor, and a conversion instruction is not on
every machine; integers are. The results are the formats' bits as uint32, of which the lower 16 or 8
count.
"""

from typing import Any

import numpy as np
from numba import float32, njit, uint8, uint16, uint32, uint64

from seedbed_server.kernels.intrinsics import bits_of_float32, float32_of_bits, prefer_wide_vectors

FORMATS = ("float16", "bfloat16", "float8_e4m3fn", "float8_e5m2")
"""The narrow formats, by the numbers that :func:`write_rounded` knows them by."""

FLOAT16_INFINITY = 0x7C00
# Bits of 65536.0: from here on a float16 is infinite (65520 to 65536 round up to it by themselves).
FLOAT32_BITS_OF_65536 = 0x47800000
# Bits of 2**-14, the smallest normal float16.
FLOAT32_BITS_OF_SMALLEST_NORMAL = 0x38800000
# Adding 0.5 aligns a float32 below 2**-14 so that its last place is worth 2**-24, float16's
# smallest step: the addition itself rounds to nearest even.
FLOAT32_BITS_OF_HALF = 0x3F000000

# The formats of 8 bits are those of Micikevicius et al. 2022, arXiv:2209.05433. Both saturate: the
# largest finite numbers are 448, below the only NaN of e4m3fn, and 57344, below the infinity of
# e5m2.
E4M3FN_LARGEST = 0x7E
E5M2_LARGEST = 0x7B
# Bits of 2**-6, the smallest normal number of e4m3fn; that of e5m2 is float16's.
FLOAT32_BITS_OF_E4M3FN_NORMAL = 0x3C800000
# As with float16: next to 16384 the last place of a float32 is worth 2**-9, and next to 128 it is
# worth 2**-16.
FLOAT32_BITS_OF_16384 = 0x46800000
FLOAT32_BITS_OF_128 = 0x43000000


@njit(inline="always")
def bfloat16_bits(value: Any) -> Any:
    """Return the bits of the bfloat16 nearest to a finite float32."""
    bits = bits_of_float32(value)
    return uint32(
        uint32(bits + uint32(0x7FFF) + uint32(uint32(bits >> uint32(16)) & uint32(1))) >> uint32(16)
    )


@njit(inline="always")
def float16_bits(value: Any) -> Any:
    """Return the bits of the float16 nearest to a finite float32; infinity from 65520 on."""
    bits = bits_of_float32(value)
    sign = uint32(uint32(bits >> uint32(16)) & uint32(0x8000))
    magnitude = uint32(bits & uint32(0x7FFFFFFF))
    odd = uint32(uint32(magnitude >> uint32(13)) & uint32(1))
    # Rebias the exponent from 127 to 15 and round the 13 bits that go.
    normal = uint32(uint32(magnitude - uint32(0x37FFF001) + odd) >> uint32(13))
    aligned = bits_of_float32(float32_of_bits(magnitude) + float32(0.5))
    subnormal = uint32(aligned - uint32(FLOAT32_BITS_OF_HALF))
    small = magnitude < uint32(FLOAT32_BITS_OF_SMALLEST_NORMAL)
    large = magnitude >= uint32(FLOAT32_BITS_OF_65536)
    finite = subnormal if small else normal
    return uint32(sign | (uint32(FLOAT16_INFINITY) if large else finite))


@njit(inline="always")
def float8_e4m3fn_bits(value: Any) -> Any:
    """Return the bits of the float8_e4m3fn nearest to a float32; saturates at 448."""
    bits = bits_of_float32(value)
    sign = uint32(uint32(bits >> uint32(24)) & uint32(0x80))
    magnitude = uint32(bits & uint32(0x7FFFFFFF))
    odd = uint32(uint32(magnitude >> uint32(20)) & uint32(1))
    # Rebias the exponent from 127 to 7 and round the 20 bits that go.
    normal = uint32(uint32(magnitude - uint32(0x3BF80001) + odd) >> uint32(20))
    aligned = bits_of_float32(float32_of_bits(magnitude) + float32(16384.0))
    subnormal = uint32(aligned - uint32(FLOAT32_BITS_OF_16384))
    small = magnitude < uint32(FLOAT32_BITS_OF_E4M3FN_NORMAL)
    rounded = subnormal if small else normal
    return uint32(sign | (rounded if rounded < uint32(E4M3FN_LARGEST) else uint32(E4M3FN_LARGEST)))


@njit(inline="always")
def float8_e5m2_bits(value: Any) -> Any:
    """Return the bits of the float8_e5m2 nearest to a float32; saturates at 57344."""
    bits = bits_of_float32(value)
    sign = uint32(uint32(bits >> uint32(24)) & uint32(0x80))
    magnitude = uint32(bits & uint32(0x7FFFFFFF))
    odd = uint32(uint32(magnitude >> uint32(21)) & uint32(1))
    # Rebias the exponent from 127 to 15 and round the 21 bits that go.
    normal = uint32(uint32(magnitude - uint32(0x37F00001) + odd) >> uint32(21))
    aligned = bits_of_float32(float32_of_bits(magnitude) + float32(128.0))
    subnormal = uint32(aligned - uint32(FLOAT32_BITS_OF_128))
    small = magnitude < uint32(FLOAT32_BITS_OF_SMALLEST_NORMAL)
    rounded = subnormal if small else normal
    return uint32(sign | (rounded if rounded < uint32(E5M2_LARGEST) else uint32(E5M2_LARGEST)))


@njit(nogil=True)
def write_rounded(values: Any, number: Any, out: Any) -> Any:
    """Write float32 values in a narrow format, and return the number of bytes written.

    Args:
        values: float32 array, finite.
        number: of the format in :data:`FORMATS`.
        out: uint8 array, at any address, that receives the bits.
    """
    prefer_wide_vectors()
    size = uint64(values.size)
    halves = out[: out.size // 2 * 2].view(np.uint16)
    if number == 0:
        for i in range(size):
            halves[i] = uint16(float16_bits(values[i]))
    elif number == 1:
        for i in range(size):
            halves[i] = uint16(bfloat16_bits(values[i]))
    elif number == 2:
        for i in range(size):
            out[i] = uint8(float8_e4m3fn_bits(values[i]))
    else:
        for i in range(size):
            out[i] = uint8(float8_e5m2_bits(values[i]))
    return uint64(2) * size if number < 2 else size
