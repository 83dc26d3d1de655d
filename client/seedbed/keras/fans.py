"""The axes that count for a weight's fans where the layer, and not the initializer, tells."""

import inspect
from typing import Any

import keras

from seedbed.keras.initializers.scaling import axes_of
from seedbed.spec.fans import FanAxes

# Older Keras took the last two axes of every kernel.
_IS_KNOWN_TO_KERAS = (
    "input_axes" in inspect.signature(keras.initializers.VarianceScaling).parameters
)


def fan_axes_of_layer(layer: Any, rank: int) -> FanAxes | None:
    """Return the axes that a layer counts for the fans of its kernel; None is Keras's rule.

    Args:
        layer: what the weight belongs to, if known.
        rank: how many axes the weight has.
    """
    if not _IS_KNOWN_TO_KERAS or not isinstance(layer, keras.layers.EinsumDense):
        return None
    axes = einsum_axes(layer.equation)
    is_kernel = rank == len(axes.in_axis) + len(axes.out_axis) + len(axes.batch_axis)
    return axes if is_kernel else None


def einsum_axes(equation: str) -> FanAxes:
    """Return the fan axes of the kernel of an einsum layer: those that the output has are outputs.

    Example:
        >>> einsum_axes("abc,cde->abde")
        FanAxes(in_axis=(0,), out_axis=(1, 2), batch_axis=())
    """
    operands, output = equation.split("->")
    kernel = operands.split(",")[1]
    outputs = [axis for axis, letter in enumerate(kernel) if letter in output]
    inputs = [axis for axis in range(len(kernel)) if axis not in outputs]
    return axes_of(len(kernel), inputs, outputs)
