"""The in-place functions have torch's fans and, to the last bit, its distributions."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

import seedbed.torch as sbt
from tests.frameworks.torch.recording import Fill, RecordingClient, fill_of, nan, told_by_torch
from tests.statistical.checks import (
    Distribution,
    check_distribution_function,
    check_moments,
    normal,
    uniform,
)

SHAPES = [(3, 5), (5, 3), (1, 1), (64, 32), (8, 4, 3), (6, 2, 3, 5), (2, 3, 4, 5, 6), (7, 1)]
NONLINEARITIES: list[Any] = [
    "linear",
    "conv1d",
    "conv_transpose3d",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "selu",
]
GAINS: list[dict[str, Any]] = [
    {},
    {"gain": 0.5},
    {"gain": math.sqrt(2)},
    {"gain": 0},
    {"gain": 1e-3},
]
SLOPES: list[dict[str, Any]] = [
    {},
    {"a": math.sqrt(5)},
    {"a": 0.2},
    {"a": 1},
    {"mode": "fan_out"},
    {"mode": "FAN_OUT", "a": 3},
]
CASES: list[tuple[str, dict[str, Any]]] = [
    *((name, gain) for name in ("xavier_uniform_", "xavier_normal_") for gain in GAINS),
    *((name, slope) for name in ("kaiming_uniform_", "kaiming_normal_") for slope in SLOPES),
    *(
        (name, {"nonlinearity": n})
        for name in ("kaiming_uniform_", "kaiming_normal_")
        for n in NONLINEARITIES
    ),
    ("uniform_", {}),
    ("uniform_", {"a": -0.3, "b": 0.7}),
    ("uniform_", {"a": 2, "b": 2}),
    ("normal_", {}),
    ("normal_", {"mean": 3, "std": 0.02}),
    ("normal_", {"std": 0}),
    ("constant_", {"val": 0.1}),
    ("ones_", {}),
    ("zeros_", {}),
]


def case_id(case: Any) -> str:
    return "-".join(map(str, case)) if isinstance(case, tuple) else str(case)


@pytest.mark.parametrize(("name", "parameters"), CASES, ids=case_id)
def test_the_numbers_of_the_distribution_are_torchs(
    name: str, parameters: dict[str, Any], client: RecordingClient
) -> None:
    for shape in SHAPES:
        theirs, ours = torch.empty(shape), nan(shape)
        (expected,) = told_by_torch(
            partial(getattr(torch.nn.init, name), theirs, **parameters)
        ).values()
        assert getattr(sbt, name)(ours, **parameters) is ours
        assert not ours.isnan().any()
        found = fill_of(client.specs[-1], client)
        # A normal of no width is a uniform of none, and so on: the numbers count.
        assert found == expected, (shape, found, expected)


ABSOLUTE = [
    (0.0, 1.0, -2.0, 2.0),
    (0.0, 0.02, -2.0, 2.0),
    (0.0, 0.02, -0.04, 0.04),
    (0.5, 2.0, -1.0, 0.6),
    (1.0, 0.3, 0.9, 1.7),
    (0.0, 1.0, 1.0, 3.0),
    (-3.0, 0.7, -4.1, -0.3),
    (0.1, 0.1, -math.inf, 0.2),
]


@pytest.mark.parametrize(("mean", "std", "a", "b"), ABSOLUTE)
@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16], ids=str
)
def test_a_truncated_normal_lies_between_absolute_bounds(
    mean: float, std: float, a: float, b: float, dtype: torch.dtype
) -> None:
    tensor = sbt.trunc_normal_(nan((300, 1000), dtype), mean, std, a, b, seed=1)
    low, high = (torch.tensor(bound, dtype=dtype) for bound in (a, b))
    assert (tensor >= low).all() and (tensor <= high).all()
    if dtype in (torch.float32, torch.float64):
        expected = normal(mean, std, (a - mean) / std, (b - mean) / std)
        check_distribution_function(tensor.numpy(), expected)
        check_moments(tensor.numpy(), expected)


@pytest.mark.parametrize("std", [0.02, 0.3, 0.7, 1.1, 1.9])
@pytest.mark.parametrize("sigmas", [0.01, 0.1, 1 / 3, 1.0, 1.7])
def test_the_bounds_hold_to_the_last_bit(std: float, sigmas: float) -> None:
    for mean in (0.0, 0.1, -7.3):
        a, b = mean - sigmas * std, mean + sigmas * std
        tensor = sbt.trunc_normal_(nan((2**18,)), mean, std, a, b, seed=2)
        low, high = np.float32(a), np.float32(b)
        assert low <= tensor.min().item() <= tensor.max().item() <= high
        # Nothing is cut away beyond them, either: the nearest numbers come within a few steps of
        # the bounds.
        assert tensor.min().item() - low <= 1e-3 * std
        assert high - tensor.max().item() <= 1e-3 * std


# What the names say, against scipy's exact distributions; torch's own numbers are put to the same
# tests.
STATISTICS: list[
    tuple[Callable[[Any], Callable[..., torch.Tensor]], dict[str, Any], Distribution]
] = [
    (lambda m: m.uniform_, {"a": -1.0, "b": 3.0}, uniform(-1.0, 3.0)),
    (lambda m: m.normal_, {"mean": 1.0, "std": 0.5}, normal(1.0, 0.5)),
    (
        lambda m: m.trunc_normal_,
        {"mean": 0.3, "std": 0.7, "a": -0.5, "b": 1.5},
        normal(0.3, 0.7, -0.8 / 0.7, 1.2 / 0.7),
    ),
    (
        lambda m: m.xavier_uniform_,
        {"gain": 2.0},
        uniform(-2 * math.sqrt(6 / 700), 2 * math.sqrt(6 / 700)),
    ),
    (lambda m: m.xavier_normal_, {}, normal(0.0, math.sqrt(2 / 700))),
    (
        lambda m: m.kaiming_uniform_,
        {"a": math.sqrt(5)},
        uniform(-1 / math.sqrt(300), 1 / math.sqrt(300)),
    ),
    (lambda m: m.kaiming_normal_, {"mode": "fan_out"}, normal(0.0, math.sqrt(2 / 400))),
]


@pytest.mark.parametrize(
    ("function", "parameters", "expected"), STATISTICS, ids=range(len(STATISTICS))
)
def test_samples_of_both_follow_the_distribution(
    function: Callable[[Any], Callable[..., torch.Tensor]],
    parameters: dict[str, Any],
    expected: Distribution,
) -> None:
    torch.manual_seed(5)
    for module in (torch.nn.init, sbt):
        numbers = function(module)(nan((400, 300)), **parameters).numpy()
        check_distribution_function(numbers, expected)
        check_moments(numbers, expected)


@pytest.mark.parametrize(
    "shape", [(6, 6), (4, 9), (9, 4), (4, 3, 3), (20, 2, 3, 1), (1, 5), (5, 1)], ids=str
)
@pytest.mark.parametrize("gain", [1, 0.5, -2.0])
def test_an_orthogonal_tensor_is_torchs_matrix(shape: tuple[int, ...], gain: float) -> None:
    for module, tolerance in ((torch.nn.init, 1e-5), (sbt, 1e-6)):
        matrix = module.orthogonal_(nan(shape, torch.float32), gain).reshape(shape[0], -1).double()
        rows, columns = matrix.shape
        gram = matrix @ matrix.T if rows <= columns else matrix.T @ matrix
        assert torch.allclose(
            gram, gain**2 * torch.eye(min(rows, columns), dtype=torch.float64), atol=tolerance
        )


def test_an_orthogonal_matrix_is_uniform_over_all() -> None:
    # Each element of a uniformly distributed orthogonal n x n matrix has mean 0 and variance 1/n.
    matrices = torch.stack([sbt.orthogonal_(torch.empty(3, 3), seed=seed) for seed in range(2000)])
    assert matrices.mean(0).abs().max() < 5 * math.sqrt(1 / 3 / 2000)
    assert (matrices.square().mean(0) - 1 / 3).abs().max() < 5 * math.sqrt(4 / 45 / 2000)
    assert 900 < int((torch.linalg.det(matrices) > 0).sum()) < 1100


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (1, 7), (0, 3)], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int32, torch.bool], ids=str)
def test_eye_is_torchs(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    ours = sbt.eye_(torch.full(shape, 1, dtype=dtype))
    assert torch.equal(ours, torch.nn.init.eye_(torch.empty(shape, dtype=dtype)))


@pytest.mark.parametrize(
    ("shape", "groups"),
    [
        ((4, 2, 3), 1),
        ((4, 3, 5), 2),
        ((6, 9, 2, 4), 3),
        ((3, 2, 1, 1), 1),
        ((8, 2, 3, 4, 5), 4),
        ((2, 2, 2, 2, 2), 1),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int8], ids=str)
def test_dirac_is_torchs(shape: tuple[int, ...], groups: int, dtype: torch.dtype) -> None:
    theirs = torch.nn.init.dirac_(torch.empty(shape, dtype=dtype), groups)
    assert torch.equal(sbt.dirac_(torch.ones(shape, dtype=dtype), groups), theirs)


@pytest.mark.parametrize(
    ("sparsity", "rows"), [(0.1, 10), (0.5, 7), (0.0, 4), (1.0, 5), (0.35, 200), (0.9, 3)]
)
def test_each_column_of_a_sparse_matrix_has_torchs_number_of_zeros(
    sparsity: float, rows: int
) -> None:
    for module in (torch.nn.init, sbt):
        tensor = module.sparse_(nan((rows, 40)), sparsity, std=0.3)
        assert (tensor == 0).sum(0).tolist() == [math.ceil(sparsity * rows)] * 40


def test_the_numbers_of_a_sparse_matrix_are_normal_and_its_zeros_anywhere() -> None:
    tensor = sbt.sparse_(nan((200, 2000)), 0.25, std=0.3, seed=7)
    numbers = tensor[tensor != 0].numpy()
    check_distribution_function(numbers, normal(0.0, 0.3))
    check_moments(numbers, normal(0.0, 0.3))
    zeros = (tensor == 0).sum(1).double()
    assert ((zeros - 500).abs() < 5 * math.sqrt(2000 * 0.25 * 0.75)).all()


@pytest.mark.parametrize(
    "arguments",
    [
        *((name,) for name in NONLINEARITIES),
        ("conv2d",),
        ("leaky_relu", 0.2),
        ("leaky_relu", 3),
        ("tanh", 5),
    ],
    ids=str,
)
def test_gains_are_torchs(arguments: tuple[Any, ...]) -> None:
    assert sbt.calculate_gain(*arguments) == torch.nn.init.calculate_gain(*arguments)


def test_a_fill_compares_by_its_numbers() -> None:
    assert Fill("normal_", 0.0, 1.0) != Fill("normal_", 0.0, 1.0000000000000002)
