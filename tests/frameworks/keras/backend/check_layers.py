"""Keras builds, saves, loads and clones models with seedbed's initializers as with its own."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import seedbed as sb
import seedbed.keras as sk
from tests.frameworks.keras.cases import Case, content, every_class, values


def model_with(initializer: Any) -> Any:
    """Return a model of one layer."""
    layer = keras.layers.Dense(3, kernel_initializer=initializer, name="dense")
    return keras.Sequential([keras.Input((4,)), layer], name="model")


def test_a_layer_gets_the_initializers_bits() -> None:
    model = model_with(sk.GlorotUniform(seed=1))
    assert content(model.weights[0]) == sb.GlorotUniform(seed=1)((4, 3)).tobytes()


def test_plain_initializers_work_as_they_are() -> None:
    assert (
        content(model_with(sb.GlorotUniform(seed=1)).weights[0])
        == sb.GlorotUniform(seed=1)((4, 3)).tobytes()
    )


@pytest.mark.parametrize("name", ["bfloat16", "mixed_float16"])
def test_a_dtype_policy_says_what_is_sampled(name: str) -> None:
    layer = keras.layers.Dense(3, kernel_initializer=sk.HeNormal(seed=1), dtype=name)
    layer.build((None, 4))
    expected = sb.HeNormal(seed=1)((4, 3), "float32" if name.startswith("mixed") else name)
    assert np.array_equal(values(layer.kernel).astype(expected.dtype), expected)


def dense_with(case: Case) -> Any:
    """Return a built layer whose kernel has the case's shape; STFT's comes with a convolution."""
    if case.name == "STFT":
        layer = keras.layers.Conv1D(9, 16, kernel_initializer=case.example(), use_bias=False)
        layer.build((None, 32, 1))
        return layer
    layer = keras.layers.Dense(case.shape[1], kernel_initializer=case.example(), use_bias=False)
    layer.build((None, case.shape[0]))
    return layer


@every_class
def test_a_layer_with_any_class_goes_through_its_configuration(case: Case) -> None:
    layer = dense_with(case)
    assert content(layer.kernel) == content(case.example()(case.shape))
    again = type(layer).from_config(layer.get_config())
    again.build((None, 32, 1) if case.name == "STFT" else (None, case.shape[0]))
    assert type(again.kernel_initializer) is case.cls
    assert content(again.kernel) == content(layer.kernel)


@every_class
def test_a_saved_model_with_any_class_reloads(case: Case, tmp_path: Path) -> None:
    if case.name == "STFT":
        layer = keras.layers.Conv1D(9, 16, kernel_initializer=case.example(), use_bias=False)
        model = keras.Sequential([keras.Input((32, 1)), layer])
    else:
        layer = keras.layers.Dense(case.shape[1], kernel_initializer=case.example(), use_bias=False)
        model = keras.Sequential([keras.Input((case.shape[0],)), layer])
    # What is loaded are the values, not new samples.
    model.weights[0].assign(np.zeros(case.shape, "float32"))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[0].kernel_initializer) is case.cls
    assert loaded.layers[0].kernel_initializer.get_config() == case.example().get_config()
    assert not values(loaded.weights[0]).any()


def test_a_saved_model_with_plain_initializers_reloads_with_custom_objects(tmp_path: Path) -> None:
    model = model_with(sb.HeNormal(seed=3))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(
        tmp_path / "model.keras", custom_objects={"HeNormal": sb.HeNormal}
    )
    assert loaded.layers[0].kernel_initializer == model.layers[0].kernel_initializer
    assert content(loaded.weights[0]) == content(model.weights[0])


def reloaded(model: Any, folder: Path) -> Any:
    """Return a model after saving and loading."""
    model.save(folder / "model.keras")
    return keras.models.load_model(folder / "model.keras")


def cloned(model: Any, folder: Path) -> Any:
    """Return Keras's clone of a model."""
    del folder
    return keras.models.clone_model(model)


both_ways = pytest.mark.parametrize("copied", [reloaded, cloned])


@both_ways
def test_keras_replaces_plain_initializers_by_its_own_of_the_same_name(
    copied: Any, tmp_path: Path
) -> None:
    copy = copied(model_with(sb.HeNormal(seed=3)), tmp_path)
    assert type(copy.layers[0].kernel_initializer) is keras.initializers.HeNormal


@both_ways
@pytest.mark.parametrize(
    "plain",
    [
        sb.KaimingNormal(seed=1),
        sb.Sparse(0.5, seed=1),
        sb.VarianceScaling(mode="fan_geo_avg", seed=1),
        sb.HeNormal(seed=sb.SeedGenerator(1)),
    ],
    ids=lambda plain: type(plain).__name__,
)
def test_keras_copies_no_plain_initializers_that_it_does_not_know(
    plain: Any, copied: Any, tmp_path: Path
) -> None:
    with pytest.raises(TypeError, match="kernel_initializer"):
        copied(model_with(plain), tmp_path)
    with keras.utils.custom_object_scope({type(plain).__name__: type(plain)}):
        copy = copied(model_with(plain), tmp_path)
    assert type(copy.layers[0].kernel_initializer) is type(plain)


@both_ways
def test_converted_plain_initializers_are_copied_as_they_are(copied: Any, tmp_path: Path) -> None:
    model = model_with(sk.convert(sb.VarianceScaling(2.0, "fan_geo_avg", seed=3)))
    copy = copied(model, tmp_path)
    assert type(copy.layers[0].kernel_initializer) is sk.VarianceScaling
    assert content(copy.weights[0]) == content(model.weights[0])


