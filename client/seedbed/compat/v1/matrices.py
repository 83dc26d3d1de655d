"""TensorFlow 1's initializers of matrices: the identity, and a random orthogonal one."""

from typing import Any

from seedbed.compat.v1.base import Initializer
from seedbed.initializers import DEFAULT_DTYPE, Seed
from seedbed.initializers.parameters import Parameter
from seedbed.spec import initializers as specs


class Identity(Initializer):
    """The identity matrix times a gain.

    Rank 2, rectangular allowed. Every dtype that can hold the gain.

    Args:
        gain: what the diagonal holds, finite.
        dtype: of calls that name none.
    """

    gain = Parameter[float]()

    def __init__(self, gain: float = 1.0, dtype: Any = DEFAULT_DTYPE) -> None:
        super().__init__(specs.IdentitySpec(gain), dtype=dtype)


class Orthogonal(Initializer):
    """A random matrix with orthonormal columns (rows, where there are fewer).

    Saxe et al. 2014. Floating dtypes.

    Args:
        gain: multiplies every element, finite.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
        dtype: of calls that name none.
    """

    gain = Parameter[float]()

    def __init__(self, gain: float = 1.0, seed: Seed = None, dtype: Any = DEFAULT_DTYPE) -> None:
        super().__init__(specs.OrthogonalSpec(gain), seed, dtype)
