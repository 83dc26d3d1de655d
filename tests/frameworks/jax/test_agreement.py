"""seedbed.jax samples from the distributions of JAX's own initializers.

The widths are taken from JAX itself: its initializers multiply standard numbers, which its random
module gives as well.
"""

import itertools
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jax
import jax.nn.initializers as theirs
import jax.numpy as jnp
import numpy as np
import pytest

from seedbed.jax import initializers as ours
from seedbed.spec.info import TensorDescription
from tests.frameworks.recording import RecordingClient
from tests.statistical.checks import (
    Distribution,
    check_distribution_function,
    check_moments,
    normal,
    uniform,
)

KEY = jax.random.key(11)
STANDARD = {
    "uniform": lambda shape: jax.random.uniform(KEY, shape, jnp.float32, -1),
    "positive": lambda shape: jax.random.uniform(KEY, shape, jnp.float32),
    "normal": lambda shape: jax.random.normal(KEY, shape, jnp.float32),
    "truncated_normal": lambda shape: jax.random.truncated_normal(KEY, -2, 2, shape, jnp.float32),
    "skewed": lambda shape: jax.random.truncated_normal(KEY, -1, 3, shape, jnp.float32),
}
DENSE, CONVOLUTION, STACKED = (120, 180), (3, 3, 32, 48), (6, 50, 70)


@dataclass(frozen=True)
class Case:
    """An initializer, its arguments, the shape, and the standard numbers that JAX multiplies."""

    name: str
    shape: tuple[int, ...]
    kind: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        said = "-".join(f"{value}" for value in self.arguments.values())
        return f"{self.name}-{said}-{len(self.shape)}d"

    @cached_property
    def width(self) -> float:
        """By what JAX multiplies."""
        standard = np.asarray(STANDARD[self.kind](self.shape), np.float64)
        values = np.asarray(
            getattr(theirs, self.name)(**self.arguments)(KEY, self.shape, jnp.float32), np.float64
        )
        far = np.abs(standard) > 0.5  # there, rounding is less than an ulp
        return float(np.median(values[far] / standard[far]))

    @property
    def distribution(self) -> Distribution:
        """What the numbers follow."""
        width = self.width
        bounds = {
            "normal": (-math.inf, math.inf),
            "truncated_normal": (-2.0, 2.0),
            "skewed": (-1.0, 3.0),
        }
        if self.kind in bounds:
            return normal(0.0, width, *bounds[self.kind])
        return uniform(-width if self.kind == "uniform" else 0.0, width)

    def described(self, client: RecordingClient) -> TensorDescription:
        """Return what the engine says of our tensor."""
        getattr(ours, self.name)(**self.arguments, client=client)(KEY, self.shape)
        return client.describe(client.spec)


