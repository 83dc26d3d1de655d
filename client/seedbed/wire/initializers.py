"""What fills a tensor: one frozen value per initializer, with Keras's names, parameters and defaults.

These are the messages of ``initializers.proto`` as Python values: no seed, no shape, no sampling. Each checks its
parameters once, when it is made; :data:`INITIALIZERS` is the catalogue.
"""

import dataclasses
import math
import re
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from seedbed.wire.dtypes import FLOATING, Dtype
from seedbed.wire.errors import InvalidTypeError, bad_type, bad_value
from seedbed.wire.numbers import as_finite, as_int, as_real

FanMode = Literal["fan_in", "fan_out", "fan_avg"]
Distribution = Literal["uniform", "truncated_normal", "untruncated_normal"]
MODES: tuple[FanMode, ...] = ("fan_in", "fan_out", "fan_avg")
DISTRIBUTIONS: tuple[Distribution, ...] = ("uniform", "truncated_normal", "untruncated_normal")

# A truncation whose nearer bound lies further out has next to no probability left to resolve: float32's quantile
# ends 7 standard deviations out.
FARTHEST_NEAR_BOUND = 4.0

ALL_DTYPES = tuple(Dtype)


def parameter(default: object, description: str, choices: tuple[str, ...] = ()) -> Any:
    """Return a dataclass field that carries its own documentation."""
    return field(default=default, metadata={"description": description, "choices": choices})


def _choice(name: str, value: object, choices: tuple[str, ...]) -> str:
    allowed = "one of " + ", ".join(choices)
    if not isinstance(value, str):
        raise bad_type(name, allowed, value)
    if value.lower() not in choices:
        raise bad_value(name, allowed, value)
    return value.lower()


def _check_normal(mean: float, stddev: float, dtype: Dtype) -> None:
    _check_magnitude("mean", mean, abs(mean), dtype)
    # No 64-bit word lies further out than 9.2 standard deviations, or 10.3 where truncation leads far out.
    _check_magnitude("stddev", stddev, abs(mean) + 11 * stddev, dtype)


def _check_magnitude(name: str, value: float, reached: float, dtype: Dtype) -> None:
    if reached > dtype.largest:
        allowed = f"small enough for {dtype.value}, whose largest value is {dtype.largest:g}"
        raise bad_value(name, allowed, value, reason="NOT_REPRESENTABLE")


