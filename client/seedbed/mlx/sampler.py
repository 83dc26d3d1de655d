"""The arrays of an initializer's calls: one dtype, one sequence of draws, one client."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from seedbed.client import Client
from seedbed.defaults import check_client, client_or_default
from seedbed.mlx.arrays import array_of, dtype_of
from seedbed.mlx.seeds import Draws, Seed
from seedbed.spec.dtypes import Dtype
from seedbed.spec.initializers import InitializerSpec, SparseSpec
from seedbed.spec.tensors import TensorSpec


class Sampler:
    """Fills arrays with one dtype, from one seed.

    Args:
        dtype: of the arrays.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for MLX's random state.
        name: part of the content; with one, calls are independent of each other.
        client: who samples; None is the default at the time of a call.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if a value is not allowed.
    """

    def __init__(self, dtype: Any, seed: Seed, name: str, client: Client | None) -> None:
        check_client(client)
        self._draws = Draws(seed, name)
        self._dtype = dtype_of(dtype)
        self._client = client

    def fill(self, shape: tuple[int, ...], initializer: InitializerSpec) -> mx.array:
        """Return the array of the next call."""
        return array_of(self._sample(shape, {initializer: self._dtype})[0], self._dtype)

    def fill_around_zeros(
        self, shape: tuple[int, ...], initializer: InitializerSpec, zeros: SparseSpec
    ) -> mx.array:
        """Return the array of the next call, with zeros where a sparse one has them.

        Random numbers depend on seed, name and draw, not on the initializer: with mean 0, this is
        the sparse array.
        """
        # Of 64-bit words, only one in 2**63 is a zero by itself.
        pattern = replace(zeros, stddev=1.0)
        values, places = self._sample(shape, {initializer: self._dtype, pattern: Dtype.FLOAT64})
        return array_of(np.where(places == 0, values.dtype.type(0), values), self._dtype)

    def _sample(
        self, shape: tuple[int, ...], dtypes: Mapping[InitializerSpec, Dtype]
    ) -> list[NDArray[Any]]:
        name = self._draws.name
        for initializer, dtype in dtypes.items():
            # A call that is wrong must not use a draw.
            TensorSpec(name, shape, dtype, initializer, seed=0)
        seed, draw = self._draws.take()
        client = client_or_default(self._client)
        specs = [
            TensorSpec(name, shape, dtype, each, seed=seed, draw=draw)
            for each, dtype in dtypes.items()
        ]
        return [client.sample(spec) for spec in specs]
