"""How wide MLX's initializers spread: its fans, and what follows from them."""

import math
from typing import Literal

from seedbed.spec.errors import bad_value
from seedbed.spec.fans import FanAxes, Fans, compute_fans
from seedbed.spec.initializers import RandomUniformSpec
from seedbed.spec.numbers import as_finite

LAYOUT = FanAxes(in_axis=-1, out_axis=0)
"""MLX's weights are (out, ..., in)."""

Mode = Literal["fan_in", "fan_out"]
MODES: tuple[Mode, ...] = ("fan_in", "fan_out")


def fans_in_mlx(shape: tuple[int, ...]) -> Fans:
    """Return the fans of a weight ``(out, ..., in)``.

    Raises:
        InvalidValueError: if there are fewer than two axes.
    """
    if len(shape) < 2:
        raise bad_value("a", "of two axes or more", f"an array of shape {shape}")
    return compute_fans(shape, in_axis=-1, out_axis=0)


def glorot_std(shape: tuple[int, ...], gain: float) -> float:
    """Return gain * sqrt(2 / (fan_in + fan_out)); an empty weight's fans count as a sum of 1."""
    fans = fans_in_mlx(shape)
    return not_negative("gain", gain) * math.sqrt(2.0 / max(1.0, fans.fan_in + fans.fan_out))


def he_std(shape: tuple[int, ...], mode: Mode, gain: float) -> float:
    """Return gain / sqrt(fan); of an empty weight, as if its fan were 1 or more.

    Raises:
        InvalidValueError: if there is no such mode.
    """
    fans = fans_in_mlx(shape)
    if mode not in MODES:
        raise bad_value("mode", "one of " + ", ".join(MODES), mode)
    return not_negative("gain", gain) / math.sqrt(max(1.0, getattr(fans, mode)))


def centred_uniform(std: float) -> RandomUniformSpec:
    """Return the uniform numbers around 0 that have this standard deviation."""
    limit = math.sqrt(3.0) * std
    return RandomUniformSpec(-limit, limit)


def not_negative(field: str, value: object) -> float:
    """Return a finite number that is 0 or more.

    Raises:
        InvalidTypeError: if it is no number.
        InvalidValueError: if it is not finite, or below 0.
    """
    number = as_finite(field, value)
    if number < 0:
        raise bad_value(field, "0 or more", number)
    return number
