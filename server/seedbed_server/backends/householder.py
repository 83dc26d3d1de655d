"""The schedule of an orthogonal factor on the processor.

The caller's thread factors one panel while the pool's threads update the columns to its right. The
order of tasks is free: each number's own chain of operations is fixed by the kernels.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed_server.backends.base import CancelledError
from seedbed_server.kernels.orthogonal import BLOCK, TILE

Matrix = NDArray[np.float64]
Kernels = Mapping[str, Callable[..., Any]]
Tasks = list["Future[None]"]


class Tiles:
    """A matrix as tiles of its columns, as :mod:`seedbed_server.kernels.orthogonal` works on them.

    Args:
        matrix: rows x columns; copied.
    """

    def __init__(self, matrix: Matrix) -> None:
        self.rows, self.columns = matrix.shape
        self._tiles = [
            matrix[:, begin : begin + TILE].copy() for begin in range(0, self.columns, TILE)
        ]

    def times(self, factors: NDArray[np.float64]) -> Matrix:
        """Return the matrix, each column multiplied with its factor."""
        matrix = np.empty((self.rows, self.columns))
        for begin, tile in self._begins():
            np.multiply(tile, factors[begin : begin + TILE], out=matrix[:, begin : begin + TILE])
        return matrix

    def panel(self, begin: int) -> Matrix:
        """Return a copy of at most BLOCK columns from ``begin`` on, from row ``begin`` on."""
        first = begin % TILE
        return self._tiles[begin // TILE][begin:, first : first + BLOCK].copy()

    def windows(self, row: int, begin: int, end: int) -> Iterator[tuple[Matrix, int, int]]:
        """Yield each tile that has some of the columns, and which of its own columns those are.

        Args:
            row: the tiles' first row.
            begin: the first column of the matrix.
            end: the column after the last.
        """
        for first, tile in self._begins():
            if first < end and begin < first + TILE:
                yield tile[row:], max(begin - first, 0), min(end - first, TILE)

    def clear(self) -> None:
        """Give the memory back."""
        self._tiles.clear()

    def _begins(self) -> Iterator[tuple[int, Matrix]]:
        return zip(range(0, self.columns, TILE), self._tiles, strict=True)


@dataclass(frozen=True, slots=True)
class _Step:
    """The reflections of one panel."""

    begin: int
    end: int
    reflectors: Matrix
    transposed: Matrix
    triangle: Matrix


def orthonormal_columns(
    matrix: Tiles,
    gain: float,
    kernels: Kernels,
    threads: Executor,
    is_cancelled: Callable[[], bool],
) -> Matrix:
    """Return Q of the QR factorization whose R has a positive diagonal, times a gain.

    Args:
        matrix: at least as many rows as columns; destroyed.
        gain: multiplies the result.
        kernels: ``factor_panel`` and ``reflect``, compiled.
        threads: who reflects; the panels are factored by the caller.
        is_cancelled: asked now and then.

    Raises:
        CancelledError: soon after ``is_cancelled`` says so.
    """
    diagonal = np.empty(matrix.columns)

    def apply(step: _Step, triangle: Matrix, to: Tiles, first: int, last: int) -> Tasks:
        operands = step.reflectors, step.transposed, triangle
        return [
            threads.submit(kernels["reflect"], *operands, *window)
            for window in to.windows(step.begin, first, last)
        ]

    steps: list[_Step] = []
    panel = _factor(matrix, 0, diagonal, kernels)
    while panel is not None:
        if is_cancelled():
            raise CancelledError
        steps.append(panel)
        transposed = np.ascontiguousarray(panel.triangle.T)
        # The next panel is updated first, so that it can be factored while the rest is updated.
        next_end = min(panel.end + BLOCK, matrix.columns)
        _finish(apply(panel, transposed, matrix, panel.end, next_end))
        rest = apply(panel, transposed, matrix, next_end, matrix.columns)
        panel = _factor(matrix, panel.end, diagonal, kernels)
        _finish(rest)
    matrix.clear()
    q = Tiles(np.eye(matrix.rows, matrix.columns))
    while steps:
        if is_cancelled():
            raise CancelledError
        step = steps.pop()
        _finish(apply(step, step.triangle, q, step.begin, q.columns))
    # QR is unique only up to the signs of R's diagonal: making it positive fixes Q, and makes Q
    # uniformly distributed where the matrix is normal (Mezzadri 2007, arXiv:math-ph/0609050).
    return q.times(np.where(diagonal < 0.0, -gain, gain))


def _factor(
    matrix: Tiles, begin: int, diagonal: NDArray[np.float64], kernels: Kernels
) -> _Step | None:
    """Factor the panel that begins at a column; None beyond the last one."""
    end = min(begin + BLOCK, matrix.columns)
    if begin == end:
        return None
    width, rows = end - begin, matrix.rows - begin
    step = _Step(
        begin, end, np.empty((rows, width)), np.empty((width, rows)), np.empty((width, width))
    )
    kernels["factor_panel"](
        matrix.panel(begin), step.reflectors, step.transposed, diagonal[begin:end], step.triangle
    )
    return step


def _finish(tasks: Tasks) -> None:
    for task in tasks:
        task.result()
