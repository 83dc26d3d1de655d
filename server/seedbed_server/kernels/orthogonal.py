"""The orthogonal factor of a matrix, by Householder reflections in one fixed order of operations.

LAPACK's result depends on its build, the thread count and the processor. Here every number is the
end of one chain of ``fma`` whose order is written down (docs/numerics.md), so that neither vector
width nor threads nor tiles change it. The blocking is that of Schreiber and Van Loan 1989,
doi:10.1137/0910005 (compact WY): a panel of :data:`BLOCK` columns is reduced column by column, and
everything to its right is updated with three matrix products.

All arrays are float64. A matrix lies in tiles of :data:`TILE` columns, each a flat array of its
rows one after another: rows that are a power of two apart in memory would share a few lines of the
cache and evict each other. A narrower tile is packed into rows of that length while it is in use,
:data:`ROWS` of them at a time.
"""

from typing import Any

import numpy as np
from numba import njit, uint64

from seedbed_server.kernels.intrinsics import fma, prefer_wide_vectors

BLOCK = 64
"""Columns of a panel; part of the contract."""
TILE = 128
"""Columns of a tile, which one task updates: a multiple of BLOCK, and no part of the contract."""
ROWS = 1024
"""Rows that are packed at a time; no part of the contract."""
BAND = 64
"""Rows of a product that are updated together; no part of the contract."""
GROUP = 16
"""Products added to a band in one pass; their rows stay in the first-level cache.

No part of the contract.
"""

_STRIDE = uint64(TILE)


def factor_columns(
    panel: Any,
    transposed: Any,
    diagonal: Any,
    taus: Any,
    sums: Any,
    column: Any,
    first: Any,
    last: Any,
) -> None:
    """Reduce some columns of a panel to triangular form and record the reflections that do it.

    Columns are reduced in order. In between calls, nothing but this changes the arrays.

    Args:
        panel: rows x width, width <= BLOCK and width <= rows; destroyed.
        transposed: width x rows; receives V', unit upper trapezoidal, zeros included.
        diagonal: width; receives the diagonal of R.
        taus: width; receives the factors of the reflections.
        sums: 2 x width, zeros at first; what the last two reflections did.
        column: rows; a copy of the panel's first column at first, then of the one that is next.
        first: the first column to reduce.
        last: the column after the last.
    """
    prefer_wide_vectors()
    rows, width = panel.shape
    before = transposed[first - 1] if first > 0 else np.zeros(rows)
    for k in range(first, last):
        v = transposed[k]
        now, earlier = sums[k % 2], sums[(k + 1) % 2]
        diagonal[k], taus[k] = _reflector(column, k, v)
        _reduce(panel, k, before, earlier, v, now)
        for c in range(k + 1, width):
            now[c] = taus[k] * now[c]
        if k + 1 < width:
            for row in range(k + 1, rows):
                column[row] = fma(-v[row], now[k + 1], panel[row, k + 1])
        before = v


def compose_panel(transposed: Any, taus: Any, reflectors: Any, triangle: Any) -> None:
    """Write the reflections of a panel as one product.

    Args:
        transposed: width x rows; V'.
        taus: width; the factors of the reflections.
        reflectors: rows x width; receives V.
        triangle: width x width; receives T, upper triangular, such that I - V T V' is the product
            of the reflections.
    """
    prefer_wide_vectors()
    _compose(_transpose(transposed, reflectors), taus, triangle)


@njit(inline="always")
def _reflector(column: Any, k: Any, v: Any) -> Any:
    """Write the vector v that reflects a column onto its element k.

    Returns:
        The new value of that element, and tau.
    """
    alpha = column[k]
    square = 0.0
    for i in range(k + 1, column.size):
        square = fma(column[i], column[i], square)
    norm = np.sqrt(fma(alpha, alpha, square))
    beta = norm if alpha < 0.0 else -norm
    tau = (beta - alpha) / beta if norm > 0.0 else 0.0
    divisor = alpha - beta if norm > 0.0 else 1.0
    v[:k] = 0.0
    v[k] = 1.0
    for i in range(uint64(k + 1), uint64(column.size)):
        v[i] = column[i] / divisor
    return beta, tau


