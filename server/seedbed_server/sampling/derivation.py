"""The rule that every element follows, derived from the initializer and the shape.

All derived numbers are float64, by the operations and in the order that docs/numerics.md writes
down.
"""

import math

from seedbed.spec.fans import Fans, fans_of
from seedbed.spec.gains import calculate_gain
from seedbed.spec.initializers import (
    ConstantSpec,
    FixedScalingSpec,
    InitializerSpec,
    KaimingSpec,
    KaimingUniformSpec,
    OnesSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    TruncatedNormalSpec,
    VarianceScalingSpec,
    XavierSpec,
    XavierUniformSpec,
    ZerosSpec,
)
from seedbed.spec.tensors import TensorSpec
from seedbed_server.backends.rules import ElementRule, Fill, Normal, Uniform
from seedbed_server.kernels.bounds import truncated_stddev
from seedbed_server.sampling.structures import structured_rule

# A bound further out is beyond the resolution of any word and counts as infinite. Without this rule
# its effect would depend on how many digits its probability is computed with.
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
            return Normal(mean, stddev, *effective_bounds(lower, upper))
        case FixedScalingSpec() | VarianceScalingSpec():
            scaling = scaling_of(spec.initializer)
            assert scaling is not None
            return scaled_rule(scaling, fans_of(spec.shape, spec.fan_axes))
        case XavierSpec() | KaimingSpec():
            return gained_rule(spec.initializer, fans_of(spec.shape, spec.fan_axes))
        case _:
            return structured_rule(spec)


def scaling_of(initializer: InitializerSpec) -> VarianceScalingSpec | None:
    """Return the variance scaling that an initializer is, if it is one."""
    if isinstance(initializer, FixedScalingSpec):
        return initializer.scaling
    return initializer if isinstance(initializer, VarianceScalingSpec) else None


def effective_bounds(lower: float, upper: float) -> tuple[float, float]:
    """Return the bounds that a truncated normal is computed with."""
    return (
        -math.inf if lower < -FARTHEST_BOUND else lower,
        math.inf if upper > FARTHEST_BOUND else upper,
    )


def scaled_rule(scaling: VarianceScalingSpec, fans: Fans) -> Uniform | Normal:
    """Return the rule whose variance is scale / max(1, fan)."""
    variance = scaling.scale / max(1.0, getattr(fans, scaling.mode))
    if scaling.distribution == "uniform":
        limit = math.sqrt(3.0 * variance)
        return Uniform(-limit, limit)
    stddev = math.sqrt(variance)
    if scaling.distribution == "untruncated_normal":
        return Normal(0.0, stddev)
    bounds = effective_bounds(scaling.lower, scaling.upper)
    return Normal(0.0, stddev / truncated_stddev(*bounds), *bounds)


def gained_rule(initializer: XavierSpec | KaimingSpec, fans: Fans) -> Uniform | Normal:
    """Return the rule with stddev = gain / sqrt(fan), or with the mean of both fans."""
    match initializer:
        case XavierSpec(gain):
            stddev = gain * math.sqrt(2.0 / max(1.0, fans.fan_in + fans.fan_out))
        case KaimingSpec(a, mode, nonlinearity):
            stddev = calculate_gain(nonlinearity, a) / math.sqrt(max(1.0, getattr(fans, mode)))
    if isinstance(initializer, (XavierUniformSpec, KaimingUniformSpec)):
        limit = math.sqrt(3.0) * stddev
        return Uniform(-limit, limit)
    return Normal(0.0, stddev)
