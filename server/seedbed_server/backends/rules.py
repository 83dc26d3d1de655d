"""Element rules: how a tensor's elements follow from their index, as values."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedbed.spec.initializers import Scaling, Side, Window
from seedbed_server.backends.grids import BlockGrid
from seedbed_server.kernels.keys import Key


@dataclass(frozen=True, slots=True)
class Fill:
    """Every element is the same."""

    value: float
    """Any number that the dtype can hold."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a tensor, as its elements' indices show it."""

    stride: int
    """By how much two neighbours' indices differ."""
    length: int
    """The axis's length."""

    def places(self, indices: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return where on the axis the elements with these indices are."""
        return indices // np.uint64(self.stride) % np.uint64(self.length)


@dataclass(frozen=True, slots=True)
class Diagonal:
    """One number where two axes have the same index, and others a fixed one; 0 elsewhere."""

    value: float
    """What the diagonal holds."""
    row: Axis
    """The axis whose index is compared."""
    column: Axis
    """The axis that it is compared with."""
    period: int
    """After so many rows the diagonal begins anew."""
    centre: tuple[tuple[Axis, int], ...] = ()
    """Axes that have one index on the diagonal."""


@dataclass(frozen=True, slots=True)
class Uniform:
    """Uniform on [minval, maxval)."""

    minval: float
    """The lower end, included."""
    maxval: float
    """The upper end, excluded."""


@dataclass(frozen=True, slots=True)
class Normal:
    """Normal, conditioned on lying between bounds."""

    mean: float
    """The mean before truncation."""
    stddev: float
    """The standard deviation before truncation."""
    lower: float = -math.inf
    """The lower bound in standard deviations."""
    upper: float = math.inf
    """The upper bound in standard deviations."""


@dataclass(frozen=True, slots=True)
class Orthogonal:
    """Blocks with orthonormal rows or columns, times a gain; each is computed in one piece."""

    gain: float
    """Multiplies every element."""
    grid: BlockGrid
    """The blocks."""


@dataclass(frozen=True, slots=True)
class Sparse:
    """A matrix of normal numbers with some zeros in each line along one axis.

    Which elements of a line are 0 depends on all of the line.
    """

    stddev: float
    """The standard deviation of the numbers."""
    zeros: int
    """How many elements of each line are 0."""
    axis: int
    """Along which a line runs: 0 for columns, 1 for rows."""
    shape: tuple[int, int]
    """Rows and columns."""
    key: Key
    """Of the words that decide which elements are 0."""

    @property
    def line_elements(self) -> int:
        """How many elements a line has."""
        return self.shape[self.axis]


@dataclass(frozen=True, slots=True)
class Stft:
    """The kernel of a short-time Fourier transform, of shape (frame_length, 1, bins)."""

    side: Side
    """Cosines (``real``) or sines with a minus sign (``imag``)."""
    window: Window | None
    """What a frame is multiplied with."""
    scaling: Scaling | None
    """What a windowed kernel is divided by."""
    periodic: bool
    """Whether the window is one period of a periodic one."""
    frame_length: int
    """The first axis."""
    bins: int
    """The last axis."""


ElementwiseRule = Fill | Diagonal | Uniform | Normal
WholeRule = Orthogonal | Sparse | Stft
"""Rules by which elements are looked up in something that is computed whole."""
ElementRule = ElementwiseRule | WholeRule
"""How elements follow from their index and the key."""
