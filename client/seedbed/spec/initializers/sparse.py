"""The spec of a matrix that is partly zero."""

from dataclasses import dataclass

from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import bad_value, over_limit
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers.base import InitializerSpec, check_normal, not_negative, parameter
from seedbed.spec.numbers import as_finite, as_int

MAX_LINE = 2**32
"""Places in a line that a 32-bit number can tell apart."""


def as_sparsity(name: str, value: object) -> float:
    """Return a part of a whole, from 0 to 1."""
    sparsity = as_finite(name, value)
    if not 0 <= sparsity <= 1:
        raise bad_value(name, "from 0 to 1", sparsity)
    return sparsity


def as_matrix_axis(name: str, value: object) -> int:
    """Return an axis of a matrix, counted from the front."""
    axis = as_int(name, value)
    if not -2 <= axis < 2:
        raise bad_value(name, "0 or 1 (or -2 or -1)", axis)
    return axis % 2


@dataclass(frozen=True, slots=True)
class SparseSpec(InitializerSpec):
    """Normal numbers with mean 0, with equally many random zeros in each column or row.

    Martens 2010.
    """

    sparsity: float = parameter(
        None,
        "The part of each line that is 0, rounded up to whole elements; from 0 to 1.",
        check=as_sparsity,
    )
    stddev: float = parameter(
        0.01, "The standard deviation of the others, finite, 0 or more.", check=not_negative
    )
    axis: int = parameter(
        0,
        "Along which the zeros are counted: 0 for those of each column, 1 for those of each row.",
        check=as_matrix_axis,
    )

    def check(self, shape: tuple[int, ...], dtype: Dtype) -> None:
        """Raise unless the shape is a matrix's, or if a number could overflow the dtype."""
        InitializerSpec.check(self, shape, dtype)
        check_normal(0.0, self.stddev, dtype)

    def check_axes(self, shape: tuple[int, ...], axes: FanAxes | None) -> None:
        """Raise unless the shape is a matrix's."""
        del axes
        if len(shape) != 2:
            raise bad_value("shape", "a matrix's for Sparse: two axes", shape)
        if shape[self.axis] > MAX_LINE:
            allowed = f"of at most {MAX_LINE} elements along axis {self.axis} for Sparse"
            raise over_limit("shape", allowed, shape)
