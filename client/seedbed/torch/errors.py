"""Errors that are also what torch raises there, and name torch's parameters.

The SDK's errors for wrong values are ValueErrors. Where torch.nn.init raises a RuntimeError or its subclass
NotImplementedError, these are both, so that code written for torch catches them.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from seedbed.errors import InvalidArgumentError, InvalidTypeError, InvalidValueError


class OutOfRangeError(InvalidValueError, RuntimeError):
    """A number that torch refuses with a RuntimeError, such as a negative ``std``."""


class UnsupportedDtypeError(InvalidValueError, NotImplementedError):
    """A dtype that the initializer cannot fill; torch's word for it is NotImplementedError."""


# Which arguments are wrong with a RuntimeError, by their names in torch; all others with a ValueError.
_OUT_OF_RANGE = ("a", "b", "gain", "mean", "std", "val")


@contextmanager
def as_torch_says(names: Mapping[str, str] | None = None, *, is_slope: bool = False) -> Iterator[None]:
    """Turn the SDK's errors into those of torch's functions.

    Args:
        names: torch's names of parameters by the native initializer's.
        is_slope: whether ``a`` is a slope, which torch checks with a ValueError, and not the end of a range.
    """
    try:
        yield
    except InvalidArgumentError as error:
        names = names or {}
        field = names.get(error.field, error.field)
        kind: type[InvalidArgumentError] = type(error)
        if not isinstance(error, InvalidTypeError):
            if field == "dtype":
                kind = UnsupportedDtypeError
            elif field in _OUT_OF_RANGE and not (is_slope and field == "a"):
                kind = OutOfRangeError
        message = re.sub(r"\b\w+\b", lambda word: names.get(word[0], word[0]), str(error))
        raise kind(message, field=field, reason=error.reason) from None
