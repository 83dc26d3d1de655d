"""The seed and the draw of each of an initializer's calls.

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
from typing import SupportsIndex

import mlx.core as mx

from seedbed.initializers.seeds import SeedGenerator
from seedbed.spec.seeds import as_seed
from seedbed.spec.tensors import as_name

Seed = SupportsIndex | SeedGenerator | None

# MLX makes integers of floats; 16 bits are exact.
BITS = 16
WORDS = 64 // BITS


class Draws:
    """The seed and the draw of one call after another.

    Args:
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for MLX's random state.
        name: part of the content; with one, calls are independent of each other.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if a value is not allowed.
    """

    def __init__(self, seed: Seed, name: str) -> None:
        if seed is not None and not isinstance(seed, SeedGenerator):
            seed = as_seed(seed)
        self._seed: int | SeedGenerator | None = seed
        self.name = as_name(name)
        """Part of the content."""
        self._counter = itertools.count()  # its next() is one step, also for threads

    def take(self) -> tuple[int, int]:
        """Return the seed's 64 bits and the draw of the next call."""
        if self._seed is None:
            return seed_from_mlx(), 0
        if isinstance(self._seed, SeedGenerator):
            return as_seed(self._seed.seed), 0 if self.name else self._seed.next_draw()
        return self._seed, 0 if self.name else next(self._counter)


def seed_from_mlx() -> int:
    """Return 64 bits from MLX's random state, which moves on."""
    words = mx.random.randint(0, 2**BITS, (WORDS,), dtype=mx.uint32).tolist()
    return sum(int(word) << BITS * place for place, word in enumerate(words))
