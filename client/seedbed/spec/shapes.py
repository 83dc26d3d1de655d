"""Checks on the lengths of a tensor's axes, and the number of its elements."""

import math
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import SupportsIndex

from seedbed.spec.errors import bad_type, bad_value, over_limit
from seedbed.spec.numbers import as_int

# numpy 2 arrays have at most 64 axes, numpy 1 arrays 32; a shape must fit both.
MAX_RANK = 32
MAX_BYTES = 2**63 - 1

ShapeLike = SupportsIndex | Iterable[SupportsIndex]
"""Lengths of axes as a caller may give them: any integers, numpy's too; one is a vector's."""


def axis_allowed(rank: int) -> str:
    """Return what an axis of a tensor may be, as errors say it."""
    if not rank:
        return "none: a scalar has no axes"
    return f"from {-rank} to {rank - 1} for a tensor of rank {rank}"


def as_ints(field: str, value: object) -> tuple[int, ...]:
    """Return a sequence of integers as a tuple; a single integer counts as a sequence of one.

    Raises:
        InvalidTypeError: if it is neither.
    """
    # Mostly, as every call comes here.
    if type(value) is tuple and all(type(item) is int for item in value):
        return value
    if isinstance(value, (str, bytes, bytearray, Mapping, AbstractSet)) or value is None:
        raise bad_type(field, "a sequence of integers", value)
    # An array of no axes, of any framework, is one integer and cannot be iterated.
    if isinstance(value, Iterable) and getattr(value, "ndim", None) != 0:
        return tuple(as_int(f"{field}[{i}]", item) for i, item in enumerate(value))
    return (as_int(field, value),)


def as_shape(value: object, itemsize: int, *, field: str = "shape") -> tuple[int, ...]:
    """Return the lengths of all axes.

    Args:
        value: integers, 0 or more each; one integer is the shape of a vector.
        itemsize: the size of an element in bytes; the tensor must have at most 2**63 - 1 bytes.
        field: what to call the argument in an error.

    Raises:
        InvalidTypeError: unless it is a sequence of integers.
        InvalidValueError: if a length is negative, there are over 32, or the tensor is too large.
    """
    shape = as_ints(field, value)
    if len(shape) > MAX_RANK:
        raise over_limit(field, f"of at most {MAX_RANK} axes", shape, "max_rank")
    for axis, length in enumerate(shape):
        check_length(f"{field}[{axis}]", length)
    # An empty array, too, must have strides that fit: numpy counts the other axes.
    if math.prod(length for length in shape if length) * itemsize > MAX_BYTES:
        each = "byte" if itemsize == 1 else "bytes"
        allowed = f"of at most 2**63 - 1 bytes, at {itemsize} {each} an element"
        raise over_limit(field, f"{allowed} and without the axes of length 0", shape)
    return shape


def check_length(field: str, length: int) -> None:
    """Raise unless a number is the length of an axis.

    Raises:
        InvalidValueError: if it is negative, or no array has as many elements.
    """
    if length < 0:
        raise bad_value(field, "0 or more", length)
    if length > MAX_BYTES:
        raise over_limit(field, "at most 2**63 - 1", length)
