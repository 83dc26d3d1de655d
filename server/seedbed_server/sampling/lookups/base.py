"""The lookup protocol, and the cost of sampling."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seedbed.spec.dtypes import Dtype
from seedbed_server.backends.base import Backend
from seedbed_server.backends.runs import Runs
from seedbed_server.kernels.keys import Key


@dataclass(frozen=True, slots=True)
class Cost:
    """What sampling a slice takes."""

    sampled_elements: int
    """How many elements are computed."""
    working_bytes: int
    """Memory held beyond what is filled."""
    core_seconds: float = 0.0
    """About how long one core computes what must be there before elements can be looked up, and
    looks them up; 0 where each element is computed by itself."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a lookup samples with."""

    key: Key
    """Of the tensor."""
    dtype: Dtype
    """Of the elements."""
    cost: Cost
    """What all of it takes."""
    backend: Backend
    """Who samples."""
    is_cancelled: Callable[[], bool]
    """Asked now and then; if it says so, the work ends with SamplingCancelledError."""


class Lookup(Protocol):
    """Fills memory with elements of one tensor, and keeps what later ones need.

    One thread at a time uses it.
    """

    def fill(self, runs: Runs, out: NDArray[np.uint8]) -> None:
        """Write the elements of the runs, one after another, little-endian."""

    def core_seconds(self, count: int, run_elements: int) -> float:
        """Return about how long filling takes at most, with what is kept now.

        Args:
            count: how many elements.
            run_elements: how many of them are neighbours in the whole tensor.
        """


# Looking up one element, whatever the lookup.
SECONDS_PER_ELEMENT = 2e-8


def round_matrix(matrix: NDArray[np.float64], dtype: Dtype) -> NDArray[np.generic]:
    """Return float64 numbers in a dtype.

    They are rounded to float32 first, and from there once more to a 16-bit or 8-bit dtype: so a
    narrow tensor is exactly the float32 one, rounded.
    """
    if dtype is Dtype.FLOAT64:
        return matrix
    single = matrix.astype(np.float32)
    if dtype.saturates:
        single = single.clip(-dtype.largest, dtype.largest)
    return single if dtype is Dtype.FLOAT32 else single.astype(dtype.numpy)
