"""Specs without randomness: zeros, ones, one number."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import InvalidTypeError, bad_value
from seedbed.spec.initializers.base import ALL_DTYPES, InitializerSpec, parameter
from seedbed.spec.numbers import as_int


@dataclass(frozen=True, slots=True)
class ZerosSpec(InitializerSpec):
    """All elements 0."""

    dtypes: ClassVar[tuple[Dtype, ...]] = ALL_DTYPES
    random: ClassVar[bool] = False
    aliases: ClassVar[tuple[str, ...]] = ("zero",)


@dataclass(frozen=True, slots=True)
class OnesSpec(InitializerSpec):
    """All elements 1."""

    dtypes: ClassVar[tuple[Dtype, ...]] = ALL_DTYPES
    random: ClassVar[bool] = False
    aliases: ClassVar[tuple[str, ...]] = ("one",)


@dataclass(frozen=True, slots=True)
class ConstantSpec(InitializerSpec):
    """All elements the same number."""

    dtypes: ClassVar[tuple[Dtype, ...]] = ALL_DTYPES
    random: ClassVar[bool] = False

    value: float = parameter(
        0.0,
        "The number, finite; "
        "an integer dtype must hold it exactly, a floating one without overflow.",
    )

    def __post_init__(self) -> None:
        if isinstance(self.value, (bool, np.bool_)):
            object.__setattr__(self, "value", int(self.value))
        try:
            object.__setattr__(self, "value", as_int("value", self.value))
        except InvalidTypeError:  # arrays and tensors of floats have an __index__ that says no
            self._finite("value")
        if isinstance(self.value, int) and not -(2**63) <= self.value < 2**64:
            raise bad_value("value", "from -2**63 to 2**64 - 1 where it is an integer", self.value)

    def check(self, shape: tuple[int, ...], dtype: Dtype) -> None:
        """Raise unless the dtype can hold the value."""
        del shape
        if not dtype.holds(self.value):
            raise bad_value(
                "value", f"representable in {dtype.value}", self.value, reason="NOT_REPRESENTABLE"
            )
