"""The rules of initializers that give a tensor structure: its axes and blocks."""

import math

from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import (
    DeltaOrthogonalSpec,
    DiracSpec,
    IdentitySpec,
    OrthogonalSpec,
    SparseSpec,
    STFTSpec,
)
from seedbed.spec.initializers.layouts import kernel_axes, matrix_axes
from seedbed.spec.tensors import TensorSpec
from seedbed_server.backends.grids import BlockGrid
from seedbed_server.backends.rules import Axis, Diagonal, ElementRule, Orthogonal, Sparse, Stft
from seedbed_server.kernels.keys import derive_second_key

Shape = tuple[int, ...]


def structured_rule(spec: TensorSpec) -> ElementRule:
    """Return the rule of a tensor with such an initializer."""
    shape, axes = spec.shape, spec.fan_axes
    match spec.initializer:
        case IdentitySpec() as identity:
            return identity_rule(identity, shape, axes)
        case DiracSpec() as dirac:
            return dirac_rule(dirac, shape, axes)
        case OrthogonalSpec(gain) as orthogonal:
            return Orthogonal(gain, orthogonal_grid(orthogonal, shape, axes))
        case DeltaOrthogonalSpec(gain) as delta:
            return Orthogonal(gain, delta_grid(delta, shape, axes))
        case SparseSpec() as sparse:
            return sparse_rule(sparse, spec)
        case STFTSpec(side, window, scaling, periodic):
            return Stft(side, window, scaling, periodic, frame_length=shape[0], bins=shape[2])
        case other:
            raise AssertionError(f"no rule for {other}")


def identity_rule(initializer: IdentitySpec, shape: Shape, axes: FanAxes | None) -> Diagonal:
    """Return where the ones of an identity, or of a batch of them, are."""
    row, column = (_axis(shape, axis) for axis in matrix_axes(shape, axes))
    return Diagonal(initializer.gain, row, column, period=row.length)


def dirac_rule(initializer: DiracSpec, shape: Shape, axes: FanAxes | None) -> Diagonal:
    """Return where a kernel that passes its inputs on has its ones."""
    kernel = kernel_axes(initializer.name(), shape, axes)
    outputs, inputs = _axis(shape, kernel.out_axis), _axis(shape, kernel.in_axis)
    centre = tuple((_axis(shape, axis), shape[axis] // 2) for axis in kernel.spatial)
    return Diagonal(1, outputs, inputs, outputs.length // initializer.groups, centre)


def orthogonal_grid(initializer: OrthogonalSpec, shape: Shape, axes: FanAxes | None) -> BlockGrid:
    """Return the matrices of a tensor, one for each batch index and each part of a cut axis."""
    own = matrix_axes(shape, axes)
    lengths = [length if axis in own else 1 for axis, length in enumerate(shape)]
    counts = [1 if axis in own else length for axis, length in enumerate(shape)]
    if initializer.blocks > 1:
        lengths[initializer.block_axis] //= initializer.blocks
        counts[initializer.block_axis] = initializer.blocks
    return BlockGrid(
        shape, (0,) * len(shape), tuple(lengths), tuple(counts), columns=lengths[own[-1]]
    )


def delta_grid(initializer: DeltaOrthogonalSpec, shape: Shape, axes: FanAxes | None) -> BlockGrid:
    """Return the matrix at a kernel's spatial centre, one for each batch index."""
    kernel = kernel_axes(initializer.name(), shape, axes)
    matrix = (kernel.in_axis, kernel.out_axis)
    starts = tuple(
        (length - 1) // 2 if axis in kernel.spatial else 0 for axis, length in enumerate(shape)
    )
    lengths = tuple(length if axis in matrix else 1 for axis, length in enumerate(shape))
    is_batch = [axis not in (*matrix, *kernel.spatial) for axis in range(len(shape))]
    counts = tuple(length if batch else 1 for length, batch in zip(shape, is_batch, strict=True))
    return BlockGrid(shape, starts, lengths, counts, columns=shape[max(matrix)])


def sparse_rule(initializer: SparseSpec, spec: TensorSpec) -> Sparse:
    """Return how many zeros each line has, and what decides where."""
    rows, columns = spec.shape
    length = spec.shape[initializer.axis]
    zeros = min(length, math.ceil(initializer.sparsity * float(length)))
    second_key = derive_second_key(spec.seed, spec.draw, spec.name)
    return Sparse(initializer.stddev, zeros, initializer.axis, (rows, columns), second_key)


def _axis(shape: Shape, axis: int) -> Axis:
    return Axis(math.prod(shape[axis + 1 :]), shape[axis])
