"""Errors that are also what torch raises there, and name torch's parameters.

The SDK's errors for wrong values are ValueErrors. Where torch.nn.init raises a RuntimeError or its
subclass NotImplementedError, these are both, so that code written for torch catches them.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from seedbed.errors import InvalidArgumentError, InvalidTypeError, InvalidValueError


class OutOfRangeError(InvalidValueError, RuntimeError):
    """A number that torch refuses with a RuntimeError, such as a negative ``std``."""


class UnsupportedDtypeError(InvalidValueError, NotImplementedError):
    """A dtype that the initializer cannot fill; torch's word for it is NotImplementedError."""


# Which arguments are wrong with a RuntimeError, by their names in torch; all others with a
# ValueError.
_OUT_OF_RANGE = ("a", "b", "gain", "mean", "std", "val")


@contextmanager
def as_torch_says(
    names: Mapping[str, str] | None = None, *, values: Collection[str] = ()
) -> Iterator[None]:
    """Turn the SDK's errors into those of torch's functions.

    Args:
        names: torch's names of parameters by the native initializer's.
        values: torch's names of parameters for which all that is wrong is a ValueError there, a
            wrong type too.
    """
    try:
        yield
    except InvalidArgumentError as error:
        field = (names or {}).get(error.field, error.field)
        message = str(error).replace(f"`{error.field}`", f"`{field}`")
        raise _kind(error, field, values)(message, field=field, reason=error.reason) from None


def _kind(
    error: InvalidArgumentError, field: str, values: Collection[str]
) -> type[InvalidArgumentError]:
    if field in values:
        return InvalidValueError
    if isinstance(error, InvalidTypeError):
        return InvalidTypeError
    if field == "dtype":
        return UnsupportedDtypeError
    return OutOfRangeError if field in _OUT_OF_RANGE else InvalidValueError
