"""The identity matrix as an initializer."""

from seedbed.initializers.base import Initializer
from seedbed.wire import initializers as wire


class Identity(Initializer):
    """The identity matrix times a gain; rank 2, rectangular allowed. Every dtype that can hold the gain.

    Args:
        gain: what the diagonal holds, finite.
    """

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__(wire.IdentitySpec(gain))
