"""Tensor specs: the values that determine a tensor's content."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, SupportsIndex

from seedbed.spec.dtypes import Dtype, as_dtype
from seedbed.spec.errors import Words, bad_type, bad_value, over_limit, shown
from seedbed.spec.fans import FanAxes
from seedbed.spec.html import pairs
from seedbed.spec.initializers import InitializerSpec, named_initializer
from seedbed.spec.named_arguments import NamedArguments
from seedbed.spec.seeds import as_draw, as_seed
from seedbed.spec.shapes import ShapeLike, as_shape
from seedbed.spec.slices import TensorSlice

MAX_NAME_BYTES = 1024


def as_name(value: object, *, field: str = "name") -> str:
    """Return a tensor's name.

    Raises:
        InvalidTypeError: unless it is a string.
        InvalidValueError: if it is no valid Unicode, or over 1,024 bytes in UTF-8.
    """
    if not isinstance(value, str):
        raise bad_type(field, "a string", value)
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise bad_value(field, "valid Unicode", value) from None
    if size > MAX_NAME_BYTES:
        begin = shown(value[:40]).removesuffix('"')
        received = Words(f'{begin}..." ({size} bytes)')
        raise over_limit(
            field, f"at most {MAX_NAME_BYTES} bytes of UTF-8", received, "max_name_bytes"
        )
    return value


class SeededInitializer(Protocol):
    """An initializer that may carry its own seed, as the SDK's classes do."""

    @property
    def spec(self) -> InitializerSpec:
        """What fills the tensor."""

    @property
    def seed_bits(self) -> int | None:
        """Its seed, 0 to 2**64 - 1, if it was given one."""

    @property
    def fan_axes(self) -> FanAxes | None:
        """The axes for its fans, if it names any."""


@dataclass(frozen=True, slots=True, init=False)
class TensorSpec(metaclass=NamedArguments):
    """All that a tensor's content depends on.

    The initializer may be one of the SDK's classes, which carry the seed that they were given (used
    where ``seed`` is None) and may name fan axes, or a name such as ``"glorot_uniform"``, which has
    its default parameters. The value itself holds only what travels: an :class:`InitializerSpec`
    and plain numbers.

    Args:
        name: any text, at most 1,024 bytes of UTF-8, may be empty.
        shape: the lengths of all axes, 0 or more each; () is a scalar, an integer a vector's
            length.
        dtype: the type of the elements; a name, a numpy dtype, or another framework's.
        initializer: what fills the tensor; an initializer, or its name.
        seed: -2**63 to 2**64 - 1; None takes the initializer's own, and is an error if that has
            none and is random.
        draw: the n-th use of one seed and name, 0 to 2**64 - 1.
        fan_axes: which axes count for the fans; None is the initializer's own, or Keras's rule.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if a value is not allowed; both name the argument.
    """

    name: str
    """Part of the content: another name, other random numbers."""
    shape: tuple[int, ...]
    """The lengths of all axes."""
    dtype: Dtype
    """The type of the elements."""
    initializer: InitializerSpec
    """What fills the tensor."""
    seed: int
    """64 bits, 0 to 2**64 - 1: a negative seed's two's complement."""
    draw: int
    """The n-th use of one seed and name."""
    fan_axes: FanAxes | None
    """Which axes count for the fans; None is Keras's rule."""

    def __init__(
        self,
        name: str,
        shape: ShapeLike,
        dtype: object,
        initializer: InitializerSpec | SeededInitializer | str,
        seed: SupportsIndex | None = None,
        draw: SupportsIndex = 0,
        fan_axes: FanAxes | None = None,
    ) -> None:
        spec, own_seed, own_axes = _parts(initializer)
        if fan_axes is None:
            fan_axes = own_axes
        elif not isinstance(fan_axes, FanAxes):
            raise bad_type("fan_axes", "FanAxes or None", fan_axes)
        elif own_axes not in (None, fan_axes):
            raise bad_value("fan_axes", f"the initializer's own ({own_axes}) or None", fan_axes)
        if seed is None:
            seed = own_seed
        if seed is None and spec.random:
            allowed = f"an integer, as {spec.name()} is random and was given none"
            raise bad_type("seed", allowed, None)
        checked_dtype = as_dtype(dtype)
        values = {
            "name": as_name(name),
            "shape": as_shape(shape, checked_dtype.itemsize),
            "dtype": checked_dtype,
            "initializer": spec,
            "seed": as_seed(0 if seed is None else seed),
            "draw": as_draw(draw),
            "fan_axes": fan_axes,
        }
        for field, value in values.items():
            object.__setattr__(self, field, value)
        spec.check(self.shape, self.dtype)
        if fan_axes is not None:
            fan_axes.resolve(len(self.shape))
        spec.check_axes(self.shape, fan_axes)

    def _repr_html_(self) -> str:
        draw = f", draw {self.draw}" if self.draw else ""
        return pairs(
            "TensorSpec",
            [
                ("name", self.name),
                ("shape", str(self.shape)),
                ("dtype", self.dtype.value),
                ("initializer", str(self.initializer)),
                ("seed", f"{self.seed}{draw}" if self.initializer.random else ""),
                ("fan axes", "" if self.fan_axes is None else repr(self.fan_axes)),
                ("bytes", f"{self.element_count * self.dtype.itemsize:,}"),
            ],
        )

    @property
    def element_count(self) -> int:
        """The number of elements of the whole tensor."""
        return math.prod(self.shape)


def _parts(initializer: object) -> tuple[InitializerSpec, int | None, FanAxes | None]:
    """Return an initializer's spec, and the seed and fan axes of one of the SDK's."""
    if isinstance(initializer, InitializerSpec):
        return initializer, None, None
    if isinstance(initializer, str):
        return named_initializer("initializer", initializer), None, None
    spec = getattr(initializer, "spec", None)
    if not isinstance(spec, InitializerSpec):
        allowed = "an initializer, such as GlorotUniform(seed=1), or its name"
        raise bad_type("initializer", allowed, initializer, hint=_instead_of(initializer))
    return spec, getattr(initializer, "seed_bits", None), getattr(initializer, "fan_axes", None)


def _instead_of(initializer: object) -> str:
    """Return what to write instead of a class of initializers, or of a configuration."""
    if isinstance(initializer, type) and hasattr(initializer, "spec"):
        return f"; did you mean {initializer.__name__}()?"
    is_config = isinstance(initializer, Mapping) and "class_name" in initializer
    return "; seedbed.get(...) makes an initializer of it" if is_config else ""


@dataclass(frozen=True, slots=True)
class TensorRequest:
    """A tensor, or a rectangle of it."""

    spec: TensorSpec
    """The whole tensor."""
    slice: TensorSlice | None = None
    """The part wanted; None is the whole."""

    def __post_init__(self) -> None:
        if self.slice is not None:
            self.slice.check(self.spec.shape)

    @property
    def key(self) -> str:
        """A text that no request with other bytes has: -0.0 is not 0.0 in it."""
        return repr(self)

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of all axes of what is wanted."""
        return self.spec.shape if self.slice is None else self.slice.lengths

    @property
    def element_count(self) -> int:
        """The number of elements wanted."""
        return math.prod(self.shape)

    @property
    def size_bytes(self) -> int:
        """The number of bytes wanted."""
        return self.element_count * self.spec.dtype.itemsize
