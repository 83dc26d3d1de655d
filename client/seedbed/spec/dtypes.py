"""The element types: their names, sizes and limits, and what counts as one of them."""

import enum
import math

import ml_dtypes
import numpy as np

from seedbed.spec.errors import bad_type, bad_value
from seedbed.spec.suggestions import did_you_mean


class Dtype(enum.Enum):
    """An element type, by its name in numpy or ml_dtypes; elements travel little-endian."""

    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    FLOAT8_E4M3FN = "float8_e4m3fn"
    FLOAT8_E5M2 = "float8_e5m2"
    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    BOOL = "bool"

    def __init__(self, name: str) -> None:
        self.numpy: np.dtype[np.generic] = np.dtype(getattr(ml_dtypes, name, name))
        """The numpy dtype, in the machine's byte order."""
        self.itemsize = self.numpy.itemsize
        """The size of one element in bytes."""

    @property
    def is_floating(self) -> bool:
        """Whether the type can hold random numbers."""
        return self in FLOATING

    @property
    def saturates(self) -> bool:
        """Whether a random number beyond the largest finite value becomes that value."""
        return self in SATURATING

    @property
    def largest(self) -> float:
        """The largest finite value of a floating type."""
        return LARGEST[self]

    def holds(self, value: float) -> bool:
        """Return whether this type holds the value: finite if floating, else exact."""
        if self is Dtype.BOOL:
            return value in (0, 1)
        if self.is_floating:
            return math.isfinite(float(self.rounded(value)))
        bits = 8 * self.itemsize
        low, high = (
            (0, 2**bits) if self.value.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1))
        )
        return math.isfinite(value) and value == int(value) and low <= value < high

    def rounded(self, value: float) -> np.generic:
        """Return a float rounded to this floating type, half to even.

        Types narrower than float32 are rounded by way of it. What is too large becomes infinite;
        for float8_e4m3fn, which has no infinity, NaN.
        """
        with np.errstate(over="ignore"):
            if self is Dtype.FLOAT64:
                return np.float64(value)
            single = np.asarray(value, np.float32)
            return self.numpy.type(single.astype(self.numpy))


SATURATING = (Dtype.FLOAT8_E4M3FN, Dtype.FLOAT8_E5M2)
"""The floating types whose range is so small that random numbers are cut to it."""

FLOATING = (Dtype.FLOAT16, Dtype.BFLOAT16, Dtype.FLOAT32, Dtype.FLOAT64, *SATURATING)

LARGEST = {
    Dtype.FLOAT16: 65504.0,
    Dtype.BFLOAT16: (2 - 2.0**-7) * 2.0**127,
    Dtype.FLOAT32: (2 - 2.0**-23) * 2.0**127,
    Dtype.FLOAT64: (2 - 2.0**-52) * 2.0**1023,
    Dtype.FLOAT8_E4M3FN: 448.0,
    Dtype.FLOAT8_E5M2: 57344.0,
}
"""The largest finite value of each floating type.

IEEE 754; bfloat16 is float32's upper half; float8: Micikevicius et al. 2022, arXiv:2209.05433.
"""

_NAMES = tuple(dtype.value for dtype in Dtype)
_ALLOWED = "one of " + ", ".join(_NAMES)

# One name for each dtype: "float" is 32 bits to PyTorch and 64 to numpy. What others call them is
# suggested where no spelling is near.
_MEANT = {
    "half": "float16",
    "fp16": "float16",
    "f16": "float16",
    "f2": "float16",
    "bf16": "bfloat16",
    "float": "float32",
    "single": "float32",
    "fp32": "float32",
    "f32": "float32",
    "f4": "float32",
    "double": "float64",
    "fp64": "float64",
    "f64": "float64",
    "f8": "float64",
    "fp8": "float8_e4m3fn",
    "float8": "float8_e4m3fn",
    "e4m3": "float8_e4m3fn",
    "float8_e4m3": "float8_e4m3fn",
    "e5m2": "float8_e5m2",
    "float128": "float64",
    "int": "int64",
    "long": "int64",
    "short": "int16",
    "byte": "uint8",
    "char": "int8",
}


def as_dtype(value: object, *, field: str = "dtype") -> Dtype:
    """Return the dtype for a name, or for a dtype of numpy or another framework.

    Raises:
        InvalidTypeError: if the value is no dtype of any kind.
        InvalidValueError: if it is one that seedbed does not have.
    """
    if isinstance(value, Dtype):
        return value
    name = _name_of(value)
    if name is None:
        raise bad_type(field, _ALLOWED, value)
    name = name.rsplit(".", 1)[-1]  # torch writes "torch.float32"
    try:
        return Dtype("bool" if name == "bool_" else name)  # numpy's name, and JAX's
    except ValueError:
        hint = did_you_mean(_MEANT.get(name.lower(), name), _NAMES)
        raise bad_value(field, _ALLOWED, value, hint=hint) from None


def _name_of(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (bool, int, float, bytes)):
        return None
    if isinstance(value, np.dtype):
        return value.name if value.isnative or value.itemsize == 1 else str(value)
    if isinstance(value, type):
        if issubclass(value, (np.number, np.bool_)):
            return np.dtype(value).name  # numpy.longlong is another int64
        return {float: "float64", int: "int64", bool: "bool"}.get(value, value.__name__)
    if str(value).startswith(("torch.", "mlx.core.")):
        return str(value)
    name = getattr(value, "name", None)  # tensorflow's DType, jax's scalar types
    return name if isinstance(name, str) else None