def test_a_saved_generator_goes_on_where_it_was(tmp_path: Path) -> None:
    model = model_with(sk.HeNormal(keras.random.SeedGenerator(3)))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    made = loaded.layers[0].kernel_initializer((4, 3))
    assert content(made) != content(model.weights[0])
    assert content(made) in {sb.HeNormal(3)((4, 3), draw=draw).tobytes() for draw in (1, 2, 3)}


def test_a_cloned_model_has_the_same_weights_for_a_seed_and_others_without() -> None:
    for seed, is_same in ((1, True), (None, False)):
        model = model_with(sk.GlorotUniform(seed=seed))
        clone = keras.models.clone_model(model)
        assert type(clone.layers[0].kernel_initializer) is sk.GlorotUniform
        assert (content(clone.weights[0]) == content(model.weights[0])) is is_same


def test_layers_that_copy_their_layer_do_not_get_twins() -> None:
    attention = keras.layers.MultiHeadAttention(2, 3, kernel_initializer=sk.GlorotUniform())
    attention.build((None, 5, 6), (None, 5, 6))
    both = keras.layers.Bidirectional(keras.layers.GRU(3, kernel_initializer=sk.GlorotUniform()))
    both.build((None, 5, 6))
    for weights in (attention.weights, both.weights):
        kernels = [content(weight) for weight in weights if weight.name == "kernel"]
        assert len(set(kernels)) == len(kernels) >= 2


@pytest.mark.parametrize(
    ("equation", "output_shape", "limit"),
    [
        ("abc,cde->abde", (None, 4, 5), np.sqrt(6 / (6 + 20))),
        ("abc,cd->abd", (None, 7), np.sqrt(6 / 13)),
        ("...x,xy->...y", (9,), np.sqrt(6 / 15)),
    ],
)
def test_an_einsum_layer_counts_the_axes_of_its_equation(
    equation: str, output_shape: Any, limit: float
) -> None:
    layers = [
        keras.layers.EinsumDense(equation, output_shape, kernel_initializer=cls(seed=1))
        for cls in (sk.GlorotUniform, keras.initializers.GlorotUniform)
    ]
    for layer in layers:
        layer.build((None, 8, 6) if len(output_shape) > 1 else (None, 6))
        assert 0.8 * limit < np.abs(values(layer.kernel)).max() <= np.float32(limit)


def test_a_model_that_is_built_by_training_gets_the_same_bits() -> None:
    model = keras.Sequential([keras.layers.Dense(3, kernel_initializer=sk.GlorotUniform(seed=1))])
    model.compile("sgd", "mse")
    model.evaluate(np.zeros((2, 4), "float32"), np.zeros((2, 3), "float32"), verbose=0)
    assert content(model.weights[0]) == sb.GlorotUniform(seed=1)((4, 3)).tobytes()
    model.fit(np.ones((4, 4), "float32"), np.ones((4, 3), "float32"), verbose=0)
    assert content(model.weights[0]) != sb.GlorotUniform(seed=1)((4, 3)).tobytes()


def test_a_layer_inside_a_layer_is_built_while_keras_traces() -> None:
    class Outer(keras.layers.Layer):  # type: ignore[misc]
        """Builds its layer at the first call."""

        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(3, kernel_initializer=sk.GlorotUniform(seed=1))

        def call(self, inputs: Any) -> Any:
            return self.dense(inputs)

    inputs = keras.Input((4,))
    model = keras.Model(inputs, Outer()(inputs))
    assert content(model.weights[0]) == sb.GlorotUniform(seed=1)((4, 3)).tobytes()


def test_a_call_inside_a_compiled_function_gives_the_same_bits() -> None:
    initializer = sk.GlorotUniform(seed=1)

    class Adds(keras.layers.Layer):  # type: ignore[misc]
        """Samples while it is compiled."""

        def call(self, inputs: Any) -> Any:
            return inputs + initializer((4, 3))

    model = keras.Sequential([keras.Input((4, 3)), Adds()])
    model.compile("sgd", "mse")
    found = model.predict(np.zeros((1, 4, 3), "float32"), verbose=0)
    assert np.array_equal(found[0], sb.GlorotUniform(seed=1)((4, 3)))


@pytest.mark.parametrize("name", ["GlorotUniform", "RandomNormal", "Orthogonal"])
@pytest.mark.parametrize("space", [sb, sk], ids=["plain", "for Keras"])
def test_an_unseeded_initializer_gives_the_kernels_of_attention_different_numbers(
    space: Any, name: str
) -> None:
    attention = keras.layers.MultiHeadAttention(2, 3, kernel_initializer=getattr(space, name)())
    attention.build((None, 4, 6), (None, 4, 6))
    kernels = [content(each) for each in attention.weights if each.name == "kernel"]
    assert len(set(kernels)) == 4


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_an_lstm_that_opens_its_forget_gates_takes_plain_initializers(dtype: str) -> None:
    arguments = {
        "kernel_initializer": sb.GlorotUniform(),
        "recurrent_initializer": sb.LecunNormal(),
        "bias_initializer": sb.RandomNormal(seed=1),
    }
    layer = keras.layers.LSTM(4, dtype=dtype, **arguments)
    layer.build((None, 5, 6))
    bias = values(layer.cell.bias).astype("float32")
    assert bias[4:8].tolist() == [1.0] * 4
    assert (bias[:4] == sb.RandomNormal(seed=1)((4,), dtype).astype("float32")).all()
    # The configuration of an unseeded one is one that Keras's own class reads.
    again = keras.layers.LSTM.from_config(layer.get_config())
    again.build((None, 5, 6))
    assert content(again.cell.kernel) != content(layer.cell.kernel)
