"""JAX arrays of sampled tensors: each device gets its part, and each part is asked for once."""

from collections.abc import Callable
from typing import Any

import jax
from jax.sharding import Sharding
from numpy.typing import NDArray

from seedbed.client import Client
from seedbed.deadlines import deadline
from seedbed.defaults import client_or_default
from seedbed.jax.dtypes import check_dtype
from seedbed.jax.shardings import as_sharding, part_at, parts
from seedbed.spec.errors import bad_type
from seedbed.spec.slices import TensorSlice, whole
from seedbed.spec.tensors import TensorSpec


def make_array(
    spec: TensorSpec,
    sharding: Any,
    *,
    client: Client | None = None,
    local: bool = False,
    progress: bool = False,
    timeout_seconds: float | None = None,
) -> jax.Array:
    """Return a tensor as an array of JAX; each device of this process has fetched its part only.

    Parts that several devices hold are fetched once. In a job of several processes each calls this
    with the same arguments, and none fetches what lies on the others' devices.

    Args:
        spec: the whole tensor.
        sharding: a ``jax.sharding.Sharding``, or a PartitionSpec under ``jax.set_mesh``.
        client: who samples; by default that of :func:`seedbed.get_default_client`.
        local: sample in this process, and compare with the server's digests.
        progress: show a progress bar on standard error.
        timeout_seconds: for the whole call; None is no limit.

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
    client = client_or_default(client)
    placed = as_sharding(sharding, len(spec.shape))
    remaining = deadline(client.target, timeout_seconds)

    def sample(part: TensorSlice) -> NDArray[Any]:
        return client.sample(
            spec, slice=part, local=local, progress=progress, timeout_seconds=remaining()
        )

    return array_of_parts(spec.shape, spec.dtype.numpy, placed, sample)


def array_of_parts(
    shape: tuple[int, ...],
    dtype: Any,
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
        shape, sharding, lambda index: sampled[part_at(index, shape)], dtype=dtype
    )
