"""The root of the error tree, and its two validation errors."""


class SeedbedError(Exception):
    """The base of every error that seedbed raises on purpose."""


class InvalidArgumentError(SeedbedError):
    """A request that can never be answered, whoever sends it.

    Attributes:
        field: the path of the offending field, such as ``shape[1]`` or ``tensors[3].spec.dtype``.
        reason: an UPPER_SNAKE word for programs.
    """

    def __init__(self, message: str, *, field: str = "", reason: str = "INVALID_VALUE") -> None:
        super().__init__(message)
        self.field = field
        self.reason = reason

    def within(self, parent: str) -> "InvalidArgumentError":
        """Return the same error, with its field seen from ``parent``, which contains it."""
        path = f"{parent}.{self.field}" if self.field else parent
        return type(self)(f"{parent}: {self}", field=path, reason=self.reason)


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
    field: str, allowed: str, received: object, *, reason: str = "INVALID_VALUE"
) -> InvalidValueError:
    """Return the error for a wrong value: the field, what is allowed, what came."""
    return InvalidValueError(
        f"`{field}` must be {allowed}. Received: {shorten(received)}", field=field, reason=reason
    )


def bad_type(field: str, allowed: str, received: object) -> InvalidTypeError:
    """Return the error for a wrong type: the field, what is allowed, what came."""
    kind = type(received).__name__
    return InvalidTypeError(
        f"`{field}` must be {allowed}. Received: {shorten(received)} (of type {kind})",
        field=field,
        reason="INVALID_TYPE",
    )


def shorten(value: object, longest: int = 120) -> str:
    """Return the value's representation, cut to a length that fits an error message."""
    try:
        text = value if isinstance(value, str) and len(value) > longest else repr(value)
    except ValueError:  # an integer of more digits than Python agrees to print
        return (
            f"an integer of {value.bit_length()} bits"
            if isinstance(value, int)
            else "a value without representation"
        )
    return text if len(text) <= longest else text[: longest - 3] + "..."
