"""Random orthogonal matrices as an initializer."""

from seedbed.initializers.base import Initializer, Seed
from seedbed.wire import initializers as wire


class Orthogonal(Initializer):
    """A random matrix with orthonormal columns (rows, where there are fewer). Saxe et al. 2014.

    Floating dtypes; rank 2 or more: all axes but the last are the rows. The same values on each call.

    Args:
        gain: multiplies every element, finite.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    def __init__(self, gain: float = 1.0, seed: Seed = None) -> None:
        super().__init__(wire.OrthogonalSpec(gain), seed)
