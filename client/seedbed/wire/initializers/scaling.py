"""What fills a tensor with numbers whose variance follows from its fans: variance scaling and its fixed forms."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from seedbed.wire.dtypes import Dtype
from seedbed.wire.errors import bad_value
from seedbed.wire.initializers.base import InitializerSpec, check_magnitude, choice, parameter

FanMode = Literal["fan_in", "fan_out", "fan_avg"]
Distribution = Literal["uniform", "truncated_normal", "untruncated_normal"]
MODES: tuple[FanMode, ...] = ("fan_in", "fan_out", "fan_avg")
DISTRIBUTIONS: tuple[Distribution, ...] = ("uniform", "truncated_normal", "untruncated_normal")


@dataclass(frozen=True, slots=True)
class VarianceScalingSpec(InitializerSpec):
    """Numbers with mean 0 and variance scale / max(1, fan)."""

    scale: float = parameter(1.0, "The scale, finite and positive.")
    mode: FanMode = parameter("fan_in", "Which fan divides the scale.", MODES)
    distribution: Distribution = parameter(
        "truncated_normal",
        "Which distribution; `normal` is another word for `truncated_normal`, as in Keras.",
        DISTRIBUTIONS,
    )

    def __post_init__(self) -> None:
        self._finite("scale")
        if self.scale <= 0:
            raise bad_value("scale", "positive", self.scale)
        if math.isinf(3 * self.scale):
            raise bad_value("scale", "at most 5.9e307", self.scale)
        object.__setattr__(self, "mode", choice("mode", self.mode, MODES))
        distribution = "truncated_normal" if str(self.distribution).lower() == "normal" else self.distribution
        object.__setattr__(self, "distribution", choice("distribution", distribution, DISTRIBUTIONS))

    def check(self, shape: tuple[int, ...], dtype: Dtype) -> None:
        """Raise if a number could overflow the dtype: the standard deviation is at most sqrt(scale)."""
        InitializerSpec.check(self, shape, dtype)
        check_magnitude("scale", self.scale, 8 * math.sqrt(self.scale), dtype)


@dataclass(frozen=True, slots=True)
class FixedScalingSpec(InitializerSpec):
    """A variance scaling whose parameters are part of its name."""

    scaling: ClassVar[VarianceScalingSpec]
    """The general form that it stands for."""


@dataclass(frozen=True, slots=True)
class GlorotUniformSpec(FixedScalingSpec):
    """VarianceScaling(1, fan_avg, uniform). Glorot and Bengio 2010, proceedings.mlr.press/v9/glorot10a."""

    scaling: ClassVar[VarianceScalingSpec] = VarianceScalingSpec(1.0, "fan_avg", "uniform")
    aliases: ClassVar[tuple[str, ...]] = ("xavier_uniform",)


@dataclass(frozen=True, slots=True)
class GlorotNormalSpec(FixedScalingSpec):
    """VarianceScaling(1, fan_avg, truncated_normal). Glorot and Bengio 2010, proceedings.mlr.press/v9/glorot10a."""

    scaling: ClassVar[VarianceScalingSpec] = VarianceScalingSpec(1.0, "fan_avg", "truncated_normal")
    aliases: ClassVar[tuple[str, ...]] = ("xavier_normal",)


@dataclass(frozen=True, slots=True)
class HeUniformSpec(FixedScalingSpec):
    """VarianceScaling(2, fan_in, uniform). He et al. 2015, arXiv:1502.01852."""

    scaling: ClassVar[VarianceScalingSpec] = VarianceScalingSpec(2.0, "fan_in", "uniform")
    aliases: ClassVar[tuple[str, ...]] = ("kaiming_uniform",)


@dataclass(frozen=True, slots=True)
class HeNormalSpec(FixedScalingSpec):
    """VarianceScaling(2, fan_in, truncated_normal). He et al. 2015, arXiv:1502.01852."""

    scaling: ClassVar[VarianceScalingSpec] = VarianceScalingSpec(2.0, "fan_in", "truncated_normal")
    aliases: ClassVar[tuple[str, ...]] = ("kaiming_normal",)


@dataclass(frozen=True, slots=True)
class LecunUniformSpec(FixedScalingSpec):
    """VarianceScaling(1, fan_in, uniform). LeCun et al. 1998, Efficient BackProp."""

    scaling: ClassVar[VarianceScalingSpec] = VarianceScalingSpec(1.0, "fan_in", "uniform")


@dataclass(frozen=True, slots=True)
class LecunNormalSpec(FixedScalingSpec):
    """VarianceScaling(1, fan_in, truncated_normal). LeCun et al. 1998, Efficient BackProp."""

    scaling: ClassVar[VarianceScalingSpec] = VarianceScalingSpec(1.0, "fan_in", "truncated_normal")
