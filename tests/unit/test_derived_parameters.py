"""Limits and stddevs are the written formulas, bit for bit, and describe() tells them."""

import math
from math import sqrt
from typing import Any

import pytest

import seedbed as sb
from seedbed.spec.fans import FanAxes
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed_server.backends.grids import BlockGrid
from seedbed_server.backends.rules import (
    Axis,
    Diagonal,
    ElementRule,
    Fill,
    Normal,
    Orthogonal,
    Uniform,
)
from seedbed_server.kernels.bounds import truncated_stddev
from seedbed_server.sampling.derivation import element_rule
from seedbed_server.sampling.sampler import plan

TORCH = FanAxes(in_axis=1, out_axis=0)
INF = math.inf

# Shape, axes, fan_in, fan_out.
WEIGHTS: list[tuple[tuple[int, ...], FanAxes | None, float, float]] = [
    ((), None, 1, 1),
    ((5,), None, 5, 5),
    ((3, 4), None, 3, 4),
    ((3, 4), TORCH, 4, 3),
    ((784, 256), None, 784, 256),
    ((3, 3, 16, 32), None, 144, 288),
    ((32, 16, 3, 3), TORCH, 144, 288),
    ((8, 20, 30), FanAxes(batch_axis=0), 20, 30),
    ((0, 4), None, 0, 4),
    ((0, 0), None, 0, 0),
    ((50257, 768), None, 50257, 768),
]
every_weight = pytest.mark.parametrize(
    ("shape", "axes", "fan_in", "fan_out"),
    WEIGHTS,
    ids=[f"{shape} {axes or ''}" for shape, axes, *_ in WEIGHTS],
)


def rule_of(initializer: Any, shape: tuple[int, ...], axes: FanAxes | None = None) -> ElementRule:
    """Return how the elements of a float32 tensor follow."""
    return element_rule(TensorSpec("w", shape, "float32", initializer, seed=1, fan_axes=axes))


def truncated(stddev: float) -> Normal:
    """Return the rule of a normal cut at two sigma, with this stddev after the cut."""
    return Normal(0.0, stddev / 0.87962566103423978, -2.0, 2.0)


def test_the_constant_is_what_truncation_leaves_of_a_standard_deviation() -> None:
    density = math.exp(-2) / sqrt(2 * math.pi)
    assert truncated_stddev(-2.0, 2.0) == pytest.approx(
        sqrt(1 - 4 * density / math.erf(sqrt(2))), rel=1e-15
    )
    assert (
        truncated_stddev(-2.0, 2.0).hex() == (0.87962566103423978).hex() == "0x1.c25e4b6dba981p-1"
    )


@every_weight
def test_glorot_is_one_over_the_mean_of_the_fans(
    shape: tuple[int, ...], axes: FanAxes | None, fan_in: float, fan_out: float
) -> None:
    variance = 1.0 / max(1.0, (fan_in + fan_out) / 2)
    limit = sqrt(3.0 * variance)
    assert rule_of(sb.GlorotUniform(seed=1), shape, axes) == Uniform(-limit, limit)
    assert rule_of(sb.GlorotNormal(seed=1), shape, axes) == truncated(sqrt(variance))


@every_weight
def test_he_is_two_over_the_inputs(
    shape: tuple[int, ...], axes: FanAxes | None, fan_in: float, fan_out: float
) -> None:
    variance = 2.0 / max(1.0, fan_in)
    limit = sqrt(3.0 * variance)
    assert rule_of(sb.HeUniform(seed=1), shape, axes) == Uniform(-limit, limit)
    assert rule_of(sb.HeNormal(seed=1), shape, axes) == truncated(sqrt(variance))


@every_weight
def test_lecun_is_one_over_the_inputs(
    shape: tuple[int, ...], axes: FanAxes | None, fan_in: float, fan_out: float
) -> None:
    variance = 1.0 / max(1.0, fan_in)
    limit = sqrt(3.0 * variance)
    assert rule_of(sb.LecunUniform(seed=1), shape, axes) == Uniform(-limit, limit)
    assert rule_of(sb.LecunNormal(seed=1), shape, axes) == truncated(sqrt(variance))


