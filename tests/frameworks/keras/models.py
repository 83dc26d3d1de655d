"""Models for the tests of what fills a whole model."""

from typing import Any

import keras
import keras_hub
from keras import layers

import seedbed as sb
import seedbed.keras as sk


def large_model(**dense: Any) -> Any:
    """Return a model with most kinds of weights that Keras's layers have."""
    inputs = keras.Input((8, 6), name="inputs")
    x = layers.LSTM(4, return_sequences=True, name="lstm")(inputs)
    x = layers.MultiHeadAttention(2, 3, name="attention", kernel_initializer=sk.GlorotUniform())(
        x, x
    )
    x = layers.LayerNormalization(name="norm")(x)
    x = layers.Dropout(0.1, name="dropout")(x)
    x = layers.BatchNormalization(name="batch")(x)
    x = layers.SeparableConv1D(5, 3, name="separable")(x)
    x = layers.DepthwiseConv1D(3, depthwise_initializer="he_normal", name="depthwise")(x)
    x = layers.Conv1D(4, 2, name="convolution")(x)
    x = layers.PReLU(name="prelu")(x)
    x = layers.RMSNormalization(name="rms")(x)
    x = layers.Bidirectional(layers.GRU(3, name="gru"), name="both")(x)
    x = layers.Dense(3, name="dense", **{"kernel_initializer": sb.HeNormal(seed=3), **dense})(x)
    return keras.Model(inputs, x, name="model")


def dense_model(**arguments: Any) -> Any:
    """Return a model with one layer."""
    return keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, name="dense", **arguments)], name="model"
    )


def twin_model() -> Any:
    """Return a model with two layers of one name, whose weights have the same paths."""
    inputs = keras.Input((4,))
    parts = [layers.Dense(3, name="same"), layers.Dense(3, name="same")]
    for part in parts:
        part.build((None, 4))
    first, second = (keras.Sequential([part], name=f"part{i}") for i, part in enumerate(parts))
    return keras.Model(inputs, [first(inputs), second(inputs)])


class Own(layers.Layer):  # type: ignore[misc]
    """A layer whose weight has an initializer that nobody can see from outside."""

    def __init__(self, initializer: Any = "glorot_uniform", **arguments: Any) -> None:
        super().__init__(**arguments)
        self.given = initializer

    def build(self, shape: Any) -> None:
        """Make the weight."""
        self.table = self.add_weight(shape=(shape[-1], 2), initializer=self.given, name="table")

    def call(self, inputs: Any) -> Any:
        """Multiply by it."""
        return inputs @ self.table


def own_model(initializer: Any = "glorot_uniform") -> Any:
    """Return a model with such a layer."""
    return keras.Sequential([keras.Input((4,)), Own(initializer, name="own")], name="model")


def backbone_model() -> Any:
    """Return a model of Keras's and keras_hub's layers, one of them in an LSTM's own code."""
    hub = keras_hub.models.GPT2Backbone(
        vocabulary_size=11,
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
        max_sequence_length=8,
    )
    x = layers.LSTM(4, bias_initializer="random_normal", return_sequences=True, name="lstm")(
        hub.output
    )
    x = layers.MultiHeadAttention(2, 3, name="attention")(x, x)
    x = layers.Dense(3, kernel_initializer="orthogonal", name="dense")(x)
    return keras.Model(hub.input, Own("he_normal", name="own")(x), name="model")
