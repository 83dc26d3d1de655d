"""Tensors that differ in seed, name or draw have nothing in common, nor do parts of one tensor."""

import itertools
import math

import numpy as np
import pytest

from seedbed.spec.dtypes import Dtype
from seedbed.spec.initializers import OrthogonalSpec, RandomNormalSpec
from seedbed.spec.tensors import TensorSpec
from seedbed_server.backends.cpu import CpuBackend
from tests.samples import sample
from tests.statistical.checks import BAND, Numbers, check_all_uncorrelated, check_uncorrelated

SIZE = 2**17
STANDARD = RandomNormalSpec(0.0, 1.0)
DTYPES = [Dtype.FLOAT32, Dtype.FLOAT64]
SEEDS = [0, 1, 2, 3, 2**32, 2**63, 2**64 - 1]
NAMES = ["", "a", "b", "aa", "layer/1/kernel", "layer/2/kernel", "Layer/1/kernel"]
DRAWS = [0, 1, 2, 2**32, 2**64 - 1]


def normal(
    cpu: CpuBackend, dtype: Dtype, *, seed: int = 5, name: str = "w", draw: int = 0
) -> Numbers:
    """Return standard normal numbers."""
    spec = TensorSpec(name, (SIZE,), dtype, STANDARD, seed=seed, draw=draw)
    return sample(cpu, spec).astype(np.float64)


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.value)
def test_tensors_of_other_identities_are_independent(cpu: CpuBackend, dtype: Dtype) -> None:
    tensors = {f"seed {seed}": normal(cpu, dtype, seed=seed) for seed in SEEDS}
    tensors |= {f"name {name!r}": normal(cpu, dtype, name=name) for name in NAMES}
    tensors |= {f"draw {draw}": normal(cpu, dtype, draw=draw) for draw in DRAWS}
    check_all_uncorrelated(tensors)


def test_the_check_would_find_equal_tensors(cpu: CpuBackend) -> None:
    with pytest.raises(AssertionError):
        check_uncorrelated(normal(cpu, Dtype.FLOAT32), normal(cpu, Dtype.FLOAT32))


def test_a_thousand_seeds_have_the_spread_of_independent_means(cpu: CpuBackend) -> None:
    count, size = 1000, 1000
    means = [
        float(
            sample(cpu, TensorSpec("w", (size,), Dtype.FLOAT32, STANDARD, seed=seed)).mean(
                dtype=np.float64
            )
        )
        for seed in range(count)
    ]
    # The squares sum up to a chi-squared number of 1,000 degrees: mean 1,000, variance 2,000.
    total = float(np.sum(np.square(means)) * size)
    assert abs(total - count) < BAND * math.sqrt(2 * count)


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.value)
def test_the_lanes_of_the_generator_are_independent(cpu: CpuBackend, dtype: Dtype) -> None:
    lanes = normal(cpu, dtype).reshape(-1, 4)
    for first, second in itertools.product(range(4), repeat=2):
        for blocks in range(3):
            if first == second and blocks == 0:
                continue
            a, b = lanes[: len(lanes) - blocks, first], lanes[blocks:, second]
            check_uncorrelated(a, b, f"of lane {first} and lane {second}, {blocks} blocks later")


def test_float64_numbers_are_not_those_of_float32(cpu: CpuBackend) -> None:
    check_uncorrelated(normal(cpu, Dtype.FLOAT32), normal(cpu, Dtype.FLOAT64))


def test_rows_and_columns_of_a_matrix_are_independent(cpu: CpuBackend) -> None:
    matrix = sample(cpu, TensorSpec("w", (256, 512), Dtype.FLOAT32, STANDARD, seed=6)).astype(
        np.float64
    )
    for axis_name, vectors in (("row", matrix), ("column", matrix.T)):
        gram = vectors @ vectors.T / math.sqrt(vectors.shape[1])
        off_diagonal = gram[np.triu_indices(len(gram), 1)]
        # As many comparisons as pairs; an element's spread is close to normal, so allow for them by
        # Bonferroni.
        assert np.abs(off_diagonal).max() < math.sqrt(BAND**2 + 2 * math.log(off_diagonal.size)), (
            axis_name
        )


def test_orthogonal_matrices_of_other_seeds_are_independent(cpu: CpuBackend) -> None:
    first, second = (
        sample(cpu, TensorSpec("w", (300, 300), Dtype.FLOAT64, OrthogonalSpec(), seed=seed))
        for seed in (1, 2)
    )
    # For independent Haar matrices tr(A'B) is normal with variance 1.
    assert abs(float(np.sum(first * second))) < BAND
