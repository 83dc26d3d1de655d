"""Initializers of a given distribution, whatever the shape."""

from typing import Any

from seedbed.initializers.base import Initializer, Seed
from seedbed.initializers.parameters import Parameter
from seedbed.spec import initializers as specs


class RandomUniform(Initializer):
    """Uniform numbers on [minval, maxval). Floating dtypes. The same values on each call.

    Args:
        minval: the lower end, included, finite.
        maxval: the upper end, excluded, finite, at least ``minval``.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    minval = Parameter[float]()
    maxval = Parameter[float]()

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Seed = None) -> None:
        super().__init__(specs.RandomUniformSpec(minval, maxval), seed)


class RandomNormal(Initializer):
    """Normal numbers on the whole line. Floating dtypes. The same values on each call.

    Args:
        mean: finite.
        stddev: finite, 0 or more.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    mean = Parameter[float]()
    stddev = Parameter[float]()

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None) -> None:
        super().__init__(specs.RandomNormalSpec(mean, stddev), seed)


class TruncatedNormal(Initializer):
    """Normal numbers, conditioned on lying within bounds.

    Floating dtypes. The same values on each call.

    Args:
        mean: before truncation, finite.
        stddev: before truncation, finite, 0 or more.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
        lower: the lower bound in standard deviations from the mean, at most 4; may be ``-inf``.
        upper: the upper bound in standard deviations from the mean, at least -4; may be ``inf``.
    """

    mean = Parameter[float]()
    stddev = Parameter[float]()
    lower = Parameter[float]()
    upper = Parameter[float]()

    def __init__(
        self,
        mean: float = 0.0,
        stddev: float = 0.05,
        seed: Seed = None,
        *,
        lower: float = -2.0,
        upper: float = 2.0,
    ) -> None:
        super().__init__(specs.TruncatedNormalSpec(mean, stddev, lower, upper), seed)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; the bounds only where they are not Keras's."""
        config = super().get_config()
        if (config["lower"], config["upper"]) == (-2.0, 2.0):
            del config["lower"], config["upper"]
        return config
