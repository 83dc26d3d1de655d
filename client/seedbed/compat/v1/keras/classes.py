"""``tf.compat.v1.keras.initializers`` that differ from the classes outside of Keras.

They have other arguments or defaults.
"""

from typing import Any, ClassVar

from seedbed.compat.v1 import distributions, scaling
from seedbed.compat.v1.base import Initializer
from seedbed.initializers import DEFAULT_DTYPE, Seed
from seedbed.spec import initializers as specs

MODULE = "seedbed.compat.v1.keras.initializers"


class RandomNormal(distributions.RandomNormal):
    """Normal numbers on the whole line. Floating dtypes.

    Args:
        mean: finite.
        stddev: finite, 0 or more.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
        dtype: of calls that name none.
    """

    module: ClassVar[str | None] = MODULE

    def __init__(
        self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None, dtype: Any = DEFAULT_DTYPE
    ) -> None:
        super().__init__(mean, stddev, seed, dtype)


class RandomUniform(distributions.RandomUniform):
    """Uniform numbers on [minval, maxval). Floating dtypes.

    Args:
        minval: the lower end, included, finite.
        maxval: the upper end, excluded, finite, at least ``minval``.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
        dtype: of calls that name none.
    """

    module: ClassVar[str | None] = MODULE

    def __init__(
        self,
        minval: float = -0.05,
        maxval: float = 0.05,
        seed: Seed = None,
        dtype: Any = DEFAULT_DTYPE,
    ) -> None:
        super().__init__(minval, maxval, seed, dtype)


class TruncatedNormal(distributions.TruncatedNormal):
    """Normal numbers, conditioned on lying within two standard deviations. Floating dtypes.

    Args:
        mean: before truncation, finite.
        stddev: before truncation, finite, 0 or more.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
        dtype: of calls that name none.
    """

    module: ClassVar[str | None] = MODULE

    def __init__(
        self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None, dtype: Any = DEFAULT_DTYPE
    ) -> None:
        super().__init__(mean, stddev, seed, dtype)


class _FanIn(scaling.VarianceScaling):
    """A variance scaling by the inputs; these classes take no dtype, which is float32."""

    module: ClassVar[str | None] = MODULE
    _meaningless: ClassVar[tuple[str, ...]] = ("dtype",)
    _kind: ClassVar[type[specs.FixedScalingSpec]]

    def __init__(self, seed: Seed = None) -> None:
        Initializer.__init__(self, self._kind(), seed)


class HeNormal(_FanIn):
    """Truncated normal with variance 2 / fan_in. He et al. 2015. Floating dtypes.

    Args:
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    _kind = specs.HeNormalSpec


class HeUniform(_FanIn):
    """Uniform with limit = sqrt(6 / fan_in). He et al. 2015. Floating dtypes.

    Args:
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    _kind = specs.HeUniformSpec


class LecunNormal(_FanIn):
    """Truncated normal with variance 1 / fan_in. LeCun et al. 1998. Floating dtypes.

    Args:
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    _kind = specs.LecunNormalSpec


class LecunUniform(_FanIn):
    """Uniform with limit = sqrt(3 / fan_in). LeCun et al. 1998. Floating dtypes.

    Args:
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    _kind = specs.LecunUniformSpec
