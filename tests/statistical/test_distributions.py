"""Uniform, normal and truncated normal tensors follow their exact distributions."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr

from seedbed.spec.dtypes import Dtype
from seedbed.spec.initializers import (
    GlorotUniformSpec,
    HeNormalSpec,
    InitializerSpec,
    KaimingNormalSpec,
    OrthogonalSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    TruncatedNormalSpec,
    XavierUniformSpec,
)
from seedbed.spec.tensors import TensorSpec
from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.kernels.values import TILE_WORDS
from tests.samples import sample
from tests.statistical.checks import (
    ALPHA,
    Distribution,
    check_distribution_function,
    check_lags,
    check_moments,
    check_pairs,
    check_tails,
    normal,
    standardized,
    uniform,
)

# About 2**20 elements; neither length is a multiple of a lane, a vector or a tile.
ROWS, COLUMNS = 1021, 1027
LAGS = [*range(1, 9), 16, 1024, COLUMNS, 2 * COLUMNS, TILE_WORDS, 2**17]


@dataclass(frozen=True)
class Case:
    """An initializer and the distribution that its numbers must have."""

    name: str
    initializer: InitializerSpec
    distribution: Distribution


def truncated(mean: float, stddev: float, lower: float, upper: float) -> Case:
    """Return the case of a truncated normal."""
    name = f"truncated_normal({lower:g}, {upper:g})"
    return Case(
        name, TruncatedNormalSpec(mean, stddev, lower, upper), normal(mean, stddev, lower, upper)
    )


CASES = [
    Case("uniform", RandomUniformSpec(), uniform(-0.05, 0.05)),
    Case("uniform(3, 7.5)", RandomUniformSpec(3.0, 7.5), uniform(3.0, 7.5)),
    Case("normal", RandomNormalSpec(), normal(0.0, 0.05)),
    Case("normal(-3, 2)", RandomNormalSpec(-3.0, 2.0), normal(-3.0, 2.0)),
    Case("truncated_normal", TruncatedNormalSpec(), normal(0.0, 0.05, -2.0, 2.0)),
    truncated(1.0, 2.0, 0.0, math.inf),
    truncated(0.0, 1.0, -math.inf, -1.5),
    truncated(0.5, 0.1, -0.25, 3.0),
    truncated(0.0, 1.0, 2.0, 3.5),
]
DTYPES = [Dtype.FLOAT32, Dtype.FLOAT64]


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.value)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_tensor_follows_its_distribution(cpu: CpuBackend, case: Case, dtype: Dtype) -> None:
    values = sample(cpu, TensorSpec(case.name, (ROWS, COLUMNS), dtype, case.initializer, seed=1))
    check_distribution_function(values, case.distribution)
    check_moments(values, case.distribution)
    check_tails(values, case.distribution)
    check_pairs(values, case.distribution)
    check_lags(standardized(values, case.distribution), LAGS)


@pytest.mark.parametrize("lane", range(4))
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.value)
def test_every_lane_of_the_generator_follows_the_distribution(
    cpu: CpuBackend, dtype: Dtype, lane: int
) -> None:
    values = sample(
        cpu, TensorSpec("lanes", (2**18, 4), dtype, RandomNormalSpec(0.0, 1.0), seed=2)
    )[:, lane]
    check_distribution_function(values, normal(0.0, 1.0))
    check_moments(values, normal(0.0, 1.0))
    check_lags(values.astype(np.float64), range(1, 9))


@pytest.mark.parametrize(
    "dtype",
    [Dtype.FLOAT16, Dtype.BFLOAT16, Dtype.FLOAT8_E4M3FN, Dtype.FLOAT8_E5M2],
    ids=lambda dtype: dtype.value,
)
@pytest.mark.parametrize(
    "initializer",
    [
        RandomUniformSpec(-1.0, 1.0),
        RandomUniformSpec(1e-8, 1e-6),
        RandomNormalSpec(0.0, 1.0),
        RandomNormalSpec(0.0, 1e-6),
        TruncatedNormalSpec(),
        TruncatedNormalSpec(100.0, 1000.0, -1.0, math.inf),
        RandomNormalSpec(-30.0, 5000.0),
        XavierUniformSpec(),
        KaimingNormalSpec(),
        GlorotUniformSpec(),
        HeNormalSpec(),
        OrthogonalSpec(),
    ],
    ids=str,
)
def test_a_narrow_tensor_is_the_float32_tensor_rounded(
    cpu: CpuBackend, initializer: InitializerSpec, dtype: Dtype
) -> None:
    shape = (300, 70)
    single = sample(cpu, TensorSpec("rounded", shape, Dtype.FLOAT32, initializer, seed=3))
    found = sample(cpu, TensorSpec("rounded", shape, dtype, initializer, seed=3))
    if dtype.saturates:
        single = single.clip(-dtype.largest, dtype.largest)
    bits = np.dtype(f"uint{8 * dtype.itemsize}")
    assert np.array_equal(found.view(bits), single.astype(dtype.numpy).view(bits))


@pytest.mark.parametrize(
    "dtype", [Dtype.FLOAT8_E4M3FN, Dtype.FLOAT8_E5M2], ids=lambda dtype: dtype.value
)
def test_every_number_of_8_bits_has_its_share_of_a_normal(cpu: CpuBackend, dtype: Dtype) -> None:
    values = sample(cpu, TensorSpec("shares", (2**20,), dtype, RandomNormalSpec(0.0, 1.0), seed=4))
    numbers = np.arange(256, dtype=np.uint8).view(dtype.numpy).astype(np.float64)
    numbers = np.unique(numbers[np.isfinite(numbers)])  # the two zeros are one number here
    # Between each two numbers, the middle is where rounding goes over from one to the other.
    shares = np.diff(ndtr(np.concatenate([[-np.inf], (numbers[1:] + numbers[:-1]) / 2, [np.inf]])))
    counts = np.array([np.sum(values.astype(np.float64) == number) for number in numbers])
    assert counts.sum() == values.size
    often = shares * values.size > 10  # as many as the chi-squared approximation wants
    counts = np.append(counts[often], counts[~often].sum())
    expected = values.size * np.append(shares[often], shares[~often].sum())
    assert stats.chisquare(counts, expected).pvalue > ALPHA
