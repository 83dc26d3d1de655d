"""The initializers of ``mlx.nn.init``, with its parameters, defaults and fans.

Each function returns one that takes an array and returns another of its shape and of the dtype
asked for; the array itself is neither changed nor looked at. MLX's meanings: fans are those of
weights ``(out, ..., in)`` of two axes or more; normals are not truncated; ``he_*`` has the standard
deviation gain / sqrt(fan), without He's factor sqrt(2).

Besides MLX's parameters, those that are random take by keyword

- ``seed``: -2**63 to 2**64 - 1, a :class:`seedbed.SeedGenerator`, or None for 64 bits of MLX's own
  random state;
- ``name``: part of the content; with one, calls are independent of each other;
- ``client``: who samples, by default the one of :func:`seedbed.get_default_client`.

Without a name, the calls of one initializer are the successive draws of its seed; see
:mod:`seedbed.mlx.seeds`.

All raise InvalidTypeError and InvalidValueError (a TypeError and a ValueError) for what is not
allowed, and a TransportError if a server's answer does not come. Empty shapes give empty arrays.
"""

from collections.abc import Callable

import mlx.core as mx
import numpy as np

from seedbed.client import Client
from seedbed.mlx.arrays import array_of, dtype_of, matrix_shape, shape_of
from seedbed.mlx.sampler import Sampler
from seedbed.mlx.scales import Mode, centred_uniform, glorot_std, he_std, not_negative
from seedbed.mlx.seeds import Seed
from seedbed.spec.errors import bad_value
from seedbed.spec.initializers import (
    ConstantSpec,
    OrthogonalSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    SparseSpec,
)

__all__ = [
    "constant",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "normal",
    "orthogonal",
    "sparse",
    "uniform",
]

Initializer = Callable[[mx.array], mx.array]
GlorotInitializer = Callable[..., mx.array]
"""``initializer(a, gain=1.0)``."""
HeInitializer = Callable[..., mx.array]
"""``initializer(a, mode="fan_in", gain=1.0)``."""


def constant(value: float, dtype: mx.Dtype = mx.float32) -> Initializer:
    """Return an initializer of arrays full of a number.

    Args:
        value: finite. A floating dtype takes it rounded once; an integer dtype or bool must hold it
            exactly (MLX's own gives float32 then).
        dtype: of the arrays; MLX's own sometimes has another.
    """
    spec, element = ConstantSpec(value), dtype_of(dtype)
    spec.check((), element)
    number = element.rounded(spec.value) if element.is_floating else spec.value

    def initializer(a: mx.array) -> mx.array:
        return array_of(np.full(shape_of(a), number, element.numpy), element)

    return initializer


def identity(dtype: mx.Dtype = mx.float32) -> Initializer:
    """Return an initializer of identity matrices, square ones.

    Args:
        dtype: of the arrays.
    """
    element = dtype_of(dtype)

    def initializer(arr: mx.array) -> mx.array:
        shape = shape_of(arr)
        if len(shape) != 2 or shape[0] != shape[1]:
            raise bad_value("arr", "a square matrix", f"an array of shape {shape}")
        return array_of(np.eye(shape[0], dtype=element.numpy), element)

    return initializer


def normal(
    mean: float = 0.0,
    std: float = 1.0,
    dtype: mx.Dtype = mx.float32,
    *,
    seed: Seed = None,
    name: str = "",
    client: Client | None = None,
) -> Initializer:
    """Return an initializer of normal numbers.

    Args:
        mean: finite.
        std: the standard deviation, finite, 0 or more.
        dtype: of the arrays, floating.
        seed: an integer, a SeedGenerator, or None for MLX's random state.
        name: part of the content.
        client: who samples.
    """
    spec = RandomNormalSpec(mean, not_negative("std", std))
    sampler = Sampler(dtype, seed, name, client)
    return lambda a: sampler.fill(shape_of(a), spec)


def uniform(
    low: float = 0.0,
    high: float = 1.0,
    dtype: mx.Dtype = mx.float32,
    *,
    seed: Seed = None,
    name: str = "",
    client: Client | None = None,
) -> Initializer:
    """Return an initializer of uniform numbers on [low, high).

    Args:
        low: the lower end, included, finite.
        high: the upper end, excluded, finite, at least ``low``.
        dtype: of the arrays, floating.
        seed: an integer, a SeedGenerator, or None for MLX's random state.
        name: part of the content.
        client: who samples.
    """
    spec = RandomUniformSpec(low, high)
    sampler = Sampler(dtype, seed, name, client)
    return lambda a: sampler.fill(shape_of(a), spec)


