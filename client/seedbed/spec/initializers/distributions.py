"""Specs of numbers of a given distribution, whatever the tensor's shape."""

import math
from dataclasses import dataclass

from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import bad_value
from seedbed.spec.initializers.base import (
    InitializerSpec,
    check_magnitude,
    check_normal,
    not_negative,
    parameter,
)
from seedbed.spec.initializers.bounds import as_lower, as_upper, check_bounds


@dataclass(frozen=True, slots=True)
class RandomUniformSpec(InitializerSpec):
    """Uniform numbers on [minval, maxval)."""

    minval: float = parameter(-0.05, "The lower end, included, finite.")
    maxval: float = parameter(0.05, "The upper end, excluded, finite, at least minval.")

    def check_together(self) -> None:
        """Raise unless the range is one, and of a finite length."""
        if self.maxval < self.minval:
            raise bad_value("maxval", f"at least minval ({self.minval})", self.maxval)
        if math.isinf(self.maxval - self.minval):
            raise bad_value("maxval", "less than 1.8e308 above minval", self.maxval)

    def check(self, shape: tuple[int, ...], dtype: Dtype) -> None:
        """Raise unless both ends and the distance between them are finite in the dtype."""
        InitializerSpec.check(self, shape, dtype)
        for name in ("minval", "maxval"):
            check_magnitude(name, getattr(self, name), abs(getattr(self, name)), dtype)
        computing = Dtype.FLOAT64 if dtype is Dtype.FLOAT64 else Dtype.FLOAT32
        check_magnitude("maxval", self.maxval, self.maxval - self.minval, computing)


@dataclass(frozen=True, slots=True)
class RandomNormalSpec(InitializerSpec):
    """Normal numbers on the whole line."""

    mean: float = parameter(0.0, "The mean, finite.")
    stddev: float = parameter(
        0.05, "The standard deviation, finite, 0 or more.", check=not_negative
    )

    def check(self, shape: tuple[int, ...], dtype: Dtype) -> None:
        """Raise if a number could overflow the dtype."""
        InitializerSpec.check(self, shape, dtype)
        check_normal(self.mean, self.stddev, dtype)


@dataclass(frozen=True, slots=True)
class TruncatedNormalSpec(InitializerSpec):
    """Normal numbers, conditioned on lying within bounds."""

    mean: float = parameter(0.0, "The mean before truncation, finite.")
    stddev: float = parameter(
        0.05,
        "The standard deviation before truncation, finite, 0 or more.",
        check=not_negative,
    )
    lower: float = parameter(
        -2.0,
        "The lower bound in standard deviations from the mean, at most 4; "
        "minus infinity is allowed.",
        check=as_lower,
    )
    upper: float = parameter(
        2.0,
        "The upper bound in standard deviations from the mean, above lower, at least -4; "
        "infinity is allowed.",
        check=as_upper,
    )

    def check_together(self) -> None:
        """Raise unless something lies between the bounds."""
        check_bounds(self.lower, self.upper)

    def check(self, shape: tuple[int, ...], dtype: Dtype) -> None:
        """Raise if a number could overflow the dtype."""
        InitializerSpec.check(self, shape, dtype)
        check_normal(self.mean, self.stddev, dtype)
