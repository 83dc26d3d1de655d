"""The convolution kernel that passes its inputs on, as an initializer."""

from typing import Any

from seedbed.initializers.base import Initializer
from seedbed.initializers.layouts import kernel_config, of_kernel
from seedbed.initializers.parameters import Parameter
from seedbed.spec import initializers as specs


class Dirac(Initializer):
    """1 at a kernel's spatial centre where output and input index agree, else 0.

    Every dtype. Rank 3 to 5 with the axes (spatial..., in, out) of Keras; PyTorch's are
    ``Dirac(in_axis=1, out_axis=0)``. The centre of a spatial axis is index length // 2. With
    groups, each group of outputs repeats the inputs.

    Args:
        groups: how many groups the outputs form; a divisor of their number.
        in_axis: the axis of the inputs, by default -2.
        out_axis: the axis of the outputs, by default -1.
    """

    groups = Parameter[int]()

    def __init__(
        self, groups: int = 1, *, in_axis: int | None = None, out_axis: int | None = None
    ) -> None:
        super().__init__(specs.DiracSpec(groups), fan_axes=of_kernel(in_axis, out_axis))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; the axes only where they are not Keras's."""
        return super().get_config() | kernel_config(self.fan_axes)
