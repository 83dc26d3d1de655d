"""The machine code that is kept for GPUs computes what its PTX says; no GPU is needed.

test_ptx.py reads the PTX. What makes machine code of it could still contract products and sums,
approximate, or spill. Only a division and a square root become sequences of instructions; what
those consist of is seen where one stands alone.
"""

import functools
import re
from collections import Counter
from collections.abc import Iterable

import pytest

from seedbed_server.backends.cuda_kernels import (
    Capability,
    assembled,
    entry_name,
    kept_machine_code,
)
from seedbed_server.kernels.blocks import BLOCK_KERNELS, BlockKernel
from tests.ptx import instructions, ptx_of
from tools import write_gpu_table
from tools.machine_code import Instruction, Usage, instructions_of, usage_of
from tools.write_gpu_table import CAPABILITIES

each_kernel = pytest.mark.parametrize(
    "kernel", BLOCK_KERNELS.values(), ids=lambda kernel: kernel.name
)
each_capability = pytest.mark.parametrize(
    "capability", CAPABILITIES, ids=lambda capability: "sm_{}{}".format(*capability)
)

# An instruction for each of PTX's.
SINGLE = {
    f"{name}.f{bits}": letter + operation
    for bits, letter in (("32", "F"), ("64", "D"))
    for name, operation in (("fma.rn", "FMA"), ("mul", "MUL"), ("add", "ADD"), ("sub", "ADD"))
}
SEQUENCES = ("div.rn.f32", "div.rn.f64", "sqrt.rn.f32", "sqrt.rn.f64")
# Instructions that round, approximate or leave the function.
COUNTED = re.compile(r"[FD](FMA|MUL|ADD)\b|MUFU|FCHK|CALL")
# All others on floating-point numbers, and those of them that select, compare, or convert an
# integer to the nearest number.
ON_FLOATS = re.compile(r"[FDH](FMA|MUL|ADD|SET|SEL|MNMX|MMA|RND|SWZ)|[IF]2[IF]")
EXACT = re.compile(
    r"FSEL|FMNMX|[FD]SETP\.(GT|GEU?|GTU|LT|LE|NEU?|EQ|MIN|MAX)\.AND"
    r"|I2FP?(\.F(32|64))?(\.[US](32|64))?"
)
SUBROUTINE = re.compile(r"__cuda_sm\d+_(div|d?sqrt)_rn_\w+")


def written(ptx: str, capability: Capability) -> Counter[str]:
    """Return how many instructions of each counted kind PTX stands for."""
    found: Counter[str] = Counter()
    for operation, _ in instructions(ptx):
        if operation in SINGLE:
            found[SINGLE[operation]] += 1
        elif operation in SEQUENCES:
            found += sequence(operation, capability)
    return found


@functools.cache
def sequence(operation: str, capability: Capability) -> Counter[str]:
    """Return what a division or a square root consists of."""
    operands = "%a, %a, %b" if operation.startswith("div") else "%a, %a"
    return counted(alone(f"{operation} {operands};", capability))


def counted(code: Iterable[Instruction]) -> Counter[str]:
    """Return how many instructions there are of each counted kind."""
    return Counter(
        each.operation for each in code if COUNTED.match(each.operation) and not is_copy(each)
    )


def inexact(code: Iterable[Instruction]) -> set[str]:
    """Return the operations on floating-point numbers that are neither counted nor exact."""
    return {
        each.operation
        for each in code
        if ON_FLOATS.match(each.operation)
        and not (COUNTED.match(each.operation) or EXACT.fullmatch(each.operation) or is_copy(each))
    }


def is_copy(instruction: Instruction) -> bool:
    """Return whether a number stays as it is, but for its sign, or is a constant.

    -0 may be added to any number. A constant is made by adding two 16-bit halves to nothing.
    """
    adds_nothing = instruction.operation in {"FADD", "DADD"} and "-RZ" in instruction.operands
    is_constant = re.fullmatch(r"HFMA2(\.MMA)?", instruction.operation) is not None
    return adds_nothing or (is_constant and ", -RZ, RZ, " in instruction.operands)


def alone(lines: str, capability: Capability) -> list[Instruction]:
    """Return the machine code for PTX that works on %a and %b."""
    return instructions_of(assembled([kernel_around(lines)], capability))["alone"]


def kernel_around(lines: str) -> str:
    """Return PTX of a kernel that works on two numbers."""
    kind = "f64" if "f64" in lines else "f32"
    return f"""
.version 8.0
.target sm_80
.address_size 64
.visible .entry alone(.param .u64 numbers) {{
    .reg .u64 %numbers, %place;
    .reg .u32 %thread;
    .reg .b16 %half;
    .reg .{kind} %a, %b;
    .local .align 8 .b8 memory[64];
    ld.param.u64 %numbers, [numbers];
    ld.global.{kind} %a, [%numbers];
    ld.global.{kind} %b, [%numbers+8];
    {lines}
    st.global.{kind} [%numbers], %a;
    ret;
}}"""


