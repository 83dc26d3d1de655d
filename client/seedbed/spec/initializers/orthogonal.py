"""Specs of random orthogonal matrices: one, a batch, or one at a kernel's centre."""

from dataclasses import dataclass
from typing import ClassVar

from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import Words, bad_value, shown
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers.base import InitializerSpec, check_magnitude, parameter
from seedbed.spec.initializers.layouts import kernel_axes, matrix_axes
from seedbed.spec.numbers import as_count, as_int
from seedbed.spec.shapes import axis_allowed


def as_axis(name: str, value: object) -> int:
    """Return the number of an axis; whether a tensor has it, is judged with the tensor."""
    axis = as_int(name, value)
    if not -(2**63) <= axis < 2**63:
        raise bad_value(name, "an axis of the tensor", axis)
    return axis


@dataclass(frozen=True, slots=True)
class OrthogonalSpec(InitializerSpec):
    """A random matrix with orthonormal rows or columns, times a gain.

    All axes but the last are the rows. Each index of the batch axes has a matrix of its own, and so
    has each of ``blocks`` equal parts of one axis. Saxe et al. 2014, arXiv:1312.6120.
    """

    has_layout: ClassVar[bool] = True

    gain: float = parameter(1.0, "Multiplies every element, finite.")
    blocks: int = parameter(
        1,
        "How many equal parts are orthogonal by themselves, such as 3 for a packed query, key "
        "and value; 1 or more.",
        check=as_count,
    )
    block_axis: int = parameter(
        -1, "The axis that is cut into the parts; none of the batch.", check=as_axis
    )

    def check(self, shape: tuple[int, ...], dtype: Dtype) -> None:
        """Raise unless the dtype can hold the gain."""
        InitializerSpec.check(self, shape, dtype)
        check_magnitude("gain", self.gain, 2 * abs(self.gain), dtype)

    def check_axes(self, shape: tuple[int, ...], axes: FanAxes | None) -> None:
        """Raise unless a matrix has two axes or more, and the blocks fit."""
        own, rank = matrix_axes(shape, axes), len(shape)
        if len(own) < 2:
            of_batch = " besides those of the batch" if len(own) < rank else ""
            raise bad_value("shape", f"of two axes or more for Orthogonal{of_batch}", shape)
        if self.blocks == 1 and self.block_axis == -1:  # the last axis may be one of the batch
            return
        if not -rank <= self.block_axis < rank:
            raise bad_value("block_axis", axis_allowed(rank), self.block_axis)
        if self.block_axis % rank not in own:
            raise bad_value("block_axis", "an axis that is not the batch's", self.block_axis)
        if shape[self.block_axis] % self.blocks:
            length = shape[self.block_axis]
            raise bad_value(
                "blocks",
                f"a divisor of {length}, the length of axis {self.block_axis}",
                self.blocks,
            )


@dataclass(frozen=True, slots=True)
class DeltaOrthogonalSpec(InitializerSpec):
    """A kernel with a random orthonormal matrix at its spatial centre, 0 elsewhere.

    The rows (inputs) are orthonormal, and multiplied by a gain. Three to five axes, (spatial...,
    in, out) unless other axes are named, not more inputs than outputs. Xiao et al. 2018,
    arXiv:1806.05393.
    """

    has_layout: ClassVar[bool] = True

    gain: float = parameter(1.0, "Multiplies every element, finite.")

    def check(self, shape: tuple[int, ...], dtype: Dtype) -> None:
        """Raise unless the dtype can hold the gain."""
        InitializerSpec.check(self, shape, dtype)
        check_magnitude("gain", self.gain, 2 * abs(self.gain), dtype)

    def check_axes(self, shape: tuple[int, ...], axes: FanAxes | None) -> None:
        """Raise unless the shape is a kernel's with at most as many inputs as outputs."""
        kernel = kernel_axes(self.name(), shape, axes)
        if shape[kernel.in_axis] > shape[kernel.out_axis]:
            allowed = "of at most as many inputs as outputs for DeltaOrthogonal"
            counts = f"{shape[kernel.in_axis]} inputs, {shape[kernel.out_axis]} outputs"
            raise bad_value("shape", allowed, Words(f"{shown(shape)}: {counts}"))
