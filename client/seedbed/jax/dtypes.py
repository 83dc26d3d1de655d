"""JAX's dtypes: the one that it makes of another, or of none, and those that it lacks."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from seedbed.spec.dtypes import Dtype, as_dtype
from seedbed.spec.errors import bad_type, bad_value


def dtype_in_jax(dtype: Any) -> Dtype:
    """Return the dtype that JAX's initializers fill when they are asked for this one.

    None is JAX's default, float32 without ``jax_enable_x64``; without it, too, 64 bits become 32,
    and JAX warns.

    Raises:
        InvalidTypeError: if it is no dtype.
        InvalidValueError: if it is one that seedbed does not have, such as a complex one.
    """
    if dtype is None:
        return as_dtype(jnp.result_type(float))
    try:
        asked, given = np.dtype(dtype), jax.dtypes.canonicalize_dtype(dtype)
    except TypeError:
        raise bad_type("dtype", "a dtype of JAX", dtype) from None
    if asked != given:
        jax.eval_shape(lambda: jnp.zeros((), asked))  # JAX's own warning
    return as_dtype(given)


def check_dtype(dtype: Dtype) -> None:
    """Raise if JAX would silently make another dtype of this one.

    Raises:
        InvalidValueError: for 64 bits without ``jax_enable_x64``.
    """
    if jax.dtypes.canonicalize_dtype(dtype.numpy) != np.dtype(dtype.numpy):
        raise bad_value("dtype", "of at most 32 bits without jax_enable_x64", dtype.value)
