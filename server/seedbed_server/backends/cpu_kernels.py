"""The processor's kernels, compiled for it.

    python -m seedbed_server.backends.cpu_kernels NAME...

compiles some of them into the cache folder. A first start runs several such processes, because
numba compiles one kernel at a time in each. A process of its own can also set an option of LLVM
that would otherwise affect everything else that is compiled in the server.
"""

import hashlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from numba.core.registry import cpu_target

from seedbed_server.backends.compilation import cache_directory, compile_kernel
from seedbed_server.backends.processor import available_threads
from seedbed_server.kernels import ranks, values
from seedbed_server.kernels.orthogonal import compose_panel, factor_columns, reflect

# More processes gain little: each takes a second to start, and there are few kernels.
MOST_PROCESSES = 4

# The kernels that sample are long chains of dependent operations. LLVM keeps one or two of them in
# flight; four are a fourth faster (measured on Cascade Lake, with AVX-512 and with AVX2). It has no
# option for a single loop.
INTERLEAVED = "-force-vector-interleave=4"

_RUNS = "uint64[::1], uint64[::1], uint32[::1]"
# The values' array may begin at any byte, such as behind the header of a message; the others are
# numpy's own.
_OUT = "Array({out}, 1, 'C', aligned=False)"
_MATRIX = "float64[:, ::1]"
_VECTOR = "float64[::1]"

_MATRICES: dict[str, tuple[Callable[..., None], str]] = {
    "reflect": (reflect, f"({_MATRIX}, {_MATRIX}, {_MATRIX}, {_MATRIX}, int64, int64)"),
    "factor_columns": (
        factor_columns,
        f"({_MATRIX}, {_MATRIX}, {_VECTOR}, {_VECTOR}, {_MATRIX}, {_VECTOR}, int64, int64)",
    ),
    "compose_panel": (compose_panel, f"({_MATRIX}, {_VECTOR}, {_MATRIX}, {_MATRIX})"),
}
_SAMPLERS: dict[str, tuple[Callable[..., None], str]] = {
    "plain_words": (ranks.plain_words, f"({_RUNS}, uint32[::1])"),
    "are_at_most": (
        ranks.are_at_most,
        f"({_RUNS}, uint64, uint64, uint64, uint64[::1], uint8[::1])",
    ),
}
_NARROW = "int64, " + _OUT.format(out="uint8")
_FLOAT32, _FLOAT64 = _OUT.format(out="float32"), _OUT.format(out="float64")
_UNIFORM, _UNIFORM64 = "UniTuple(float32, 3)", "UniTuple(float64, 3)"
_NORMAL, _NORMAL64 = "uint32, UniTuple(float32, 8)", "uint64, UniTuple(float64, 8)"
_SAMPLERS |= {
    "uniform_narrow": (values.uniform_narrow_values, f"({_RUNS}, {_UNIFORM}, {_NARROW})"),
    "uniform_float32": (values.uniform_float32_values, f"({_RUNS}, {_UNIFORM}, {_FLOAT32})"),
    "uniform_float64": (values.uniform_float64_values, f"({_RUNS}, {_UNIFORM64}, {_FLOAT64})"),
    "normal_narrow": (values.normal_narrow_values, f"({_RUNS}, {_NORMAL}, {_NARROW})"),
    "normal_float32": (values.normal_float32_values, f"({_RUNS}, {_NORMAL}, {_FLOAT32})"),
    "normal_float64": (values.normal_float64_values, f"({_RUNS}, {_NORMAL64}, {_FLOAT64})"),
}
_KERNELS = _MATRICES | _SAMPLERS


def compiled_kernels() -> dict[str, Callable[..., Any]]:
    """Return every kernel by name: its function's, or DISTRIBUTION_WIDTH for those of values."""
    directory = cache_directory()
    if (
        directory is not None
        and not (marker := directory / f"complete-{_processor_digest()}").exists()
    ):
        _compile_elsewhere(marker)
    return {name: compile_kernel(*kernel) for name, kernel in _KERNELS.items()}


def _compile_elsewhere(marker: Path) -> None:
    """Compile the kernels in other processes; any that fail are compiled here afterwards.

    Args:
        marker: the file to create when all are compiled.
    """
    if not sys.executable:
        return
    count = min(available_threads(), MOST_PROCESSES)
    command = [sys.executable, "-m", "seedbed_server.backends.cpu_kernels"]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        processes.extend(
            subprocess.Popen(
                [*command, *names], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            # Neighbours share functions, which one process then compiles only once.
            for names in np.array_split(list(_KERNELS), count)
        )
        if sum(process.wait() for process in processes) == 0:
            marker.touch()
    except OSError:  # no more processes allowed, or no room
        pass
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _processor_digest() -> str:
    """Return a short digest of what numba compiles for.

    A folder may come from another machine, as in a container image, and be complete for that one.
    """
    target: Any = cpu_target.target_context.codegen().magic_tuple()
    return hashlib.sha256(repr(target).encode()).hexdigest()[:16]


def _compile(names: Sequence[str]) -> None:
    """Compile kernels in a process of our own."""
    for name in names:
        if name in _MATRICES:
            compile_kernel(*_MATRICES[name])
    llvm.set_option("seedbed", INTERLEAVED)
    for name in names:
        if name in _SAMPLERS:
            compile_kernel(*_SAMPLERS[name])


if __name__ == "__main__":
    _compile(sys.argv[1:])
