"""The spec of a matrix that is partly zero."""

from dataclasses import dataclass

from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import bad_value
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers.base import InitializerSpec, check_normal, parameter
from seedbed.spec.numbers import as_int

MAX_LINE = 2**32
"""Places in a line that a 32-bit number can tell apart."""


@dataclass(frozen=True, slots=True)
class SparseSpec(InitializerSpec):
    """Normal numbers with mean 0, with equally many random zeros in each column or row.

    Martens 2010.
    """

    sparsity: float = parameter(
        None, "The part of each line that is 0, rounded up to whole elements; from 0 to 1."
    )
    stddev: float = parameter(0.01, "The standard deviation of the others, finite, 0 or more.")
    axis: int = parameter(
        0, "Along which the zeros are counted: 0 for those of each column, 1 for those of each row."
    )

    def __post_init__(self) -> None:
        self._finite("sparsity", "stddev")
        if not 0 <= self.sparsity <= 1:
            raise bad_value("sparsity", "from 0 to 1", self.sparsity)
        self._not_negative("stddev")
        object.__setattr__(self, "axis", as_int("axis", self.axis))
        if not -2 <= self.axis < 2:
            raise bad_value("axis", "0 or 1 (or -2 or -1)", self.axis)
        object.__setattr__(self, "axis", self.axis % 2)

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
            raise bad_value(
                "shape", f"of at most {MAX_LINE} elements along axis {self.axis} for Sparse", shape
            )
