"""Fill a Keras 3 model by the paths of its weights: the same bits on TensorFlow, JAX and PyTorch.

Run it with KERAS_BACKEND=tensorflow, jax or torch, and compare the digests.
"""

import keras

import seedbed as sb
import seedbed.keras

inputs = keras.Input((32,), dtype="int32", name="tokens")
x = keras.layers.Embedding(1000, 64, name="embedding")(inputs)
x = keras.layers.MultiHeadAttention(4, 16, name="attention")(x, x)
x = keras.layers.LayerNormalization(name="norm")(x)
x = keras.layers.LSTM(48, name="lstm")(x)
x = keras.layers.Dense(64, activation="relu", kernel_initializer="he_normal", name="hidden")(x)
model = keras.Model(inputs, keras.layers.Dense(10, name="logits")(x), name="classifier")

manifest = seedbed.keras.initialize(
    model, seed=42, rules={"embedding/*": sb.RandomNormal(stddev=0.02)}
)
print(f"{len(manifest)} weights on {keras.backend.backend()}: {seedbed.keras.digest(model)}")
