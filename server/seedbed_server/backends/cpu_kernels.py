"""Which kernels the processor runs, compiled for it.

    python -m seedbed_server.backends.cpu_kernels NAME...

compiles some of them into the folder that keeps them: a first start does that with several processes, as numba compiles
one kernel at a time in each.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from seedbed.wire.dtypes import FLOATING, Dtype
from seedbed_server.backends.compilation import cache_directory, compile_kernel
from seedbed_server.backends.processor import available_threads
from seedbed_server.kernels import ranks, values
from seedbed_server.kernels.orthogonal import factor_panel, reflect

# More processes gain little: each takes a second to start, and there are few kernels.
MOST_PROCESSES = 4

OUT = {
    Dtype.FLOAT16: "uint16",
    Dtype.BFLOAT16: "uint16",
    Dtype.FLOAT32: "float32",
    Dtype.FLOAT64: "float64",
    Dtype.FLOAT8_E4M3FN: "uint8",
    Dtype.FLOAT8_E5M2: "uint8",
}
"""What the values of a dtype are written as."""

_RUNS = "uint64[::1], uint64[::1], uint32[::1]"
# The values' array may begin at any byte, such as behind the header of a message; the others are numpy's own.
_UNIFORM = "(" + _RUNS + ", {real}[::1], Array({out}, 1, 'C', aligned=False))"
_NORMAL = "(" + _RUNS + ", {word}[::1], {real}[::1], Array({out}, 1, 'C', aligned=False))"
_NARROW = {"word": "uint32", "real": "float32"}
_WIDE = {"word": "uint64", "real": "float64"}
_MATRIX = "float64[:, ::1]"

_KERNELS: dict[str, tuple[Callable[..., None], str]] = {
    # The smallest one first: it tells whether there are compiled ones.
    "reflect": (reflect, f"({_MATRIX}, {_MATRIX}, {_MATRIX}, {_MATRIX}, int64, int64)"),
    "factor_panel": (factor_panel, f"({_MATRIX}, {_MATRIX}, {_MATRIX}, float64[::1], {_MATRIX})"),
    "plain_words": (ranks.plain_words, f"({_RUNS}, uint32[::1])"),
    "are_at_most": (ranks.are_at_most, f"({_RUNS}, uint64, uint64, uint64, uint64[::1], uint8[::1])"),
}
for _dtype in FLOATING:
    _types = {**(_WIDE if _dtype is Dtype.FLOAT64 else _NARROW), "out": OUT[_dtype]}
    for _distribution, _signature in (("normal", _NORMAL), ("uniform", _UNIFORM)):
        _name = f"{_distribution}_{_dtype.value}"
        _KERNELS[_name] = getattr(values, f"{_name}_values"), _signature.format(**_types)


def compiled_kernels() -> dict[str, Callable[..., Any]]:
    """Return every kernel by its name: that of its function, or ``DISTRIBUTION_DTYPE`` for those of values."""
    first, *others = _KERNELS
    smallest: Any = compile_kernel(*_KERNELS[first])
    if smallest.stats.cache_misses and cache_directory() is not None:
        _compile_elsewhere(others)
    return {first: smallest} | {name: compile_kernel(*_KERNELS[name]) for name in others}


def _compile_elsewhere(names: Sequence[str]) -> None:
    """Let several processes compile kernels; what they fail to do is done here afterwards."""
    count = min(available_threads(), MOST_PROCESSES)
    if count < 2 or not sys.executable:
        return
    command = [sys.executable, "-m", "seedbed_server.backends.cpu_kernels"]
    processes = []
    try:
        processes = [
            subprocess.Popen([*command, *names[index::count]], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for index in range(count)
        ]
        for process in processes:
            process.wait()
    except OSError:  # no more processes allowed
        pass
    finally:
        for process in processes:
            process.kill()
            process.wait()


if __name__ == "__main__":
    for _name in sys.argv[1:]:
        compile_kernel(*_KERNELS[_name])
