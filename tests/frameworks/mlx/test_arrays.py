"""Arrays have the dtype asked for; seeds, names and MLX's random state decide the numbers."""

from typing import Any

import mlx.core as mx
import mlx.nn.init as theirs
import numpy as np
import pytest
from mlx import nn

import seedbed as sb
from seedbed import mlx as ours
from tests.frameworks.recording import RecordingClient

MATRIX = mx.zeros((5, 7))
RANDOM = [
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "normal",
    "orthogonal",
    "sparse",
    "uniform",
]


def make(function: str, **arguments: Any) -> Any:
    """Return one of our initializers."""
    factory = getattr(ours, function)
    return factory(0.5, **arguments) if function == "sparse" else factory(**arguments)


@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16, mx.float32, mx.float64], ids=str)
@pytest.mark.parametrize("name", RANDOM)
def test_an_array_has_its_dtype_and_narrow_ones_are_rounded_once(name: str, dtype: Any) -> None:
    values = make(name, dtype=dtype, seed=1)(MATRIX)
    assert isinstance(values, mx.array)
    assert values.dtype == dtype
    assert values.shape == (5, 7)
    if dtype in (mx.float16, mx.bfloat16) and name != "orthogonal":
        single = make(name, dtype=mx.float32, seed=1)(MATRIX)
        assert bool((values == single.astype(dtype)).all())


DTYPES = [
    mx.bool_,
    mx.int8,
    mx.int16,
    mx.int32,
    mx.int64,
    mx.uint8,
    mx.uint16,
    mx.uint32,
    mx.uint64,
    mx.float16,
]


@pytest.mark.parametrize("dtype", [*DTYPES, mx.bfloat16, mx.float32, mx.float64], ids=str)
def test_a_constant_has_the_dtype_asked_for(dtype: Any) -> None:
    values = ours.constant(1, dtype)(MATRIX)
    assert values.dtype == dtype
    assert np.array(values.astype(mx.float32)).tolist() == np.ones((5, 7)).tolist()
    assert ours.identity(dtype)(mx.zeros((3, 3))).dtype == dtype


def test_a_constant_that_a_dtype_cannot_hold_is_an_error() -> None:
    """MLX's own constant(2.7, int32) is float32."""
    assert theirs.constant(2.7, mx.int32)(MATRIX).dtype == mx.float32
    for value, dtype in (
        (2.7, mx.int32),
        (300, mx.int8),
        (-1, mx.uint8),
        (2, mx.bool_),
        (1e6, mx.float16),
    ):
        with pytest.raises(sb.InvalidValueError, match="`value` must be representable in"):
            ours.constant(value, dtype)


def test_constants_and_identities_are_those_of_mlx() -> None:
    for dtype in (mx.float32, mx.float16, mx.bfloat16):
        assert bool(
            (ours.constant(0.1, dtype)(MATRIX) == theirs.constant(0.1, dtype)(MATRIX)).all()
        )
        square = mx.zeros((4, 4))
        assert bool((ours.identity(dtype)(square) == theirs.identity(dtype)(square)).all())


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (4, 0)])
@pytest.mark.parametrize("dtype", [mx.float32, mx.bfloat16], ids=str)
@pytest.mark.parametrize("name", RANDOM)
def test_an_empty_shape_gives_an_empty_array(name: str, dtype: Any, shape: tuple[int, int]) -> None:
    values = make(name, dtype=dtype)(mx.zeros(shape))
    assert values.shape == shape
    assert values.dtype == dtype


def test_mlx_divides_by_zero_there() -> None:
    for name in ("glorot_uniform", "he_normal"):
        with pytest.raises(ZeroDivisionError):
            getattr(theirs, name)()(mx.zeros((0, 0)))


@pytest.mark.parametrize("name", ["normal", "uniform"])
def test_a_scalar_is_filled(name: str) -> None:
    assert make(name)(mx.array(0.0)).shape == ()
    assert ours.constant(2.0)(mx.array(0.0)).item() == 2.0


def test_the_array_is_left_alone() -> None:
    array = mx.ones((3, 3))
    ours.normal()(array)
    assert bool((array == 1).all())


