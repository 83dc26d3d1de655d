"""The array of an initializer's call: sampled at once, or when the traced program runs."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec
from numpy.typing import NDArray

from seedbed.client import Client
from seedbed.defaults import client_or_default
from seedbed.jax.arrays import array_of_parts
from seedbed.jax.seeds import key_words, seed_of_words
from seedbed.jax.shardings import (
    as_traced_sharding,
    axis_names,
    constrained,
    decided,
    sharding_or_default,
)
from seedbed.spec.dtypes import Dtype
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import InitializerSpec
from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import TensorSpec


@dataclass(frozen=True)
class UnseededTensor:
    """A tensor but for its seed, which a key brings.

    Raises:
        InvalidArgumentError: if there is no such tensor.
    """

    initializer: InitializerSpec
    """What fills it."""
    shape: tuple[int, ...]
    """The lengths of its axes."""
    dtype: Dtype
    """The type of its elements."""
    fan_axes: FanAxes | None = None
    """Which axes count for the fans."""
    last_axis: int = -1
    """The axis that is sampled as the last one."""
    client: Client | None = None
    """Who samples; None is the default when it runs."""
    _order: tuple[int, ...] = field(init=False)
    """The axes in the order in which they are sampled."""

    def __post_init__(self) -> None:
        rank = len(self.shape)
        last = self.last_axis % max(rank, 1)
        order = (*(axis for axis in range(rank) if axis != last), *((last,) if rank else ()))
        object.__setattr__(self, "_order", order)
        self.spec(0)

    def spec(self, seed: int) -> TensorSpec:
        """Return the tensor that is sampled."""
        shape = tuple(self.shape[axis] for axis in self._order)
        return TensorSpec(
            "", shape, self.dtype, self.initializer, seed=seed, fan_axes=self.fan_axes
        )

    def sample(self, seed: int, part: TensorSlice) -> NDArray[Any]:
        """Return a part of the tensor, fetched now."""
        starts = tuple(part.starts[axis] for axis in self._order)
        lengths = tuple(part.lengths[axis] for axis in self._order)
        values = client_or_default(self.client).sample(
            self.spec(seed), slice=TensorSlice(starts, lengths)
        )
        return (
            np.ascontiguousarray(np.moveaxis(values, -1, self.last_axis)) if values.ndim else values
        )


def fill(content: UnseededTensor, key: Any, out_sharding: Any) -> jax.Array:
    """Return the tensor of a key.

    Outside jit it is sampled now; with a sharding, each device asks for its part. Where JAX traces,
    as in jit, nothing is sampled before the program runs, and then by calls to the host.

    Args:
        content: the tensor, but for its seed.
        key: a key of JAX.
        out_sharding: a sharding, a PartitionSpec under a mesh, or None.

    Raises:
        InvalidArgumentError: if the key or the sharding is none.
    """
    words = key_words(key)
    if isinstance(words, jax.core.Tracer):
        return _traced(content, words, out_sharding)
    seed = seed_of_words(np.asarray(words))
    sharding = sharding_or_default(out_sharding, len(content.shape), field="out_sharding")
    return array_of_parts(
        content.shape, content.dtype.numpy, sharding, partial(content.sample, seed)
    )


def _traced(content: UnseededTensor, words: jax.Array, out_sharding: Any) -> jax.Array:
    sharding = as_traced_sharding(out_sharding, len(content.shape))
    if isinstance(sharding, NamedSharding) and not sharding.is_fully_replicated:
        return _traced_by_devices(content, words, decided(sharding))
    return constrained(
        _from_host(content, content.shape, words, [0] * len(content.shape)), sharding
    )


def _traced_by_devices(
    content: UnseededTensor, words: jax.Array, sharding: NamedSharding
) -> jax.Array:
    """Return the tensor from a program in which each device calls the host for its part."""
    lengths = sharding.shard_shape(content.shape)
    names = axis_names(sharding, len(lengths))

    def of_device(words: jax.Array) -> jax.Array:
        places = [jax.lax.axis_index(axes) if axes else 0 for axes in names]
        starts = [place * length for place, length in zip(places, lengths, strict=True)]
        return _from_host(content, lengths, words, starts)

    # What a call to the host gives may differ from device to device: here it is the same on
    # replicas.
    by_devices = jax.shard_map(
        of_device,
        mesh=sharding.mesh,
        in_specs=PartitionSpec(),
        out_specs=sharding.spec,
        check_vma=False,
    )
    result: jax.Array = by_devices(words)
    return result


@dataclass(frozen=True, eq=False)
class HostCall:
    """What a traced program calls on the host: a part of a tensor, sampled."""

    content: UnseededTensor
    """The tensor."""
    lengths: tuple[int, ...]
    """Of the part."""

    def __call__(self, words: Any, *starts: Any) -> NDArray[Any]:
        """Return the part that starts at a place of the tensor of a key."""
        part = TensorSlice(tuple(int(start) for start in starts), self.lengths)
        return self.content.sample(seed_of_words(np.asarray(words)), part)


def _from_host(
    content: UnseededTensor, lengths: tuple[int, ...], words: jax.Array, starts: list[Any]
) -> jax.Array:
    """Return a part of the tensor from a program that calls the host for it."""
    form = jax.ShapeDtypeStruct(lengths, content.dtype.numpy)
    result: jax.Array = jax.pure_callback(
        HostCall(content, lengths), form, words, *starts, vmap_method="sequential"
    )
    return result
