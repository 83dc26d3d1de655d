"""Defects of Keras 3 that seedbed does not share; each test shows both."""

from typing import Any

import keras
import numpy as np
import pytest

import seedbed as sb
import seedbed.keras as sk
from tests.frameworks.keras.cases import content, values

BACKEND = keras.backend.backend()


def test_the_config_of_identity_keeps_the_gain() -> None:
    assert keras.initializers.Identity(gain=3.0).get_config() == {}
    assert sk.Identity(gain=3.0).get_config() == {"gain": 3.0}
    assert values(sk.Identity(gain=3.0).clone()((2, 2))).tolist() == [[3, 0], [0, 3]]
    assert sk.convert(keras.initializers.Identity(gain=3.0)).get_config() == {"gain": 3.0}


def test_a_constant_without_a_config_is_zero() -> None:
    with pytest.raises(KeyError):
        keras.initializers.get("constant")
    assert sk.Constant.from_config({}).get_config() == {"value": 0.0}
    assert sb.get("constant") == sb.Constant(0)


def test_an_unknown_class_is_an_error_and_not_a_string() -> None:
    written = {"class_name": "Glorot2", "config": {}}
    assert isinstance(keras.initializers.deserialize(written), str)
    with pytest.raises(ValueError, match="Glorot2"):
        sb.deserialize(written)


@pytest.mark.parametrize("value", [2.7, 0.1, 1 / 3], ids=repr)
# JAX says that it has no 64-bit types unless they are asked for.
@pytest.mark.filterwarnings("ignore:Explicitly requested dtype:UserWarning")
def test_a_constant_of_float64_is_exact(value: float) -> None:
    made = values(sk.Constant(value)((2,), "float64"))
    if BACKEND == "jax":
        assert made.tolist() == np.full(2, value).astype(np.float32).tolist()
        return
    assert made.tolist() == [value, value]


def test_an_integer_dtype_is_refused_for_random_numbers() -> None:
    for name in ("GlorotUniform", "HeNormal", "RandomUniform", "TruncatedNormal", "Orthogonal"):
        with pytest.raises(sb.InvalidValueError, match="`dtype` must be a floating dtype"):
            getattr(sk, name)(seed=1)((3, 3), "int32")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
# JAX says that it has no 64-bit types unless they are asked for.
@pytest.mark.filterwarnings("ignore:Explicitly requested dtype:UserWarning")
def test_truncated_normals_never_lie_outside_two_sigma(dtype: str) -> None:
    sample = np.abs(
        values(sk.TruncatedNormal(stddev=1.0, seed=3)((500_000,), dtype)).astype(np.float64)
    )
    assert 1.99 < sample.max() <= 2.0


def test_keras_on_torch_leaks_outside_two_sigma() -> None:
    sample = np.abs(
        values(keras.initializers.TruncatedNormal(stddev=1.0, seed=3)((2_000_000,))).astype(
            np.float64
        )
    )
    if BACKEND == "torch":
        assert sample.max() > 2.0, "it no longer does"
    else:
        assert sample.max() <= 2.0


def test_from_config_does_not_change_its_argument() -> None:
    config: dict[str, Any] = {
        "stddev": 0.5,
        "seed": sk.HeNormal(keras.random.SeedGenerator(1)).get_config()["seed"],
    }
    state = list(config["seed"]["state"])
    initializer = sk.RandomNormal.from_config(config)
    initializer((2,))
    assert config["seed"]["state"] == state
    assert config["stddev"] == 0.5


def test_a_constant_that_the_dtype_cannot_hold_is_refused() -> None:
    with pytest.raises(sb.InvalidValueError, match="`value` must be representable in int32"):
        sk.Constant(2.7)((2,), "int32")


def test_a_tensor_without_elements_is_no_error() -> None:
    assert tuple(sk.GlorotUniform(seed=1)((0, 4)).shape) == (0, 4)
    assert content(sk.GlorotUniform(seed=1)((0, 4))) == b""
