"""A backend with one kernel that gives other bits than the contract."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from seedbed.spec.dtypes import Dtype
from seedbed_server.backends.base import Backend
from seedbed_server.backends.rules import ElementwiseRule, Orthogonal, Sparse
from seedbed_server.backends.runs import Runs
from seedbed_server.kernels.keys import Key


class BrokenBackend:
    """Another backend, but for the lowest bit of the last element that one kernel writes."""

    name = "gpu"
    samples_in_place = False
    device = "a device that computes wrongly"

    def __init__(self, backend: Backend, *, kernel: str) -> None:
        self._backend = backend
        self._kernel = kernel
        self.threads = backend.threads

    def close(self) -> None:
        self._backend.close()

    def fill(
        self, rule: ElementwiseRule, key: Key, runs: Runs, dtype: Dtype, out: NDArray[np.uint8]
    ) -> None:
        self._backend.fill(rule, key, runs, dtype, out)
        if f"{type(rule).__name__.lower()}_{dtype.value}" == self._kernel:
            out[-dtype.itemsize] ^= 1

    def orthogonal(
        self, rule: Orthogonal, block: int, key: Key, is_cancelled: Callable[[], bool]
    ) -> NDArray[np.float64]:
        return self._backend.orthogonal(rule, block, key, is_cancelled)

    def words(self, key: Key, runs: Runs) -> NDArray[np.uint32]:
        return self._backend.words(key, runs)

    def are_zero(
        self, rule: Sparse, runs: Runs, first_line: int, thresholds: NDArray[np.uint64]
    ) -> NDArray[np.bool_]:
        return self._backend.are_zero(rule, runs, first_line, thresholds)
