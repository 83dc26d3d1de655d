"""What a report knows of one tensor: measured figures beside the exact ones."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.reports.distributions import Exact
from seedbed.reports.moments import blocks_of, moments_of

BINS = 40
# A histogram is no narrower, as a part of its numbers or at all: float64 has no numbers for the
# edges of its bins, or none for the densities.
NARROWEST_PART, NARROWEST = 2.0**-44, 1e-290
# Where a histogram without an exact distribution ends: a normal's tails beyond are 6 in 100,000.
SHOWN_STDDEVS = 4.0


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many elements lie in each of equally wide bins."""

    low: float
    """Where the first bin begins."""
    high: float
    """Where the last one ends."""
    counts: tuple[int, ...]
    """Elements in each bin; what lies outside is in none."""


@dataclass(frozen=True, slots=True)
class TensorFigures:
    """The figures of one tensor."""

    name: str
    """Its name."""
    shape: tuple[int, ...]
    """The lengths of its axes."""
    dtype: str
    """The type of its elements."""
    size_bytes: int
    """Its bytes, all of them."""
    rule: str
    """What filled it, as text; empty where that is not known."""
    seed: int | None
    """The seed of a random rule; None where there is none, or it is not known."""
    draw: int | None
    """Which draw of the seed; None likewise."""
    fan_in: float | None
    """The number of inputs; None where it does not matter, or is not known."""
    measured_shape: tuple[int, ...]
    """The shape of what was looked at: the whole, or the first rows."""
    not_finite: int
    """How many of them are NaN or infinite."""
    mean: float
    """The mean of the finite ones; NaN if there are none."""
    std: float
    """Their standard deviation, divided by the count."""
    least: float
    """The least of them."""
    largest: float
    """The largest of them."""
    exact: Exact | None
    """The distribution that they are drawn from, where there is a density and it is known."""
    histogram: Histogram
    """Of the finite ones."""
    digest: str
    """The digest of all bytes; empty where it was not asked for."""

    @property
    def elements(self) -> int:
        """How many elements it has."""
        return math.prod(self.shape)

    @property
    def is_constant(self) -> bool:
        """Whether all finite elements that were looked at are the same."""
        return self.least == self.largest

    @property
    def measured(self) -> int:
        """How many elements were looked at: all, or the first rows."""
        return math.prod(self.measured_shape)

    @property
    def finite(self) -> int:
        """How many of the elements that were looked at are neither NaN nor infinite."""
        return self.measured - self.not_finite

    @property
    def ratio(self) -> float | None:
        """The measured standard deviation as a part of the exact one; None without that."""
        return self.std / self.exact.stddev if self.exact and self.exact.stddev else None

    @property
    def mean_z(self) -> float | None:
        """How many standard errors the mean lies above the exact one; None without that.

        By chance it is beyond 3, either way, once in 370 tensors.
        """
        if self.exact is None or not self.exact.stddev or self.finite < 2:
            return None
        return (self.mean - self.exact.mean) / self.exact.stddev * math.sqrt(self.finite)

    @property
    def std_z(self) -> float | None:
        """How many standard errors the standard deviation lies above the exact one; None likewise.

        Rounding widens a distribution a little, which shows in float8.
        """
        if self.ratio is None or self.exact is None or self.finite < 2:
            return None
        # Kendall and Stuart, The Advanced Theory of Statistics 1, section 10.8; 1 / sqrt(2 n) for
        # a normal, less for what is bounded.
        return (self.ratio - 1) / math.sqrt((self.exact.kurtosis - 1) / (4 * self.finite))


def measured_figures(
    name: str,
    array: NDArray[Any],
    shape: tuple[int, ...],
    *,
    dtype: str,
    size_bytes: int,
    rule: str = "",
    seed: int | None = None,
    draw: int | None = None,
    fan_in: float | None = None,
    exact: Exact | None = None,
    digest: str = "",
) -> TensorFigures:
    """Return the figures of a tensor.

    Args:
        name: its name.
        array: its elements, or some of them.
        shape: of all of it.
        dtype: likewise.
        size_bytes: likewise.
        rule: what filled it.
        seed: of a random rule.
        draw: likewise.
        fan_in: the number of inputs.
        exact: what its elements are drawn from.
        digest: of all bytes.
    """
    not_finite = sum(int((~np.isfinite(block)).sum()) for block in blocks_of(array))
    moments = moments_of(array, finite_only=True)
    mean, std, least, largest = (
        math.nan if each is None else each
        for each in (moments.mean, moments.std, moments.min, moments.max)
    )
    low, high = _with_room(*_shown(mean, std, least, largest, exact))
    counts = np.zeros(BINS, np.int64)
    for block in blocks_of(array, finite_only=True):
        counts += np.histogram(block, BINS, (low, high))[0]
    histogram = Histogram(low, high, tuple(map(int, counts)))
    return TensorFigures(
        name,
        shape,
        dtype,
        size_bytes,
        rule,
        seed,
        draw,
        fan_in,
        array.shape,
        not_finite,
        mean,
        std,
        least,
        largest,
        exact,
        histogram,
        digest,
    )


def _shown(
    mean: float, std: float, least: float, largest: float, exact: Exact | None
) -> tuple[float, float]:
    """Return the range that a histogram covers."""
    if exact is not None:
        return exact.shown
    if not least < largest:  # constant, or nothing
        middle = least if math.isfinite(least) else 0.0
        return middle - 0.5, middle + 0.5
    return max(least, mean - SHOWN_STDDEVS * std), min(largest, mean + SHOWN_STDDEVS * std)


def _with_room(low: float, high: float) -> tuple[float, float]:
    """Return a range whose bins have a width that is a number, and not 0."""
    if math.isinf(high - low):
        return low / 2, high / 2
    narrowest = max(NARROWEST, NARROWEST_PART * max(abs(low), abs(high)))
    lacking = max(0.0, narrowest - (high - low)) / 2
    return low - lacking, high + lacking
