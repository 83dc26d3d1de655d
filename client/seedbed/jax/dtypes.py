"""Which dtype JAX makes of a dtype, or of none."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from seedbed.spec.dtypes import Dtype, as_dtype
from seedbed.spec.errors import bad_type


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
