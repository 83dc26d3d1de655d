"""The seed that a JAX key means.

The rule is public, so that a tensor can be named outside JAX, too:

- The key's words are ``jax.random.key_data(key)``; an old-style key (a uint32 array) is its own
  words.
- Two words ``k0, k1`` (JAX's default, threefry) are the seed ``(k0 << 32) | k1``, so that
  ``jax.random.key(7)`` is 7.
- Any other number of words becomes the first 8 bytes, little-endian, of the SHA-256 of the words as
  little-endian uint32.
"""

import hashlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedbed.spec.errors import bad_type, bad_value

# The words of the key types that JAX brings: threefry2x32 has two, rbg and unsafe_rbg have four.
RAW_KEY_WORDS = (2, 4)


def seed_from_key(key: Any) -> int:
    """Return the seed of a key, 0 to 2**64 - 1.

    Args:
        key: ``jax.random.key(...)``, or a uint32 array of ``jax.random.PRNGKey(...)``; not traced.

    Raises:
        InvalidTypeError: if it is no key.
        InvalidValueError: if it is an array of keys.

    Example:
        >>> seed_from_key(jax.random.key(7))
        7
    """
    return seed_of_words(np.asarray(key_words(key)))


def seed_of_words(words: NDArray[np.uint32]) -> int:
    """Return the seed of a key's words."""
    if words.size == 2:
        return int(words[0]) << 32 | int(words[1])
    return int.from_bytes(hashlib.sha256(words.astype("<u4").tobytes()).digest()[:8], "little")


def key_words(key: Any) -> jax.Array:
    """Return a key's words as a vector.

    They are traced wherever something is being traced, even if the key itself is not.

    Raises:
        InvalidTypeError: if it is no key.
        InvalidValueError: if it is an array of keys.
    """
    dtype = getattr(key, "dtype", None)
    if dtype is None:
        raise bad_type("key", "a key of JAX, such as jax.random.key(0)", key)
    if jax.dtypes.issubdtype(dtype, jax.dtypes.prng_key):
        if key.shape != ():
            raise bad_value(
                "key", "a single key; use jax.vmap for several", f"keys of shape {key.shape}"
            )
        return jax.random.key_data(key).reshape(-1)
    if dtype != np.uint32 or len(key.shape) == 0 or key.shape[-1] not in RAW_KEY_WORDS:
        raise bad_type(
            "key", "a key of JAX, such as jax.random.key(0)", f"an array of {dtype} {key.shape}"
        )
    if len(key.shape) > 1:
        raise bad_value(
            "key", "a single key; use jax.vmap for several", f"an array of shape {key.shape}"
        )
    return jnp.copy(key)
