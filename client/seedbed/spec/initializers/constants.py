"""Specs without randomness: zeros, ones, one number."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import InvalidTypeError, bad_value
from seedbed.spec.initializers.base import ALL_DTYPES, InitializerSpec, parameter
from seedbed.spec.numbers import as_finite, as_int
from seedbed.spec.reasons import Reason


def as_constant(name: str, value: object) -> float:
    """Return a finite number; an integer, or a bool, is an integer.

    Raises:
        InvalidTypeError: if it is no number.
        InvalidValueError: if no dtype holds it.
    """
    number: float
    if isinstance(value, (bool, np.bool_)):
        value = int(value)
    try:
        number = as_int(name, value)
    except InvalidTypeError:  # arrays and tensors of floats have an __index__ that says no
        number = as_finite(name, value)
    if isinstance(number, int) and not -(2**63) <= number < 2**64:
        raise bad_value(name, "from -2**63 to 2**64 - 1 where it is an integer", number)
    return number


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
        check=as_constant,
    )

    def check(self, shape: tuple[int, ...], dtype: Dtype) -> None:
        """Raise unless the dtype can hold the value."""
        del shape
        if not dtype.holds(self.value):
            raise bad_value(
                "value",
                f"representable in {dtype.value}",
                self.value,
                reason=Reason.NOT_REPRESENTABLE,
            )
