"""The element functions compile for the GPU too, to the arithmetic that is written and no other; no GPU is needed.

ptxas, which makes machine code from PTX, may contract only a product and a sum without a rounding mode. The bits
are safe where no such pair is left.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from numba import cuda, float32, float64, uint32, uint64

from seedbed_server.kernels.normal import normal_float32, normal_float64
from seedbed_server.kernels.philox import block_words
from seedbed_server.kernels.rounding import bfloat16_bits, float16_bits
from seedbed_server.kernels.uniform import uniform_float32, uniform_float64

CAPABILITIES = [(7, 5), (8, 0), (9, 0), (10, 0)]

# What may happen to a floating-point number. Not in it: .approx, .full and .ftz, calls, and conversions between floats.
ALLOWED = re.compile(
    r"((add|sub|mul|neg|abs|min|max|selp|mov)|(fma|div|sqrt)\.rn|setp\.\w+|(ld|st)\.\w+)\.f(32|64)"
    r"|cvt\.rn\.f(32|64)\.[su](32|64)"
)
INSTRUCTION = re.compile(r"^\s*(?:@!?%\w+\s+)?([a-z][\w.]*)\s+(.*);$", re.MULTILINE)


def philox(key: Any, out: Any) -> None:
    block = cuda.grid(1)
    words = block_words(uint64(block), key)
    for lane in range(4):
        out[4 * block + lane] = words[lane]


def uniform_32(words: Any, params: Any, out: Any) -> None:
    i = cuda.grid(1)
    out[i] = uniform_float32(words[i], params[0], params[1], params[2])


def uniform_64(words: Any, params: Any, out: Any) -> None:
    i = cuda.grid(1)
    out[i] = uniform_float64(words[i], params[0], params[1], params[2])


def normal_32(words: Any, split: Any, params: Any, out: Any) -> None:
    i = cuda.grid(1)
    out[i] = normal_float32(
        words[i], split[0], params[0], params[1], params[2], params[4], params[5], params[6], params[7]
    )


def normal_64(words: Any, split: Any, params: Any, out: Any) -> None:
    i = cuda.grid(1)
    out[i] = normal_float64(
        words[i], split[0], params[0], params[1], params[2], params[3], params[4], params[5], params[6], params[7]
    )


def to_bfloat16(values: Any, out: Any) -> None:
    i = cuda.grid(1)
    out[i] = bfloat16_bits(values[i])


def to_float16(values: Any, out: Any) -> None:
    i = cuda.grid(1)
    out[i] = float16_bits(values[i])


@dataclass(frozen=True)
class Case:
    """One element function in a kernel of its own."""

    kernel: Callable[..., None]
    element: Any
    signature: tuple[Any, ...]


CASES = [
    Case(philox, block_words, (uint32[::1], uint32[::1])),
    Case(uniform_32, uniform_float32, (uint32[::1], float32[::1], float32[::1])),
    Case(uniform_64, uniform_float64, (uint64[::1], float64[::1], float64[::1])),
    Case(normal_32, normal_float32, (uint32[::1], uint32[::1], float32[::1], float32[::1])),
    Case(normal_64, normal_float64, (uint64[::1], uint64[::1], float64[::1], float64[::1])),
    Case(to_bfloat16, bfloat16_bits, (float32[::1], uint32[::1])),
    Case(to_float16, float16_bits, (float32[::1], uint32[::1])),
]


def fmas_written(element: Any) -> int:
    """Count the fma's in the source of an element function and of those that it calls, a call at a time."""
    function = element.py_func
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    calls = [node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    callees = (function.__globals__.get(name) for name in calls)
    return calls.count("fma") + sum(fmas_written(callee) for callee in callees if hasattr(callee, "py_func"))


def instructions(ptx: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the operation and the operands of every instruction."""
    for operation, operands in INSTRUCTION.findall(ptx):
        yield operation, [operand.strip() for operand in operands.split(",")]


def sums_of_products(ptx: str) -> list[str]:
    """Return the additions of a number that a multiplication made, also by way of a negation or a selection."""
    products: set[str] = set()
    found = []
    for operation, (result, *sources) in instructions(ptx):
        if not operation.endswith((".f32", ".f64")):
            continue
        name = operation.split(".", 1)[0]
        of_product = not products.isdisjoint(sources)
        if name in {"add", "sub"} and of_product:
            found.append(f"{operation} {result}, {', '.join(sources)}")
        if name == "mul" or (name in {"neg", "abs", "mov", "selp"} and of_product):
            products.add(result)
    return found


def compile_for(kernel: Callable[..., None], signature: tuple[Any, ...], capability: tuple[int, int]) -> str:
    ptx, _ = cuda.compile_ptx(kernel, signature, cc=capability)
    return str(ptx)


@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda cc: f"sm_{cc[0]}{cc[1]}")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kernel.__name__)
def test_a_gpu_computes_what_is_written(case: Case, capability: tuple[int, int]) -> None:
    ptx = compile_for(case.kernel, case.signature, capability)
    operations = [operation for operation, _ in instructions(ptx)]
    assert f".target sm_{capability[0]}{capability[1]}" in ptx
    assert sum(operation.startswith("fma.") for operation in operations) == fmas_written(case.element)
    assert sums_of_products(ptx) == []
    on_floats = {operation for operation in operations if re.search(r"\.f(16|32|64)|approx|ftz|call", operation)}
    assert {operation for operation in on_floats if not ALLOWED.fullmatch(operation)} == set()
    # Tables would be copied into constant memory once for each place a function is inlined.
    assert ".const" not in ptx


def test_the_number_of_written_fmas_is_that_of_the_contract() -> None:
    written = {case.kernel.__name__: fmas_written(case.element) for case in CASES}
    assert written == {
        "philox": 0,
        "uniform_32": 1,
        "uniform_64": 1,
        "normal_32": 28,
        "normal_64": 57,
        "to_bfloat16": 0,
        "to_float16": 0,
    }


def test_a_product_that_feeds_an_addition_would_be_contracted() -> None:
    def contractible(values: Any, out: Any) -> None:
        out[0] = values[0] * values[1] + values[2]

    ptx = compile_for(contractible, (float32[::1], float32[::1]), (9, 0))
    assert sum(operation.startswith("fma.") for operation, _ in instructions(ptx)) == 1


def test_a_product_that_feeds_an_addition_would_be_found() -> None:
    apart = "mul.f32 %f3, %f1, %f2;\nneg.f32 %f4, %f3;\nadd.f32 %f5, %f1, %f4;"
    fused = "mul.f32 %f3, %f1, %f2;\nfma.rn.f32 %f4, %f1, %f2, %f3;\nadd.f32 %f5, %f1, %f4;"
    assert sums_of_products(apart) == ["add.f32 %f5, %f1, %f4"]
    assert sums_of_products(fused) == []
