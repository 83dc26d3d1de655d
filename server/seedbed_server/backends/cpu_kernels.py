"""The processor's kernels, compiled for it.

Those that the cache lacks are compiled by processes of their own, several at a first start, because
numba compiles one kernel at a time in each. Such a process can also set an option of LLVM that
would otherwise affect everything else that is compiled in the server.
"""

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from seedbed.interrupts.held_signals import signals_held
from seedbed_server.backends.compilation import cache_directory, code_digest, compile_kernel
from seedbed_server.backends.processor import available_threads
from seedbed_server.kernels import ranks, values
from seedbed_server.kernels.orthogonal import compose_panel, factor_columns, reflect

log = logging.getLogger(__name__)

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


# A process that is forked while a kernel is loaded would wait for locks, of imports and of numba's,
# which a thread holds that it does not have: forking waits for the kernel instead.
_loading = threading.RLock()
os.register_at_fork(
    before=_loading.acquire, after_in_parent=_loading.release, after_in_child=_loading.release
)


class CpuKernels(Mapping[str, Callable[..., Any]]):
    """Every kernel by name: its function's, or DISTRIBUTION_WIDTH for those of values.

    A kernel is compiled, or read from the cache, when it is first asked for.

    Args:
        announce: told in words before something is compiled, and afterwards.
    """

    def __init__(self, announce: Callable[[str], None] = log.info) -> None:
        self._announce = announce
        self._loaded: dict[str, Callable[..., Any]] = {}

    def __getitem__(self, name: str) -> Callable[..., Any]:
        if name not in self._loaded:
            self.load((name,))
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_KERNELS)

    def __len__(self) -> int:
        return len(_KERNELS)

    def load(self, names: Iterable[str] = tuple(_KERNELS)) -> None:
        """Have some kernels ready, those that the cache lacks compiled at the same time."""
        with _loading:
            wanted = [name for name in names if name not in self._loaded]
            with signals_held():
                missing = [name for name in wanted if not is_kept(name)]
            started = time.monotonic()
            if missing:
                many = "a kernel" if len(missing) == 1 else f"{len(missing)} kernels"
                self._announce(f"compiling {many} for this processor, which happens once ...")
                _compile_elsewhere(missing)
            # llvmlite takes note of which library owns a module after it has handed it over: of an
            # exception between the two, such as KeyboardInterrupt, the module is freed twice.
            with signals_held():
                self._loaded |= {name: _compiled(name) for name in wanted}
            if missing:
                seconds = time.monotonic() - started
                kept = f"kept in {cache_directory()}" if all(map(is_kept, missing)) else "not kept"
                self._announce(f"compiled {many} in {seconds:.1f} s, {kept}")


def is_kept(name: str) -> bool:
    """Return whether the cache has a kernel for this processor."""
    path = _path(name)
    return path is not None and path.exists()


def _path(name: str) -> Path | None:
    """Return the file that keeps a kernel; None where there is no cache."""
    directory = cache_directory()
    if directory is None:
        return None
    _, signature = _KERNELS[name]
    return directory / f"{name}-{code_digest(signature)}.kernel"


def _compiled(name: str) -> Callable[..., Any]:
    return compile_kernel(*_KERNELS[name], _path(name))


# Modules are found where this process finds them: the folder in which a user happens to be may hold
# files of others.
_PROGRAM = """
import json, sys
sys.path, names = map(json.loads, sys.argv[1:])
from seedbed_server.backends.cpu_kernels import compile_and_keep
compile_and_keep(names)
"""


def _compile_elsewhere(names: Sequence[str]) -> None:
    """Compile kernels in other processes; any that fail are compiled here afterwards."""
    is_frozen = getattr(sys, "frozen", False)  # then the program is no interpreter
    if not sys.executable or is_frozen or cache_directory() is None:
        return
    count = min(available_threads(), MOST_PROCESSES, len(names))
    isolated = "-I" if sys.flags.isolated else "-P"
    command = [sys.executable, isolated, "-c", _PROGRAM, json.dumps([str(p) for p in sys.path])]
    processes: list[subprocess.Popen[bytes]] = []
    silent = subprocess.DEVNULL
    try:
        processes.extend(
            subprocess.Popen(
                [*command, json.dumps(part.tolist())], stdin=silent, stdout=silent, stderr=silent
            )
            # Neighbours share functions, which one process then compiles only once.
            for part in np.array_split(list(names), count)
        )
        for process in processes:
            process.wait()
    except OSError:  # no more processes allowed, or no room
        pass
    finally:
        for process in processes:
            process.kill()
            process.wait()


def compile_and_keep(names: Sequence[str]) -> None:
    """Compile kernels in a process of our own, into the cache."""
    for name in names:
        if name in _MATRICES:
            _compiled(name)
    llvm.set_option("seedbed", INTERLEAVED)
    for name in names:
        if name in _SAMPLERS:
            _compiled(name)
