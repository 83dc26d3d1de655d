"""The GPU's kernels compile to the arithmetic that is written and no other; no GPU is needed.

ptxas, which makes machine code from PTX, may contract only a product and a sum without a rounding
mode. The bits are safe where no such pair is left.
"""

import re
from typing import Any

import numpy as np
import pytest
from numba import cuda, float32, types
from numba.cuda.datamodel import default_manager

from seedbed_server.backends import cuda_kernels
from seedbed_server.backends.cuda_kernels import machine_arguments
from seedbed_server.kernels.blocks import BLOCK_KERNELS, BlockKernel
from tests.ptx import CAPABILITIES, fmas_written, instructions, ptx_of, value_of
from tests.stub_cupy import Array, Libraries

# What may happen to a floating-point number. Not in it: .approx, .full and .ftz, calls, and
# conversions between floats.
ALLOWED = re.compile(
    r"((add|sub|mul|neg|abs|min|max|selp|mov)|(fma|div|sqrt)\.rn|setp\.\w+|(ld|st)\.\w+)\.f(32|64)"
    r"|cvt\.rn\.f(32|64)\.[su](32|64)"
)
each_kernel = pytest.mark.parametrize(
    "kernel", BLOCK_KERNELS.values(), ids=lambda kernel: kernel.name
)
each_capability = pytest.mark.parametrize(
    "capability", CAPABILITIES, ids=lambda cc: f"sm_{cc[0]}{cc[1]}"
)


def sums_of_products(ptx: str) -> list[str]:
    """Return the additions of products, also of negated or selected ones."""
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


@each_capability
@each_kernel
def test_a_gpu_computes_what_is_written(kernel: BlockKernel, capability: tuple[int, int]) -> None:
    ptx = ptx_of(kernel, capability)
    operations = [operation for operation, _ in instructions(ptx)]
    assert f".target sm_{capability[0]}{capability[1]}" in ptx
    # The element function is there once for each lane, with as many fma's as it was written with.
    fmas = sum(operation.startswith("fma.") for operation in operations)
    assert fmas == kernel.elements_per_block * fmas_written(value_of(kernel))
    assert sums_of_products(ptx) == []
    on_floats = {
        operation
        for operation in operations
        if re.search(r"\.f(16|32|64)|approx|full|ftz", operation)
    }
    assert {operation for operation in on_floats if not ALLOWED.fullmatch(operation)} == set()
    assert [operation for operation in operations if operation.startswith("call")] == []


@each_capability
@each_kernel
def test_a_kernel_has_all_it_works_with_in_registers(
    kernel: BlockKernel, capability: tuple[int, int]
) -> None:
    ptx = ptx_of(kernel, capability)
    assert ptx.count(".visible .entry") == 1
    # Tables would be copied into constant memory once for each place a function is inlined.
    assert ".const" not in ptx
    assert ".local" not in ptx
    assert ".shared" not in ptx
    assert ".func" not in ptx


@pytest.mark.parametrize("name", ["uniform_float32", "normal_float64"])
def test_the_ptx_that_is_checked_is_that_of_the_machine_code(name: str) -> None:
    kernel, capability = BLOCK_KERNELS[name], CAPABILITIES[2]
    assert ptx_of(kernel, capability) == cuda_kernels.ptx_of(kernel, capability)


@each_kernel
def test_a_kernel_takes_the_numbers_that_a_launch_passes(kernel: BlockKernel) -> None:
    runs, out = np.zeros((4, 2), np.uint64), np.zeros(9, kernel.out)
    numbers = machine_arguments(
        (
            np.uint64(1),
            Array(Libraries(), runs),
            (np.uint32(0),) * 4,
            kernel.word.type(0),
            (kernel.real.type(0),) * kernel.param_count,
            Array(Libraries(), out),
        )
    )
    taken = re.findall(r"\.param \.([uf])(\d+) ", ptx_of(kernel, CAPABILITIES[0]))
    assert taken == [
        ("f" if number.dtype.kind == "f" else "u", str(8 * number.itemsize)) for number in numbers
    ]


def test_numba_cudas_record_of_an_array_is_what_a_launch_passes() -> None:
    fields = default_manager.lookup(types.Array(types.uint64, 2, "C"))._fields
    assert fields == ("meminfo", "parent", "nitems", "itemsize", "data", "shape", "strides")
    array = np.zeros((4, 3), np.uint64)
    pointer = array.__array_interface__["data"][0]
    passed = [int(number) for number in machine_arguments([Array(Libraries(), array)])]
    assert passed == [0, 0, 12, 8, pointer, 4, 3, 24, 8]


def test_the_number_of_written_fmas_is_that_of_the_contract() -> None:
    written = {name: fmas_written(value_of(kernel)) for name, kernel in BLOCK_KERNELS.items()}
    assert written == {
        "uniform_float16": 1,
        "uniform_bfloat16": 1,
        "uniform_float8_e4m3fn": 1,
        "uniform_float8_e5m2": 1,
        "uniform_float32": 1,
        "uniform_float64": 1,
        "normal_float16": 28,
        "normal_bfloat16": 28,
        "normal_float8_e4m3fn": 28,
        "normal_float8_e5m2": 28,
        "normal_float32": 28,
        "normal_float64": 57,
    }


def test_a_product_that_feeds_an_addition_would_be_contracted() -> None:
    def contractible(values: Any, out: Any) -> None:
        out[0] = values[0] * values[1] + values[2]

    ptx, _ = cuda.compile_ptx(contractible, (float32[::1], float32[::1]), cc=(9, 0))
    assert sum(operation.startswith("fma.") for operation, _ in instructions(ptx)) == 1


def test_a_product_that_feeds_an_addition_would_be_found() -> None:
    apart = "mul.f32 %f3, %f1, %f2;\nneg.f32 %f4, %f3;\nadd.f32 %f5, %f1, %f4;"
    fused = "mul.f32 %f3, %f1, %f2;\nfma.rn.f32 %f4, %f1, %f2, %f3;\nadd.f32 %f5, %f1, %f4;"
    assert sums_of_products(apart) == ["add.f32 %f5, %f1, %f4"]
    assert sums_of_products(fused) == []
