"""Specs of numbers scaled by their fans: variance scaling and its fixed forms."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import bad_value
from seedbed.spec.initializers.base import (
    FARTHEST_NORMAL,
    InitializerSpec,
    check_reach,
    choice,
    one_of,
    parameter,
)
from seedbed.spec.initializers.bounds import as_lower, as_upper, check_bounds
from seedbed.spec.numbers import as_finite

FanMode = Literal["fan_in", "fan_out", "fan_avg", "fan_geo_avg"]
Distribution = Literal["uniform", "truncated_normal", "untruncated_normal"]
MODES: tuple[FanMode, ...] = ("fan_in", "fan_out", "fan_avg", "fan_geo_avg")
DISTRIBUTIONS: tuple[Distribution, ...] = ("uniform", "truncated_normal", "untruncated_normal")


def as_scale(name: str, value: object) -> float:
    """Return a positive number, three times which is finite."""
    scale = as_finite(name, value)
    if scale <= 0:
        raise bad_value(name, "positive", scale)
    if math.isinf(3 * scale):
        raise bad_value(name, "at most 5.9e307", scale)
    return scale


def as_distribution(name: str, value: object) -> str:
    """Return the word for a distribution; ``normal`` is another one for ``truncated_normal``."""
    if isinstance(value, str) and value.lower() == "normal":
        return "truncated_normal"
    return choice(name, value, DISTRIBUTIONS)


@dataclass(frozen=True, slots=True)
class VarianceScalingSpec(InitializerSpec):
    """Numbers with variance scale / max(1, fan).

    Their mean is 0 unless bounds that are not symmetric move it.
    """

    has_fans: ClassVar[bool] = True

    scale: float = parameter(1.0, "The scale, finite and positive.", check=as_scale)
    mode: FanMode = parameter("fan_in", "Which fan divides the scale.", MODES, check=one_of(MODES))
    distribution: Distribution = parameter(
        "truncated_normal", "Which distribution.", DISTRIBUTIONS, check=as_distribution
    )
    lower: float = parameter(
        -2.0,
        "Where a truncated normal is cut, in standard deviations before truncation, "
        "at most 4; minus infinity is allowed.",
        check=as_lower,
    )
    upper: float = parameter(
        2.0,
        "Where it is cut above, likewise: above lower, at least -4; infinity is allowed.",
        check=as_upper,
    )

    def check_together(self) -> None:
        """Raise unless something lies between the bounds, and only a truncated normal has any."""
        check_bounds(self.lower, self.upper)
        for name, default in (("lower", -2.0), ("upper", 2.0)):
            if self.distribution != "truncated_normal" and getattr(self, name) != default:
                raise bad_value(
                    name,
                    f"{default} where the distribution is {self.distribution}",
                    getattr(self, name),
                )

    def check(self, shape: tuple[int, ...], dtype: Dtype) -> None:
        """Raise if a number could overflow the dtype.

        The standard deviation is at most sqrt(scale).
        """
        InitializerSpec.check(self, shape, dtype)
        check_reach("scale", self.scale, self._farthest() * math.sqrt(self.scale), dtype)

    def _farthest(self) -> float:
        """Return how far from 0 numbers may lie, in wanted standard deviations.

        The standard deviation before truncation is no larger: any allowed bounds leave at least
        min(width, 1) / 8 of it.
        """
        if (self.lower, self.upper) == (-2.0, 2.0):
            return 8.0
        farthest = min(max(abs(self.lower), abs(self.upper), 1.0), FARTHEST_NORMAL)
        return 8.0 * farthest / min(self.upper - self.lower, 1.0)


@dataclass(frozen=True, slots=True)
class FixedScalingSpec(InitializerSpec):
    """A variance scaling whose parameters are part of its name."""

    has_fans: ClassVar[bool] = True
    scaling: ClassVar[VarianceScalingSpec]
    """The general form that it stands for."""


@dataclass(frozen=True, slots=True)
class GlorotUniformSpec(FixedScalingSpec):
    """VarianceScaling(1, fan_avg, uniform).

    Glorot and Bengio 2010, proceedings.mlr.press/v9/glorot10a.
    """

    scaling: ClassVar[VarianceScalingSpec] = VarianceScalingSpec(1.0, "fan_avg", "uniform")


@dataclass(frozen=True, slots=True)
class GlorotNormalSpec(FixedScalingSpec):
    """VarianceScaling(1, fan_avg, truncated_normal).

    Glorot and Bengio 2010, proceedings.mlr.press/v9/glorot10a.
    """

    scaling: ClassVar[VarianceScalingSpec] = VarianceScalingSpec(1.0, "fan_avg", "truncated_normal")


@dataclass(frozen=True, slots=True)
class HeUniformSpec(FixedScalingSpec):
    """VarianceScaling(2, fan_in, uniform). He et al. 2015, arXiv:1502.01852."""

    scaling: ClassVar[VarianceScalingSpec] = VarianceScalingSpec(2.0, "fan_in", "uniform")


@dataclass(frozen=True, slots=True)
class HeNormalSpec(FixedScalingSpec):
    """VarianceScaling(2, fan_in, truncated_normal). He et al. 2015, arXiv:1502.01852."""

    scaling: ClassVar[VarianceScalingSpec] = VarianceScalingSpec(2.0, "fan_in", "truncated_normal")


@dataclass(frozen=True, slots=True)
class LecunUniformSpec(FixedScalingSpec):
    """VarianceScaling(1, fan_in, uniform). LeCun et al. 1998, Efficient BackProp."""

    scaling: ClassVar[VarianceScalingSpec] = VarianceScalingSpec(1.0, "fan_in", "uniform")


@dataclass(frozen=True, slots=True)
class LecunNormalSpec(FixedScalingSpec):
    """VarianceScaling(1, fan_in, truncated_normal). LeCun et al. 1998, Efficient BackProp."""

    scaling: ClassVar[VarianceScalingSpec] = VarianceScalingSpec(1.0, "fan_in", "truncated_normal")