def glorot_normal(
    dtype: mx.Dtype = mx.float32, *, seed: Seed = None, name: str = "", client: Client | None = None
) -> GlorotInitializer:
    """Return ``initializer(a, gain=1.0)`` of normal numbers, scaled by both fans.

    std = gain * sqrt(2 / (fan_in + fan_out)). Glorot and Bengio 2010. The gain is finite, 0 or
    more.

    Args:
        dtype: of the arrays, floating.
        seed: an integer, a SeedGenerator, or None for MLX's random state.
        name: part of the content.
        client: who samples.
    """
    sampler = Sampler(dtype, seed, name, client)

    def initializer(a: mx.array, gain: float = 1.0) -> mx.array:
        shape = shape_of(a)
        return sampler.fill(shape, RandomNormalSpec(0.0, glorot_std(shape, gain)))

    return initializer


def glorot_uniform(
    dtype: mx.Dtype = mx.float32, *, seed: Seed = None, name: str = "", client: Client | None = None
) -> GlorotInitializer:
    """Return ``initializer(a, gain=1.0)`` of uniform numbers, scaled by both fans.

    limit = gain * sqrt(6 / (fan_in + fan_out)). Glorot and Bengio 2010. The gain is finite, 0 or
    more.

    Args:
        dtype: of the arrays, floating.
        seed: an integer, a SeedGenerator, or None for MLX's random state.
        name: part of the content.
        client: who samples.
    """
    sampler = Sampler(dtype, seed, name, client)

    def initializer(a: mx.array, gain: float = 1.0) -> mx.array:
        shape = shape_of(a)
        return sampler.fill(shape, centred_uniform(glorot_std(shape, gain)))

    return initializer


def he_normal(
    dtype: mx.Dtype = mx.float32, *, seed: Seed = None, name: str = "", client: Client | None = None
) -> HeInitializer:
    """Return ``initializer(a, mode="fan_in", gain=1.0)`` of normal numbers, scaled by one fan.

    std = gain / sqrt(fan). He et al. 2015, whose factor is the gain sqrt(2). The gain is finite, 0
    or more.

    Args:
        dtype: of the arrays, floating.
        seed: an integer, a SeedGenerator, or None for MLX's random state.
        name: part of the content.
        client: who samples.
    """
    sampler = Sampler(dtype, seed, name, client)

    def initializer(a: mx.array, mode: Mode = "fan_in", gain: float = 1.0) -> mx.array:
        shape = shape_of(a)
        return sampler.fill(shape, RandomNormalSpec(0.0, he_std(shape, mode, gain)))

    return initializer


def he_uniform(
    dtype: mx.Dtype = mx.float32, *, seed: Seed = None, name: str = "", client: Client | None = None
) -> HeInitializer:
    """Return ``initializer(a, mode="fan_in", gain=1.0)`` of uniform numbers, scaled by one fan.

    limit = gain * sqrt(3 / fan). He et al. 2015, whose factor is the gain sqrt(2). The gain is
    finite, 0 or more.

    Args:
        dtype: of the arrays, floating.
        seed: an integer, a SeedGenerator, or None for MLX's random state.
        name: part of the content.
        client: who samples.
    """
    sampler = Sampler(dtype, seed, name, client)

    def initializer(a: mx.array, mode: Mode = "fan_in", gain: float = 1.0) -> mx.array:
        shape = shape_of(a)
        return sampler.fill(shape, centred_uniform(he_std(shape, mode, gain)))

    return initializer


def orthogonal(
    gain: float = 1.0,
    dtype: mx.Dtype = mx.float32,
    *,
    seed: Seed = None,
    name: str = "",
    client: Client | None = None,
) -> Initializer:
    """Return an initializer of matrices with orthonormal columns (rows, where there are fewer).

    Args:
        gain: multiplies every element, finite.
        dtype: of the arrays, floating.
        seed: an integer, a SeedGenerator, or None for MLX's random state.
        name: part of the content.
        client: who samples.
    """
    spec = OrthogonalSpec(gain)
    sampler = Sampler(dtype, seed, name, client)
    return lambda a: sampler.fill(matrix_shape(a), spec)


def sparse(
    sparsity: float,
    mean: float = 0.0,
    std: float = 1.0,
    dtype: mx.Dtype = mx.float32,
    *,
    seed: Seed = None,
    name: str = "",
    client: Client | None = None,
) -> Initializer:
    """Return an initializer of normal matrices with the same number of zeros in each row.

    Martens 2010.

    Args:
        sparsity: the part of each row that is 0, rounded up to whole elements; from 0 to 1.
        mean: of the others, finite.
        std: the standard deviation of the others, finite, 0 or more.
        dtype: of the arrays, floating.
        seed: an integer, a SeedGenerator, or None for MLX's random state.
        name: part of the content.
        client: who samples.
    """
    spec = SparseSpec(sparsity, not_negative("std", std), axis=1)
    others = RandomNormalSpec(mean, std)
    sampler = Sampler(dtype, seed, name, client)

    def initializer(a: mx.array) -> mx.array:
        shape = matrix_shape(a)
        return (
            sampler.fill(shape, spec)
            if others.mean == 0
            else sampler.fill_around_zeros(shape, others, spec)
        )

    return initializer
