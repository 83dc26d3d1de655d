"""Orthogonal tensors are orthonormal, and uniform among all that are (Haar measure)."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from seedbed.spec.dtypes import FLOATING, Dtype
from seedbed.spec.initializers import OrthogonalSpec
from seedbed.spec.tensors import TensorSpec
from seedbed_server.backends.cpu import CpuBackend
from tests.samples import sample
from tests.statistical.checks import ALPHA, BAND

MATRICES = 2000
SIZE = 8
Matrices = NDArray[np.float64]


EPS = {
    Dtype.FLOAT16: 2.0**-10,
    Dtype.BFLOAT16: 2.0**-7,
    Dtype.FLOAT32: 2.0**-23,
    Dtype.FLOAT64: 2.0**-52,
    Dtype.FLOAT8_E4M3FN: 2.0**-3,
    Dtype.FLOAT8_E5M2: 2.0**-2,
}
"""The distance from 1 to the next number."""
SMALLEST = {Dtype.FLOAT16: 2.0**-24, Dtype.FLOAT8_E4M3FN: 2.0**-9, Dtype.FLOAT8_E5M2: 2.0**-16}
"""The smallest subnormal number, where elements come near it."""


def orthogonal(
    cpu: CpuBackend, shape: tuple[int, ...], dtype: Dtype, *, gain: float = 1.0, draw: int = 0
) -> Matrices:
    """Return a tensor as the matrix that it is."""
    values = sample(cpu, TensorSpec("q", shape, dtype, OrthogonalSpec(gain), seed=8, draw=draw))
    return values.astype(np.float64).reshape(-1, shape[-1])


@pytest.mark.parametrize("dtype", FLOATING, ids=lambda dtype: dtype.value)
@pytest.mark.parametrize("gain", [1.0, -2.5])
@pytest.mark.parametrize(
    "shape",
    [(300, 100), (100, 300), (150, 150), (3, 3, 16, 200), (2, 3, 64), (65, 1), (1, 65), (1, 1)],
    ids=str,
)
def test_rows_or_columns_are_orthonormal(
    cpu: CpuBackend, shape: tuple[int, ...], gain: float, dtype: Dtype
) -> None:
    q = orthogonal(cpu, shape, dtype, gain=gain)
    gram = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
    # Rounding an element errs by eps / 2 of it, so that a product of two unit columns errs by at
    # most eps; to this Householder's method adds a small multiple of the square root of the size,
    # in eps of float64.
    tolerance = gain**2 * (1.1 * EPS[dtype] + 2.0**-52 * 10 * math.sqrt(max(q.shape)))
    # Elements below the smallest normal number err by at most half of the smallest subnormal one
    # each.
    tolerance += SMALLEST.get(dtype, 0.0) * gain**2 * math.sqrt(max(q.shape))
    assert np.abs(gram - gain**2 * np.eye(len(gram))).max() < tolerance


@pytest.fixture(scope="module")
def square(cpu: CpuBackend) -> Matrices:
    return np.stack(
        [orthogonal(cpu, (SIZE, SIZE), Dtype.FLOAT64, draw=draw) for draw in range(MATRICES)]
    )


@pytest.fixture(scope="module")
def without_signs() -> Matrices:
    """Factors whose R may have any signs, as LAPACK returns them: orthogonal, but not uniform."""
    return np.linalg.qr(np.random.default_rng(1).standard_normal((MATRICES, SIZE, SIZE)))[0]


def check_haar(q: Matrices) -> None:
    """Compare traces, determinants and elements with those of uniform orthogonal matrices.

    The moments of tr Q are a standard normal number's up to the order 2n (Diaconis and Shahshahani
    1994, doi:10.2307/3214948); tr Q**2 has mean 1 and, up to half that order, variance 2.
    """
    count = len(q)
    trace = np.trace(q, axis1=1, axis2=2)
    trace_of_square = np.trace(q @ q, axis1=1, axis2=2)
    for name, numbers, mean, variance in (
        ("tr Q", trace, 0, 1),
        ("(tr Q)**2", trace**2, 1, 2),
        ("(tr Q)**3", trace**3, 0, 15),
        ("(tr Q)**4", trace**4, 3, 96),
        ("tr Q**2", trace_of_square, 1, 2),
        ("det Q", np.linalg.det(q), 0, 1),
    ):
        deviation = (float(np.mean(numbers)) - mean) / math.sqrt(variance / count)
        assert abs(deviation) < BAND, f"{name}: {deviation:.1f} standard deviations"
    # A coordinate of a uniform unit vector: (1 + q) / 2 follows Beta((n - 1) / 2, (n - 1) / 2).
    half = (q.shape[1] - 1) / 2
    for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1), (3, 5), (5, 5)):
        result = stats.kstest(
            (1 + q[:, row, column]) / 2, stats.beta(half, half).cdf, method="asymp"
        )
        assert result.pvalue > ALPHA, f"element ({row}, {column}): {result}"


def test_square_matrices_are_uniform(square: Matrices) -> None:
    check_haar(square)


def test_factors_with_lapacks_signs_would_be_rejected(without_signs: Matrices) -> None:
    with pytest.raises(AssertionError):
        check_haar(without_signs)


def test_neighbours_by_multiplication_are_uniform_too(square: Matrices) -> None:
    rotation = np.linalg.qr(np.random.default_rng(2).standard_normal((SIZE, SIZE)))[0]
    check_haar(rotation @ square)
    check_haar(square @ rotation)


@pytest.mark.parametrize("shape", [(12, 3), (3, 12)], ids=["tall", "wide"])
def test_elements_of_tall_and_wide_matrices_are_those_of_unit_vectors(
    cpu: CpuBackend, shape: tuple[int, int]
) -> None:
    matrices = np.stack(
        [orthogonal(cpu, shape, Dtype.FLOAT32, draw=draw) for draw in range(MATRICES)]
    )
    marginal: Any = stats.beta((max(shape) - 1) / 2, (max(shape) - 1) / 2)
    for row, column in ((0, 0), (2, 2), (0, 2), (2, 0)):
        result = stats.kstest((1 + matrices[:, row, column]) / 2, marginal.cdf, method="asymp")
        assert result.pvalue > ALPHA, f"element ({row}, {column}): {result}"
