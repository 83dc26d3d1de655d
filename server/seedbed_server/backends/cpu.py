"""Samples on the processor: numba's compiled kernels on a pool of threads of our own."""

import os
import platform
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.wire.dtypes import FLOATING, Dtype
from seedbed_server.backends.base import (
    CancelledError,
    Diagonal,
    ElementwiseRule,
    Fill,
    Normal,
    Orthogonal,
    Sparse,
    Uniform,
)
from seedbed_server.backends.compilation import compile_kernel
from seedbed_server.backends.runs import Runs
from seedbed_server.kernels import ranks, values
from seedbed_server.kernels.bounds import interval
from seedbed_server.kernels.keys import Key
from seedbed_server.kernels.orthogonal import BLOCK, TILE, factor_panel, reflect

_RUNS = "uint64[::1], uint64[::1], uint32[::1]"
# The values' array may begin at any byte, such as behind the header of a message; the others are numpy's own.
_UNALIGNED = "Array({out}, 1, 'C', aligned=False)"
_UNIFORM = "({runs}, {real}[::1], " + _UNALIGNED + ")"
_NORMAL = "({runs}, {word}[::1], {real}[::1], " + _UNALIGNED + ")"
_NARROW = {"runs": _RUNS, "word": "uint32", "real": "float32"}
_WIDE = {"runs": _RUNS, "word": "uint64", "real": "float64", "out": "float64"}
_OUT = {
    Dtype.FLOAT16: "uint16",
    Dtype.BFLOAT16: "uint16",
    Dtype.FLOAT32: "float32",
    Dtype.FLOAT8_E4M3FN: "uint8",
    Dtype.FLOAT8_E5M2: "uint8",
}