@njit(inline="always")
def _reduce(panel: Any, k: Any, before: Any, sums_before: Any, v: Any, sums: Any) -> None:
    """Apply the previous reflection to the columns after k, and compute v'A of the result.

    One pass does both, so that the panel is read once. Rows above k are finished. The columns are
    taken in whole vectors of eight, so some up to k are changed too; nothing reads those any more.
    """
    rows, width = panel.shape
    first = (k + 1) // 8 * 8
    sums[:] = 0.0
    for i in range(k, rows):
        u, w = -before[i], v[i]
        for column in range(first, width):
            c = uint64(column)
            a = fma(u, sums_before[c], panel[uint64(i), c])
            panel[uint64(i), c] = a
            sums[c] = fma(w, a, sums[c])


@njit(inline="always")
def _transpose(transposed: Any, reflectors: Any) -> Any:
    """Write V from V', a few columns at a time, and return V'V in rows of TILE."""
    width, rows = transposed.shape
    products = np.zeros(width * TILE)
    packed = np.zeros(min(rows, ROWS) * TILE)
    for first in range(0, rows, ROWS):
        last = min(first + ROWS, rows)
        for begin in range(0, width, 4):
            for row in range(first, last):
                for k in range(begin, min(begin + 4, width)):
                    value = transposed[uint64(k), uint64(row)]
                    reflectors[uint64(row), uint64(k)] = value
                    packed[uint64(row - first) * _STRIDE + uint64(k)] = value
        _accumulate(transposed[:, first:last], packed, products, 0, width, 1.0)
    return products


@njit(inline="always")
def _compose(products: Any, taus: Any, triangle: Any) -> None:
    """Write T from V'V and the taus: column k is -tau T (V'v), with V the columns before k."""
    triangle[:, :] = 0.0
    for k in range(taus.size):
        for row in range(k):
            chain = 0.0
            for c in range(row, k):
                chain = fma(triangle[row, c], products[c * TILE + k], chain)
            triangle[row, k] = -(taus[k] * chain)
        triangle[k, k] = taus[k]


@njit(nogil=True, error_model="numpy")
def _accumulate(left: Any, right: Any, out: Any, first: Any, columns: Any, sign: Any) -> None:
    """Add ``sign * left @ right`` to ``out`` in a window of columns, products in index order.

    ``right`` and ``out`` are flat, with rows of TILE: as that is a constant, LLVM sees that their
    rows do not overlap, and vectorizes across the columns. Four rows and four products a pass:
    sixteen numbers of ``left`` stay in registers, and each loaded vector is used four times.
    Indices are unsigned, because numba's check for negative ones would keep LLVM from vectorizing.
    """
    rows, inner = left.shape
    whole_rows, whole_inner = rows - rows % 4, inner - inner % 4
    for band in range(0, whole_rows, BAND):
        for group in range(0, whole_inner, GROUP):
            for row in range(band, min(band + BAND, whole_rows), 4):
                for k in range(group, min(group + GROUP, whole_inner), 4):
                    _accumulate_quads(
                        left,
                        right,
                        out,
                        uint64(row),
                        uint64(k),
                        uint64(first),
                        uint64(columns),
                        sign,
                    )
    for row in range(rows):
        for k in range(whole_inner if row < whole_rows else 0, inner):
            a = sign * left[uint64(row), uint64(k)]
            source, target = (
                uint64(k) * _STRIDE + uint64(first),
                uint64(row) * _STRIDE + uint64(first),
            )
            for c in range(uint64(columns)):
                out[target + c] = fma(a, right[source + c], out[target + c])