SCALED = [
    ("glorot_uniform", "uniform"),
    ("glorot_normal", "truncated_normal"),
    ("he_uniform", "uniform"),
    ("he_normal", "truncated_normal"),
    ("lecun_uniform", "uniform"),
    ("lecun_normal", "truncated_normal"),
]
LAYOUTS: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    (DENSE, {}),
    (CONVOLUTION, {}),
    (DENSE, {"in_axis": 1, "out_axis": 0}),
    (STACKED, {"in_axis": -2, "out_axis": -1, "batch_axis": 0}),
    (STACKED, {"in_axis": (0, 1), "out_axis": (2,)}),
    ((5000,), {"in_axis": 0, "out_axis": ()}),
]
MODES = ("fan_in", "fan_out", "fan_avg", "fan_geo_avg")
KINDS = ("uniform", "normal", "truncated_normal")
CASES = [
    *(
        Case(name, shape, kind, axes)
        for (name, kind), (shape, axes) in itertools.product(SCALED, LAYOUTS)
    ),
    *(
        Case(
            "variance_scaling",
            CONVOLUTION,
            kind,
            {"scale": 2.5, "mode": mode, "distribution": kind},
        )
        for mode, kind in itertools.product(MODES, KINDS)
    ),
    # Flax's embeddings: the first axis is input and output.
    *(
        Case(
            "variance_scaling",
            DENSE,
            "normal",
            {"scale": 1.0, "mode": mode, "distribution": "normal", "out_axis": 0},
        )
        for mode in MODES
    ),
    Case("uniform", DENSE, "positive"),
    Case("uniform", DENSE, "positive", {"scale": 3.0}),
    Case("normal", DENSE, "normal"),
    Case("normal", DENSE, "normal", {"stddev": 0.3}),
    Case("truncated_normal", DENSE, "truncated_normal"),
    Case("truncated_normal", DENSE, "skewed", {"stddev": 0.3, "lower": -1.0, "upper": 3.0}),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_parameters_are_those_of_jax(case: Case, recorder: RecordingClient) -> None:
    found = case.described(recorder)
    width = pytest.approx(case.width, rel=3e-7)  # JAX computes it in float32, ours is float64
    if case.kind in ("uniform", "positive"):
        assert found.distribution == "uniform"
        assert found.maxval == width
        assert found.minval == (0.0 if case.kind == "positive" else -(found.maxval or 0.0))
        return
    assert found.stddev == width
    if case.kind == "normal":
        assert (found.distribution, found.lower) == ("untruncated_normal", None)
    else:
        bounds = (-1.0, 3.0) if case.kind == "skewed" else (-2.0, 2.0)
        assert (found.distribution, (found.lower, found.upper)) == ("truncated_normal", bounds)


FANS = [(120, 180), (3 * 3 * 32, 3 * 3 * 48), (180, 120), (50, 70), (6 * 50, 70), (5000, 1)]
"""The fans of the layouts above, by hand."""


@pytest.mark.parametrize(("layout", "fans"), list(zip(LAYOUTS, FANS, strict=True)), ids=str)
def test_limits_are_those_of_the_fans_exactly(
    layout: Any, fans: tuple[int, int], recorder: RecordingClient
) -> None:
    shape, axes = layout
    ours.he_uniform(**axes, client=recorder)(KEY, shape)
    found = recorder.describe(recorder.spec)
    assert (found.fan_in, found.fan_out) == fans
    assert found.maxval == math.sqrt(3.0 * (2.0 / fans[0]))
    scale = 0.7
    means: list[tuple[Any, float]] = [
        ("fan_out", fans[1]),
        ("fan_avg", sum(fans) / 2),
        ("fan_geo_avg", math.sqrt(math.prod(fans))),
    ]
    for mode, fan in means:
        other = RecordingClient()
        ours.variance_scaling(scale, mode, "normal", **axes, client=other)(KEY, shape)
        assert other.describe(other.spec).stddev == math.sqrt(scale / fan)


@pytest.mark.parametrize("case", CASES[::2], ids=str)
def test_the_numbers_follow_the_distribution_of_jax(case: Case) -> None:
    values = np.asarray(getattr(ours, case.name)(**case.arguments)(KEY, case.shape))
    assert values.shape == case.shape
    assert values.dtype == np.float32
    check_moments(values, case.distribution)
    check_distribution_function(values, case.distribution)


def test_fans_that_jax_takes_twice_count_once(recorder: RecordingClient) -> None:
    """Flax's default for embeddings names one axis as input and as output."""
    ours.variance_scaling(1.0, "fan_in", "normal", out_axis=0, client=recorder)(KEY, (1000, 16))
    found = recorder.describe(recorder.spec)
    assert (found.fan_in, found.fan_out) == (16.0, 16.0)


@pytest.mark.parametrize(
    "dtype", ["float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"]
)
@pytest.mark.parametrize("case", [CASES[0], CASES[6], Case("normal", DENSE, "normal")], ids=str)
def test_a_narrow_dtype_is_float32_rounded_once(case: Case, dtype: str) -> None:
    init = getattr(ours, case.name)(**case.arguments)
    values = init(KEY, case.shape, dtype)
    assert (
        values.dtype
        == getattr(theirs, case.name)(**case.arguments)(KEY, case.shape, dtype).dtype
        == dtype
    )
    np.testing.assert_array_equal(
        np.asarray(values), np.asarray(init(KEY, case.shape)).astype(values.dtype)
    )


def test_64_bits_come_where_jax_has_them() -> None:
    with jax.enable_x64(True):
        for init in (ours.normal(), theirs.normal()):
            assert init(KEY, (2,)).dtype == np.float64
            assert init(KEY, (2,), jnp.float32).dtype == np.float32
        assert ours.zeros(KEY, (2,)).dtype == np.float64
    for init in (ours.normal(), theirs.normal()):
        with pytest.warns(UserWarning, match="float64"):
            assert init(KEY, (2,), np.float64).dtype == np.float32


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (2, 0, 3)])
@pytest.mark.parametrize("name", [name for name, _ in SCALED])
def test_an_empty_shape_gives_an_empty_array(name: str, shape: tuple[int, ...]) -> None:
    """JAX divides by zero."""
    with pytest.raises(ZeroDivisionError):
        getattr(theirs, name)()(KEY, shape)
    assert getattr(ours, name)()(KEY, shape).shape == shape


@pytest.mark.parametrize("name", ["normal", "uniform", "truncated_normal", "orthogonal"])
def test_so_do_the_others(name: str) -> None:
    assert (
        getattr(ours, name)()(KEY, (0, 3)).shape
        == getattr(theirs, name)()(KEY, (0, 3)).shape
        == (0, 3)
    )


@pytest.mark.parametrize("shape", [(), (1,), (7,), 7, [2, 3]])
def test_any_shape_of_jax_is_a_shape(shape: Any) -> None:
    for name in ("normal", "uniform", "truncated_normal"):
        assert getattr(ours, name)()(KEY, shape).shape == getattr(theirs, name)()(KEY, shape).shape


@pytest.mark.parametrize("dtype", ["float32", "int8", "uint64", "bool", "bfloat16"])
def test_constants_are_those_of_jax(dtype: str) -> None:
    with jax.enable_x64(True):
        for init, other in (
            (ours.zeros, theirs.zeros),
            (ours.ones, theirs.ones),
            (ours.constant(1), theirs.constant(1)),
            (ours.constant([1, 0, 1]), theirs.constant(jnp.array([1, 0, 1]))),
        ):
            mine, expected = init(KEY, (2, 3), dtype), other(KEY, (2, 3), dtype)
            assert (mine.shape, mine.dtype) == (expected.shape, expected.dtype)
            np.testing.assert_array_equal(np.asarray(mine), np.asarray(expected))


def test_a_constant_needs_no_key_and_no_client() -> None:
    assert ours.zeros(None, (2,)).tolist() == [0.0, 0.0]
    assert ours.constant(2.5)(None, (2,), "float16").tolist() == [2.5, 2.5]
