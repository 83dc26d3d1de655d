"""The exact distribution behind a sample: its density, mean and standard deviation."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seedbed.spec.info import TensorDescription

# Where a picture ends for a tail without a bound: 1 of 15,787 normal numbers lies further out.
SHOWN_STDDEVS = 4.0
# So many standard deviations away, a normal's fourth moment has no part in seven digits.
INFINITE = 12.0
# Between bounds that are nearer, the density is next to a polynomial of few terms.
NARROW, GAUSS_POINTS = 0.5, 16


@dataclass(frozen=True, slots=True)
class Exact:
    """A distribution with a density."""

    label: str
    """In words, with its figures."""
    low: float
    """The least number, or -inf."""
    high: float
    """The largest number, or inf."""
    mean: float
    """The exact mean."""
    stddev: float
    """The exact standard deviation, after truncation."""
    location: float
    """A normal's mean before truncation; not used for a uniform."""
    scale: float
    """A normal's standard deviation before truncation; 0 is a uniform."""
    mass: float
    """The probability that truncation left."""

    def density(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the density at each number."""
        inside = (x >= self.low) & (x <= self.high)
        if not self.scale:
            return np.where(inside, 1 / (self.high - self.low), 0.0)
        z = (x - self.location) / self.scale
        with np.errstate(over="ignore"):  # so far away it is 0
            bell = np.exp(-z * z / 2)
        bell /= math.sqrt(2 * math.pi) * self.scale * self.mass
        return np.where(inside, bell, 0.0)

    def probability(self, low: float, high: float) -> float:
        """Return the probability of the numbers between two."""
        low, high = max(low, self.low), min(high, self.high)
        if low >= high:
            return 0.0
        if not self.scale:
            return (high - low) / (self.high - self.low)
        ends = ((end - self.location) / self.scale for end in (low, high))
        return _probability(*ends) / self.mass

    def in_units_of(self, unit: float) -> "Exact":
        """Return the distribution of the numbers divided by a positive one; the label stays."""
        names = ("low", "high", "mean", "stddev", "location", "scale")
        return replace(self, **{name: getattr(self, name) / unit for name in names})

    @property
    def kurtosis(self) -> float:
        """The fourth central moment in units of the variance's square: 1.8 of a uniform."""
        if not self.scale:
            return 1.8
        low, high = (
            (self.low - self.location) / self.scale,
            (self.high - self.location) / self.scale,
        )
        # Beyond, nothing has a weight, even where a tail is all that truncation left.
        low, high = max(low, min(high, 0.0) - INFINITE), min(high, max(low, 0.0) + INFINITE)
        z = np.linspace(low, high, 20_001)
        weights = np.exp((np.square(z).min() - np.square(z)) / 2)
        squares = np.square(z - np.average(z, weights=weights))
        variance = np.average(squares, weights=weights)
        return float(np.average(np.square(squares), weights=weights) / variance**2)

    @property
    def shown(self) -> tuple[float, float]:
        """The range that a picture shows."""
        if not self.scale:
            return self.low, self.high
        # Of a tail, the ends that its own figures give lie further out.
        return (
            max(self.low, min(self._shown_around(-1))),
            min(self.high, max(self._shown_around(1))),
        )

    def _shown_around(self, side: int) -> tuple[float, float]:
        """Return where a picture may end: by the figures before, and after truncation."""
        reach = side * SHOWN_STDDEVS
        return self.location + reach * self.scale, self.mean + reach * self.stddev


def exact_distribution(description: TensorDescription) -> Exact | None:
    """Return a described tensor's distribution, or None where there is no density."""
    d = description
    if d.minval is not None and d.maxval is not None and d.minval < d.maxval:
        low, high = d.minval, d.maxval
        label = "uniform on [{}, {})".format(*_ends(low, high))
        middle, width = low + (high - low) / 2, high - low
        return Exact(label, low, high, middle, width / math.sqrt(12), middle, 0.0, 1.0)
    if d.mean is None or not d.stddev:
        return None
    lower = -math.inf if d.lower is None else d.lower
    upper = math.inf if d.upper is None else d.upper
    found = _normal(d.mean, d.stddev, lower, upper)
    low, high = found.shown
    return found if low < high else None  # next to such a mean, float64 has no other numbers


def _normal(mean: float, stddev: float, lower: float, upper: float) -> Exact:
    low, high = mean + lower * stddev, mean + upper * stddev
    mass, shift, variance = _truncated(lower, upper)
    label = f"normal, mean {mean:.6g}, stddev {stddev:.6g}"
    if math.isfinite(lower) or math.isfinite(upper):
        label += ", truncated to [{}, {}]".format(*_ends(low, high))
    spread = stddev * math.sqrt(variance)
    return Exact(label, low, high, mean + shift * stddev, spread, mean, stddev, mass)


def _truncated(lower: float, upper: float) -> tuple[float, float, float]:
    """Return a truncated standard normal's mass, mean and variance."""
    if upper - lower > NARROW:
        # Johnson, Kotz and Balakrishnan 1994, section 13.10.1.
        mass = _probability(lower, upper)
        mean = (_bell(lower) - _bell(upper)) / mass
        return mass, mean, 1 - mean * mean + (_edge(lower) - _edge(upper)) / mass
    # Their differences would cancel. From the middle on, Gauss and Legendre's rule is exact.
    middle, half = lower + (upper - lower) / 2, (upper - lower) / 2
    points, weights = np.polynomial.legendre.leggauss(GAUSS_POINTS)
    offsets = half * points
    weights = weights * np.exp(-offsets * (offsets + 2 * middle) / 2)
    shift = np.average(offsets, weights=weights)
    variance = np.average(np.square(offsets - shift), weights=weights)
    mass = _bell(middle) * half * weights.sum()
    return float(mass), float(middle + shift), float(variance)


def _ends(low: float, high: float) -> tuple[str, str]:
    """Return two numbers as different texts, if they differ."""
    texts = ((f"{low:.{digits}g}", f"{high:.{digits}g}") for digits in range(6, 18))
    return next((pair for pair in texts if pair[0] != pair[1]), (f"{low:.6g}", f"{high:.6g}"))


def _probability(lower: float, upper: float) -> float:
    """Return a standard normal's probability between the bounds.

    It is computed from the nearer tail, where nothing cancels.
    """
    if lower > 0:
        lower, upper = -upper, -lower
    return (math.erfc(-upper / math.sqrt(2)) - math.erfc(-lower / math.sqrt(2))) / 2


def _bell(z: float) -> float:
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def _edge(z: float) -> float:
    return z * _bell(z) if math.isfinite(z) else 0.0
