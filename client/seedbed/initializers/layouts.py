"""An initializer's axes: from keyword arguments, and back to its configuration."""

from typing import Any

from seedbed.spec.fans import Axes, FanAxes
from seedbed.spec.numbers import as_int


def batched(batch_axis: Axes) -> FanAxes | None:
    """Return the axes of a batch of matrices, None without any; the matrices' own have no names."""
    return None if batch_axis in ((), []) else FanAxes((), (), batch_axis)


def batch_config(axes: FanAxes | None) -> dict[str, Any]:
    """Return the argument that :func:`batched` was given, if it was."""
    return {} if axes is None else {"batch_axis": list(axes.batch_axis)}


def of_kernel(in_axis: int | None, out_axis: int | None) -> FanAxes | None:
    """Return the axes of a convolution kernel, None for Keras's layout."""
    if in_axis is None and out_axis is None:
        return None
    return FanAxes(
        -2 if in_axis is None else as_int("in_axis", in_axis),
        -1 if out_axis is None else as_int("out_axis", out_axis),
    )


def kernel_config(axes: FanAxes | None) -> dict[str, Any]:
    """Return the arguments that :func:`of_kernel` was given, if it was."""
    return {} if axes is None else {"in_axis": axes.in_axis[0], "out_axis": axes.out_axis[0]}
