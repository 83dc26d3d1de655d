"""Orthogonal and delta-orthogonal tensors have the orthonormal rows or columns that JAX's have."""

from typing import Any

import jax
import jax.nn.initializers as theirs
import numpy as np
import pytest

import seedbed as sb
from seedbed.jax import initializers as ours
from tests.statistical.checks import check_distribution_function, normal

KEY = jax.random.key(3)


def gram(values: Any, column_axis: int) -> Any:
    """Return the products of all columns, or of all rows where they are fewer."""
    matrix = np.moveaxis(np.asarray(values, np.float64), column_axis, -1)
    matrix = matrix.reshape(-1, matrix.shape[-1])
    return matrix @ matrix.T if matrix.shape[0] < matrix.shape[1] else matrix.T @ matrix


@pytest.mark.parametrize("column_axis", [-1, 0, -2])
@pytest.mark.parametrize("shape", [(6, 6), (4, 9), (9, 4), (3, 2, 5)], ids=str)
def test_orthogonal_tensors_are_orthogonal_along_the_axis_of_jax(
    shape: tuple[int, ...], column_axis: int
) -> None:
    scale = 2.5
    for module in (theirs, ours):
        values = module.orthogonal(scale, column_axis)(KEY, shape)
        assert values.shape == shape
        products = gram(values, column_axis)
        np.testing.assert_allclose(products, scale**2 * np.eye(len(products)), atol=2e-5)


def test_an_orthogonal_matrix_is_that_of_the_key_s_seed() -> None:
    np.testing.assert_array_equal(ours.orthogonal()(KEY, (6, 4)), sb.Orthogonal(seed=3)((6, 4)))
    np.testing.assert_array_equal(
        ours.orthogonal(column_axis=0)(KEY, (4, 6)), sb.Orthogonal(seed=3)((6, 4)).T
    )


def test_an_orthogonal_matrix_is_uniformly_distributed() -> None:
    """An element of a large one is nearly normal with variance 1 / n; both modules' are."""
    for module in (theirs, ours):
        values = np.asarray(module.orthogonal()(KEY, (300, 300)))
        check_distribution_function(values, normal(0.0, 300**-0.5))


@pytest.mark.parametrize("column_axis", [-1, 0])
@pytest.mark.parametrize("shape", [(3, 4, 4), (4, 2, 5), (2, 5, 4, 4), (3, 3, 3, 2, 4)], ids=str)
def test_delta_orthogonal_kernels_are_those_of_jax(
    shape: tuple[int, ...], column_axis: int
) -> None:
    spatial = tuple(range(len(shape) - 2))
    centres = []
    for module in (theirs, ours):
        kernel = np.asarray(module.delta_orthogonal(2.0, column_axis)(KEY, shape))
        assert kernel.shape == shape
        (centre,) = np.argwhere(np.abs(kernel).sum((-2, -1)))
        centres.append(tuple(centre))
        matrix = kernel.sum(spatial, dtype=np.float64)
        np.testing.assert_allclose(matrix @ matrix.T, 4 * np.eye(shape[-2]), atol=2e-5)
    assert centres[0] == centres[1]
