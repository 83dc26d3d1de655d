"""The GPU's kernels as PTX, and as they are written in the source."""

import ast
import functools
import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

from numba.cuda import compiler

from seedbed_server.backends.cuda_kernels import signature_of, thread_function, with_entry_name
from seedbed_server.kernels.blocks import BlockKernel

CAPABILITIES = [(7, 5), (8, 0), (9, 0), (10, 0)]
INSTRUCTION = re.compile(r"^\s*(?:@!?%\w+\s+)?([a-z][\w.]*)\s+(.*);$", re.MULTILINE)


def value_of(kernel: BlockKernel) -> Any:
    """Return the element function that a kernel's body was made with."""
    body: Any = kernel.body
    return inspect.getclosurevars(body.py_func).nonlocals["value"]


def fmas_written(element: Any) -> int:
    """Count the fma's in an element function's source and in those that it calls, per call."""
    function = element.py_func
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    calls = [
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    callees = (function.__globals__.get(name) for name in calls)
    return calls.count("fma") + sum(
        fmas_written(callee) for callee in callees if hasattr(callee, "py_func")
    )


def instructions(ptx: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the operation and the operands of every instruction."""
    for operation, operands in INSTRUCTION.findall(ptx):
        yield operation, [operand.strip() for operand in operands.split(",")]


@functools.cache
def library_of(kernel: BlockKernel) -> Any:
    """Return a kernel as numba-cuda's LLVM code.

    This is :func:`cuda.compile_ptx` but for its end. The way to LLVM takes seconds, and is the same
    for all GPUs; that from LLVM to the PTX of one takes a tenth of one.
    """
    library, _ = compiler._compile_pyfunc_with_fixup(
        thread_function(kernel), signature_of(kernel), device=False, abi="numba", cc=CAPABILITIES[0]
    )
    return library


def ptx_of(kernel: BlockKernel, capability: tuple[int, int]) -> str:
    """Return a kernel as the PTX of GPUs of a compute capability."""
    return with_entry_name(library_of(kernel).get_asm_str(cc=capability), kernel)
