"""Where the content of an initializer's calls comes from: who samples, and which seed and draw each call uses.

- An integer: the calls are draws 0, 1, 2, ... of that seed, so that arrays of one shape get
  different numbers.
- An integer and a name: every call is draw 0, so that an array depends on seed and name, not on the
  order of calls.
- A SeedGenerator: each call is its next draw, also where several initializers share it; with a
  name, draw 0.
- None: each call takes 64 bits from MLX's own random state, so that ``mx.random.seed`` makes it
  repeatable.
"""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, SupportsIndex

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from seedbed.client import Client
from seedbed.defaults import get_default_client
from seedbed.initializers.seeds import SeedGenerator
from seedbed.mlx.arrays import array_of, dtype_of
from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import bad_type
from seedbed.spec.initializers import InitializerSpec, SparseSpec
from seedbed.spec.seeds import as_seed
from seedbed.spec.tensors import TensorSpec, as_name

Seed = SupportsIndex | SeedGenerator | None

# MLX makes integers of floats; 16 bits are exact.
BITS = 16
WORDS = 64 // BITS


class Source:
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
        if client is not None and not isinstance(client, Client):
            raise bad_type("client", "a Client or None", client)
        if seed is not None and not isinstance(seed, SeedGenerator):
            seed = as_seed(seed)
        self._dtype = dtype_of(dtype)
        self._seed: int | SeedGenerator | None = seed
        self._name = as_name(name)
        self._client = client
        self._counter = itertools.count()  # its next() is one step, also for threads

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
        for initializer, dtype in dtypes.items():
            # A call that is wrong must not use a draw.
            TensorSpec(self._name, shape, dtype, initializer, seed=0)
        seed, draw = self._next()
        client = self._client or get_default_client()
        specs = [
            TensorSpec(self._name, shape, dtype, each, seed=seed, draw=draw)
            for each, dtype in dtypes.items()
        ]
        return [client.sample(spec) for spec in specs]

    def _next(self) -> tuple[int, int]:
        if self._seed is None:
            return seed_from_mlx(), 0
        if isinstance(self._seed, SeedGenerator):
            return as_seed(self._seed.seed), 0 if self._name else self._seed.next_draw()
        return self._seed, 0 if self._name else next(self._counter)


def seed_from_mlx() -> int:
    """Return 64 bits from MLX's random state, which moves on."""
    words = mx.random.randint(0, 2**BITS, (WORDS,), dtype=mx.uint32).tolist()
    return sum(int(word) << BITS * place for place, word in enumerate(words))