@pytest.mark.parametrize("name", RANDOM)
def test_calls_without_a_name_are_the_draws_of_the_seed(
    name: str, recorder: RecordingClient
) -> None:
    init = make(name, seed=-3, client=recorder)
    first, second = init(MATRIX), init(MATRIX)
    assert bool((first != second).any())
    assert [(spec.seed, spec.draw, spec.name) for spec, _ in recorder.parts] == [
        (2**64 - 3, 0, ""),
        (2**64 - 3, 1, ""),
    ]
    assert bool((make(name, seed=-3)(MATRIX) == first).all())


@pytest.mark.parametrize("name", RANDOM)
def test_calls_with_a_name_are_independent(name: str) -> None:
    init = make(name, seed=3, name="layers.0.weight")
    assert bool((init(MATRIX) == init(MATRIX)).all())
    assert bool((init(MATRIX) != make(name, seed=3, name="layers.1.weight")(MATRIX)).any())


def test_the_values_are_those_of_the_sdk() -> None:
    numpy = np.array(ours.normal(std=0.5, seed=9, name="w")(MATRIX))
    np.testing.assert_array_equal(numpy, sb.RandomNormal(stddev=0.5, seed=9)((5, 7), name="w"))
    axes = {"in_axis": -1, "out_axis": 0}
    scaled = sb.VarianceScaling(1.0, "fan_in", "untruncated_normal", seed=9, **axes)(
        (5, 3, 4), name="w"
    )
    np.testing.assert_array_equal(
        np.array(ours.he_normal(seed=9, name="w")(mx.zeros((5, 3, 4)))), scaled
    )


def test_a_generator_hands_out_draws_to_all_that_share_it(recorder: RecordingClient) -> None:
    generator = sb.SeedGenerator(5)
    ours.normal(seed=generator, client=recorder)(MATRIX)
    ours.uniform(seed=generator, client=recorder)(MATRIX)
    ours.uniform(seed=generator, name="w", client=recorder)(MATRIX)
    assert [(spec.seed, spec.draw) for spec, _ in recorder.parts] == [(5, 0), (5, 1), (5, 0)]
    assert generator.position == 2


@pytest.mark.parametrize("name", RANDOM)
def test_without_a_seed_mlx_s_random_state_decides(name: str) -> None:
    init = make(name)
    mx.random.seed(7)
    first, second = init(MATRIX), init(MATRIX)
    assert bool((first != second).any())
    mx.random.seed(7)
    assert bool((init(MATRIX) == first).all())
    mx.random.seed(8)
    assert bool((init(MATRIX) != first).any())


def test_seeds_from_mlx_have_64_bits(recorder: RecordingClient) -> None:
    mx.random.seed(1)
    for _ in range(64):
        ours.normal(client=recorder)(mx.zeros((1,)))
    seeds = [spec.seed for spec, _ in recorder.parts]
    assert len(set(seeds)) == 64
    # A bit that is the same in 64 seeds would be so by chance once in 2**63.
    assert all(0 < sum(seed >> bit & 1 for seed in seeds) < 64 for bit in range(64))


def test_a_wrong_call_uses_no_draw() -> None:
    init = ours.glorot_uniform(seed=3)
    with pytest.raises(sb.InvalidValueError):
        init(mx.zeros((3,)))
    expected = ours.glorot_uniform(seed=3)(MATRIX)
    assert bool((init(MATRIX) == expected).all())


def test_the_default_client_is_that_of_the_call(recorder: RecordingClient) -> None:
    init = ours.normal(seed=1)
    sb.set_default_client(recorder)
    try:
        init(MATRIX)
    finally:
        sb.set_default_client(None)
    assert len(recorder.parts) == 1


def test_a_layer_applies_an_initializer() -> None:
    layer = nn.Linear(7, 5, bias=False)
    layer.apply(ours.glorot_uniform(seed=1))
    limit = (6 / (7 + 5)) ** 0.5
    assert layer.weight.shape == (5, 7)
    assert 0.5 * limit < float(mx.abs(layer.weight).max()) < limit
    assert layer(mx.ones((2, 7))).shape == (2, 5)


def test_a_network_applies_an_initializer_to_each_of_its_layers() -> None:
    net = nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 6))
    weights, biases = ours.uniform(2.0, 3.0, seed=1), ours.constant(0.5)
    net.apply(lambda parameter: weights(parameter) if parameter.ndim == 2 else biases(parameter))
    first, second = net.layers
    for layer in (first, second):
        assert bool((layer.weight >= 2).all())
        assert bool((layer.bias == 0.5).all())
    assert bool((first.weight != second.weight).any())
