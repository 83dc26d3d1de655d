"""Specs of numbers scaled by a gain and the fans, with PyTorch's formulas."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from seedbed.spec.dtypes import Dtype
from seedbed.spec.gains import NONLINEARITIES, Nonlinearity, as_nonlinearity, as_slope
from seedbed.spec.initializers.base import (
    FARTHEST_NORMAL,
    InitializerSpec,
    check_reach,
    not_negative,
    one_of,
    parameter,
)

OneFanMode = Literal["fan_in", "fan_out"]
ONE_FAN_MODES: tuple[OneFanMode, ...] = ("fan_in", "fan_out")


@dataclass(frozen=True, slots=True)
class XavierSpec(InitializerSpec):
    """Numbers with mean 0 and standard deviation gain * sqrt(2 / max(1, fan_in + fan_out))."""

    has_fans: ClassVar[bool] = True

    gain: float = parameter(1.0, "Multiplies every element, finite, 0 or more.", check=not_negative)

    def check(self, shape: tuple[int, ...], dtype: Dtype) -> None:
        """Raise if a number could overflow the dtype.

        The standard deviation is at most sqrt(2) times the gain.
        """
        InitializerSpec.check(self, shape, dtype)
        check_reach("gain", self.gain, 1.5 * FARTHEST_NORMAL * self.gain, dtype)


@dataclass(frozen=True, slots=True)
class XavierUniformSpec(XavierSpec):
    """Uniform, times a gain. Glorot and Bengio 2010, proceedings.mlr.press/v9/glorot10a."""


@dataclass(frozen=True, slots=True)
class XavierNormalSpec(XavierSpec):
    """Normal on the whole line, times a gain.

    Glorot and Bengio 2010, proceedings.mlr.press/v9/glorot10a.
    """


@dataclass(frozen=True, slots=True)
class KaimingSpec(InitializerSpec):
    """Numbers with mean 0, scaled by a nonlinearity's gain and one fan.

    The standard deviation is calculate_gain(nonlinearity, a) / sqrt(max(1, fan)), at most 5/3.
    """

    has_fans: ClassVar[bool] = True

    a: float = parameter(
        0.0,
        "The negative slope of leaky_relu, finite, its square too; others do not use it.",
        check=as_slope,
    )
    mode: OneFanMode = parameter(
        "fan_in", "Which fan divides the variance.", ONE_FAN_MODES, check=one_of(ONE_FAN_MODES)
    )
    nonlinearity: Nonlinearity = parameter(
        "leaky_relu",
        "What follows the layer: it decides the gain.",
        NONLINEARITIES,
        check=as_nonlinearity,
    )


@dataclass(frozen=True, slots=True)
class KaimingUniformSpec(KaimingSpec):
    """Uniform, with the gain of a nonlinearity. He et al. 2015, arXiv:1502.01852."""


@dataclass(frozen=True, slots=True)
class KaimingNormalSpec(KaimingSpec):
    """Normal on the whole line, with the gain of a nonlinearity.

    He et al. 2015, arXiv:1502.01852.
    """
