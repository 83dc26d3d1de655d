"""What a tensor's content depends on: the value that everything in seedbed is a function of."""

import math
from dataclasses import dataclass
from typing import Protocol

from seedbed.wire.dtypes import Dtype, as_dtype
from seedbed.wire.errors import bad_type, bad_value
from seedbed.wire.fans import FanAxes
from seedbed.wire.initializers import InitializerSpec
from seedbed.wire.seeds import as_draw, as_seed
from seedbed.wire.shapes import as_shape
from seedbed.wire.slices import TensorSlice

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
        raise bad_value(field, f"at most {MAX_NAME_BYTES} bytes of UTF-8", f"{value[:40]}... ({size} bytes)")
    return value


class SeededInitializer(Protocol):
    """An initializer that carries its own seed, as the SDK's classes do."""

    @property
    def spec(self) -> InitializerSpec:
        """What fills the tensor."""

    @property
    def seed_bits(self) -> int:
        """Its seed, 0 to 2**64 - 1."""

    @property
    def fan_axes(self) -> FanAxes | None:
        """The axes for its fans, if it names any."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """All that a tensor's content depends on.

    The initializer may be one of the SDK's classes, which carry a seed (used where ``seed`` is None) and may name fan axes.
    The value itself holds only what travels: an :class:`InitializerSpec` and plain numbers.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if a value is not allowed; both name the argument.
    """

    name: str
    """Any text, at most 1,024 bytes of UTF-8, may be empty. Part of the content."""
    shape: tuple[int, ...]
    """The lengths of all axes, 0 or more each; () is a scalar."""
    dtype: Dtype
    """The type of the elements; a name, a numpy dtype or another framework's is taken too."""
    initializer: InitializerSpec
    """What fills the tensor."""
    seed: int = None  # type: ignore[assignment]  # None is replaced by the initializer's own seed
    """-2**63 to 2**64 - 1; a negative seed is kept as its two's complement."""
    draw: int = 0
    """The n-th use of one seed and name, 0 to 2**64 - 1."""
    fan_axes: FanAxes | None = None
    """Which axes count for the fans; None is Keras's rule."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", as_name(self.name))
        object.__setattr__(self, "dtype", as_dtype(self.dtype))
        object.__setattr__(self, "shape", as_shape(self.shape, self.dtype.itemsize))
        if not isinstance(self.initializer, InitializerSpec):
            self._take_from(self.initializer)
        if self.seed is None:
            if self.initializer.random:
                raise bad_type("seed", "an integer where the initializer carries none", None)
            object.__setattr__(self, "seed", 0)
        object.__setattr__(self, "seed", as_seed(self.seed))
        object.__setattr__(self, "draw", as_draw(self.draw))
        self.initializer.check(self.shape, self.dtype)
        if self.fan_axes is not None:
            if not isinstance(self.fan_axes, FanAxes):
                raise bad_type("fan_axes", "FanAxes or None", self.fan_axes)
            self.fan_axes.resolve(len(self.shape))

    def _take_from(self, initializer: SeededInitializer) -> None:
        spec = getattr(initializer, "spec", None)
        if not isinstance(spec, InitializerSpec):
            raise bad_type("initializer", "an initializer, such as GlorotUniform(seed=1)", initializer)
        object.__setattr__(self, "initializer", spec)
        if self.seed is None:
            object.__setattr__(self, "seed", initializer.seed_bits)
        if initializer.fan_axes is not None:
            if self.fan_axes not in (None, initializer.fan_axes):
                raise bad_value("fan_axes", f"the initializer's own ({initializer.fan_axes}) or None", self.fan_axes)
            object.__setattr__(self, "fan_axes", initializer.fan_axes)

    @property
    def element_count(self) -> int:
        """The number of elements of the whole tensor."""
        return math.prod(self.shape)


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