@every_weight
@pytest.mark.parametrize("scale", [1.0, 2.0, 0.1, 1 / 3, 1e-300])
def test_variance_scaling_is_scale_over_the_chosen_fan(
    shape: tuple[int, ...], axes: FanAxes | None, fan_in: float, fan_out: float, scale: float
) -> None:
    for mode, fan in (
        ("fan_in", fan_in),
        ("fan_out", fan_out),
        ("fan_avg", (fan_in + fan_out) / 2),
    ):
        variance = scale / max(1.0, fan)
        limit, stddev = sqrt(3.0 * variance), sqrt(variance)
        rules = {
            "uniform": Uniform(-limit, limit),
            "untruncated_normal": Normal(0.0, stddev, -INF, INF),
            "truncated_normal": truncated(stddev),
            "normal": truncated(stddev),
        }
        for distribution, rule in rules.items():
            arguments: dict[str, Any] = {"scale": scale, "mode": mode, "distribution": distribution}
            assert rule_of(sb.VarianceScaling(**arguments, seed=1), shape, axes) == rule


@every_weight
@pytest.mark.parametrize("gain", [1.0, 5 / 3, 0.0], ids=repr)
def test_xavier_is_the_gain_times_the_root_of_two_over_both_fans(
    shape: tuple[int, ...], axes: FanAxes | None, fan_in: float, fan_out: float, gain: float
) -> None:
    stddev = gain * sqrt(2.0 / max(1.0, fan_in + fan_out))
    limit = sqrt(3.0) * stddev
    assert rule_of(sb.XavierUniform(gain, seed=1), shape, axes) == Uniform(-limit, limit)
    assert rule_of(sb.XavierNormal(gain, seed=1), shape, axes) == Normal(0.0, stddev)


@every_weight
@pytest.mark.parametrize(
    ("nonlinearity", "gain"),
    [
        ("linear", 1.0),
        ("conv2d", 1.0),
        ("conv_transpose3d", 1.0),
        ("sigmoid", 1.0),
        ("tanh", 5.0 / 3),
        ("relu", sqrt(2.0)),
        ("leaky_relu", sqrt(2.0 / (1 + 0.2 * 0.2))),
        ("selu", 3.0 / 4),
    ],
)
def test_kaiming_is_the_gain_of_the_nonlinearity_over_the_root_of_a_fan(
    shape: tuple[int, ...],
    axes: FanAxes | None,
    fan_in: float,
    fan_out: float,
    nonlinearity: Any,
    gain: float,
) -> None:
    assert sb.calculate_gain(nonlinearity, 0.2) == gain
    for mode, fan in (("fan_in", fan_in), ("fan_out", fan_out)):
        arguments: dict[str, Any] = {
            "a": 0.2,
            "mode": mode,
            "nonlinearity": nonlinearity,
            "seed": 1,
        }
        stddev = gain / sqrt(max(1.0, fan))
        limit = sqrt(3.0) * stddev
        assert rule_of(sb.KaimingUniform(**arguments), shape, axes) == Uniform(-limit, limit)
        assert rule_of(sb.KaimingNormal(**arguments), shape, axes) == Normal(0.0, stddev)


def test_the_gain_of_a_leaky_relu_is_that_of_its_slope() -> None:
    assert (
        sb.calculate_gain("leaky_relu")
        == sb.calculate_gain("leaky_relu", 0.01)
        == sqrt(2.0 / (1 + 0.01 * 0.01))
    )
    assert sb.calculate_gain("leaky_relu", 0) == sb.calculate_gain("relu") == sqrt(2.0)
    assert sb.calculate_gain("leaky_relu", -3.0) == sqrt(0.2)


