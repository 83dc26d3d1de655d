"""A heat map of a matrix, with its structure in figures below."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seedbed.reports.orthonormality import GramError, gram_error
from seedbed.reports.pictures import colors
from seedbed.reports.pictures.lettering import wrapped
from seedbed.spec.initializers import DeltaOrthogonalSpec, DiracSpec
from seedbed.spec.initializers.layouts import kernel_axes, matrix_axes
from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import TensorSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# More cells are smaller than a pixel of a screen.
MAX_CELLS = 256
# A longer side is drawn shorter, so that the other one can still be seen.
MAX_ASPECT = 3.0


def draw_matrix(
    axes: "Axes", array: NDArray[Any], spec: TensorSpec, part: TensorSlice | None
) -> None:
    """Draw an array of two axes or more as a matrix, and caption it."""
    row_axes, column_axis = view_axes(spec)
    matrix = array.transpose(*row_axes, column_axis).reshape(-1, array.shape[column_axis])
    zeros = matrix.size - int(np.count_nonzero(matrix))
    cells = shrunk(matrix, by_extreme=2 * zeros > matrix.size)
    row, column = _first(part, row_axes), _first(part, (column_axis,))
    rows, columns = matrix.shape
    # An infinity has no place on a scale.
    largest = float(np.abs(cells[np.isfinite(cells)]).max(initial=0)) or 1.0
    is_true_to_scale = 1 / MAX_ASPECT <= rows / columns <= MAX_ASPECT
    image = axes.imshow(
        cells,
        cmap=colors.DIVERGING,
        vmin=-largest,
        vmax=largest,
        interpolation="nearest",
        extent=(column - 0.5, column + columns - 0.5, row + rows - 0.5, row - 0.5),
        aspect="equal" if is_true_to_scale else "auto",
    )
    # Labels beside each other need more room than below each other.
    column_ticks = 2 if is_true_to_scale and rows > columns else 4
    _dress(axes, row_axes, column_axis, column_ticks)
    axes.set_anchor("W")
    width = 0.03 * max(1.0, rows / columns) if is_true_to_scale else 0.03
    beside = axes.inset_axes((1.03, 0.0, width, 1.0))
    axes.figure.colorbar(image, cax=beside).outline.set_visible(False)
    gram = gram_error(array, spec) if part is None else None
    caption = [_cells_text(matrix.shape, cells.shape, by_extreme=2 * zeros > matrix.size)]
    caption.append(f"{zeros:,} of {matrix.size:,} elements are 0")
    if gram is not None:
        caption.append(gram_text(gram))
    # Of the figure: it may be wider than the matrix.
    axes.figure.supxlabel(wrapped(caption), x=0.01, ha="left", fontsize=9, color=colors.MUTED)


def view_axes(spec: TensorSpec) -> tuple[tuple[int, ...], int]:
    """Return the axes that are rows, the outer one first, and the one of columns."""
    if isinstance(spec.initializer, (DeltaOrthogonalSpec, DiracSpec)):
        kernel = kernel_axes(spec.initializer.name(), spec.shape, spec.fan_axes)
        own = (*kernel.spatial, kernel.in_axis, kernel.out_axis)
    else:
        own = matrix_axes(spec.shape, spec.fan_axes)
    batch = tuple(axis for axis in range(len(spec.shape)) if axis not in own)
    return (*batch, *own[:-1]), own[-1]


def shrunk(matrix: NDArray[Any], *, by_extreme: bool) -> NDArray[np.float64]:
    """Return a matrix of at most 256 rows and columns, each cell a block's mean or extreme.

    The extreme is the element farthest from 0: a mean would make a few of them fade away.
    """
    starts, column_starts = (_starts(length) for length in matrix.shape)
    bands = []
    for start, stop in zip(starts, [*starts[1:], len(matrix)], strict=True):
        band = matrix[start:stop].astype(np.float64)
        if by_extreme:
            high = np.maximum.reduceat(band.max(axis=0), column_starts)
            low = np.minimum.reduceat(band.min(axis=0), column_starts)
            bands.append(np.where(high >= -low, high, low))
        else:
            widths = np.diff([*column_starts, matrix.shape[1]])
            bands.append(np.add.reduceat(band.mean(axis=0), column_starts) / widths)
    return np.array(bands)


def gram_text(gram: GramError) -> str:
    """Return how orthogonal a matrix is."""
    product, noun = ("QQᵀ", "rows") if gram.of_rows else ("QᵀQ", "columns")
    text = f"orthonormal {noun}: max |{product} - gain² I| = {gram.largest:.2g}"
    if gram.lines < gram.all_lines:
        text += f", over {gram.lines:,} of {gram.all_lines:,} {noun}"
    return text


def _starts(length: int) -> list[int]:
    cells = min(length, MAX_CELLS)
    return [cell * length // cells for cell in range(cells)]


def _first(part: TensorSlice | None, axes: Sequence[int]) -> int:
    """Return the index of a part's first line; several axes together are counted from 0."""
    return part.starts[axes[0]] if part is not None and len(axes) == 1 else 0


def _dress(axes: "Axes", row_axes: Sequence[int], column_axis: int, column_ticks: int) -> None:
    from matplotlib.ticker import MaxNLocator

    together = ", ".join(map(str, row_axes))
    name = f"axis {together}" if len(row_axes) == 1 else f"axes {together} together"
    axes.set_ylabel(f"row: {name}", color=colors.TEXT)
    axes.set_xlabel(f"column: axis {column_axis}", color=colors.TEXT)
    axes.xaxis.set_major_locator(MaxNLocator(column_ticks, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))


def _cells_text(shape: tuple[int, ...], cells: tuple[int, ...], *, by_extreme: bool) -> str:
    if shape == cells:
        return "each cell is one element"
    height, width = (math.ceil(all_ / few) for all_, few in zip(shape, cells, strict=True))
    figure = "the element farthest from 0" if by_extreme else "the mean"
    return f"each cell is {figure} of a block of at most {height} x {width} elements"
