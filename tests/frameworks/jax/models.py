"""Models of Flax as people write them: scanned layers, attention, buffers, keys."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

WIDTH, HEADS, LAYERS, VOCABULARY = 64, 8, 3, 256


def sinusoids(key: Any, shape: Any, dtype: Any = jnp.float32) -> Any:
    """Return positions as sines and cosines; an initializer that draws nothing."""
    del key
    angles = np.arange(shape[0])[:, None] / 10000.0 ** (np.arange(shape[1] // 2) / shape[1])
    return jnp.concatenate([jnp.sin(angles), jnp.cos(angles)], -1).astype(dtype)


def time_steps(key: Any, shape: Any) -> Any:
    """Return the inverse softplus of numbers whose logarithms are uniform, as Mamba's layers do."""
    low, high = np.log(0.001), np.log(0.1)
    steps = jnp.exp(jax.random.uniform(key, shape) * (high - low) + low)
    return steps + jnp.log(-jnp.expm1(-steps))


class Layer(nn.Module):  # type: ignore[misc]  # Any where Flax is not installed
    """A layer of a transformer."""

    @nn.compact  # type: ignore[untyped-decorator]
    def __call__(self, x: Any, _: Any) -> Any:
        """Return the next layer's input."""
        y = nn.MultiHeadDotProductAttention(num_heads=HEADS)(nn.LayerNorm()(x))
        y = nn.remat(nn.Dense)(4 * WIDTH)(nn.LayerNorm()(x + y))
        narrow = nn.initializers.variance_scaling(1 / LAYERS, "fan_in", "normal")
        y = nn.Dense(WIDTH, kernel_init=narrow, param_dtype=jnp.bfloat16)(nn.gelu(y))
        return x + y * self.param("dt_bias", time_steps, (WIDTH,)), None


class Transformer(nn.Module):  # type: ignore[misc]  # Any where Flax is not installed
    """Scanned layers between an embedding, a norm with statistics, and a head."""

    @nn.compact  # type: ignore[untyped-decorator]
    def __call__(self, ids: Any) -> Any:
        """Return logits."""
        x = nn.Embed(VOCABULARY, WIDTH)(ids)
        x = x + self.param("positions", sinusoids, (32, WIDTH))[: ids.shape[1]]
        layers = nn.scan(
            Layer, variable_axes={"params": 0}, split_rngs={"params": True}, length=LAYERS
        )
        x, _ = layers()(x, None)
        x = nn.BatchNorm(use_running_average=False)(x)
        x = nn.Conv(WIDTH, (3,), kernel_init=nn.initializers.delta_orthogonal())(x)
        x = nn.Conv(WIDTH, (3,), kernel_init=nn.initializers.he_uniform())(x)
        half = nn.initializers.constant(0.5)
        x = nn.Dense(WIDTH, kernel_init=nn.initializers.orthogonal(), bias_init=half)(x)
        return nn.Dense(VOCABULARY, kernel_init=nn.initializers.truncated_normal(0.02))(x)


IDS = np.zeros((2, 8), np.int32)


class Block(nnx.Module):  # type: ignore[misc]  # Any where Flax is not installed
    """A layer of a transformer."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.norm = nnx.LayerNorm(WIDTH, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(HEADS, WIDTH, dropout_rate=0.1, rngs=rngs)
        self.up = nnx.Linear(WIDTH, 4 * WIDTH, rngs=rngs)
        narrow = nnx.initializers.normal(0.01)
        self.down = nnx.Linear(4 * WIDTH, WIDTH, kernel_init=narrow, rngs=rngs)
        self.dropout = nnx.Dropout(0.1, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        """Return the next layer's input."""
        x = x + self.attention(self.norm(x), decode=False, deterministic=False)
        return x + self.dropout(self.down(nnx.gelu(self.up(x))))


class Decoder(nnx.Module):  # type: ignore[misc]  # Any where Flax is not installed
    """Stacked layers between an embedding and a head that is the embedding."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.embed = nnx.Embed(VOCABULARY, WIDTH, rngs=rngs)
        self.positions = nnx.Variable(sinusoids(None, (32, WIDTH)))
        self.layers = nnx.split_rngs(splits=LAYERS)(nnx.vmap(Block))(rngs)
        self.norm = nnx.BatchNorm(WIDTH, rngs=rngs)
        self.head = self.embed

    def __call__(self, ids: Any) -> Any:
        """Return logits."""
        x = self.embed(ids) + self.positions[...][: ids.shape[1]]
        through = nnx.scan(lambda x, layer: layer(x), in_axes=(nnx.Carry, 0), out_axes=nnx.Carry)
        return self.head.attend(self.norm(through(x, self.layers)))


def decoder() -> Decoder:
    """Return a model of nnx."""
    return Decoder(nnx.Rngs(0, dropout=1))
