"""The spec of an identity matrix, or of a batch of them."""

from dataclasses import dataclass
from typing import ClassVar

from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import bad_value
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers.base import ALL_DTYPES, InitializerSpec, parameter
from seedbed.spec.initializers.layouts import matrix_axes
from seedbed.spec.reasons import Reason


@dataclass(frozen=True, slots=True)
class IdentitySpec(InitializerSpec):
    """The identity matrix times a gain; rectangular allowed.

    Two axes besides those of the batch.
    """

    dtypes: ClassVar[tuple[Dtype, ...]] = ALL_DTYPES
    random: ClassVar[bool] = False
    aliases: ClassVar[tuple[str, ...]] = ("identity_matrix",)
    has_layout: ClassVar[bool] = True

    gain: float = parameter(
        1.0, "What the diagonal holds, finite; an integer dtype must hold it exactly."
    )

    def check(self, shape: tuple[int, ...], dtype: Dtype) -> None:
        """Raise unless the dtype can hold the gain."""
        del shape
        if not dtype.holds(self.gain):
            raise bad_value(
                "gain",
                f"representable in {dtype.value}",
                self.gain,
                reason=Reason.NOT_REPRESENTABLE,
            )

    def check_axes(self, shape: tuple[int, ...], axes: FanAxes | None) -> None:
        """Raise unless the shape is a matrix's, or that of a batch of them."""
        if len(matrix_axes(shape, axes)) != 2:
            raise bad_value(
                "shape", "a matrix's for Identity: two axes besides those of the batch", shape
            )