class CpuBackend:
    """The processor as a backend; compiles its kernels when it is made."""

    name = "cpu"

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads or available_threads()
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="seedbed-orthogonal")
        self._uniform: dict[Dtype, Callable[..., None]] = {}
        self._normal: dict[Dtype, Callable[..., None]] = {}
        for dtype in FLOATING:
            types = _WIDE if dtype is Dtype.FLOAT64 else {**_NARROW, "out": _OUT[dtype]}
            uniform = getattr(values, f"uniform_{dtype.value}_values")
            normal = getattr(values, f"normal_{dtype.value}_values")
            self._uniform[dtype] = compile_kernel(uniform, _UNIFORM.format(**types))
            self._normal[dtype] = compile_kernel(normal, _NORMAL.format(**types))
        self._words = compile_kernel(ranks.plain_words, f"({_RUNS}, uint32[::1])")
        self._are_at_most = compile_kernel(
            ranks.are_at_most, f"({_RUNS}, uint64, uint64, uint64, uint64[::1], uint8[::1])"
        )
        matrix = "float64[:, ::1]"
        self._factor_panel = compile_kernel(factor_panel, f"({matrix}, {matrix}, float64[::1], {matrix})")
        self._reflect = compile_kernel(reflect, f"({matrix}, {matrix}, {matrix}, {matrix}, int64, int64)")

    @property
    def device(self) -> str:
        """The processor's name."""
        return processor_name()

    @property
    def threads(self) -> int:
        """How many threads sample at a time."""
        return self._threads

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def fill(self, rule: ElementwiseRule, key: Key, runs: Runs, dtype: Dtype, out: NDArray[np.uint8]) -> None:
        """Write the elements of the runs; see :class:`seedbed_server.backends.base.Backend`."""
        match rule:
            case Fill(value):
                out.view(dtype.numpy)[:] = _scalar(value, dtype)
            case Diagonal():
                _fill_diagonal(rule, runs, dtype, out)
            case Uniform():
                params = uniform_params(rule, dtype)
                self._uniform[dtype](runs.firsts, runs.counts, key.as_array(), params, _writable_as(dtype, out))
            case Normal():
                split, params = normal_params(rule, dtype)
                target = _writable_as(dtype, out)
                self._normal[dtype](runs.firsts, runs.counts, key.as_array(), split, params, target)

    def orthogonal(
        self, rule: Orthogonal, block: int, key: Key, is_cancelled: Callable[[], bool]
    ) -> NDArray[np.float64]:
        """Return a block; see :class:`seedbed_server.backends.base.Backend`."""
        rows, columns = rule.grid.rows, rule.grid.columns
        normal = np.empty(rows * columns)
        self.fill(Normal(0.0, 1.0), key, rule.grid.runs(block), Dtype.FLOAT64, normal.view(np.uint8))
        tall, short = max(rows, columns), min(rows, columns)
        q = self._orthonormal_columns(normal.reshape(tall, short), is_cancelled)
        q *= rule.gain
        return np.ascontiguousarray(q if rows >= columns else q.T)

    def words(self, key: Key, runs: Runs) -> NDArray[np.uint32]:
        """Return the words of the runs; see :class:`seedbed_server.backends.base.Backend`."""
        out = np.empty(int(runs.counts.sum()), np.uint32)
        self._words(runs.firsts, runs.counts, key.as_array(), out)
        return out

    def are_zero(self, rule: Sparse, runs: Runs, first_line: int, thresholds: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Return which elements are zero; see :class:`seedbed_server.backends.base.Backend`."""
        out = np.empty(int(runs.counts.sum()), np.uint8)
        numbers = (np.uint64(rule.shape[1]), np.uint64(rule.axis), np.uint64(first_line))
        self._are_at_most(runs.firsts, runs.counts, rule.key.as_array(), *numbers, thresholds, out)
        return out.view(np.bool_)

    def _orthonormal_columns(
        self, matrix: NDArray[np.float64], is_cancelled: Callable[[], bool]
    ) -> NDArray[np.float64]:
        """Return Q of the QR factorization whose R has a positive diagonal; destroys the matrix."""
        rows, columns = matrix.shape
        diagonal = np.empty(columns)
        steps: list[_Step] = []
        panel = self._factor(matrix, 0, diagonal)
        while panel is not None:
            if is_cancelled():
                raise CancelledError
            steps.append(panel)
            transposed = np.ascontiguousarray(panel.triangle.T)
            below = matrix[panel.begin :]
            # The next panel is brought up to date first, so that it is factored while the rest is.
            next_end = min(panel.end + BLOCK, columns)
            _finish(self._apply(panel, transposed, below, panel.end, next_end))
            rest = self._apply(panel, transposed, below, next_end, columns)
            panel = self._factor(matrix, panel.end, diagonal)
            _finish(rest)
        q = np.zeros((rows, columns))
        np.fill_diagonal(q, 1.0)
        while steps:
            if is_cancelled():
                raise CancelledError
            step = steps.pop()
            _finish(self._apply(step, step.triangle, q[step.begin :], step.begin, columns))
        q[:, diagonal < 0.0] *= -1.0
        return q

    def _factor(self, matrix: NDArray[np.float64], begin: int, diagonal: NDArray[np.float64]) -> "_Step | None":
        """Reduce the panel that begins at a column; None beyond the last one."""
        end = min(begin + BLOCK, matrix.shape[1])
        if begin == end:
            return None
        panel = np.ascontiguousarray(matrix[begin:, begin:end])
        reflectors = np.empty_like(panel)
        triangle = np.empty((end - begin, end - begin))
        self._factor_panel(panel, reflectors, diagonal[begin:end], triangle)
        return _Step(begin, end, reflectors, np.ascontiguousarray(reflectors.T), triangle)

    def _apply(
        self, step: "_Step", triangle: NDArray[np.float64], matrix: NDArray[np.float64], first: int, last: int
    ) -> list["Future[None]"]:
        """Begin to reflect the columns ``first`` to ``last`` of the matrix, a tile of columns a task."""
        return [
            self._pool.submit(
                self._reflect, step.reflectors, step.transposed, triangle, matrix, begin, min(begin + TILE, last)
            )
            for begin in range(first, last, TILE)
        ]


@dataclass(frozen=True, slots=True)
class _Step:
    """The reflections of one panel."""

    begin: int
    end: int
    reflectors: NDArray[np.float64]
    transposed: NDArray[np.float64]
    triangle: NDArray[np.float64]


def _finish(tasks: list["Future[None]"]) -> None:
    for task in tasks:
        task.result()


def available_threads() -> int:
    """Return how many processors this process may use: those it may run on, or a container's quota of them."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return min(allowed, -(-int(quota) // int(period)))
    except (OSError, ValueError):  # not Linux, no such file, or no quota ("max")
        return allowed


def processor_name() -> str:
    """Return the processor's name as the operating system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _writable_as(dtype: Dtype, out: NDArray[np.uint8]) -> NDArray[Any]:
    return out.view(_OUT.get(dtype, dtype.numpy))


def _scalar(value: float, dtype: Dtype) -> np.generic:
    if dtype.is_floating:
        return dtype.rounded(value)
    return dtype.numpy.type(int(value))


def _fill_diagonal(rule: Diagonal, runs: Runs, dtype: Dtype, out: NDArray[np.uint8]) -> None:
    indices = runs.indices()
    is_on = rule.row.places(indices) % np.uint64(rule.period) == rule.column.places(indices)
    for axis, place in rule.centre:
        is_on &= axis.places(indices) == np.uint64(place)
    elements = out.view(dtype.numpy)
    elements[:] = 0
    elements[is_on] = _scalar(rule.value, dtype)


def uniform_params(rule: Uniform, dtype: Dtype) -> NDArray[Any]:
    """Return minval, width and ceiling in the computing type of a dtype."""
    real: Any = np.float64 if dtype is Dtype.FLOAT64 else np.float32
    params = np.array((rule.minval, rule.maxval - rule.minval, rule.maxval), real)
    # Where rounding leaves no number below maxval but minval itself, that is the value.
    params[2] = max(params[0], np.nextafter(params[2], real(-np.inf)))
    return params


def normal_params(rule: Normal, dtype: Dtype) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the words below the median, and the eight parameters of a normal in the computing type of a dtype."""
    bits, word, real = (64, np.uint64, np.float64) if dtype is Dtype.FLOAT64 else (32, np.uint32, np.float32)
    where = interval(rule.lower, rule.upper, bits)
    numbers = [where.step, where.low_edge, where.high_edge, where.remainder]
    numbers += [rule.lower, rule.upper, rule.mean, rule.stddev]
    return np.array([where.split], word), np.array(numbers, real)
