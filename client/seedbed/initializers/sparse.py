"""A normal matrix of which a part is zero, as an initializer."""

from seedbed.initializers.base import Initializer, Seed
from seedbed.initializers.parameters import Parameter
from seedbed.spec import initializers as specs


class Sparse(Initializer):
    """Normal numbers with mean 0, with equally many random zeros in each line.

    Martens 2010. Floating dtypes, rank 2. The same values on each call.

    Args:
        sparsity: the part of each line that is 0, from 0 to 1; ceil(sparsity * length) elements
            are.
        stddev: of the others, finite, 0 or more.
        axis: along which the zeros are counted: 0 for those of each column, as PyTorch's
            ``sparse_`` does, 1 for those of each row.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    sparsity = Parameter[float]()
    stddev = Parameter[float]()
    axis = Parameter[int]()

    def __init__(
        self, sparsity: float, stddev: float = 0.01, axis: int = 0, seed: Seed = None
    ) -> None:
        super().__init__(specs.SparseSpec(sparsity, stddev, axis), seed)
