"""Blocks are orthogonal and independent; zeros of sparse tensors are counted and uniform."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import seedbed as sb
from seedbed.spec.tensors import TensorSpec
from seedbed_server.backends.cpu import CpuBackend
from tests.samples import sample
from tests.statistical.checks import (
    ALPHA,
    check_distribution_function,
    check_moments,
    check_uncorrelated,
    normal,
)

Numbers = NDArray[np.float64]


def float64(
    cpu: CpuBackend, initializer: sb.Initializer, shape: tuple[int, ...], name: str = "w"
) -> Numbers:
    """Return a tensor of this dtype."""
    made: Numbers = sample(cpu, TensorSpec(name, shape, "float64", initializer))
    return made


def distance_from_orthonormal(matrix: Numbers) -> float:
    """Return the largest error of the products of its columns, or rows where there are fewer."""
    gram = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    return float(np.abs(gram - np.eye(len(gram))).max())


@pytest.mark.parametrize(
    ("initializer", "shape", "parts"),
    [
        (sb.Orthogonal(seed=4, batch_axis=0), (5, 70, 30), 0),
        (sb.Orthogonal(seed=4, batch_axis=0), (5, 30, 70), 0),
        (sb.Orthogonal(seed=4, batch_axis=2), (30, 20, 6), 2),
        (sb.Orthogonal(seed=4, blocks=3), (40, 120), None),
        (sb.Orthogonal(seed=4, blocks=3, block_axis=0), (120, 40), None),
    ],
    ids=repr,
)
def test_each_block_is_orthonormal_and_no_two_are_alike(
    cpu: CpuBackend, initializer: sb.Orthogonal, shape: tuple[int, ...], parts: int | None
) -> None:
    made = float64(cpu, initializer, shape)
    if parts is None:
        blocks = np.split(made, 3, axis=0 if shape[0] > shape[1] else 1)
    else:
        blocks = list(np.moveaxis(made, parts, 0))
    assert max(map(distance_from_orthonormal, blocks)) < 1e-13
    for i, one in enumerate(blocks):
        for two in blocks[:i]:
            check_uncorrelated(
                *(block.reshape(-1) * math.sqrt(max(block.shape)) for block in (one, two))
            )


def test_the_inputs_of_a_delta_orthogonal_kernel_are_orthonormal_at_the_centre(
    cpu: CpuBackend,
) -> None:
    kernel = float64(cpu, sb.DeltaOrthogonal(2.0, seed=4), (3, 4, 20, 50))
    centre = kernel[1, 1].copy()
    assert distance_from_orthonormal(centre / 2.0) < 1e-13
    kernel[1, 1] = 0.0
    assert not kernel.any()


def test_a_convolution_with_a_delta_orthogonal_kernel_keeps_norms(cpu: CpuBackend) -> None:
    kernel = float64(cpu, sb.DeltaOrthogonal(seed=4), (3, 6, 9))
    signal = np.random.default_rng(1).standard_normal((100, 6))
    padded = np.concatenate([np.zeros((1, 6)), signal, np.zeros((1, 6))])
    result = sum(padded[k : k + 100] @ kernel[k] for k in range(3))
    assert np.allclose(np.linalg.norm(result, axis=1), np.linalg.norm(signal, axis=1), rtol=1e-12)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("sparsity", [0.0, 0.1, 1 / 3, 0.9, 0.999, 1.0])
@pytest.mark.parametrize("shape", [(64, 300), (301, 50), (1, 7)], ids=str)
def test_each_line_has_exactly_the_zeros_that_were_asked_for(
    cpu: CpuBackend, shape: tuple[int, int], sparsity: float, axis: int
) -> None:
    made = float64(cpu, sb.Sparse(sparsity, 1.0, axis, seed=4), shape)
    assert set((made == 0).sum(axis).tolist()) == {math.ceil(sparsity * shape[axis])}


@pytest.mark.parametrize("axis", [0, 1])
def test_zeros_are_in_all_places_of_a_line_equally_often(cpu: CpuBackend, axis: int) -> None:
    shape = (20, 50_000) if axis == 0 else (50_000, 20)
    zeros = float64(cpu, sb.Sparse(0.3, axis=axis, seed=4), shape) == 0
    counts = zeros.sum(1 - axis)
    # The counts of n places of which z are drawn without replacement have covariance z (n - z) / (n
    # (n - 1)) off a common mean, so that this sum of squares has n - 1 degrees of freedom.
    lines, places, drawn = 50_000, 20, 6
    expected = lines * drawn / places
    statistic = float(((counts - expected) ** 2).sum()) / (
        lines * drawn * (places - drawn) / (places * (places - 1))
    )
    assert stats.chi2(places - 1).sf(statistic) > ALPHA
    assert stats.chi2(places - 1).cdf(statistic) > ALPHA


def test_zeros_of_two_lines_have_nothing_to_do_with_each_other(cpu: CpuBackend) -> None:
    zeros = (float64(cpu, sb.Sparse(0.5, seed=4), (10_000, 2)) == 0).astype(np.float64)
    check_uncorrelated(1 + zeros[:, 0], 1 + zeros[:, 1])


def test_what_is_not_zero_is_normal_and_does_not_know_of_the_zeros(cpu: CpuBackend) -> None:
    made = float64(cpu, sb.Sparse(0.5, 0.25, seed=4), (1000, 400))
    kept = made[made != 0]
    check_distribution_function(kept, normal(0.0, 0.25))
    check_moments(kept, normal(0.0, 0.25))


def test_the_zeros_of_two_seeds_names_or_draws_differ(cpu: CpuBackend) -> None:
    def zeros(seed: int, name: str, draw: int) -> bytes:
        spec = TensorSpec(name, (100, 100), "float32", sb.Sparse(0.5, seed=seed), draw=draw)
        return np.packbits(sample(cpu, spec) == 0).tobytes()

    made = [zeros(1, "w", 0), zeros(2, "w", 0), zeros(1, "v", 0), zeros(1, "w", 1)]
    assert len(set(made)) == 4
    assert zeros(1, "w", 0) == made[0]
