"""The backend protocol: what computes elements, on a processor or a device."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seedbed.spec.dtypes import Dtype
from seedbed_server.backends.rules import ElementwiseRule, Orthogonal, Sparse
from seedbed_server.backends.runs import Runs
from seedbed_server.kernels.keys import Key


class SamplingCancelledError(Exception):
    """The caller no longer wants the result."""


class Backend(Protocol):
    """Samples elements into memory."""

    @property
    def name(self) -> str:
        """Its kind: ``cpu`` or ``gpu``."""

    @property
    def device(self) -> str:
        """The physical device as text."""

    @property
    def threads(self) -> int:
        """How many threads sample at a time."""

    @property
    def samples_in_place(self) -> bool:
        """Whether a few elements are there at once: no device and no other thread is waited for."""

    def fill(
        self, rule: ElementwiseRule, key: Key, runs: Runs, dtype: Dtype, out: NDArray[np.uint8]
    ) -> None:
        """Write the elements of the runs, one after another, little-endian.

        Args:
            rule: how elements follow from their index.
            key: of the tensor.
            runs: which elements.
            dtype: of the elements.
            out: their bytes; contiguous, at any address.
        """

    def orthogonal(
        self, rule: Orthogonal, block: int, key: Key, is_cancelled: Callable[[], bool]
    ) -> NDArray[np.float64]:
        """Return a block as float64, gain applied, rows x columns.

        Args:
            rule: what the blocks are.
            block: which one.
            key: of the tensor.
            is_cancelled: asked now and then.

        Raises:
            SamplingCancelledError: soon after ``is_cancelled`` says so.
        """

    def words(self, key: Key, runs: Runs) -> NDArray[np.uint32]:
        """Return the 32-bit word of each element of the runs, one after another."""

    def are_zero(
        self, rule: Sparse, runs: Runs, first_line: int, thresholds: NDArray[np.uint64]
    ) -> NDArray[np.bool_]:
        """Return which elements of the runs are zero.

        Args:
            rule: what the matrix is.
            runs: which elements.
            first_line: the line of the first threshold.
            thresholds: the largest rank that is zero (:mod:`seedbed_server.kernels.ranks`) of the
                lines from there on.
        """

    def close(self) -> None:
        """End the backend's threads."""
