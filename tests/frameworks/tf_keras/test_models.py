"""tf_keras's layers take plain initializers; its models reload, and are filled by paths."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tf_keras import layers

import seedbed as sb
import seedbed.keras
from tests.frameworks.tf_keras.cases import CASES, Case, every_class

# tf_keras says on saving that an initializer is not of its own class; it is saved all the same.
pytestmark = pytest.mark.filterwarnings("ignore:The `keras.initializers.serialize:UserWarning")

CUSTOM = {case.name: case.ours for case in CASES}


def model_with(initializer: Any, shape: tuple[int, int] = (6, 5)) -> Any:
    """Return a model of one layer."""
    layer = layers.Dense(shape[1], kernel_initializer=initializer, name="dense")
    return tf_keras.Sequential([tf_keras.Input((shape[0],)), layer], name="model")


@every_class
def test_a_layer_gets_the_initializers_bits(case: Case) -> None:
    model = model_with(case.ours(**case.seeded()))
    assert model.weights[0].numpy().tobytes() == case.ours(**case.seeded())((6, 5)).tobytes()


@every_class
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
# It would rather not write .h5.
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file:UserWarning")
def test_a_saved_model_reloads_with_custom_objects(case: Case, suffix: str, tmp_path: Path) -> None:
    model = model_with(case.ours(**case.seeded()))
    # What is loaded are the values, not new samples.
    model.weights[0].assign(np.zeros((6, 5), "float32"))
    path = tmp_path / f"model{suffix}"
    model.save(path)
    loaded = tf_keras.models.load_model(path, custom_objects=CUSTOM)
    assert loaded.layers[0].kernel_initializer == case.ours(**case.seeded())
    assert not loaded.weights[0].numpy().any()


@every_class
def test_a_saved_model_reloads_as_tf_keras_own_without(case: Case, tmp_path: Path) -> None:
    model = model_with(case.ours(**case.seeded()))
    model.save(tmp_path / "model.keras")
    loaded = tf_keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[0].kernel_initializer) is case.theirs
    assert (
        loaded.layers[0].kernel_initializer.get_config() == case.ours(**case.seeded()).get_config()
    )
    assert np.array_equal(loaded.weights[0], model.weights[0])


def test_a_cloned_model_keeps_the_class() -> None:
    with tf_keras.utils.custom_object_scope(CUSTOM):
        clone = tf_keras.models.clone_model(model_with(sb.GlorotUniform(seed=1)))
    assert clone.layers[0].kernel_initializer == sb.GlorotUniform(seed=1)
    assert np.array_equal(clone.weights[0], sb.GlorotUniform(seed=1)((6, 5)))


def large_model() -> Any:
    """Return a model with several kinds of layers."""
    inputs = tf_keras.Input((8, 6), name="inputs")
    x = layers.LSTM(4, return_sequences=True, name="lstm")(inputs)
    x = layers.BatchNormalization(name="batch")(x)
    x = layers.MultiHeadAttention(2, 3, name="attention")(x, x)
    x = layers.SeparableConv1D(5, 3, name="separable")(x)
    return tf_keras.Model(
        inputs, layers.Dense(2, kernel_initializer="he_normal", name="dense")(x), name="model"
    )


def test_every_weight_is_the_tensor_of_its_path() -> None:
    model = large_model()
    manifest = seedbed.keras.initialize(model, seed=42)
    assert list(manifest) == [weight.name.removesuffix(":0") for weight in model.weights]
    sampled = sb.get_default_client().sample_all(manifest)
    for weight in model.weights:
        if "lstm_cell/bias" not in weight.name:
            assert weight.numpy().tobytes() == sampled[weight.name.removesuffix(":0")].tobytes(), (
                weight.name
            )
    (bias,) = [weight.numpy() for weight in model.weights if "lstm_cell/bias" in weight.name]
    assert bias.tolist() == [0.0] * 4 + [1.0] * 4 + [0.0] * 8
    assert manifest["dense/kernel"].initializer == sb.HeNormal().spec
    assert manifest["attention/query/kernel"].fan_axes is None, "tf_keras counts the last two axes"


def test_the_digest_follows_the_seed() -> None:
    model = large_model()
    found = []
    for seed in (1, 2, 1):
        seedbed.keras.initialize(model, seed=seed)
        found.append(seedbed.keras.digest(model))
    assert found[0] == found[2] != found[1]


def test_rules_override() -> None:
    model = model_with("glorot_uniform")
    seedbed.keras.initialize(model, seed=42, rules={"*/kernel": sb.Orthogonal()})
    assert np.array_equal(model.weights[0], sb.Orthogonal(seed=42)((6, 5), name="dense/kernel"))


def test_an_unseeded_initializer_gives_the_kernels_of_attention_different_numbers() -> None:
    attention = layers.MultiHeadAttention(2, 3, kernel_initializer=sb.GlorotUniform())
    x = np.ones((1, 4, 6), "float32")
    with tf_keras.utils.custom_object_scope(CUSTOM):
        attention(x, x)
    kernels = [weight.numpy() for weight in attention.weights if "kernel" in weight.name]
    assert len({kernel.tobytes() for kernel in kernels}) == 4


def test_initializing_agrees_with_initialize() -> None:
    with seedbed.keras.initializing(seed=42) as recorded:
        model = large_model()
    found = seedbed.keras.digests(model)
    manifest = seedbed.keras.initialize(model, seed=42)
    assert seedbed.keras.digests(model) == found
    assert set(manifest) - set(recorded.manifest) == {"lstm/lstm_cell/bias"}
    assert sb.get_default_client().digest_all(recorded.manifest) == {
        name: found[name] for name in recorded.manifest
    }


class Own(layers.Layer):  # type: ignore[misc]
    """A layer whose weights have initializers that nobody can see from outside."""

    def __init__(self, initializer: Any, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.given = initializer

    def build(self, shape: Any) -> None:
        self.table = self.add_weight("table", (shape[-1], 2), initializer=self.given)


def own_layer(initializer: Any) -> Any:
    """Return such a layer, built."""
    layer = Own(initializer, name="own")
    layer.build((None, 4))
    return layer


@pytest.mark.parametrize(
    "initializer",
    [
        "glorot_uniform",
        None,
        tf_keras.initializers.GlorotUniform(seed=3),
        sb.GlorotUniform(seed=7),
        keras.initializers.GlorotUniform(),
    ],
    ids=["name", "none", "tf_keras's", "ours", "Keras 3's"],
)
def test_a_layer_of_ones_own_hands_over_anything_that_tf_keras_takes(initializer: Any) -> None:
    with seedbed.keras.initializing(seed=42):
        layer = own_layer(initializer)
    assert np.array_equal(layer.table, sb.GlorotUniform(seed=42)((4, 2), name="table"))


def test_code_is_run_with_seedbeds_numbers() -> None:
    normal = tf_keras.initializers.TruncatedNormal(stddev=0.02, seed=1)
    with seedbed.keras.initializing(seed=42) as recorded:
        whole = own_layer(lambda shape, dtype: normal(shape, dtype=dtype))
        half = own_layer(lambda shape, dtype: normal(shape, dtype) / 2)
        lstm = layers.LSTM(3, bias_initializer="random_normal", name="lstm")
        lstm.build((None, 2, 4))
    expected = sb.TruncatedNormal(stddev=0.02, seed=42)
    assert np.array_equal(whole.table, expected((4, 2), name="table"))
    assert np.array_equal(half.table, expected((4, 2), name="table#2") / np.float32(2))
    assert "table" in recorded.manifest
    assert "table#2" not in recorded.manifest
    bias = lstm.cell.bias.numpy()
    parts = sb.RandomNormal(seed=42)
    assert np.array_equal(bias[:3], parts((3,), name="lstm_cell/bias"))
    assert np.array_equal(bias[6:], parts((6,), name="lstm_cell/bias[1]"))
    assert bias[3:6].tolist() == [1.0] * 3
    refused = pytest.raises(sb.InvalidValueError, match=r"^table: `initializer` must be one whose")
    with refused, seedbed.keras.initializing(seed=42):
        own_layer(lambda shape, dtype: tf.random.normal(shape, dtype=dtype))


def test_metrics_are_no_weights() -> None:
    with seedbed.keras.initializing(seed=42) as recorded:
        model = model_with("glorot_uniform")
        model.compile("adam", "mse", metrics=["mae"])
        model.fit(np.ones((2, 6), "float32"), np.ones((2, 5), "float32"), verbose=0)
    assert list(recorded.manifest) == ["dense/kernel", "dense/bias"]


def test_a_model_that_would_be_built_after_the_block_is_an_error() -> None:
    kept = []
    refused = pytest.raises(sb.InvalidValueError, match=r"builds its models.*later")
    with refused, seedbed.keras.initializing(seed=42):
        kept += [model_with("zeros"), tf_keras.Sequential([layers.Dense(3)], name="later")]
