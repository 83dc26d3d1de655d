"""From a tensor request to its bytes: a plan that does no work, and a source that fills memory by it.

A slice, a resume offset and a parallel range are the same thing here: some elements, by their place in the slice.
"""

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedbed.wire.dtypes import Dtype
from seedbed.wire.slices import TensorSlice
from seedbed.wire.specs import TensorRequest
from seedbed_server.backends.base import Backend, CancelledError, ElementRule, Orthogonal, Runs
from seedbed_server.initializers import element_rule
from seedbed_server.kernels.keys import Key, derive_key


@dataclass(frozen=True, slots=True)
class ChunkPlan:
    """Which elements of a requested slice one chunk holds."""

    first_element: int
    """The first, by its place in the slice in C order."""
    element_count: int
    """How many."""


@dataclass(frozen=True, slots=True)
class SamplePlan:
    """All that is known of a requested slice before anything is sampled."""

    request: TensorRequest
    """What was asked for."""
    rule: ElementRule
    """How its elements follow from their index."""
    key: Key
    """The Philox key of the tensor."""
    run_elements: int
    """How many elements of the slice are neighbours in the whole tensor."""
    outer_shape: tuple[int, ...]
    """The slice's lengths on the axes that its runs are spread over."""

    @property
    def dtype(self) -> Dtype:
        """The type of the elements."""
        return self.request.spec.dtype

    @property
    def element_count(self) -> int:
        """How many elements the slice has."""
        return self.request.element_count

    @property
    def size_bytes(self) -> int:
        """How many bytes the slice has."""
        return self.request.size_bytes

    @property
    def working_bytes(self) -> int:
        """Memory held while the tensor is sampled, beyond the chunks in flight."""
        if not isinstance(self.rule, Orthogonal):
            return 0
        # The matrix, its reflections and the result are float64 and live at the same time for a moment.
        return 3 * 8 * self.request.spec.element_count

    @property
    def sampled_elements(self) -> int:
        """How many elements are computed: an orthogonal matrix is one piece."""
        return self.request.spec.element_count if isinstance(self.rule, Orthogonal) else self.element_count

    def chunks(self, max_chunk_bytes: int, first_element: int = 0) -> Iterator[ChunkPlan]:
        """Yield the slice from ``first_element`` on, in chunks of whole elements."""
        step = max(1, max_chunk_bytes // self.dtype.itemsize)
        for first in range(first_element, self.element_count, step):
            yield ChunkPlan(first, min(step, self.element_count - first))

    def chunk_count(self, max_chunk_bytes: int) -> int:
        """Return how many chunks the whole slice is sent in."""
        return -(-self.element_count // max(1, max_chunk_bytes // self.dtype.itemsize))

    def runs(self, first: int, count: int) -> Runs:
        """Return where elements ``first`` to ``first + count`` of the slice are in the whole tensor."""
        part = self.request.slice
        if part is None:
            return Runs(np.array((first,), np.uint64), np.array((count,), np.uint64))
        first_run, skipped = divmod(first, self.run_elements)
        last_run = (first + count - 1) // self.run_elements
        firsts = self._run_firsts(part, first_run, last_run + 1)
        counts = np.full(firsts.size, self.run_elements, np.uint64)
        counts[-1] = (first + count - 1) % self.run_elements + 1
        firsts[0] += np.uint64(skipped)
        counts[0] -= np.uint64(skipped)
        return Runs(firsts, counts)

    def _run_firsts(self, part: TensorSlice, first_run: int, end_run: int) -> NDArray[np.uint64]:
        shape = self.request.spec.shape
        strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
        base = sum(start * stride for start, stride in zip(part.starts, strides, strict=True))
        firsts = np.full(end_run - first_run, base, np.uint64)
        run = np.arange(first_run, end_run, dtype=np.uint64)
        for axis in reversed(range(len(self.outer_shape))):
            run, index = np.divmod(run, np.uint64(self.outer_shape[axis]))
            firsts += index * np.uint64(strides[axis])
        return firsts


def plan(request: TensorRequest) -> SamplePlan:
    """Return the plan of a request. Pure, and cheap whatever the size."""
    spec = request.spec
    lengths = request.shape
    axis = len(lengths)
    run_elements = 1
    while axis > 0:
        axis -= 1
        run_elements *= lengths[axis]
        if lengths[axis] != spec.shape[axis]:
            break
    if request.slice is None:
        axis = 0
    return SamplePlan(
        request=request,
        rule=element_rule(spec),
        key=derive_key(spec.seed, spec.draw, spec.name),
        run_elements=run_elements,
        outer_shape=lengths[:axis],
    )


class TensorSource:
    """Fills memory with any elements of one requested slice; used by several threads at a time."""

    def __init__(self, sample_plan: SamplePlan, backend: Backend) -> None:
        self.plan = sample_plan
        self._backend = backend
        self._matrix: NDArray[np.generic] | None = None
        self._lock = threading.Lock()
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Make work that is under way end soon, with :class:`CancelledError`."""
        self._cancelled.set()

    def fill(self, first: int, out: NDArray[np.uint8]) -> None:
        """Write the elements from number ``first`` of the slice on; ``out.size`` bytes of them.

        Args:
            first: the first element's place in the slice, in C order.
            out: contiguous bytes, at any address, a whole number of elements.

        Raises:
            CancelledError: after :meth:`cancel`.
        """
        if not out.size:
            return
        if self._cancelled.is_set():
            raise CancelledError
        rule = self.plan.rule
        runs = self.plan.runs(first, out.size // self.plan.dtype.itemsize)
        if isinstance(rule, Orthogonal):
            matrix = self._whole_matrix(rule)
            _copy_runs(matrix, runs, out.view(matrix.dtype))
        else:
            self._backend.fill(rule, self.plan.key, runs, self.plan.dtype, out)

    def _whole_matrix(self, rule: Orthogonal) -> NDArray[np.generic]:
        with self._lock:
            if self._matrix is None:
                matrix = self._backend.orthogonal(rule, self.plan.key, self._cancelled.is_set)
                self._matrix = round_matrix(matrix, self.plan.dtype).reshape(-1)
            return self._matrix


def round_matrix(matrix: NDArray[np.float64], dtype: Dtype) -> NDArray[np.generic]:
    """Return float64 numbers in a dtype: rounded to float32, and from there once more to a 16-bit or 8-bit dtype."""
    if dtype is Dtype.FLOAT64:
        return matrix
    single = matrix.astype(np.float32)
    if dtype.saturates:
        single = single.clip(-dtype.largest, dtype.largest)
    return single if dtype is Dtype.FLOAT32 else single.astype(dtype.numpy)


def _copy_runs(elements: NDArray[np.generic], runs: Runs, out: NDArray[np.generic]) -> None:
    if runs.firsts.size == 1:
        first = int(runs.firsts[0])
        out[:] = elements[first : first + out.size]
        return
    out[:] = elements[runs.indices()]
