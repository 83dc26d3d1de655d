"""The schedule of an orthogonal factor on the processor, and what it costs.

The caller's thread factors one panel while other threads update the columns to its right. The order
of tasks is free: each number's own chain of operations is fixed by the kernels.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed_server.kernels.orthogonal import BLOCK, TILE

# Of one core, on an AVX-512 server of 2020; and for each element, what is done to it a few times:
# sampled, copied, rounded, read for a panel.
FLOPS_PER_SECOND = 33e9
SECONDS_PER_ELEMENT = 1e-7
# Elements of a panel that are factored before `check_wanted` is called again, some milliseconds.
FACTORED_ELEMENTS = 2**24

Matrix = NDArray[np.float64]
Kernels = Mapping[str, Callable[..., Any]]
Tasks = list["Future[None]"]


def core_seconds(rows: int, columns: int) -> float:
    """Return about how long one core takes for a factor."""
    long, short = max(rows, columns), min(rows, columns)
    flops = 4 * long * short**2 - 4 / 3 * short**3
    return flops / FLOPS_PER_SECOND + SECONDS_PER_ELEMENT * long * short


def working_bytes(rows: int, columns: int) -> int:
    """Return the memory that a factor takes: the matrix, its reflections in two orders, a panel."""
    long, short = max(rows, columns), min(rows, columns)
    return 8 * long * (3 * short + min(BLOCK, short))


class Tiles:
    """A matrix as tiles of its columns, as :mod:`seedbed_server.kernels.orthogonal` works on them.

    Args:
        rows: of the matrix, all zeros at first.
        columns: likewise.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self._tiles = [
            np.zeros((rows, min(TILE, columns - begin))) for begin in range(0, columns, TILE)
        ]

    @classmethod
    def of(cls, matrix: Matrix) -> "Tiles":
        """Return a copy of a matrix."""
        tiles = cls(*matrix.shape)
        for begin, tile in tiles._begins():
            tile[:] = matrix[:, begin : begin + TILE]
        return tiles

    @classmethod
    def identity(cls, rows: int, columns: int) -> "Tiles":
        """Return a matrix with ones on its diagonal."""
        tiles = cls(rows, columns)
        for begin, tile in tiles._begins():
            np.fill_diagonal(tile[begin:], 1.0)
        return tiles

    def times(
        self, factors: NDArray[np.float64], check_wanted: Callable[[], None], *, transposed: bool
    ) -> Matrix:
        """Return the matrix, each column multiplied with its factor, or the transpose of that."""
        matrix = np.empty((self.columns, self.rows) if transposed else (self.rows, self.columns))
        for begin, tile in self._begins():
            check_wanted()
            columns = slice(begin, begin + TILE)
            out = matrix[columns].T if transposed else matrix[:, columns]
            np.multiply(tile, factors[columns], out=out)
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


class InPlace(Executor):
    """Runs what is submitted at once, in the caller's thread: for a matrix of one tile."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **named: Any) -> "Future[Any]":
        """Return the result as a future that is done."""
        future: Future[Any] = Future()
        future.set_result(function(*args, **named))
        return future


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
    check_wanted: Callable[[], None],
    *,
    is_wide: bool,
) -> Matrix:
    """Return Q of the QR factorization whose R has a positive diagonal, times a gain.

    Args:
        matrix: at least as many rows as columns; destroyed.
        gain: multiplies the result.
        kernels: ``factor_columns``, ``compose_panel`` and ``reflect``, compiled.
        threads: who reflects; the panels are factored by the caller.
        check_wanted: called now and then; what it raises ends the work.
        is_wide: whether to return the transpose.
    """
    diagonal = np.empty(matrix.columns)

    def apply(step: _Step, triangle: Matrix, to: Tiles, first: int, last: int) -> Tasks:
        operands = step.reflectors, step.transposed, triangle
        return [
            threads.submit(kernels["reflect"], *operands, *window)
            for window in to.windows(step.begin, first, last)
        ]

    steps: list[_Step] = []
    panel = _factor(matrix, 0, diagonal, kernels, check_wanted)
    while panel is not None:
        check_wanted()
        steps.append(panel)
        transposed = np.ascontiguousarray(panel.triangle.T)
        # The next panel is updated first, so that it can be factored while the rest is updated.
        next_end = min(panel.end + BLOCK, matrix.columns)
        _finish(apply(panel, transposed, matrix, panel.end, next_end))
        rest = apply(panel, transposed, matrix, next_end, matrix.columns)
        panel = _factor(matrix, panel.end, diagonal, kernels, check_wanted)
        _finish(rest)
    matrix.clear()
    q = Tiles.identity(matrix.rows, matrix.columns)
    while steps:
        check_wanted()
        step = steps.pop()
        _finish(apply(step, step.triangle, q, step.begin, q.columns))
    # QR is unique only up to the signs of R's diagonal: making it positive fixes Q, and makes Q
    # uniformly distributed where the matrix is normal (Mezzadri 2007, arXiv:math-ph/0609050).
    factors = np.where(diagonal < 0.0, -gain, gain)
    return q.times(factors, check_wanted, transposed=is_wide)


def _factor(
    matrix: Tiles,
    begin: int,
    diagonal: NDArray[np.float64],
    kernels: Kernels,
    check_wanted: Callable[[], None],
) -> _Step | None:
    """Factor the panel that begins at a column; None beyond the last one."""
    end = min(begin + BLOCK, matrix.columns)
    if begin == end:
        return None
    width, rows = end - begin, matrix.rows - begin
    step = _Step(
        begin, end, np.empty((rows, width)), np.empty((width, rows)), np.empty((width, width))
    )
    panel, taus, sums = matrix.panel(begin), np.empty(width), np.zeros((2, width))
    column = panel[:, 0].copy()
    at_a_time = max(1, FACTORED_ELEMENTS // panel.size)
    for first in range(0, width, at_a_time):
        check_wanted()
        last = min(first + at_a_time, width)
        kernels["factor_columns"](
            panel, step.transposed, diagonal[begin:end], taus, sums, column, first, last
        )
    check_wanted()
    kernels["compose_panel"](step.transposed, taus, step.reflectors, step.triangle)
    return step


def _finish(tasks: Tasks) -> None:
    for task in tasks:
        task.result()
