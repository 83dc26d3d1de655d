"""Random orthogonal initializers: one matrix, several, or one at a kernel's centre."""

from typing import Any

from seedbed.initializers.base import Initializer, Seed
from seedbed.initializers.layouts import batch_config, batched
from seedbed.initializers.parameters import Parameter
from seedbed.spec import initializers as specs
from seedbed.spec.fans import Axes


class Orthogonal(Initializer):
    """A random matrix with orthonormal columns (rows, where there are fewer). Saxe et al. 2014.

    Floating dtypes; rank 2 or more: all axes but the last are the rows. The same values on each
    call.

    A tensor may hold several matrices, independent of each other: one for each index of the batch
    axes (stacked experts), and one for each of ``blocks`` equal parts of one axis (a packed query,
    key and value).

    Args:
        gain: multiplies every element, finite.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
        batch_axis: axes that stack matrices, an integer or several; the matrices are made of the
            other axes.
        blocks: how many equal parts the tensor is cut into, each orthogonal by itself; 1 or more.
        block_axis: the axis that is cut, one of the whole tensor's, none of the batch; ``blocks``
            divides its length.
    """

    gain = Parameter[float]()
    blocks = Parameter[int]()
    block_axis = Parameter[int]()

    def __init__(
        self,
        gain: float = 1.0,
        seed: Seed = None,
        *,
        batch_axis: Axes = (),
        blocks: int = 1,
        block_axis: int = -1,
    ) -> None:
        super().__init__(specs.OrthogonalSpec(gain, blocks, block_axis), seed, batched(batch_axis))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; those unknown to Keras only where they matter."""
        config = super().get_config()
        blocks, block_axis = config.pop("blocks"), config.pop("block_axis")
        if (blocks, block_axis) != (1, -1):
            config |= {"blocks": blocks, "block_axis": block_axis}
        return config | batch_config(self.fan_axes)


class DeltaOrthogonal(Initializer):
    """A kernel: a random orthogonal matrix at its spatial centre, and 0 elsewhere.

    Xiao et al. 2018. Floating dtypes; rank 3 to 5 with the axes (spatial..., in, out), not more
    inputs than outputs: the rows of the matrix (inputs) are orthonormal. The centre of a spatial
    axis is index (length - 1) // 2. The same values on each call.

    Args:
        gain: multiplies every element, finite.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    gain = Parameter[float]()

    def __init__(self, gain: float = 1.0, seed: Seed = None) -> None:
        super().__init__(specs.DeltaOrthogonalSpec(gain), seed)
