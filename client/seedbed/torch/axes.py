"""Torch's weights, (out, in, ...), as seedbed's axes and matrices."""

import math
from dataclasses import replace

from seedbed.rules import Filling
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import OrthogonalSpec

LAYOUT = FanAxes(in_axis=1, out_axis=0)


def on_the_wire(shape: tuple[int, ...], filling: Filling) -> tuple[tuple[int, ...], Filling]:
    """Return the shape and the filling with which a tensor is asked for.

    They are its own, but an orthogonal tensor is a matrix: torch takes the first axis as the rows
    and flattens the others, where seedbed, as Keras, takes the last axis as the columns. (One of
    several matrices, by batch axes or blocks, is nothing that torch has: it is seedbed's own.)
    """
    if len(shape) <= 2 or not _is_one_matrix(filling):
        return shape, filling
    return (shape[0], math.prod(shape[1:])), replace(filling, fan_axes=None)


def _is_one_matrix(filling: Filling) -> bool:
    axes = filling.fan_axes
    return (
        isinstance(filling.spec, OrthogonalSpec)
        and filling.spec.blocks == 1
        and not (axes and axes.batch_axis)
    )