@functools.cache
def kept(capability: Capability) -> dict[str, list[Instruction]]:
    """Return the functions of the machine code that a server would load."""
    return instructions_of(kept_machine_code(capability))


@functools.cache
def usage(capability: Capability) -> dict[str, Usage]:
    """Return what those functions take."""
    return usage_of(kept_machine_code(capability))


@each_capability
@each_kernel
def test_machine_code_computes_what_is_written(kernel: BlockKernel, capability: Capability) -> None:
    code = kept(capability)[entry_name(kernel)]
    assert counted(code) == written(ptx_of(kernel, capability), capability)
    assert inexact(code) == set()


@each_capability
def test_machine_code_calls_divisions_and_square_roots_only(capability: Capability) -> None:
    kernels = {entry_name(kernel) for kernel in BLOCK_KERNELS.values()}
    assert kernels < kept(capability).keys()
    others = kept(capability).keys() - kernels
    assert {name for name in others if not SUBROUTINE.fullmatch(name)} == set()


@each_capability
@each_kernel
def test_machine_code_has_all_it_works_with_in_registers(
    kernel: BlockKernel, capability: Capability
) -> None:
    taken = usage(capability)[entry_name(kernel)]
    assert (taken.spilled_bytes, taken.shared_bytes) == (0, 0)
    operations = {each.operation.split(".")[0] for each in kept(capability)[entry_name(kernel)]}
    assert {"LDG", "STG", "EXIT"} <= operations
    assert operations.isdisjoint({"LDL", "STL", "LDS", "STS"})


def test_the_table_in_the_docs_is_that_of_the_machine_code() -> None:
    page = write_gpu_table.PAGE.read_text(encoding="utf-8")
    assert page == write_gpu_table.with_table(page), "run python -m tools.write_gpu_table"


def test_a_page_without_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="has no table"):
        write_gpu_table.with_table("| another |\n|---|\n")


@pytest.mark.parametrize(
    ("registers", "occupancy"), [(16, 1.0), (32, 1.0), (33, 0.75), (40, 0.75), (128, 0.25)]
)
def test_the_occupancy_is_that_of_whole_blocks(registers: int, occupancy: float) -> None:
    assert Usage(registers, 0, 0).occupancy == occupancy


# What would be found.

FAULTS = {
    "a contraction": "mul.f32 %b, %a, %b; \n add.f32 %a, %a, %b;",
    "an approximate square root": "sqrt.approx.f32 %a, %a;",
    "an approximate division": "div.approx.f32 %a, %a, %b;",
    "a division by less than IEEE's": "div.full.f32 %a, %a, %b;",
    "a flush to zero": "mul.ftz.f32 %a, %a, %b;",
    "another rounding": "add.rz.f32 %a, %a, %b;",
    "an exponential": "ex2.approx.f32 %a, %a;",
}


@each_capability
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_other_arithmetic_would_be_found(fault: str, capability: Capability) -> None:
    assert counted(alone(fault, capability)) != written(fault, capability)


@each_capability
def test_a_narrower_number_would_be_found(capability: Capability) -> None:
    lines = "cvt.rn.f16.f32 %half, %a;\n cvt.f32.f16 %a, %half;"
    assert inexact(alone(lines, capability)) != set()


@each_capability
@pytest.mark.parametrize("operation", SEQUENCES)
def test_a_division_and_a_square_root_are_sequences_around_an_approximation(
    operation: str, capability: Capability
) -> None:
    found = sequence(operation, capability)
    assert sum(count for name, count in found.items() if name.startswith("MUFU.R")) == 1
    assert found["FFMA"] + found["DFMA"] >= 2


@each_capability
def test_local_memory_would_be_found(capability: Capability) -> None:
    lines = """
    mov.u32 %thread, %tid.x;
    mul.wide.u32 %place, %thread, 4;
    mov.u64 %numbers, memory;
    add.u64 %place, %place, %numbers;
    st.local.f32 [%place], %a;
    ld.local.f32 %a, [memory+16];
    ld.param.u64 %numbers, [numbers];"""
    cubin = assembled([kernel_around(lines)], capability)
    assert usage_of(cubin)["alone"].spilled_bytes >= 64
    operations = {each.operation.split(".")[0] for each in instructions_of(cubin)["alone"]}
    assert {"LDL", "STL"} <= operations