@pytest.mark.parametrize(
    ("arguments", "error", "field"),
    [
        (("gelu",), ValueError, "nonlinearity"),
        ((None,), TypeError, "nonlinearity"),
        (("leaky_relu", math.inf), ValueError, "param"),
        (("leaky_relu", 1e200), ValueError, "param"),
        (("leaky_relu", True), TypeError, "param"),
        (("leaky_relu", "0.1"), TypeError, "param"),
    ],
    ids=repr,
)
def test_a_gain_of_nothing_known_is_refused(
    arguments: Any, error: type[Exception], field: str
) -> None:
    with pytest.raises(error, match=f"`{field}` must be") as caught:
        sb.calculate_gain(*arguments)
    assert isinstance(caught.value, sb.InvalidArgumentError)
    assert caught.value.field == field


@every_weight
def test_the_geometric_mean_of_the_fans_is_the_root_of_their_product(
    shape: tuple[int, ...], axes: FanAxes | None, fan_in: float, fan_out: float
) -> None:
    variance = 0.7 / max(1.0, sqrt(fan_in * fan_out))
    limit = sqrt(3.0 * variance)
    assert rule_of(sb.VarianceScaling(0.7, "fan_geo_avg", "uniform", 1), shape, axes) == Uniform(
        -limit, limit
    )
    assert rule_of(
        sb.VarianceScaling(0.7, "fan_geo_avg", "truncated_normal", 1), shape, axes
    ) == truncated(sqrt(variance))


@pytest.mark.parametrize(
    ("bounds", "counted", "left"),
    [
        ((-2.0, 2.0), (-2.0, 2.0), 0.87962566103423978),
        ((-1.0, 3.0), (-1.0, 3.0), 0.784946963404426),
        ((-INF, INF), (-INF, INF), 1.0),
        ((-15.0, 1e9), (-INF, INF), 1.0),
        # A half-normal number's: sqrt(1 - 2 / pi) = 0.60281027498908697...
        ((0.0, INF), (0.0, INF), 0.602810274989087),
    ],
)
def test_bounds_widen_a_variance_scaling(
    bounds: tuple[float, float], counted: tuple[float, float], left: float
) -> None:
    scaling = sb.VarianceScaling(2.0, seed=1, lower=bounds[0], upper=bounds[1])
    assert rule_of(scaling, (8, 5)) == Normal(0.0, 0.5 / left, *counted)


def test_axes_of_the_initializer_count_like_those_of_the_spec() -> None:
    own = sb.VarianceScaling(seed=1, in_axis=1, out_axis=0)
    assert rule_of(own, (3, 4)) == rule_of(sb.VarianceScaling(seed=1), (3, 4), TORCH)


@pytest.mark.parametrize(
    ("initializer", "rule"),
    [
        (sb.Zeros(), Fill(0)),
        (sb.Ones(), Fill(1)),
        (sb.Constant(2.7), Fill(2.7)),
        (sb.Identity(0.5), Diagonal(0.5, Axis(5, 4), Axis(1, 5), period=4)),
        (sb.RandomUniform(-1.0, 2.0, seed=1), Uniform(-1.0, 2.0)),
        (sb.RandomNormal(1.0, 2.0, seed=1), Normal(1.0, 2.0, -INF, INF)),
        (sb.TruncatedNormal(1.0, 2.0, seed=1), Normal(1.0, 2.0, -2.0, 2.0)),
        (sb.TruncatedNormal(seed=1, lower=-INF, upper=0.5), Normal(0.0, 0.05, -INF, 0.5)),
        (sb.TruncatedNormal(seed=1, lower=-14.0, upper=14.0), Normal(0.0, 0.05, -14.0, 14.0)),
        (sb.TruncatedNormal(seed=1, lower=-14.1, upper=14.1), Normal(0.0, 0.05, -INF, INF)),
        (
            sb.Orthogonal(3.0, seed=1),
            Orthogonal(3.0, BlockGrid((4, 5), (0, 0), (4, 5), (1, 1), columns=5)),
        ),
    ],
    ids=lambda value: repr(value) if isinstance(value, sb.Initializer) else "",
)
def test_parameters_reach_the_elements_as_they_are(
    initializer: sb.Initializer, rule: ElementRule
) -> None:
    assert rule_of(initializer, (4, 5)) == rule


