"""Moments of arrays of any dtype, also where squares overflow and where a number is none."""

import math
from typing import Any

import numpy as np
import pytest

from seedbed.reports.moments import BLOCK_ELEMENTS, moments_of
from seedbed.spec.dtypes import Dtype

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", Dtype)
def test_they_are_numpys_in_float64(dtype: Dtype) -> None:
    array = (3 * RNG.random(BLOCK_ELEMENTS + 7)).astype(dtype.numpy)
    wide = array.astype(np.float64)
    found = moments_of(array)
    assert (found.min, found.max) == (wide.min(), wide.max())
    assert found.mean == pytest.approx(wide.mean(), rel=1e-12)
    assert found.std == pytest.approx(wide.std(), rel=1e-12)


def test_a_large_mean_does_not_cancel_the_spread() -> None:
    assert moments_of(1e9 + np.array([-1.0, 1.0])).std == 1.0


@pytest.mark.parametrize("scale", [2.0**1020, 2.0**-1000, 5e-324])
def test_squares_that_no_float_holds_are_no_trouble(scale: float) -> None:
    found = moments_of(scale * np.array([-1.0, 1.0, -1.0, 1.0] * 100))
    assert (found.mean, found.std, found.min, found.max) == (0.0, scale, -scale, scale)


@pytest.mark.parametrize(
    ("numbers", "ends"),
    [
        ([1.0, math.inf], (1.0, math.inf)),
        ([-math.inf, math.inf], (-math.inf, math.inf)),
        ([math.nan, 1.0], (math.nan, math.nan)),
        ([1.0, *[0.0] * BLOCK_ELEMENTS, math.nan], (math.nan, math.nan)),
    ],
    ids=["infinity", "both infinities", "NaN", "NaN in a later block"],
)
def test_what_is_not_finite_has_no_mean(numbers: Any, ends: tuple[float, float]) -> None:
    found = moments_of(np.array(numbers))
    assert found.mean is not None and math.isnan(found.mean)
    assert found.std is not None and math.isnan(found.std)
    assert (found.min, found.max) == pytest.approx(ends, nan_ok=True)


def test_no_elements_have_none() -> None:
    found = moments_of(np.empty((0, 3)))
    assert (found.mean, found.std, found.min, found.max) == (None, None, None, None)
