"""The plan of a tensor request, which does no work, and the source that fills memory by it.

A slice, a resume offset and a parallel range are the same thing here: some elements, by their place
in the slice.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedbed.spec.dtypes import Dtype
from seedbed.spec.tensors import TensorRequest
from seedbed_server.backends.base import Backend, SamplingCancelledError
from seedbed_server.backends.rules import ElementRule, ElementwiseRule
from seedbed_server.backends.runs import Runs, joined_axes, run_firsts
from seedbed_server.kernels.keys import Key, derive_key
from seedbed_server.sampling.derivation import element_rule
from seedbed_server.sampling.lookups import Cost, Lookup, cost_of, lookup_of
from seedbed_server.sampling.lookups.base import Surroundings

# Runs that are filled at a time: each takes some tens of bytes to find.
MOST_RUNS = 2**17


class ChunkPlan(NamedTuple):
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
    def is_elementwise(self) -> bool:
        """Whether each element is computed by itself."""
        return isinstance(self.rule, ElementwiseRule)

    @property
    def cost(self) -> Cost:
        """What sampling takes."""
        if isinstance(self.rule, ElementwiseRule):
            return Cost(self.element_count, 0)
        return cost_of(self.rule, self.request)

    def chunks(self, max_chunk_bytes: int, first_element: int = 0) -> Iterator[ChunkPlan]:
        """Yield the slice from ``first_element`` on, in chunks of whole elements."""
        step = max(1, max_chunk_bytes // self.dtype.itemsize)
        for first in range(first_element, self.element_count, step):
            yield ChunkPlan(first, min(step, self.element_count - first))

    def chunk_count(self, max_chunk_bytes: int) -> int:
        """Return how many chunks the whole slice is sent in."""
        return -(-self.element_count // max(1, max_chunk_bytes // self.dtype.itemsize))

    def runs(self, first: int, count: int) -> Runs:
        """Return where ``count`` elements from the slice's ``first`` on lie in the whole tensor."""
        part = self.request.slice
        if part is None:
            return Runs(np.array((first,), np.uint64), np.array((count,), np.uint64))
        first_run, skipped = divmod(first, self.run_elements)
        last_run = (first + count - 1) // self.run_elements
        firsts = run_firsts(
            self.request.spec.shape, part.starts, self.outer_shape, first_run, last_run + 1
        )
        counts = np.full(firsts.size, self.run_elements, np.uint64)
        counts[-1] = (first + count - 1) % self.run_elements + 1
        firsts[0] += np.uint64(skipped)
        counts[0] -= np.uint64(skipped)
        return Runs(firsts, counts)


def plan(request: TensorRequest) -> SamplePlan:
    """Return the plan of a request. Pure, and cheap whatever the size."""
    spec = request.spec
    run_elements, axis = joined_axes(spec.shape, request.shape)
    if request.slice is None:
        axis = 0
    return SamplePlan(
        request=request,
        rule=element_rule(spec),
        key=derive_key(spec.seed, spec.draw, spec.name),
        run_elements=run_elements,
        outer_shape=request.shape[:axis],
    )


class TensorSource:
    """Fills memory with any elements of one requested slice; used by several threads at a time."""

    def __init__(self, sample_plan: SamplePlan, backend: Backend) -> None:
        self.plan = sample_plan
        self._backend = backend
        self._lock = threading.Lock()
        self._is_cancelled = False
        self._lookup: Lookup | None = None
        if not isinstance(sample_plan.rule, ElementwiseRule):
            surroundings = Surroundings(
                sample_plan.key,
                sample_plan.dtype,
                sample_plan.cost,
                backend,
                lambda: self._is_cancelled,
            )
            self._lookup = lookup_of(sample_plan.rule, surroundings)

    def cancel(self) -> None:
        """Make work under way end soon, with :class:`SamplingCancelledError`."""
        self._is_cancelled = True

    def check_wanted(self) -> None:
        """Raise :class:`SamplingCancelledError` after :meth:`cancel`."""
        if self._is_cancelled:
            raise SamplingCancelledError

    def fill(self, first: int, out: NDArray[np.uint8]) -> None:
        """Write the elements from number ``first`` of the slice on; ``out.size`` bytes of them.

        Args:
            first: the first element's place in the slice, in C order.
            out: contiguous bytes, at any address, a whole number of elements.

        Raises:
            SamplingCancelledError: after :meth:`cancel`.
        """
        if not out.size:
            return
        itemsize = self.plan.dtype.itemsize
        step = MOST_RUNS * self.plan.run_elements
        for begin in range(0, out.size // itemsize, step):
            self.check_wanted()
            part = out[begin * itemsize : (begin + step) * itemsize]
            self._fill(self.plan.runs(first + begin, part.size // itemsize), part)

    def core_seconds(self, count: int) -> float:
        """Return about how long filling so many elements takes at most, the way things are."""
        if self._lookup is None:
            return 0.0
        return self._lookup.core_seconds(count, self.plan.run_elements)

    def _fill(self, runs: Runs, out: NDArray[np.uint8]) -> None:
        rule = self.plan.rule
        if isinstance(rule, ElementwiseRule):
            self._backend.fill(rule, self.plan.key, runs, self.plan.dtype, out)
            return
        assert self._lookup is not None
        # A lookup computes whole blocks and keeps them: a second thread waits for the first one's.
        with self._lock:
            self._lookup.fill(runs, out)