def test_all_axes_but_the_last_are_an_orthogonal_matrixs_rows() -> None:
    assert rule_of(sb.Orthogonal(seed=1), (2, 3, 4, 5)) == Orthogonal(
        1.0, BlockGrid((2, 3, 4, 5), (0,) * 4, (2, 3, 4, 5), (1,) * 4, columns=5)
    )


@pytest.mark.parametrize("part", [None, sb.shard(1, 4), sb.shard(0, 2, axis=1)], ids=str)
def test_a_shards_rule_is_that_of_the_whole(part: sb.Shard | None) -> None:
    spec = TensorSpec("w", (40, 30), "float32", sb.HeUniform(seed=1))
    request = TensorRequest(spec, part.of(spec.shape) if part else None)
    assert plan(request).rule == rule_of(sb.HeUniform(seed=1), (40, 30))


def described(
    initializer: Any, shape: tuple[int, ...] = (4, 8), dtype: str = "float32", **arguments: Any
) -> Any:
    """Return what the embedded engine says of a tensor."""
    with sb.connect("embedded:") as client:
        return client.describe(TensorSpec("w", shape, dtype, initializer), **arguments)


FIGURES = (
    "fan_in",
    "fan_out",
    "distribution",
    "minval",
    "maxval",
    "mean",
    "stddev",
    "lower",
    "upper",
    "value",
    "gain",
    "rows",
    "columns",
    "zeros_per_line",
    "line_length",
)


@pytest.mark.parametrize(
    ("initializer", "figures"),
    [
        (sb.Zeros(), {"distribution": "constant", "value": 0.0}),
        (sb.Ones(), {"distribution": "constant", "value": 1.0}),
        (sb.Constant(-2.5), {"distribution": "constant", "value": -2.5}),
        (sb.Identity(0.5), {"distribution": "diagonal", "value": 0.5}),
        (
            sb.RandomUniform(-1.0, 2.0, seed=1),
            {"distribution": "uniform", "minval": -1.0, "maxval": 2.0},
        ),
        (
            sb.RandomNormal(1.0, 2.0, seed=1),
            {"distribution": "untruncated_normal", "mean": 1.0, "stddev": 2.0},
        ),
        (
            sb.TruncatedNormal(1.0, 2.0, seed=1, upper=3.0),
            {
                "distribution": "truncated_normal",
                "mean": 1.0,
                "stddev": 2.0,
                "lower": -2.0,
                "upper": 3.0,
            },
        ),
        (
            sb.GlorotUniform(seed=1),
            {
                "fan_in": 4.0,
                "fan_out": 8.0,
                "distribution": "uniform",
                "minval": -sqrt(0.5),
                "maxval": sqrt(0.5),
            },
        ),
        (
            sb.LecunNormal(seed=1),
            {
                "fan_in": 4.0,
                "fan_out": 8.0,
                "distribution": "truncated_normal",
                "mean": 0.0,
                "stddev": 0.5 / 0.87962566103423978,
                "lower": -2.0,
                "upper": 2.0,
            },
        ),
        (
            sb.VarianceScaling(2.0, "fan_out", "untruncated_normal", seed=1, in_axis=1, out_axis=0),
            {
                "fan_in": 8.0,
                "fan_out": 4.0,
                "distribution": "untruncated_normal",
                "mean": 0.0,
                "stddev": sqrt(0.5),
            },
        ),
        (
            sb.VarianceScaling(2.0, "fan_geo_avg", "uniform", seed=1),
            {
                "fan_in": 4.0,
                "fan_out": 8.0,
                "distribution": "uniform",
                "minval": -sqrt(3.0 * (2.0 / sqrt(32.0))),
                "maxval": sqrt(3.0 * (2.0 / sqrt(32.0))),
            },
        ),
        (
            sb.VarianceScaling(seed=1, lower=-1.0, upper=3.0),
            {
                "fan_in": 4.0,
                "fan_out": 8.0,
                "distribution": "truncated_normal",
                "mean": 0.0,
                "stddev": 0.5 / 0.784946963404426,
                "lower": -1.0,
                "upper": 3.0,
            },
        ),
        (
            sb.XavierNormal(3.0, seed=1),
            {
                "fan_in": 4.0,
                "fan_out": 8.0,
                "distribution": "untruncated_normal",
                "mean": 0.0,
                "stddev": 3.0 * sqrt(2.0 / 12.0),
            },
        ),
        (
            sb.KaimingUniform(mode="fan_out", seed=1, in_axis=1, out_axis=0),
            {
                "fan_in": 8.0,
                "fan_out": 4.0,
                "distribution": "uniform",
                "minval": -sqrt(3.0) * (sqrt(2.0) / 2.0),
                "maxval": sqrt(3.0) * (sqrt(2.0) / 2.0),
            },
        ),
        (
            sb.Orthogonal(seed=1),
            {"distribution": "orthogonal", "gain": 1.0, "rows": 4, "columns": 8},
        ),
        (
            sb.Sparse(0.25, seed=1),
            {"distribution": "sparse", "stddev": 0.01, "zeros_per_line": 1, "line_length": 4},
        ),
    ],
    ids=lambda value: repr(value) if isinstance(value, sb.Initializer) else "",
)
def test_describe_tells_the_figures_and_leaves_out_the_others(
    initializer: sb.Initializer, figures: dict[str, Any]
) -> None:
    found = described(initializer)
    assert {
        name: getattr(found, name) for name in FIGURES if getattr(found, name) is not None
    } == figures


