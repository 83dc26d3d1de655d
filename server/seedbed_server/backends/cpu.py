"""Sampling on the processor: numba's compiled kernels on a pool of threads of our own."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.interrupts.threads import Threads
from seedbed.spec.dtypes import Dtype
from seedbed_server.backends.base import SamplingCancelledError
from seedbed_server.backends.cpu_kernels import CpuKernels
from seedbed_server.backends.householder import InPlace, Tiles, orthonormal_columns
from seedbed_server.backends.processor import available_threads, processor_name
from seedbed_server.backends.rules import (
    Diagonal,
    ElementRule,
    ElementwiseRule,
    Fill,
    Normal,
    Orthogonal,
    Sparse,
    Uniform,
)
from seedbed_server.backends.runs import Runs
from seedbed_server.kernels.bounds import interval
from seedbed_server.kernels.keys import Key
from seedbed_server.kernels.orthogonal import TILE
from seedbed_server.kernels.rounding import FORMATS

# Elements of a matrix that are sampled before it is asked again whether they are wanted.
SAMPLED_ELEMENTS = 2**22


class CpuBackend:
    """The processor as a backend.

    Args:
        threads: how many sample at a time; None is one for each processor.
        kernels: what computes; each is compiled when it is first needed.
    """

    name = "cpu"
    samples_in_place = True

    def __init__(self, threads: int | None = None, kernels: CpuKernels | None = None) -> None:
        self._threads = threads or available_threads()
        self._kernels = kernels if kernels is not None else CpuKernels()

    @property
    def device(self) -> str:
        """The processor's name."""
        return processor_name()

    @property
    def threads(self) -> int:
        """How many threads sample at a time."""
        return self._threads

    def close(self) -> None:
        """Do nothing: threads live as long as the matrix that they work on."""

    def load(self, rule: ElementRule, dtype: Dtype) -> None:
        """Have the kernels ready that a rule needs, on the caller's thread."""
        self._kernels.load(kernel_names(rule, dtype))

    def fill(
        self, rule: ElementwiseRule, key: Key, runs: Runs, dtype: Dtype, out: NDArray[np.uint8]
    ) -> None:
        """Write the elements of the runs; see :class:`seedbed_server.backends.base.Backend`."""
        match rule:
            case Fill(value):
                out.view(dtype.numpy)[:] = _scalar(value, dtype)
            case Diagonal():
                _fill_diagonal(rule, runs, dtype, out)
            case Uniform():
                self._sample("uniform", runs, key, (uniform_params(rule, dtype),), dtype, out)
            case Normal():
                self._sample("normal", runs, key, normal_params(rule, dtype), dtype, out)

    def _sample(
        self,
        distribution: str,
        runs: Runs,
        key: Key,
        parameters: tuple[Any, ...],
        dtype: Dtype,
        out: NDArray[np.uint8],
    ) -> None:
        arguments = runs.firsts, runs.counts, key.as_array(), *parameters
        kernel = self._kernels[values_kernel(distribution, dtype)]
        if dtype.value in FORMATS:
            kernel(*arguments, FORMATS.index(dtype.value), out)
        else:
            kernel(*arguments, out.view(dtype.numpy))

    def orthogonal(
        self, rule: Orthogonal, block: int, key: Key, is_cancelled: Callable[[], bool]
    ) -> NDArray[np.float64]:
        """Return a block; see :class:`seedbed_server.backends.base.Backend`."""

        def check_wanted() -> None:
            if is_cancelled():
                raise SamplingCancelledError

        normal = self._normal_tiles(rule, block, key, check_wanted)
        # Threads of its own: a large matrix would keep a small one waiting in a queue of both.
        threads = InPlace() if normal.columns <= TILE else Threads(self._threads, "seedbed-qr")
        try:
            return orthonormal_columns(
                normal,
                rule.gain,
                self._kernels,
                threads,
                check_wanted,
                is_wide=rule.grid.rows < rule.grid.columns,
            )
        finally:
            threads.shutdown(cancel_futures=True)

    def _normal_tiles(
        self, rule: Orthogonal, block: int, key: Key, check_wanted: Callable[[], None]
    ) -> Tiles:
        rows, columns = rule.grid.rows, rule.grid.columns
        normal, runs = np.empty(rows * columns), rule.grid.runs(block)
        for first in range(0, normal.size, SAMPLED_ELEMENTS):
            check_wanted()
            part = normal[first : first + SAMPLED_ELEMENTS]
            self.fill(
                Normal(0.0, 1.0),
                key,
                runs.part(first, first + part.size),
                Dtype.FLOAT64,
                part.view(np.uint8),
            )
        return Tiles.of(normal.reshape(max(rows, columns), min(rows, columns)))

    def words(self, key: Key, runs: Runs) -> NDArray[np.uint32]:
        """Return the words of the runs; see :class:`seedbed_server.backends.base.Backend`."""
        out = np.empty(int(runs.counts.sum()), np.uint32)
        self._kernels["plain_words"](runs.firsts, runs.counts, key.as_array(), out)
        return out

    def are_zero(
        self, rule: Sparse, runs: Runs, first_line: int, thresholds: NDArray[np.uint64]
    ) -> NDArray[np.bool_]:
        """Return which elements are zero; see :class:`seedbed_server.backends.base.Backend`."""
        out = np.empty(int(runs.counts.sum()), np.uint8)
        numbers = (np.uint64(rule.shape[1]), np.uint64(rule.axis), np.uint64(first_line))
        self._kernels["are_at_most"](
            runs.firsts, runs.counts, rule.key.as_array(), *numbers, thresholds, out
        )
        return out.view(np.bool_)


def values_kernel(distribution: str, dtype: Dtype) -> str:
    """Return the name of the kernel that samples a distribution's values."""
    return f"{distribution}_{'narrow' if dtype.value in FORMATS else dtype.value}"


def kernel_names(rule: ElementRule, dtype: Dtype) -> tuple[str, ...]:
    """Return the names of the kernels that a rule needs."""
    match rule:
        case Uniform():
            return (values_kernel("uniform", dtype),)
        case Normal():
            return (values_kernel("normal", dtype),)
        case Sparse():
            return values_kernel("normal", dtype), "plain_words", "are_at_most"
        case Orthogonal():
            matrices = "reflect", "factor_columns", "compose_panel"
            return values_kernel("normal", Dtype.FLOAT64), *matrices
    return ()


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


def uniform_params(rule: Uniform, dtype: Dtype) -> tuple[Any, ...]:
    """Return minval, width and ceiling in the computing type of a dtype."""
    real: Any = np.float64 if dtype is Dtype.FLOAT64 else np.float32
    minval, maxval = real(rule.minval), real(rule.maxval)
    # Where rounding leaves no number between minval and maxval, every element is minval.
    ceiling = max(minval, np.nextafter(maxval, real(-np.inf)))
    return minval, real(rule.maxval - rule.minval), ceiling


def normal_params(rule: Normal, dtype: Dtype) -> tuple[Any, tuple[Any, ...]]:
    """Return the number of words below the median, and a normal's eight parameters.

    All are numbers of the types that the dtype's kernel computes with.
    """
    bits, word, real = (
        (64, np.uint64, np.float64) if dtype is Dtype.FLOAT64 else (32, np.uint32, np.float32)
    )
    where = interval(rule.lower, rule.upper, bits)
    numbers = [where.step, where.low_edge, where.high_edge, where.remainder]
    numbers += [rule.lower, rule.upper, rule.mean, rule.stddev]
    return word(where.split), tuple(map(real, numbers))
