"""TensorFlow 1's initializers that draw from a distribution with given parameters."""

from typing import Any

from seedbed.compat.v1.base import Initializer
from seedbed.initializers import DEFAULT_DTYPE, Seed
from seedbed.initializers.parameters import Parameter
from seedbed.spec import initializers as specs


class RandomUniform(Initializer):
    """Uniform numbers on [minval, maxval). Floating dtypes.

    Args:
        minval: the lower end, included, finite.
        maxval: the upper end, excluded, finite; None is 1.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
        dtype: of calls that name none.
    """

    minval = Parameter[float]()
    maxval = Parameter[float]()

    def __init__(
        self,
        minval: float = 0.0,
        maxval: float | None = None,
        seed: Seed = None,
        dtype: Any = DEFAULT_DTYPE,
    ) -> None:
        super().__init__(
            specs.RandomUniformSpec(minval, 1.0 if maxval is None else maxval), seed, dtype
        )


class RandomNormal(Initializer):
    """Normal numbers on the whole line. Floating dtypes.

    Args:
        mean: finite.
        stddev: finite, 0 or more.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
        dtype: of calls that name none.
    """

    mean = Parameter[float]()
    stddev = Parameter[float]()

    def __init__(
        self, mean: float = 0.0, stddev: float = 1.0, seed: Seed = None, dtype: Any = DEFAULT_DTYPE
    ) -> None:
        super().__init__(specs.RandomNormalSpec(mean, stddev), seed, dtype)


class TruncatedNormal(Initializer):
    """Normal numbers, conditioned on lying within two standard deviations. Floating dtypes.

    Args:
        mean: before truncation, finite.
        stddev: before truncation, finite, 0 or more.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
        dtype: of calls that name none.
    """

    mean = Parameter[float]()
    stddev = Parameter[float]()

    def __init__(
        self, mean: float = 0.0, stddev: float = 1.0, seed: Seed = None, dtype: Any = DEFAULT_DTYPE
    ) -> None:
        super().__init__(specs.TruncatedNormalSpec(mean, stddev), seed, dtype)
