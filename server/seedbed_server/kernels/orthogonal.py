"""The orthogonal factor of a matrix, by Householder reflections in one fixed order of operations.

LAPACK's result depends on its build, the thread count and the processor. Here every number is the end of one chain of
``fma`` whose order is written down (docs/numerics.md), so that neither vector width nor threads nor tiles change it.
The blocking is that of Schreiber and Van Loan 1989, doi:10.1137/0910005 (compact WY): a panel of :data:`BLOCK` columns
is reduced column by column, and everything to its right is updated with three matrix products.

All arrays are float64 in C order. Loops run along rows, so that the compiler vectorizes across columns.
"""

from typing import Any

import numpy as np
from numba import njit, uint64

from seedbed_server.kernels.intrinsics import fma, prefer_wide_vectors

BLOCK = 64
"""Columns of a panel; part of the contract."""
TILE = 128
"""Columns that are updated as one task; no part of the contract."""
BAND = 32
"""Rows that are updated together; no part of the contract."""


def factor_panel(panel: Any, reflectors: Any, diagonal: Any, triangle: Any) -> None:
    """Reduce a panel to triangular form and write down the reflections that do it.

    Args:
        panel: rows x width, rows >= width; destroyed.
        reflectors: rows x width; receives V, unit lower trapezoidal, zeros above the diagonal included.
        diagonal: width; receives the diagonal of R.
        triangle: width x width; receives T, upper triangular, such that I - V T V' is the product of the reflections.
    """
    prefer_wide_vectors()
    rows, width = panel.shape
    sums = np.empty(width)
    triangle[:, :] = 0.0
    for k in range(width):
        alpha = panel[k, k]
        square = 0.0
        for i in range(k + 1, rows):
            square = fma(panel[i, k], panel[i, k], square)
        norm = np.sqrt(fma(alpha, alpha, square))
        beta = norm if alpha < 0.0 else -norm
        tau = (beta - alpha) / beta if norm > 0.0 else 0.0
        divisor = alpha - beta if norm > 0.0 else 1.0
        diagonal[k] = beta
        for i in range(k):
            reflectors[i, k] = 0.0
        reflectors[k, k] = 1.0
        for i in range(k + 1, rows):
            reflectors[i, k] = panel[i, k] / divisor
        # The rest of the panel: A := A - v (tau v'A).
        sums[k + 1 :] = 0.0
        for i in range(k, rows):
            v = reflectors[i, k]
            for column in range(k + 1, width):
                c = uint64(column)
                sums[c] = fma(v, panel[i, c], sums[c])
        for c in range(k + 1, width):
            sums[c] = tau * sums[c]
        for i in range(k, rows):
            v = -reflectors[i, k]
            for column in range(k + 1, width):
                c = uint64(column)
                panel[i, c] = fma(v, sums[c], panel[i, c])
        # Column k of T: -tau T (V'v), with V the columns before k.
        sums[:k] = 0.0
        for i in range(k, rows):
            v = reflectors[i, k]
            for column in range(k):
                c = uint64(column)
                sums[c] = fma(v, reflectors[i, c], sums[c])
        for row in range(k):
            chain = 0.0
            for c in range(row, k):
                chain = fma(triangle[row, c], sums[c], chain)
            triangle[row, k] = -(tau * chain)
        triangle[k, k] = tau


@njit(inline="always")
def _accumulate(left: Any, right: Any, right_first: Any, out: Any, out_first: Any, columns: Any, sign: Any) -> None:
    """Add ``sign * left @ right`` to ``out``, on windows of their columns; each element's products in index order.

    Eight products a pass keep the chain of one element in a register, and a band of rows shares the eight rows of
    ``right`` while they are in the first-level cache. Indices are unsigned, because numba's check for negative ones
    keeps LLVM from vectorizing.
    """
    rows, inner = left.shape
    grouped = inner - inner % 8
    for band in range(0, rows, BAND):
        for k in range(0, grouped, 8):
            k0, k1, k2, k3 = uint64(k), uint64(k + 1), uint64(k + 2), uint64(k + 3)
            k4, k5, k6, k7 = uint64(k + 4), uint64(k + 5), uint64(k + 6), uint64(k + 7)
            for row in range(band, min(band + BAND, rows)):
                a0, a1, a2, a3 = sign * left[row, k0], sign * left[row, k1], sign * left[row, k2], sign * left[row, k3]
                a4, a5, a6, a7 = sign * left[row, k4], sign * left[row, k5], sign * left[row, k6], sign * left[row, k7]
                for c in range(columns):
                    source = right_first + uint64(c)
                    target = out_first + uint64(c)
                    chain = fma(a0, right[k0, source], out[row, target])
                    chain = fma(a1, right[k1, source], chain)
                    chain = fma(a2, right[k2, source], chain)
                    chain = fma(a3, right[k3, source], chain)
                    chain = fma(a4, right[k4, source], chain)
                    chain = fma(a5, right[k5, source], chain)
                    chain = fma(a6, right[k6, source], chain)
                    out[row, target] = fma(a7, right[k7, source], chain)
        for k in range(grouped, inner):
            for row in range(band, min(band + BAND, rows)):
                a = sign * left[row, uint64(k)]
                for c in range(columns):
                    target = out_first + uint64(c)
                    out[row, target] = fma(a, right[uint64(k), right_first + uint64(c)], out[row, target])


def reflect(reflectors: Any, transposed: Any, triangle: Any, matrix: Any, begin: Any, end: Any) -> None:
    """Apply I - V S V' from the left to the columns begin to end of a matrix.

    Args:
        reflectors: V, rows x width.
        transposed: V', width x rows, in C order of its own.
        triangle: S, width x width: T to apply the reflections last to first, T' to apply them first to last.
        matrix: rows x columns; changed in place.
        begin: the first column.
        end: the column after the last.
    """
    prefer_wide_vectors()
    width = reflectors.shape[1]
    columns = end - begin
    first = uint64(begin)
    none = uint64(0)
    projected = np.zeros((width, columns))
    scaled = np.zeros((width, columns))
    _accumulate(transposed, matrix, first, projected, none, columns, 1.0)
    _accumulate(triangle, projected, none, scaled, none, columns, 1.0)
    _accumulate(reflectors, scaled, none, matrix, first, columns, -1.0)
