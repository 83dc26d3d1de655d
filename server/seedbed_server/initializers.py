"""From an initializer and a shape to the rule that every element follows: fans, limits and standard deviations.

All derived numbers are float64, by the operations and in the order that docs/numerics.md writes down.
"""

import math

from seedbed.wire.fans import Fans, fans_of
from seedbed.wire.initializers import (
    ConstantSpec,
    FixedScalingSpec,
    InitializerSpec,
    OnesSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    TruncatedNormalSpec,
    VarianceScalingSpec,
    ZerosSpec,
)
from seedbed.wire.specs import TensorSpec
from seedbed_server.backends.base import ElementRule, Fill, Normal, Uniform
from seedbed_server.structures import structured_rule

# The standard deviation of a standard normal number between -2 and 2: what truncation leaves of 1.
STDDEV_WITHIN_2 = 0.87962566103423978
# A bound further out is beyond the resolution of any word and counts as infinite. Without this rule its effect would
# depend on how many digits its probability is computed with.
FARTHEST_BOUND = 14.0


def element_rule(spec: TensorSpec) -> ElementRule:
    """Return the rule of a tensor's elements."""
    match spec.initializer:
        case ZerosSpec():
            return Fill(0)
        case OnesSpec():
            return Fill(1)
        case ConstantSpec(value):
            return Fill(value)
        case RandomUniformSpec(minval, maxval):
            return Uniform(minval, maxval)
        case RandomNormalSpec(mean, stddev):
            return Normal(mean, stddev)
        case TruncatedNormalSpec(mean, stddev, lower, upper):
            below = -math.inf if lower < -FARTHEST_BOUND else lower
            above = math.inf if upper > FARTHEST_BOUND else upper
            return Normal(mean, stddev, below, above)
        case FixedScalingSpec() | VarianceScalingSpec():
            scaling = scaling_of(spec.initializer)
            assert scaling is not None
            return scaled_rule(scaling, fans_of(spec.shape, spec.fan_axes))
        case _:
            return structured_rule(spec)


def scaling_of(initializer: InitializerSpec) -> VarianceScalingSpec | None:
    """Return the variance scaling that an initializer is, if it is one."""
    if isinstance(initializer, FixedScalingSpec):
        return initializer.scaling
    return initializer if isinstance(initializer, VarianceScalingSpec) else None


def scaled_rule(scaling: VarianceScalingSpec, fans: Fans) -> Uniform | Normal:
    """Return the rule whose variance is scale / max(1, fan)."""
    fan = {"fan_in": fans.fan_in, "fan_out": fans.fan_out, "fan_avg": fans.fan_avg}[scaling.mode]
    variance = scaling.scale / max(1.0, fan)
    if scaling.distribution == "uniform":
        limit = math.sqrt(3.0 * variance)
        return Uniform(-limit, limit)
    stddev = math.sqrt(variance)
    if scaling.distribution == "untruncated_normal":
        return Normal(0.0, stddev)
    return Normal(0.0, stddev / STDDEV_WITHIN_2, -2.0, 2.0)
