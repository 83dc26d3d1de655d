"""The axes that count for a weight's fans where the layer, and not the initializer, tells."""

import inspect
from typing import Any

import keras

from seedbed.keras.initializers import Initializer
from seedbed.keras.initializers.scaling import axes_of
from seedbed.spec.fans import FanAxes

# Older Keras took the last two axes of every kernel.
_IS_KNOWN_TO_KERAS = (
    "input_axes" in inspect.signature(keras.initializers.VarianceScaling).parameters
)


def fan_axes_of(initializer: Any, layer: Any, rank: int) -> FanAxes | None:
    """Return the fan axes of a weight; None is Keras's rule.

    Args:
        initializer: seedbed's.
        layer: what the weight belongs to.
        rank: how many axes the weight has.
    """
    if not isinstance(initializer, Initializer):
        axes: FanAxes | None = initializer.fan_axes
        return axes
    axes = initializer.fan_axes_of(rank)
    if (
        axes is not None
        or not _IS_KNOWN_TO_KERAS
        or not isinstance(layer, keras.layers.EinsumDense)
    ):
        return axes
    is_scaling = isinstance(initializer, keras.initializers.VarianceScaling)
    return einsum_axes(layer.equation) if is_scaling else None


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
