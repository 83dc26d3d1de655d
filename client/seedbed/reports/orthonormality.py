"""How far the orthogonal matrices of a tensor are from exactly orthogonal."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.spec.initializers import DeltaOrthogonalSpec, OrthogonalSpec
from seedbed.spec.initializers.layouts import kernel_axes, matrix_axes
from seedbed.spec.tensors import TensorSpec

# Some seconds of a processor.
MAX_PRODUCTS = 2.0**35


@dataclass(frozen=True, slots=True)
class GramError:
    """The largest error in products of the orthonormal rows, or columns, with each other."""

    largest: float
    """The largest magnitude in the Gram matrix less the gain's square times I."""
    lines: int
    """How many rows or columns, of all matrices, were multiplied with the others."""
    all_lines: int
    """How many there are."""
    of_rows: bool
    """Whether the rows are orthonormal; the columns otherwise."""


def gram_error(
    array: NDArray[Any], spec: TensorSpec, max_products: float = MAX_PRODUCTS
) -> GramError | None:
    """Return the error of a whole tensor, or None where there is no orthogonal matrix.

    Where that would take more than ``max_products`` multiplications, not all lines are multiplied.
    """
    if not isinstance(spec.initializer, (DeltaOrthogonalSpec, OrthogonalSpec)) or not array.size:
        return None
    stack = _matrices(array, spec)
    of_rows = stack[0].shape[-2] <= stack[0].shape[-1]
    matrices = [matrix if of_rows else matrix.T for part in stack for matrix in part]
    rows, columns = matrices[0].shape
    lines = min(rows * len(matrices), max(1, math.floor(max_products / (rows * columns))))
    square = spec.initializer.gain**2
    errors = []
    for done, matrix in zip(range(0, lines, rows), matrices, strict=False):
        numbers = matrix.astype(np.float64)
        some = numbers[: lines - done]
        gram = some @ numbers.T
        gram[np.arange(len(some)), np.arange(len(some))] -= square
        errors.append(float(np.abs(gram).max()))
    return GramError(max(errors), lines, rows * len(matrices), of_rows)


def _matrices(array: NDArray[Any], spec: TensorSpec) -> list[NDArray[Any]]:
    """Return stacks of matrices of one shape: the parts of a cut axis, each for all of a batch."""
    initializer = spec.initializer
    if isinstance(initializer, DeltaOrthogonalSpec):
        kernel = kernel_axes(initializer.name(), spec.shape, spec.fan_axes)
        centre = tuple(
            (length - 1) // 2 if axis in kernel.spatial else slice(None)
            for axis, length in enumerate(spec.shape)
        )
        own = sorted((kernel.in_axis, kernel.out_axis))
        kept = [axis for axis in range(array.ndim) if axis not in kernel.spatial]
        return [_stacked(array[centre], [kept.index(axis) for axis in own])]
    assert isinstance(initializer, OrthogonalSpec)
    own = list(matrix_axes(spec.shape, spec.fan_axes))
    parts = np.split(array, initializer.blocks, initializer.block_axis)
    return [_stacked(part, own) for part in parts]


def _stacked(array: NDArray[Any], own: list[int]) -> NDArray[Any]:
    batch = [axis for axis in range(array.ndim) if axis not in own]
    lengths = [array.shape[axis] for axis in own]
    moved = array.transpose(*batch, *own)
    return moved.reshape(-1, math.prod(lengths[:-1]), lengths[-1])
