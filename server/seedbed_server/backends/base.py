"""What a backend is asked for: element rules, element runs, and the one method that fills memory."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seedbed.wire.dtypes import Dtype
from seedbed_server.kernels.keys import Key


@dataclass(frozen=True, slots=True)
class Fill:
    """Every element is the same."""

    value: float
    """Any number that the dtype can hold."""


@dataclass(frozen=True, slots=True)
class Diagonal:
    """The main diagonal of a matrix is one number, all else 0."""

    value: float
    """What the diagonal holds."""
    columns: int
    """The matrix's columns."""


@dataclass(frozen=True, slots=True)
class Uniform:
    """Uniform on [minval, maxval)."""

    minval: float
    """The lower end, included."""
    maxval: float
    """The upper end, excluded."""


@dataclass(frozen=True, slots=True)
class Normal:
    """Normal, conditioned on lying between bounds."""

    mean: float
    """The mean before truncation."""
    stddev: float
    """The standard deviation before truncation."""
    lower: float = -math.inf
    """The lower bound in standard deviations."""
    upper: float = math.inf
    """The upper bound in standard deviations."""


@dataclass(frozen=True, slots=True)
class Orthogonal:
    """A matrix with orthonormal rows or columns, times a gain; computed in one piece."""

    gain: float
    """Multiplies every element."""
    rows: int
    """The product of all axes but the last."""
    columns: int
    """The last axis."""


ElementwiseRule = Fill | Diagonal | Uniform | Normal
ElementRule = ElementwiseRule | Orthogonal
"""How elements follow from their index and the key."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Elements of a whole tensor, as runs of consecutive indices in C order."""

    firsts: NDArray[np.uint64]
    """The index of each run's first element."""
    counts: NDArray[np.uint64]
    """The number of elements of each run."""

    def indices(self) -> NDArray[np.uint64]:
        """Return the index of every element of every run."""
        counts = self.counts.astype(np.int64)
        skipped = np.cumsum(counts) - counts
        within_run = np.arange(int(counts.sum()), dtype=np.uint64) - np.repeat(skipped.astype(np.uint64), counts)
        return np.repeat(self.firsts, counts) + within_run

    def part(self, first: int, end: int) -> "Runs":
        """Return the runs of elements ``first`` to ``end``, counted over all runs; not empty."""
        if self.firsts.size == 1:
            return Runs(self.firsts + np.uint64(first), np.array([end - first], np.uint64))
        ends = np.cumsum(self.counts.astype(np.int64))
        begin_run = int(np.searchsorted(ends, first, side="right"))
        last_run = int(np.searchsorted(ends, end, side="left"))
        firsts = self.firsts[begin_run : last_run + 1].copy()
        counts = self.counts[begin_run : last_run + 1].copy()
        counts[-1] -= np.uint64(int(ends[last_run]) - end)
        skipped = np.uint64(first - (int(ends[begin_run]) - int(self.counts[begin_run])))
        firsts[0] += skipped
        counts[0] -= skipped
        return Runs(firsts, counts)


class CancelledError(Exception):
    """The caller does not want the result any more."""


class Backend(Protocol):
    """Samples elements into memory."""

    @property
    def name(self) -> str:
        """Its kind: ``cpu`` or ``gpu``."""

    @property
    def device(self) -> str:
        """The physical device in words."""

    @property
    def threads(self) -> int:
        """How many threads sample at a time."""

    def fill(self, rule: ElementwiseRule, key: Key, runs: Runs, dtype: Dtype, out: NDArray[np.uint8]) -> None:
        """Write the elements of the runs, one after another, little-endian.

        Args:
            rule: how elements follow from their index.
            key: of the tensor.
            runs: which elements.
            dtype: of the elements.
            out: their bytes; contiguous, at any address.
        """

    def orthogonal(self, rule: Orthogonal, key: Key, is_cancelled: Callable[[], bool]) -> NDArray[np.float64]:
        """Return the whole matrix as float64, gain applied, rows x columns.

        Raises:
            CancelledError: soon after ``is_cancelled`` says so.
        """

    def close(self) -> None:
        """End the backend's threads."""
