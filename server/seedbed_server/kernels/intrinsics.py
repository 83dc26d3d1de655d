"""Instructions that Python lacks: fused multiply-add, the bits of a float, the vector width."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

# numba hands typed values to an intrinsic's code generator; neither numba nor llvmlite has
# annotations.


@intrinsic
def fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """Return ``a * b + c``, rounded once (IEEE 754 fusedMultiplyAdd); all of one float type."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fma(*args)

    return a(a, a, a), codegen


@intrinsic
def bits_of_float32(typingctx: Any, value: Any) -> Any:
    """Return the 32 bits of a float32 as a uint32."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(32))

    return types.uint32(types.float32), codegen


@intrinsic
def float32_of_bits(typingctx: Any, bits: Any) -> Any:
    """Return the float32 that has these 32 bits."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.uint32), codegen


@intrinsic
def bits_of_float64(typingctx: Any, value: Any) -> Any:
    """Return the 64 bits of a float64 as a uint64."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(64))

    return types.uint64(types.float64), codegen


@intrinsic
def float64_of_bits(typingctx: Any, bits: Any) -> Any:
    """Return the float64 that has these 64 bits."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.uint64), codegen


@intrinsic
def prefer_wide_vectors(typingctx: Any) -> Any:
    """Let the calling kernel use 512-bit vectors where the processor has them; changes no result.

    LLVM stays at 256 bits on server processors of the Skylake family by default. The long
    polynomial of the normal kernel runs 1.7 times as fast with 512 (measured on Cascade Lake). A
    processor without AVX-512 ignores the attribute.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        # llvmlite knows only LLVM's keyword attributes; this one is a string pair, so the set is
        # extended past that check.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.none(), codegen
