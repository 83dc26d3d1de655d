"""A backend with one kernel that gives other bits than the contract."""

import numpy as np
from numpy.typing import NDArray

from seedbed.spec.dtypes import Dtype
from seedbed_server.backends.base import Backend
from seedbed_server.backends.rules import ElementwiseRule
from seedbed_server.backends.runs import Runs
from seedbed_server.kernels.keys import Key
from tests.forwarding_backend import ForwardingBackend


class BrokenBackend(ForwardingBackend):
    """Another backend, but for the lowest bit of the last element that one kernel writes."""

    name = "gpu"
    device = "a device that computes wrongly"

    def __init__(self, backend: Backend, *, kernel: str) -> None:
        super().__init__(backend)
        self._kernel = kernel

    def close(self) -> None:
        self._backend.close()

    def fill(
        self, rule: ElementwiseRule, key: Key, runs: Runs, dtype: Dtype, out: NDArray[np.uint8]
    ) -> None:
        super().fill(rule, key, runs, dtype, out)
        if f"{type(rule).__name__.lower()}_{dtype.value}" == self._kernel:
            out[-dtype.itemsize] ^= 1