@dataclass(frozen=True, slots=True)
class InitializerSpec:
    """What fills a tensor. The base of all; see the subclasses."""

    dtypes: ClassVar[tuple[Dtype, ...]] = FLOATING
    """The dtypes it can fill."""
    random: ClassVar[bool] = True
    """Whether seed, name and draw matter."""
    aliases: ClassVar[tuple[str, ...]] = ()
    """Further names, besides the class's name and its snake_case form."""

    @classmethod
    def name(cls) -> str:
        """Return Keras's class name, such as ``GlorotUniform``."""
        return cls.__name__.removesuffix("Spec")

    @classmethod
    def field_name(cls) -> str:
        """Return the snake_case name, which is also the field of the protobuf oneof."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.name()).lower()

    def check(self, shape: tuple[int, ...], dtype: Dtype) -> None:
        """Raise unless this initializer can fill such a tensor.

        Raises:
            InvalidValueError: naming the argument.
        """
        if dtype not in self.dtypes:
            allowed = f"a floating dtype for {self.name()}: one of " + ", ".join(d.value for d in self.dtypes)
            raise bad_value("dtype", allowed, dtype.value)
        del shape  # only some initializers ask for a rank

    def _finite(self, *names: str) -> None:
        for name in names:
            object.__setattr__(self, name, as_finite(name, getattr(self, name)))

    def _not_negative(self, name: str) -> None:
        if getattr(self, name) < 0:
            raise bad_value(name, "0 or more", getattr(self, name))


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
        0.0, "The number, finite; an integer dtype must hold it exactly, a floating one without overflow."
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
            raise bad_value("value", f"representable in {dtype.value}", self.value, reason="NOT_REPRESENTABLE")


@dataclass(frozen=True, slots=True)
class RandomUniformSpec(InitializerSpec):
    """Uniform numbers on [minval, maxval)."""

    minval: float = parameter(-0.05, "The lower end, included, finite.")
    maxval: float = parameter(0.05, "The upper end, excluded, finite, at least minval.")

    def __post_init__(self) -> None:
        self._finite("minval", "maxval")
        if self.maxval < self.minval:
            raise bad_value("maxval", f"at least minval ({self.minval})", self.maxval)
        if math.isinf(self.maxval - self.minval):
            raise bad_value("maxval", "less than 1.8e308 above minval", self.maxval)

    def check(self, shape: tuple[int, ...], dtype: Dtype) -> None:
        """Raise unless both ends and the distance between them are finite in the dtype."""
        InitializerSpec.check(self, shape, dtype)
        for name in ("minval", "maxval"):
            _check_magnitude(name, getattr(self, name), abs(getattr(self, name)), dtype)
        computing = Dtype.FLOAT64 if dtype is Dtype.FLOAT64 else Dtype.FLOAT32
        _check_magnitude("maxval", self.maxval, self.maxval - self.minval, computing)


@dataclass(frozen=True, slots=True)
class RandomNormalSpec(InitializerSpec):
    """Normal numbers on the whole line."""

    mean: float = parameter(0.0, "The mean, finite.")
    stddev: float = parameter(0.05, "The standard deviation, finite, 0 or more.")

    def __post_init__(self) -> None:
        self._finite("mean", "stddev")
        self._not_negative("stddev")

    def check(self, shape: tuple[int, ...], dtype: Dtype) -> None:
        """Raise if a number could overflow the dtype."""
        InitializerSpec.check(self, shape, dtype)
        _check_normal(self.mean, self.stddev, dtype)


@dataclass(frozen=True, slots=True)
class TruncatedNormalSpec(InitializerSpec):
    """Normal numbers, conditioned on lying within bounds."""

    mean: float = parameter(0.0, "The mean before truncation, finite.")
    stddev: float = parameter(0.05, "The standard deviation before truncation, finite, 0 or more.")
    lower: float = parameter(-2.0, "The lower bound in standard deviations from the mean, at most 4; may be -inf.")
    upper: float = parameter(2.0, "The upper bound in standard deviations, above lower, at least -4; may be inf.")

    def __post_init__(self) -> None:
        self._finite("mean", "stddev")
        self._not_negative("stddev")
        for name in ("lower", "upper"):
            object.__setattr__(self, name, as_real(name, getattr(self, name)))
        if self.lower > FARTHEST_NEAR_BOUND:
            raise bad_value("lower", f"at most {FARTHEST_NEAR_BOUND} standard deviations", self.lower)
        if self.upper < -FARTHEST_NEAR_BOUND:
            raise bad_value("upper", f"at least {-FARTHEST_NEAR_BOUND} standard deviations", self.upper)
        if not self.lower < self.upper:
            raise bad_value("upper", f"above lower ({self.lower})", self.upper)

    def check(self, shape: tuple[int, ...], dtype: Dtype) -> None:
        """Raise if a number could overflow the dtype."""
        InitializerSpec.check(self, shape, dtype)
        _check_normal(self.mean, self.stddev, dtype)


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
        object.__setattr__(self, "mode", _choice("mode", self.mode, MODES))
        distribution = "truncated_normal" if str(self.distribution).lower() == "normal" else self.distribution
        object.__setattr__(self, "distribution", _choice("distribution", distribution, DISTRIBUTIONS))

    def check(self, shape: tuple[int, ...], dtype: Dtype) -> None:
        """Raise if a number could overflow the dtype: the standard deviation is at most sqrt(scale)."""
        InitializerSpec.check(self, shape, dtype)
        _check_magnitude("scale", self.scale, 8 * math.sqrt(self.scale), dtype)


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


@dataclass(frozen=True, slots=True)
class IdentitySpec(InitializerSpec):
    """The identity matrix times a gain; rectangular allowed, rank 2 only."""

    dtypes: ClassVar[tuple[Dtype, ...]] = ALL_DTYPES
    random: ClassVar[bool] = False
    aliases: ClassVar[tuple[str, ...]] = ("identity_matrix",)

    gain: float = parameter(1.0, "What the diagonal holds, finite; an integer dtype must hold it exactly.")

    def __post_init__(self) -> None:
        self._finite("gain")

    def check(self, shape: tuple[int, ...], dtype: Dtype) -> None:
        """Raise unless the shape is a matrix's and the dtype can hold the gain."""
        if len(shape) != 2:
            raise bad_value("shape", "a matrix's for Identity: two axes", shape)
        if not dtype.holds(self.gain):
            raise bad_value("gain", f"representable in {dtype.value}", self.gain, reason="NOT_REPRESENTABLE")


@dataclass(frozen=True, slots=True)
class OrthogonalSpec(InitializerSpec):
    """A random matrix with orthonormal rows or columns, times a gain. Saxe et al. 2014, arXiv:1312.6120."""

    gain: float = parameter(1.0, "Multiplies every element, finite.")

    def __post_init__(self) -> None:
        self._finite("gain")

    def check(self, shape: tuple[int, ...], dtype: Dtype) -> None:
        """Raise unless there are two axes or more; all but the last are the rows."""
        InitializerSpec.check(self, shape, dtype)
        if len(shape) < 2:
            raise bad_value("shape", "of two axes or more for Orthogonal", shape)
        _check_magnitude("gain", self.gain, 2 * abs(self.gain), dtype)


_SPECS: tuple[type[InitializerSpec], ...] = (
    ConstantSpec,
    GlorotNormalSpec,
    GlorotUniformSpec,
    HeNormalSpec,
    HeUniformSpec,
    IdentitySpec,
    LecunNormalSpec,
    LecunUniformSpec,
    OnesSpec,
    OrthogonalSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    TruncatedNormalSpec,
    VarianceScalingSpec,
    ZerosSpec,
)

INITIALIZERS: dict[str, type[InitializerSpec]] = {spec.field_name(): spec for spec in _SPECS}
"""Every initializer by its field name, sorted."""


def parameters(spec: type[InitializerSpec]) -> tuple[dataclasses.Field[Any], ...]:
    """Return the parameters of an initializer, in Keras's order."""
    return dataclasses.fields(spec)


def find_initializer(name: str) -> type[InitializerSpec] | None:
    """Return the initializer of a name in any spelling: the class's, its snake_case form, or an alias."""
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    for field_name, spec in INITIALIZERS.items():
        if snake == field_name or name in spec.aliases:
            return spec
    return None