@njit(inline="always")
def _accumulate_quads(
    left: Any, right: Any, out: Any, row: Any, k: Any, first: Any, columns: Any, sign: Any
) -> None:
    """Add four products each to the elements of four rows."""
    two, three = uint64(2) * _STRIDE, uint64(3) * _STRIDE
    r1, r2, r3 = row + uint64(1), row + uint64(2), row + uint64(3)
    k1, k2, k3 = k + uint64(1), k + uint64(2), k + uint64(3)
    a00, a01, a02, a03 = (
        sign * left[row, k],
        sign * left[row, k1],
        sign * left[row, k2],
        sign * left[row, k3],
    )
    a10, a11, a12, a13 = (
        sign * left[r1, k],
        sign * left[r1, k1],
        sign * left[r1, k2],
        sign * left[r1, k3],
    )
    a20, a21, a22, a23 = (
        sign * left[r2, k],
        sign * left[r2, k1],
        sign * left[r2, k2],
        sign * left[r2, k3],
    )
    a30, a31, a32, a33 = (
        sign * left[r3, k],
        sign * left[r3, k1],
        sign * left[r3, k2],
        sign * left[r3, k3],
    )
    source, target = k * _STRIDE + first, row * _STRIDE + first
    for column in range(columns):
        b, o = source + column, target + column
        b0, b1, b2, b3 = right[b], right[b + _STRIDE], right[b + two], right[b + three]
        o0, o1, o2, o3 = out[o], out[o + _STRIDE], out[o + two], out[o + three]
        out[o] = fma(a03, b3, fma(a02, b2, fma(a01, b1, fma(a00, b0, o0))))
        out[o + _STRIDE] = fma(a13, b3, fma(a12, b2, fma(a11, b1, fma(a10, b0, o1))))
        out[o + two] = fma(a23, b3, fma(a22, b2, fma(a21, b1, fma(a20, b0, o2))))
        out[o + three] = fma(a33, b3, fma(a32, b2, fma(a31, b1, fma(a30, b0, o3))))


def reflect(
    reflectors: Any, transposed: Any, triangle: Any, tile: Any, begin: Any, end: Any
) -> None:
    """Apply I - V S V' from the left to columns begin to end of a tile.

    Args:
        reflectors: V, rows x width.
        transposed: V', width x rows.
        triangle: S, width x width: T to apply the reflections last to first, T' to apply them first
            to last.
        tile: rows x TILE or fewer columns; changed in place.
        begin: the first column.
        end: the column after the last.
    """
    prefer_wide_vectors()
    width, rows = transposed.shape
    columns = end - begin
    projected = np.zeros(width * TILE)
    scaled = np.zeros(width * TILE)
    is_packed = tile.shape[1] != TILE
    packed = np.zeros(min(rows, ROWS) * TILE if is_packed else 0)
    for first in range(0, rows, ROWS):
        last = min(first + ROWS, rows)
        part = _packed(tile[first:last], packed) if is_packed else tile[first:last].reshape(-1)
        _accumulate(transposed[:, first:last], part, projected, begin, columns, 1.0)
    _accumulate(triangle[:, :width], projected, scaled, begin, columns, 1.0)
    for first in range(0, rows, ROWS):
        last = min(first + ROWS, rows)
        part = _packed(tile[first:last], packed) if is_packed else tile[first:last].reshape(-1)
        _accumulate(reflectors[first:last, :width], scaled, part, begin, columns, -1.0)
        if is_packed:
            _unpack(part, tile[first:last])


@njit
def _packed(rows: Any, packed: Any) -> Any:
    """Return the rows of a narrow tile in rows of TILE."""
    for row in range(rows.shape[0]):
        for c in range(rows.shape[1]):
            packed[row * TILE + c] = rows[row, c]
    return packed


@njit
def _unpack(packed: Any, rows: Any) -> None:
    for row in range(rows.shape[0]):
        for c in range(rows.shape[1]):
            rows[row, c] = packed[row * TILE + c]
