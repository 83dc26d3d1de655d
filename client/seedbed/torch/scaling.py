"""Xavier and Kaiming by their variance scaling."""

from typing import Any

import torch

from seedbed.wire.initializers import Distribution, VarianceScalingSpec


def xavier(distribution: Distribution, gain: float) -> VarianceScalingSpec:
    """Return Xavier."""
    return VarianceScalingSpec(gain * gain, "fan_avg", distribution)


def kaiming(distribution: Distribution, a: float, mode: Any, nonlinearity: str) -> VarianceScalingSpec:
    """Return Kaiming."""
    return VarianceScalingSpec(torch.nn.init.calculate_gain(nonlinearity, a) ** 2, mode, distribution)
