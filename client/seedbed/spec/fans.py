"""The fans of variance scaling, for any layout of axes: a weight's inputs and outputs."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from seedbed.spec.errors import InvalidValueError, bad_value, over_limit
from seedbed.spec.named_arguments import NamedArguments
from seedbed.spec.shapes import MAX_RANK, ShapeLike, as_ints, as_shape, axis_allowed

Axes = int | Sequence[int]
"""One axis or several."""


class Fans(NamedTuple):
    """The number of inputs and outputs that share a weight."""

    fan_in: float
    fan_out: float

    @property
    def fan_avg(self) -> float:
        """The arithmetic mean of both."""
        return (self.fan_in + self.fan_out) / 2

    @property
    def fan_geo_avg(self) -> float:
        """The geometric mean of both."""
        return math.sqrt(self.fan_in * self.fan_out)


@dataclass(frozen=True, slots=True, init=False)
class FanAxes(metaclass=NamedArguments):
    """Which axes are inputs, outputs and batch; all others are the receptive field.

    Negative axes count from the end. The default is Keras's layout ``(..., in, out)``.
    PyTorch's ``(out, in, ...)`` is ``FanAxes(in_axis=1, out_axis=0)``.

    Args:
        in_axis: the axes whose product counts as inputs; an integer or several.
        out_axis: the axes whose product counts as outputs; an integer or several.
        batch_axis: axes that count for neither, such as stacked experts.

    Raises:
        InvalidTypeError: if one is not an integer.
    """

    in_axis: tuple[int, ...]
    """Axes whose product counts as inputs."""
    out_axis: tuple[int, ...]
    """Axes whose product counts as outputs."""
    batch_axis: tuple[int, ...]
    """Axes that count for neither."""

    def __init__(self, in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = ()) -> None:
        for name, axes in (
            ("in_axis", in_axis),
            ("out_axis", out_axis),
            ("batch_axis", batch_axis),
        ):
            object.__setattr__(self, name, as_ints(name, axes))

    def resolve(self, rank: int) -> "FanAxes":
        """Return the same axes counted from the front.

        Raises:
            InvalidValueError: if one is outside the rank, or named twice.
        """
        for error in self.faults(rank):
            raise error
        return FanAxes(
            *(
                tuple(axis % rank for axis in axes)
                for axes in (self.in_axis, self.out_axis, self.batch_axis)
            )
        )

    def faults(self, rank: int) -> Iterator[InvalidValueError]:
        """Yield the error of each axis that is outside the rank, or named before."""
        seen: set[int] = set()
        for name in ("in_axis", "out_axis", "batch_axis"):
            axes = getattr(self, name)
            if len(axes) > MAX_RANK:
                yield over_limit(name, f"of at most {MAX_RANK} axes", axes, "max_rank")
                continue
            for place, axis in enumerate(axes):
                field = f"{name}[{place}]"
                if not -rank <= axis < rank:
                    yield bad_value(field, axis_allowed(rank), axis)
                    continue
                if axis % rank in seen:
                    yield bad_value(field, "an axis that is not named twice", axis)
                seen.add(axis % rank)


def compute_fans(
    shape: ShapeLike,
    in_axis: Axes | None = None,
    out_axis: Axes | None = None,
    batch_axis: Axes = (),
) -> Fans:
    """Return the fans of a weight.

    Args:
        shape: the lengths of all axes of the whole weight, never of a shard.
        in_axis: the axes that are inputs; by default Keras's rule.
        out_axis: the axes that are outputs; by default Keras's rule.
        batch_axis: axes that count for neither.

    Without axes, Keras's rule: a scalar has fans (1, 1), a vector's length is both, and otherwise
    the last axis is out, the one before it in, and the product of all others (the receptive field)
    multiplies both.

    Raises:
        InvalidTypeError: if an axis is not an integer.
        InvalidValueError: if an axis is outside the rank, or named twice.
    """
    shape = as_shape(shape, 1)
    rank = len(shape)
    if in_axis is None and out_axis is None and not as_ints("batch_axis", batch_axis) and rank < 2:
        return Fans(*(float(math.prod(shape)),) * 2)
    if in_axis is None and out_axis is None and batch_axis == ():
        receptive = math.prod(shape[:-2])
        return Fans(float(shape[-2] * receptive), float(shape[-1] * receptive))
    axes = FanAxes(
        -2 if in_axis is None else in_axis, -1 if out_axis is None else out_axis, batch_axis
    ).resolve(rank)
    named = {*axes.in_axis, *axes.out_axis, *axes.batch_axis}
    receptive = math.prod(length for axis, length in enumerate(shape) if axis not in named)
    fan_in = math.prod(shape[axis] for axis in axes.in_axis) * receptive
    fan_out = math.prod(shape[axis] for axis in axes.out_axis) * receptive
    return Fans(float(fan_in), float(fan_out))


def fans_of(shape: tuple[int, ...], axes: FanAxes | None) -> Fans:
    """Return the fans of a weight by the given axes, or by Keras's rule without any."""
    if axes is None:
        return compute_fans(shape)
    return compute_fans(shape, axes.in_axis, axes.out_axis, axes.batch_axis)
