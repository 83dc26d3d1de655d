"""seedbed.mlx has the names, parameters and distributions of mlx.nn.init."""

import inspect
import itertools
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import mlx.core as mx
import mlx.nn.init as theirs
import numpy as np
import pytest

import seedbed.mlx
from seedbed import mlx as ours
from tests.frameworks.recording import RecordingClient
from tests.statistical.checks import (
    Distribution,
    check_distribution_function,
    check_moments,
    normal,
    uniform,
)

NAMES = sorted(
    name
    for name, value in vars(theirs).items()
    if inspect.isfunction(value) and not name.startswith("_")
)
FIXED = ("constant", "identity")
OURS = ("seed", "name", "client")
CALL: dict[str, tuple[Any, ...]] = {"constant": (1.0,), "sparse": (0.5,)}


def parameters(function: Any) -> list[tuple[str, Any]]:
    """Return the names and defaults of a function's parameters."""
    return [(name, each.default) for name, each in inspect.signature(function).parameters.items()]


def test_every_name_of_mlx_is_there_and_those_for_a_whole_model() -> None:
    whole = ["digest", "digests", "initialize", "manifest_of", "report"]
    assert sorted(seedbed.mlx.__all__) == sorted([*NAMES, *whole])


@pytest.mark.parametrize("name", NAMES)
def test_a_function_has_the_parameters_of_mlx_and_three_more_by_keyword(name: str) -> None:
    mine = inspect.signature(getattr(ours, name)).parameters
    added = [key for key, each in mine.items() if each.kind is inspect.Parameter.KEYWORD_ONLY]
    assert added == [] if name in FIXED else tuple(added) == OURS
    kept = [pair for pair in parameters(getattr(ours, name)) if pair[0] not in OURS]
    assert kept == parameters(getattr(theirs, name))


@pytest.mark.parametrize("name", NAMES)
def test_an_initializer_is_called_as_that_of_mlx(name: str) -> None:
    mine, other = (
        parameters(getattr(module, name)(*CALL.get(name, ()))) for module in (ours, theirs)
    )
    assert mine == other


DENSE, CONVOLUTION, VOLUME = (150, 220), (64, 3, 3, 48), (30, 2, 3, 2, 40)
SHAPES = (DENSE, CONVOLUTION, VOLUME)


@dataclass(frozen=True)
class Case:
    """An initializer, its two calls, the shape, and the standard numbers that MLX multiplies."""

    name: str
    kind: str
    shape: tuple[int, ...]
    made: dict[str, Any] = field(default_factory=dict)
    called: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        said = "-".join(str(value) for value in (*self.made.values(), *self.called.values()))
        return f"{self.name}-{said}-{len(self.shape)}d"

    @cached_property
    def width(self) -> float:
        """By what MLX multiplies."""
        mx.random.seed(1)
        values = np.array(
            getattr(theirs, self.name)(**self.made)(mx.zeros(self.shape), **self.called), np.float64
        )
        mx.random.seed(1)
        standard = (
            mx.random.normal(self.shape)
            if self.kind == "normal"
            else mx.random.uniform(-1, 1, self.shape)
        )
        far = np.abs(np.array(standard)) > 0.5  # there, rounding is less than an ulp
        return float(np.median(values[far] / np.array(standard, np.float64)[far]))

    @property
    def distribution(self) -> Distribution:
        """What the numbers follow."""
        return (
            normal(0.0, self.width) if self.kind == "normal" else uniform(-self.width, self.width)
        )

    def sampled(self, **arguments: Any) -> mx.array:
        """Return our array."""
        return getattr(ours, self.name)(**self.made, seed=3, **arguments)(
            mx.zeros(self.shape), **self.called
        )


