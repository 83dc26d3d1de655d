"""Distributions that decide each element alone, and without fans."""

import math

from seedbed.spec.fans import fans_of
from seedbed.spec.gains import calculate_gain
from seedbed.spec.initializers import (
    ConstantSpec,
    InitializerSpec,
    KaimingSpec,
    KaimingUniformSpec,
    OnesSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    TruncatedNormalSpec,
    XavierSpec,
    XavierUniformSpec,
    ZerosSpec,
)
from seedbed.torch.axes import LAYOUT

_BY_ELEMENT = (
    ConstantSpec,
    KaimingSpec,
    OnesSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    TruncatedNormalSpec,
    XavierSpec,
    ZerosSpec,
)


def is_by_element(initializer: InitializerSpec) -> bool:
    """Return whether an initializer says of each element what it is, without the others."""
    return isinstance(initializer, _BY_ELEMENT)


def without_fans(initializer: InitializerSpec, shape: tuple[int, ...]) -> InitializerSpec:
    """Return the same distribution without fans: with those of a shape in torch's layout."""
    match initializer:
        case XavierSpec(gain):
            fans = fans_of(shape, LAYOUT)
            stddev = gain * math.sqrt(2.0 / max(1.0, fans.fan_in + fans.fan_out))
        case KaimingSpec(a, mode, nonlinearity):
            fan = getattr(fans_of(shape, LAYOUT), mode)
            stddev = calculate_gain(nonlinearity, a) / math.sqrt(max(1.0, fan))
        case _:
            return initializer
    if isinstance(initializer, (XavierUniformSpec, KaimingUniformSpec)):
        limit = math.sqrt(3.0) * stddev
        return RandomUniformSpec(-limit, limit)
    return RandomNormalSpec(0.0, stddev)
