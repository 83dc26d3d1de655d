"""How a tensor becomes a JAX array: each device gets its part, and every part is asked for once."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.sharding import Sharding
from numpy.typing import NDArray

from seedbed.client import Client
from seedbed.defaults import get_default_client
from seedbed.jax.shardings import as_sharding, part_at, parts
from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import bad_type, bad_value
from seedbed.spec.slices import TensorSlice, whole
from seedbed.spec.tensors import TensorSpec


def make_array(spec: TensorSpec, sharding: Any, *, client: Client | None = None) -> jax.Array:
    """Return a tensor as an array of JAX, of which each device of this process has fetched exactly its part.

    Parts that several devices hold are fetched once. In a job of several processes each calls this
    with the same arguments, and none fetches what lies on the others' devices.

    Args:
        spec: the whole tensor.
        sharding: a ``jax.sharding.Sharding``, or a PartitionSpec under ``jax.set_mesh``.
        client: who samples; by default the one of :func:`seedbed.get_default_client`.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if JAX does not have the dtype, as float64 without ``jax_enable_x64``.
        TransportError: if a server's answer does not come.

    Example:
        >>> mesh = jax.make_mesh((1, 1), ("x", "y"))
        >>> sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("x", "y"))
        >>> make_array(TensorSpec("w", (4, 6), "bfloat16", GlorotUniform(seed=1)), sharding).shape
        (4, 6)
    """
    if not isinstance(spec, TensorSpec):
        raise bad_type("spec", "a TensorSpec", spec)
    check_dtype(spec.dtype)
    chosen = as_client(client)
    placed = as_sharding(sharding, len(spec.shape))
    return array_of_parts(
        spec.shape, spec.dtype, placed, lambda part: chosen.sample(spec, slice=part)
    )


def array_of_parts(
    shape: tuple[int, ...],
    dtype: Dtype,
    sharding: Sharding | None,
    sample: Callable[[TensorSlice], NDArray[Any]],
) -> jax.Array:
    """Return an array whose every different part on this process's devices is sampled once.

    Without a sharding it comes whole, to JAX's default device.
    """
    if sharding is None:
        return jax.device_put(sample(whole(shape)))
    sampled = {part: sample(part) for part in parts(sharding, shape)}
    return jax.make_array_from_callback(
        shape, sharding, lambda index: sampled[part_at(index, shape)], dtype=dtype.numpy
    )


def as_client(client: Client | None) -> Client:
    """Return who samples.

    Raises:
        InvalidTypeError: if it is no client.
    """
    check_client(client)
    return client or get_default_client()


def check_client(client: object) -> None:
    """Raise unless somebody can sample.

    Raises:
        InvalidTypeError: if it is no client.
    """
    if client is not None and not isinstance(client, Client):
        raise bad_type("client", "a Client or None", client)


def check_dtype(dtype: Dtype) -> None:
    """Raise if JAX would silently make another dtype of this one.

    Raises:
        InvalidValueError: for 64 bits without ``jax_enable_x64``.
    """
    if jax.dtypes.canonicalize_dtype(dtype.numpy) != np.dtype(dtype.numpy):
        raise bad_value("dtype", "of at most 32 bits without jax_enable_x64", dtype.value)
