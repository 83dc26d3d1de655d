"""The spec of a convolution that passes its inputs on."""

from dataclasses import dataclass
from typing import ClassVar

from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import bad_value
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers.base import ALL_DTYPES, InitializerSpec, parameter
from seedbed.spec.initializers.layouts import kernel_axes
from seedbed.spec.numbers import as_count


@dataclass(frozen=True, slots=True)
class DiracSpec(InitializerSpec):
    """1 at a kernel's spatial centre where output and input index agree, else 0.

    The index of an output is the one within its group. Three to five axes, (spatial..., in, out)
    unless other axes are named.
    """

    dtypes: ClassVar[tuple[Dtype, ...]] = ALL_DTYPES
    random: ClassVar[bool] = False
    has_layout: ClassVar[bool] = True

    groups: int = parameter(
        1,
        "How many groups the outputs form, each of which repeats the inputs; 1 or more.",
        check=as_count,
    )

    def check_axes(self, shape: tuple[int, ...], axes: FanAxes | None) -> None:
        """Raise unless the shape is a kernel's whose outputs form that many groups."""
        outputs = shape[kernel_axes(self.name(), shape, axes).out_axis]
        if outputs % self.groups:
            raise bad_value("groups", f"a divisor of {outputs}, the number of outputs", self.groups)
