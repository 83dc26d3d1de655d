"""The root of the error tree, its two validation errors, and how errors show values."""

import itertools
import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

from seedbed.spec.reasons import Reason

# For Python's callers: no message can hold a value of the wrong type.
INVALID_TYPE = "INVALID_TYPE"

# A list of more than so many values is cut anyway.
MOST_SHOWN = 64
LONGEST_SHOWN = 120


class SeedbedError(Exception):
    """The base of every error that seedbed raises on purpose."""


class Violation(NamedTuple):
    """One thing that is wrong with a request."""

    field: str
    """The path of the field, such as ``tensors[3].spec.shape[1]``."""
    message: str
    """What is wrong with it."""


class InvalidArgumentError(SeedbedError):
    """A request that can never be answered, whoever sends it.

    Attributes:
        field: the path of the offending field, such as ``shape[1]`` or ``tensors[3].spec.dtype``;
            the first one, where several are wrong.
        reason: an UPPER_SNAKE word for programs.
        limit: for the reason ``OVER_LIMIT``, the name of the field of ``ServerInfo.limits``, where
            it is one.
        violations: the field and the message of everything that is known to be wrong.
    """

    def __init__(
        self,
        message: str,
        *,
        field: str = "",
        reason: str = Reason.INVALID_VALUE,
        limit: str = "",
        violations: Sequence[Violation] = (),
    ) -> None:
        super().__init__(message)
        self.field = field
        self.reason = reason
        self.limit = limit
        self.violations = tuple(violations) or (Violation(field, message),)

    def at(self, path: str) -> "InvalidArgumentError":
        """Return the same error about a field of another path, which its message names."""
        text = str(self).replace(f"`{self.field}`", f"`{path}`", 1)
        return type(self)(text, field=path, reason=self.reason, limit=self.limit)

    def within(self, parent: str) -> "InvalidArgumentError":
        """Return the same error, with its field seen from ``parent``, which contains it."""
        path = f"{parent}.{self.field}" if self.field else parent
        text = f"{parent}: {self}"
        return type(self)(text, field=path, reason=self.reason, limit=self.limit)


class InvalidValueError(InvalidArgumentError, ValueError):
    """A value of the right type that is not allowed."""


class InvalidTypeError(InvalidArgumentError, TypeError):
    """A value of the wrong type."""


class NoDeviceError(SeedbedError):
    """There is no such device here, or what drives it is not installed."""


class DeviceError(SeedbedError):
    """The device, or its driver, failed; what was asked of it is not done."""


class OutOfDeviceMemoryError(SeedbedError, MemoryError):
    """The device has no room now."""


def bad_value(
    field: str,
    allowed: str,
    received: object,
    *,
    reason: Reason = Reason.INVALID_VALUE,
    hint: str = "",
) -> InvalidValueError:
    """Return the error for a wrong value: the field, what is allowed, what came, a suggestion."""
    text = _text(field, allowed, shown(received)) + hint
    return InvalidValueError(text, field=field, reason=reason)


def over_limit(field: str, allowed: str, received: object, limit: str = "") -> InvalidValueError:
    """Return the error for more than the contract or a server allows.

    Args:
        field: where it is.
        allowed: the most.
        received: what came.
        limit: the field of Limits that says so, if one does.
    """
    said = f"{allowed} ({limit})" if limit else allowed
    text = _text(field, said, shown(received))
    return InvalidValueError(text, field=field, reason=Reason.OVER_LIMIT, limit=limit)


def bad_type(field: str, allowed: str, received: object, *, hint: str = "") -> InvalidTypeError:
    """Return the error for a wrong type: the field, what is allowed, what came, a suggestion."""
    # Only Python's callers can pass such a value: it looks as it does in their code.
    kind = type(received).__name__
    text = _text(field, allowed, f"{_cut(repr, received)} (of type {kind})") + hint
    return InvalidTypeError(text, field=field, reason=INVALID_TYPE)


class Words(str):
    """Text that an error shows as it is: words about what came, not what came."""

    __slots__ = ()


def shown(value: object, longest: int = LONGEST_SHOWN) -> str:
    """Return a value as errors show it, cut to a length that fits a message.

    In words of no programming language: ``nothing``, ``true``, ``"text"``, ``[4, 3]``.
    """
    return _cut(_shown, value, longest)


def _cut(show: Callable[[object], str], value: object, longest: int = LONGEST_SHOWN) -> str:
    try:
        text = show(value)
    except ValueError:  # an integer of more digits than Python agrees to print
        return (
            f"an integer of {value.bit_length()} bits"
            if isinstance(value, int)
            else "a value without representation"
        )
    return text if len(text) <= longest else text[: longest - 3] + "..."


def _shown(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case Words():
            return str(value)
        case str():
            return json.dumps(value, ensure_ascii=not value.isprintable())
        case int() | float():
            return (float if isinstance(value, float) else int).__repr__(value)
        case list() | tuple():
            items = [_shown(item) for item in itertools.islice(value, MOST_SHOWN)]
            more = ["..."] if len(value) > MOST_SHOWN else []
            return f"[{', '.join(items + more)}]"
    return repr(value)


def _text(field: str, allowed: str, received: str) -> str:
    return f"`{field}` must be {allowed}. Received: {received}"
