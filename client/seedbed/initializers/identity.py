"""The identity matrix, or a batch of them, as an initializer."""

from typing import Any

from seedbed.initializers.base import Initializer
from seedbed.initializers.layouts import batch_config, batched
from seedbed.initializers.parameters import Parameter
from seedbed.spec import initializers as specs
from seedbed.spec.fans import Axes


class Identity(Initializer):
    """The identity matrix times a gain; rectangular allowed. Every dtype that can hold the gain.

    Rank 2, or two axes besides those of the batch: each index of these has a matrix of its own.

    Args:
        gain: what the diagonal holds, finite.
        batch_axis: axes that stack matrices, an integer or several.
    """

    gain = Parameter[float]()

    def __init__(self, gain: float = 1.0, *, batch_axis: Axes = ()) -> None:
        super().__init__(specs.IdentitySpec(gain), fan_axes=batched(batch_axis))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; the batch's axes only where there are any."""
        return super().get_config() | batch_config(self.fan_axes)
