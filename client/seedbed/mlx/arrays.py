"""How a tensor becomes an MLX array."""

from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from seedbed.spec.dtypes import Dtype, as_dtype
from seedbed.spec.errors import bad_type, bad_value

UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
"""What holds the bits of an element, by its size."""


def array_of(values: NDArray[Any], dtype: Dtype) -> mx.array:
    """Return an MLX array with the bits of a numpy array.

    They travel as integers: MLX would make float32 of float64.
    """
    bits = mx.array(values.view(UNSIGNED[dtype.itemsize]))
    # MLX has float64 on the processor only, and memory that all of its devices share.
    return mx.view(
        bits, getattr(mx, "bool_" if dtype is Dtype.BOOL else dtype.value), stream=mx.cpu
    )


def dtype_of(dtype: Any) -> Dtype:
    """Return the dtype of MLX that an initializer is asked for; None is float32.

    Raises:
        InvalidTypeError: if it is none of MLX's.
        InvalidValueError: if seedbed does not have it, such as complex64.
    """
    if dtype is None:
        return Dtype.FLOAT32
    if not isinstance(dtype, mx.Dtype):
        raise bad_type("dtype", "a dtype of MLX, such as mx.float32", dtype)
    return as_dtype(dtype)


def shape_of(array: Any) -> tuple[int, ...]:
    """Return the shape of the array that an initializer is called with.

    Raises:
        InvalidTypeError: if it is no array.
    """
    shape = getattr(array, "shape", None)
    if not isinstance(shape, tuple):
        raise bad_type("a", "an array", array)
    return shape


def matrix_shape(array: Any) -> tuple[int, ...]:
    """Return the shape of a matrix.

    Raises:
        InvalidTypeError: if it is no array.
        InvalidValueError: if it has not two axes.
    """
    shape = shape_of(array)
    if len(shape) != 2:
        raise bad_value("a", "a matrix", f"an array of shape {shape}")
    return shape