def test_describe_tells_sizes_of_the_slice_and_fans_of_the_whole() -> None:
    found = described(sb.HeNormal(seed=1), (40, 30), "bfloat16", slice=sb.shard(1, 4))
    assert (found.name, found.shape, found.dtype) == ("w", (10, 30), sb.Dtype.BFLOAT16)
    assert (found.size_bytes, found.chunk_count, found.sampled_elements, found.working_bytes) == (
        600,
        1,
        300,
        0,
    )
    assert (found.fan_in, found.fan_out) == (40.0, 30.0)


def test_describe_tells_that_an_orthogonal_slice_costs_the_whole() -> None:
    found = described(sb.Orthogonal(seed=1), (40, 30), slice=sb.shard(1, 4))
    assert (found.size_bytes, found.sampled_elements) == (1200, 1200)
    assert found.working_bytes >= 8 * 1200


def test_describe_moves_no_data_whatever_the_size() -> None:
    found = described(sb.Zeros(), (2**40, 2**20), "uint8")
    assert found.size_bytes == 2**60
    assert found.chunk_count * sb.get_default_client().server_info().limits.max_chunk_bytes >= 2**60


@pytest.mark.parametrize(
    ("fixed", "scaling"),
    [
        (sb.GlorotUniform, (1.0, "fan_avg", "uniform")),
        (sb.GlorotNormal, (1.0, "fan_avg", "truncated_normal")),
        (sb.HeUniform, (2.0, "fan_in", "uniform")),
        (sb.HeNormal, (2.0, "fan_in", "normal")),
        (sb.LecunUniform, (1.0, "fan_in", "uniform")),
        (sb.LecunNormal, (1.0, "fan_in", "truncated_normal")),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_fixed_scaling_has_the_content_of_the_general_one(fixed: Any, scaling: Any) -> None:
    scale, mode, distribution = scaling
    with sb.connect("embedded:") as client:
        one = fixed(seed=9)((6, 7), client=client)
        other = sb.VarianceScaling(scale, mode, distribution, 9)((6, 7), client=client)
    assert one.tobytes() == other.tobytes()
