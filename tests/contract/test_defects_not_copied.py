"""Promises that another library's initializers break; each test names the promise."""

import copy
import json
from typing import Any

import numpy as np
import pytest

import seedbed as sb

KERAS_SEED_MODULUS = 2**31 - 1


def test_the_config_of_identity_keeps_the_gain() -> None:
    # Keras 3: get_config() is empty.
    assert sb.Identity(gain=3.0).get_config() == {"gain": 3.0}
    assert np.array_equal(sb.Identity(gain=3.0).clone()((2, 2)), [[3, 0], [0, 3]])


def test_get_of_the_name_constant_works() -> None:
    # Keras 3: KeyError.
    assert sb.get("constant") == sb.Constant(0)


def test_an_unknown_class_is_an_error_and_not_a_string() -> None:
    # Keras 3 returns the name.
    with pytest.raises(ValueError, match="Glorot2"):
        sb.deserialize({"class_name": "Glorot2", "config": {}})


@pytest.mark.parametrize("seed", [0, 1, 5, 2**31])
def test_seeds_are_not_reduced_modulo_2_to_the_31_minus_1(seed: int) -> None:
    # Keras 3 on TensorFlow and torch.
    ours = [sb.RandomNormal(seed=s)((4,)).tobytes() for s in (seed, seed + KERAS_SEED_MODULUS)]
    assert ours[0] != ours[1]


@pytest.mark.parametrize("value", [2.7, 0.1, 1 / 3, 2**53 - 1, 1e300], ids=repr)
def test_a_constant_of_float64_is_exact(value: float) -> None:
    # Keras 3 goes through float32.
    assert sb.Constant(value)((2,), "float64").tolist() == [value, value]


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), 2**53 + 1], ids=str)
def test_a_constant_of_int64_is_exact(value: int) -> None:
    assert sb.Constant(value)((2,), "int64").tolist() == [value, value]


def test_an_integer_dtype_is_refused_for_glorot_uniform() -> None:
    # Keras 3 returns integers.
    with pytest.raises(ValueError, match="floating dtype for GlorotUniform"):
        sb.GlorotUniform(seed=1)((2, 2), "int32")


def test_a_constant_that_the_dtype_cannot_hold_is_refused() -> None:
    # MLX: constant(2.7, int32) is a float32.
    with pytest.raises(ValueError, match="`value` must be representable in int32"):
        sb.Constant(2.7)((2,), "int32")


def test_a_serialized_seed_generator_keeps_its_position() -> None:
    # Keras 3 starts again.
    initializer = sb.GlorotUniform(seed=sb.SeedGenerator(1))
    initializer((2, 2))
    restored = sb.deserialize(json.loads(json.dumps(sb.serialize(initializer))))
    assert (
        restored((2, 2)).tobytes()
        == initializer((2, 2)).tobytes()
        != sb.GlorotUniform(seed=1)((2, 2)).tobytes()
    )


def test_a_seed_of_type_int64_is_accepted() -> None:
    # Keras 3 refuses it.
    seed: Any = np.int64(5)
    assert sb.HeNormal(seed=seed)((4,)).tobytes() == sb.HeNormal(seed=5)((4,)).tobytes()


def test_the_second_call_of_one_generator_is_not_the_first_of_the_next() -> None:
    # Keras 3 on torch.
    one, two = sb.RandomNormal(seed=sb.SeedGenerator(1)), sb.RandomNormal(seed=sb.SeedGenerator(2))
    one((4,))
    assert one((4,)).tobytes() != two((4,)).tobytes()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_truncated_normals_never_lie_outside_two_sigma(dtype: str) -> None:
    # Keras 3 on torch: some do.
    for draw in range(4):
        sample = sb.TruncatedNormal(stddev=1.0, seed=3)((500_000,), dtype, draw=draw).astype(
            np.float64
        )
        assert np.abs(sample).max() <= 2.0
        assert np.abs(sample).max() > 1.99, "and they reach the bounds"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_he_normals_never_lie_outside_two_of_their_sigmas(dtype: str) -> None:
    shape = (1000, 1000)
    stddev = (
        sb.get_default_client()
        .describe(sb.TensorSpec("", shape, dtype, sb.HeNormal(seed=3)))
        .stddev
    )
    assert stddev is not None
    bound = 2 * np.dtype(dtype).type(stddev)
    assert np.abs(sb.HeNormal(seed=3)(shape, dtype)).max() <= bound


def test_from_config_does_not_change_its_argument() -> None:
    # tf_keras removes "dtype" from it.
    config: dict[str, Any] = {
        "stddev": 0.5,
        "seed": {"class_name": "SeedGenerator", "config": {"seed": 1}},
    }
    before = copy.deepcopy(config)
    initializer = sb.RandomNormal.from_config(config)
    initializer((2,))
    assert config == before
    config["seed"]["config"]["seed"] = 2
    assert initializer.get_config()["seed"]["config"]["seed"] == 1, "nor does it keep hold of it"


@pytest.mark.parametrize("name", ["GlorotUniform", "HeNormal", "LecunUniform"])
@pytest.mark.parametrize("axis", [0, 1])
def test_the_fans_of_a_shard_are_those_of_the_whole(name: str, axis: int) -> None:
    # tf_keras takes the shard's, so that its limit is several times too large.
    initializer = sb.get(name)
    whole = initializer((50, 30), draw=0)
    parts = [initializer((50, 30), draw=0, slice=sb.shard(rank, 7, axis)) for rank in range(7)]
    assert np.concatenate(parts, axis).tobytes() == whole.tobytes()


@pytest.mark.parametrize(
    "name", ["Zeros", "RandomUniform", "GlorotNormal", "Orthogonal", "Identity"]
)
def test_a_tensor_without_elements_is_no_error(name: str) -> None:
    # JAX and MLX: ZeroDivisionError.
    assert sb.get(name)((0, 4)).shape == (0, 4)
