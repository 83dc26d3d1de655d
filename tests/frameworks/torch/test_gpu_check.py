"""The part of `make gpu-check` that hands arrays to PyTorch, on those of the stand-in for CuPy."""

from typing import Any

import numpy as np
import pytest

from seedbed.spec.dtypes import FLOATING, Dtype
from tests.stub_cupy import Array, Libraries, aligned
from tools.gpu_check.checks.arrays import PLAIN, handed, to_torch


def array_of(dtype: Dtype) -> Any:
    """Return an array of the stand-in."""
    return Array(Libraries(), aligned((16, 3), dtype.numpy))


@pytest.mark.parametrize("dtype", FLOATING, ids=lambda dtype: dtype.value)
def test_the_array_it_is_handed_is_the_same_memory(dtype: Dtype) -> None:
    array = array_of(dtype)
    pointer, how = handed(to_torch, array, dtype.value)
    assert pointer == array.data.ptr
    # numpy, which is behind the stand-in, hands over none of the narrow dtypes but float16.
    assert how.startswith(", as uint") == (dtype.value not in PLAIN)


def test_a_copy_would_be_seen() -> None:
    array = array_of(Dtype.FLOAT32)
    copied = Array(Libraries(), np.copy(array.content))
    assert handed(to_torch, copied, "float32")[0] != array.data.ptr
