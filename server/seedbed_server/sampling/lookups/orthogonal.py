"""Orthogonal blocks, each computed when one of its elements is first needed."""

import math
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from seedbed.spec.dtypes import Dtype
from seedbed.spec.slices import TensorSlice
from seedbed_server.backends.base import SamplingCancelledError
from seedbed_server.backends.householder import core_seconds, working_bytes
from seedbed_server.backends.rules import Orthogonal
from seedbed_server.backends.runs import Runs
from seedbed_server.sampling.lookups.base import (
    SECONDS_PER_ELEMENT,
    Cost,
    Surroundings,
    round_matrix,
)

TILE_ELEMENTS = 2**17
"""Elements looked up at a time, because each takes some bytes where blocks are interleaved."""
_BYTES_PER_TILE_ELEMENT = 160


def cost(rule: Orthogonal, part: TensorSlice, dtype: Dtype) -> Cost:
    """Return what a part of the tensor takes: the blocks that it touches, one after another."""
    grid = rule.grid
    touched = grid.touched(part.starts, part.lengths)
    if not touched:
        return Cost(0, 0)
    others = min(_kept_blocks(rule), touched) - 1
    working = working_bytes(grid.rows, grid.columns) + (
        others * dtype.itemsize * grid.block_elements
    )
    elements = math.prod(part.lengths)
    return Cost(
        touched * grid.block_elements,
        working + _BYTES_PER_TILE_ELEMENT * min(elements, TILE_ELEMENTS),
        touched * core_seconds(grid.rows, grid.columns) + SECONDS_PER_ELEMENT * elements,
    )


def _kept_blocks(rule: Orthogonal) -> int:
    """Return how many blocks are kept: all that interleave, and as many for threads ahead."""
    return 2 * rule.grid.interleaved


class OrthogonalLookup:
    """The blocks of one tensor."""

    def __init__(self, rule: Orthogonal, surroundings: Surroundings) -> None:
        self._rule = rule
        self._in = surroundings
        self._blocks: OrderedDict[int, NDArray[np.generic]] = OrderedDict()

    def fill(self, runs: Runs, out: NDArray[np.uint8]) -> None:
        """Write the elements of the runs, one after another.

        Raises:
            SamplingCancelledError: if that is what became of it.
        """
        elements = out.view(self._in.dtype.numpy)
        for first in range(0, elements.size, TILE_ELEMENTS):
            end = min(first + TILE_ELEMENTS, elements.size)
            for block, cells in self._rule.grid.cells(runs.part(first, end)):
                cells.copy(None if block is None else self._block(block), elements[first:end])

    def core_seconds(self, count: int, run_elements: int) -> float:
        """Return about how long filling takes at most, with the blocks that are kept now."""
        grid = self._rule.grid
        touched = self._in.cost.sampled_elements // max(1, grid.block_elements)
        seconds = SECONDS_PER_ELEMENT * count
        if len(self._blocks) >= touched:
            return seconds
        together = grid.interleaved * grid.block_elements
        # Whole blocks lie one after another, or else every element may be of another one.
        if run_elements >= together:
            touched = min(touched, grid.interleaved * (count // together + 2))
        return seconds + touched * core_seconds(grid.rows, grid.columns)

    def _block(self, number: int) -> NDArray[np.generic]:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        if self._in.is_cancelled():
            raise SamplingCancelledError
        while len(self._blocks) >= _kept_blocks(self._rule):
            self._blocks.popitem(last=False)
        matrix = self._in.backend.orthogonal(
            self._rule, number, self._in.key, self._in.is_cancelled
        )
        self._blocks[number] = round_matrix(matrix, self._in.dtype).reshape(-1)
        return self._blocks[number]
