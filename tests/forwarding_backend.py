"""A backend that has another one do its work."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from seedbed.spec.dtypes import Dtype
from seedbed_server.backends.base import Backend
from seedbed_server.backends.rules import ElementwiseRule, Orthogonal, Sparse
from seedbed_server.backends.runs import Runs
from seedbed_server.kernels.keys import Key


class ForwardingBackend:
    """Another backend as it is: the base of those that change or count something."""

    name = "cpu"
    samples_in_place = False
    device = "another backend's"

    def __init__(self, backend: Backend, threads: int | None = None) -> None:
        self._backend = backend
        self.threads = backend.threads if threads is None else threads

    def close(self) -> None:
        """Leave the other backend open: it belongs to whoever made it."""

    def fill(
        self, rule: ElementwiseRule, key: Key, runs: Runs, dtype: Dtype, out: NDArray[np.uint8]
    ) -> None:
        self._backend.fill(rule, key, runs, dtype, out)

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
