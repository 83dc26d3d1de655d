"""Keys of JAX in a tree: made of the seed and their names."""

import hashlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from seedbed.spec.seeds import as_draw, as_seed


def is_key(form: Any) -> bool:
    """Return whether a leaf is a key, or an array of them."""
    dtype = getattr(form, "dtype", None)
    return dtype is not None and jax.dtypes.issubdtype(dtype, jax.dtypes.prng_key)


def make_keys(form: Any, *, seed: Any, name: str, draw: Any = 0) -> jax.Array:
    """Return the keys of a leaf.

    Their words are, one after another, those of SHA-256 of the seed, the draw and the number of the
    block, each as 8 bytes, little-endian, and the name in UTF-8.

    Args:
        form: has the shape and dtype.
        seed: as of a tensor.
        name: likewise.
        draw: likewise.
    """
    words = jax.eval_shape(jax.random.key_data, jax.ShapeDtypeStruct(form.shape, form.dtype))
    count = int(np.prod(words.shape))
    head = as_seed(seed).to_bytes(8, "little") + as_draw(draw).to_bytes(8, "little")
    blocks = b"".join(
        hashlib.sha256(head + block.to_bytes(8, "little") + name.encode()).digest()
        for block in range(-(-count // 8))
    )
    drawn = np.frombuffer(blocks, "<u4")[:count].astype(np.uint32).reshape(words.shape)
    return jax.random.wrap_key_data(drawn, impl=jax.random.key_impl(jnp.zeros(0, form.dtype)))