KINDS = ("normal", "uniform")
CASES = [
    *(Case(f"glorot_{kind}", kind, shape) for kind, shape in itertools.product(KINDS, SHAPES)),
    *(Case(f"glorot_{kind}", kind, DENSE, called={"gain": 4.0}) for kind in KINDS),
    *(Case(f"he_{kind}", kind, shape) for kind, shape in itertools.product(KINDS, SHAPES)),
    *(
        Case(f"he_{kind}", kind, CONVOLUTION, called={"mode": mode, "gain": gain})
        for kind, mode, gain in itertools.product(KINDS, ("fan_in", "fan_out"), (1.0, 5, 2**0.5))
    ),
    Case("normal", "normal", DENSE),
    Case("normal", "normal", DENSE, {"std": 0.3}),
    Case("uniform", "uniform", DENSE, {"low": -0.7, "high": 0.7}),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_parameters_are_those_of_mlx(case: Case, recorder: RecordingClient) -> None:
    case.sampled(client=recorder)
    found = recorder.describe(recorder.spec)
    width = pytest.approx(case.width, rel=4e-7)  # MLX computes in float32
    if case.kind == "normal":
        assert (found.distribution, found.mean, found.lower) == ("untruncated_normal", 0.0, None)
        assert found.stddev == width
    else:
        assert found.distribution == "uniform"
        assert found.maxval == width
        assert found.minval == -(found.maxval or 0.0)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_numbers_follow_the_distribution_of_mlx(case: Case) -> None:
    values = case.sampled()
    assert values.shape == case.shape
    assert values.dtype == mx.float32
    check_moments(np.array(values), case.distribution)
    check_distribution_function(np.array(values), case.distribution)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.0, -1.0), (2.0, 2.5)])
def test_uniform_numbers_lie_between_their_ends(low: float, high: float) -> None:
    values = np.array(ours.uniform(low, high, seed=1)(mx.zeros(DENSE)))
    check_distribution_function(values, uniform(low, high))
    assert low <= values.min() and values.max() < high


def test_normal_numbers_have_their_mean() -> None:
    values = np.array(ours.normal(2.0, 0.5, seed=1)(mx.zeros(DENSE)))
    check_moments(values, normal(2.0, 0.5))


@pytest.mark.parametrize("gain", [1.0, 2.5])
@pytest.mark.parametrize("shape", [(6, 6), (4, 9), (9, 4), (1, 1)])
def test_orthogonal_matrices_are_orthogonal(shape: tuple[int, int], gain: float) -> None:
    for module in (theirs, ours):
        values = np.array(module.orthogonal(gain)(mx.zeros(shape)), np.float64)
        products = values @ values.T if shape[0] < shape[1] else values.T @ values
        np.testing.assert_allclose(products, gain**2 * np.eye(min(shape)), atol=2e-5)


@pytest.mark.parametrize("mean", [0.0, 5.0])
@pytest.mark.parametrize("sparsity", [0.0, 0.25, 0.5, 0.99, 1.0])
def test_sparse_matrices_have_the_zeros_of_mlx_in_each_row(sparsity: float, mean: float) -> None:
    for module in (theirs, ours):
        values = np.array(module.sparse(sparsity, mean, 0.5)(mx.zeros((40, 130))))
        assert {int(count) for count in (values == 0).sum(1)} == {math.ceil(sparsity * 130)}


@pytest.mark.parametrize("mean", [0.0, 5.0])
def test_the_other_numbers_of_a_sparse_matrix_are_normal(mean: float) -> None:
    values = np.array(ours.sparse(0.5, mean, 0.5, seed=2)(mx.zeros((200, 300))))
    check_moments(values[values != 0], normal(mean, 0.5))
    check_distribution_function(values[values != 0], normal(mean, 0.5))
    counts = (values == 0).sum(0)  # of each column: binomial, half of 200
    assert abs(counts - 100).max() < 5.5 * math.sqrt(50)


def test_a_mean_moves_the_numbers_and_leaves_the_zeros() -> None:
    plain, moved = (
        np.array(ours.sparse(0.5, mean, 0.5, seed=2)(mx.zeros((20, 30)))) for mean in (0.0, 5.0)
    )
    np.testing.assert_array_equal(plain == 0, moved == 0)
    np.testing.assert_allclose(moved[moved != 0], plain[plain != 0] + 5, rtol=1e-6)
