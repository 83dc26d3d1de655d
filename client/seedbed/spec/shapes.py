"""Checks on the lengths of a tensor's axes, and the number of its elements."""

import math
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

import numpy as np

from seedbed.spec.errors import bad_type, bad_value
from seedbed.spec.numbers import as_int

# numpy 2 arrays have at most 64 axes, numpy 1 arrays 32; a shape must fit both.
MAX_RANK = 32
MAX_BYTES = 2**63 - 1


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
    if isinstance(value, Iterable) and not (isinstance(value, np.ndarray) and value.ndim == 0):
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
        raise bad_value(field, f"a shape of at most {MAX_RANK} axes", shape)
    for axis, length in enumerate(shape):
        if length < 0:
            raise bad_value(f"{field}[{axis}]", "0 or more", length)
        if length > MAX_BYTES:
            raise bad_value(f"{field}[{axis}]", "at most 2**63 - 1", length)
    # An empty array, too, must have strides that fit: numpy counts the other axes.
    if math.prod(length for length in shape if length) * itemsize > MAX_BYTES:
        raise bad_value(
            field, f"of at most 2**63 - 1 bytes (at {itemsize} bytes an element)", shape
        )
    return shape
