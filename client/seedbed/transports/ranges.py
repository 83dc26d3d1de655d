"""Cuts a fetch into portions that can come from anywhere at the same time: runs of its bytes."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seedbed.spec.slices import TensorSlice, whole
from seedbed.spec.tensors import TensorRequest


@dataclass(frozen=True, slots=True)
class Portion:
    """Some requests that travel together, and the memory that each of them fills."""

    requests: tuple[TensorRequest, ...]
    """What to ask for."""
    outs: tuple[memoryview, ...]
    """Where it goes."""


def portions(
    requests: Sequence[TensorRequest], outs: Sequence[memoryview], portion_bytes: int
) -> Iterator[Portion]:
    """Yield portions of about ``portion_bytes``: large tensors cut up, small ones together."""
    together: list[tuple[TensorRequest, memoryview]] = []
    size = 0
    for request, out in zip(requests, outs, strict=True):
        for part, begin, end in parts(request, portion_bytes):
            together.append((part, out[begin:end]))
            size += end - begin
            if size >= portion_bytes:
                yield _portion(together)
                together, size = [], 0
    if together:
        yield _portion(together)


def parts(request: TensorRequest, part_bytes: int) -> Iterator[tuple[TensorRequest, int, int]]:
    """Yield the parts of a request, with where each one begins and ends in the request's bytes.

    The cuts go along the first axis that has more than one index, so that each part is a run of
    bytes. A part is as near to ``part_bytes`` as whole indices of that axis allow.
    """
    size = request.size_bytes
    lengths = request.shape
    axis = next((axis for axis, length in enumerate(lengths) if length > 1), None)
    if size <= part_bytes or axis is None:
        yield request, 0, size
        return
    row_bytes = math.prod(lengths[axis + 1 :]) * request.spec.dtype.itemsize
    rows = max(1, part_bytes // row_bytes)
    window = request.slice or whole(request.spec.shape)
    for first in range(0, lengths[axis], rows):
        count = min(rows, lengths[axis] - first)
        starts = tuple(
            start + first if i == axis else start for i, start in enumerate(window.starts)
        )
        cut = tuple(count if i == axis else length for i, length in enumerate(window.lengths))
        part = TensorRequest(request.spec, TensorSlice(starts, cut))
        yield part, first * row_bytes, (first + count) * row_bytes


def _portion(together: list[tuple[TensorRequest, memoryview]]) -> Portion:
    return Portion(tuple(request for request, _ in together), tuple(out for _, out in together))
