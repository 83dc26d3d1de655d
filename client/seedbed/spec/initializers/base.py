"""The base of every initializer spec: names, dtypes, parameters, and shared checks."""

import dataclasses
import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from seedbed.spec.dtypes import FLOATING, Dtype
from seedbed.spec.errors import Words, bad_type, bad_value
from seedbed.spec.fans import FanAxes
from seedbed.spec.numbers import as_finite
from seedbed.spec.reasons import Reason
from seedbed.spec.suggestions import did_you_mean

ALL_DTYPES = tuple(Dtype)

Check = Callable[[str, object], Any]
"""Returns a parameter's value, given its name and what came for it, or raises."""


def parameter(
    default: object, description: str, choices: tuple[str, ...] = (), *, check: Check = as_finite
) -> Any:
    """Return a dataclass field that carries its own documentation.

    Args:
        default: its value where none is given.
        description: for people.
        choices: the words that it may be.
        check: what judges a value by itself, without the other parameters.
    """
    metadata = {"description": description, "choices": choices, "check": check}
    return field(default=default, metadata=metadata)


@functools.cache
def checks(spec: "type[InitializerSpec]") -> tuple[tuple[str, Check], ...]:
    """Return the parameters of an initializer, and what judges each by itself."""
    return tuple((each.name, each.metadata["check"]) for each in dataclasses.fields(spec))


def not_negative(name: str, value: object) -> float:
    """Return a finite number of 0 or more."""
    number = as_finite(name, value)
    if number < 0:
        raise bad_value(name, "0 or more", number)
    return number


def one_of(choices: tuple[str, ...]) -> Check:
    """Return the check of a parameter that is one of a few words."""
    return functools.partial(choice, choices=choices)


def choice(name: str, value: object, choices: tuple[str, ...]) -> str:
    """Return one of a few words, in lower case.

    Raises:
        InvalidTypeError: if the value is no text.
        InvalidValueError: if it is another word.
    """
    allowed = "one of " + ", ".join(choices)
    if not isinstance(value, str):
        raise bad_type(name, allowed, value)
    if value.lower() not in choices:
        raise bad_value(name, allowed, value, hint=did_you_mean(value, choices))
    return value.lower()


# No 64-bit word lies further out than 9.2 standard deviations, or 10.3 where truncation leads far
# out.
FARTHEST_NORMAL = 11.0


def check_normal(mean: float, stddev: float, dtype: Dtype) -> None:
    """Raise if a normal number could overflow the dtype."""
    check_magnitude("mean", mean, abs(mean), dtype)
    check_reach("stddev", stddev, abs(mean) + FARTHEST_NORMAL * stddev, dtype)


def check_magnitude(name: str, value: float, reached: float, dtype: Dtype) -> None:
    """Raise if a parameter stands for a number of a magnitude that the dtype does not have."""
    if reached > dtype.largest:
        allowed = f"small enough for {dtype.value}, whose largest value is {dtype.largest:g}"
        raise bad_value(name, allowed, value, reason=Reason.NOT_REPRESENTABLE)


def check_reach(name: str, value: float, reached: float, dtype: Dtype) -> None:
    """Raise if a parameter lets the farthest random number overflow.

    In a dtype that saturates, none does.
    """
    check_magnitude(name, value, reached, Dtype.FLOAT32 if dtype.saturates else dtype)


@functools.cache
def snake_case(name: str) -> str:
    """Return ``glorot_uniform`` for ``GlorotUniform``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


@dataclass(frozen=True, slots=True)
class InitializerSpec:
    """What fills a tensor. The base of all; see the subclasses."""

    dtypes: ClassVar[tuple[Dtype, ...]] = FLOATING
    """The dtypes it can fill."""
    random: ClassVar[bool] = True
    """Whether seed, name and draw matter."""
    has_fans: ClassVar[bool] = False
    """Whether the shape's fans matter."""
    aliases: ClassVar[tuple[str, ...]] = ()
    """Further names, besides the class's name and its snake_case form."""
    has_layout: ClassVar[bool] = False
    """Whether it matters what the axes are, besides for fans."""

    def __post_init__(self) -> None:
        """Check each parameter by itself, and then all of them together."""
        # Classes are hashable, whatever mypy makes of a frozen dataclass's __hash__.
        for name, check in checks(type(self)):  # type: ignore[arg-type]
            object.__setattr__(self, name, check(name, getattr(self, name)))
        self.check_together()

    def __str__(self) -> str:
        """Return it as it would be written in Python."""
        arguments = (f"{f.name}={getattr(self, f.name)!r}" for f in dataclasses.fields(self))
        return f"{self.name()}({', '.join(arguments)})"

    def check_together(self) -> None:
        """Raise unless the parameters fit each other.

        Raises:
            InvalidValueError: naming one of them.
        """

    @classmethod
    def name(cls) -> str:
        """Return Keras's class name, such as ``GlorotUniform``."""
        return cls.__name__.removesuffix("Spec")

    @classmethod
    def field_name(cls) -> str:
        """Return the snake_case name, which is also the field of the protobuf oneof."""
        return snake_case(cls.name())

    def check(self, shape: tuple[int, ...], dtype: Dtype) -> None:
        """Raise unless this initializer can fill such a tensor.

        Raises:
            InvalidValueError: naming the argument.
        """
        if dtype not in self.dtypes:
            known = ", ".join(each.value for each in self.dtypes)
            allowed = f"a floating dtype for {self.name()}: one of {known}"
            raise bad_value("dtype", allowed, Words(dtype.value))
        del shape  # only some initializers ask for a rank

    def check_axes(self, shape: tuple[int, ...], axes: FanAxes | None) -> None:
        """Raise unless this initializer finds the axes that it needs.

        Args:
            shape: of the whole tensor.
            axes: what the axes are, if that was said; they exist, and none is named twice.

        Raises:
            InvalidValueError: naming the argument.
        """
