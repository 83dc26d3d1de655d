"""Statistical checks that fair numbers fail once in a million times.

A failed check raises AssertionError. All bands come from theory, none from trying. The seeds are
fixed, so a check passes always or never; with some 1,000 comparisons, one set of seeds in 1,000
would be unlucky.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import ndtr

ALPHA = 1e-6
"""The probability at which a single comparison counts as failed."""
BAND = float(stats.norm.isf(ALPHA / 2))
"""The same in standard deviations: 4.89."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Distribution:
    """What numbers should follow."""

    exact: Any
    """A frozen distribution of scipy.stats."""
    cdf: Callable[[Numbers], Numbers]
    """Its distribution function; scipy's takes a second for a million truncated normal numbers."""


def uniform(low: float, high: float) -> Distribution:
    """Return the uniform distribution between two numbers."""
    return Distribution(stats.uniform(low, high - low), lambda x: (x - low) / (high - low))


def normal(
    mean: float, stddev: float, lower: float = -math.inf, upper: float = math.inf
) -> Distribution:
    """Return the normal distribution, truncated at bounds in standard deviations."""
    below, mass = ndtr(lower), ndtr(upper) - ndtr(lower)
    exact = (
        stats.truncnorm(lower, upper, loc=mean, scale=stddev)
        if mass < 1
        else stats.norm(mean, stddev)
    )
    return Distribution(exact, lambda x: (ndtr((x - mean) / stddev) - below) / mass)


def flat(values: NDArray[Any]) -> Numbers:
    """Return the numbers as one row of float64."""
    return values.astype(np.float64).reshape(-1)


def standardized(values: NDArray[Any], distribution: Distribution) -> Numbers:
    """Return the numbers in standard deviations from the mean, by the exact distribution's."""
    z: Numbers = (flat(values) - distribution.exact.mean()) / distribution.exact.std()
    return z


def check_distribution_function(values: NDArray[Any], distribution: Distribution) -> None:
    """Compare the empirical distribution function with the exact one (Kolmogorov and Smirnov)."""
    u = distribution.cdf(np.sort(flat(values)))
    steps = np.arange(u.size + 1) / u.size
    distance = max(float(np.max(steps[1:] - u)), float(np.max(u - steps[:-1])))
    likelihood = float(stats.kstwobign.sf(distance * math.sqrt(u.size)))
    assert likelihood > ALPHA, f"distance {distance:.2g}, p-value {likelihood:.2g}"


def standardized_moments(distribution: Distribution, count: int) -> Numbers:
    """Return the exact means of the standardized number's powers 0 to count."""
    exact = distribution.exact
    # All but 1e-40 of the probability lies between these ends, and the density is smooth there.
    low, high = np.clip(
        exact.support(), exact.mean() - 14 * exact.std(), exact.mean() + 14 * exact.std()
    )
    nodes, weights = np.polynomial.legendre.leggauss(200)
    x = (low + high) / 2 + (high - low) / 2 * nodes
    density = weights * (high - low) / 2 * exact.pdf(x)
    z = (x - exact.mean()) / exact.std()
    return np.array([np.sum(density * z**order) for order in range(count + 1)])


def check_moments(values: NDArray[Any], distribution: Distribution) -> None:
    """Compare mean, variance, skewness and kurtosis with the exact ones."""
    z = standardized(values, distribution)
    exact = standardized_moments(distribution, 8)
    power = np.ones_like(z)
    for order in (1, 2, 3, 4):
        power = power * z
        stddev = math.sqrt((exact[2 * order] - exact[order] ** 2) / z.size)
        deviation = (float(np.mean(power)) - exact[order]) / stddev
        assert abs(deviation) < BAND, f"moment {order} is {deviation:.1f} standard deviations off"


def check_tails(values: NDArray[Any], distribution: Distribution) -> None:
    """Count the numbers beyond quantiles on both sides, out to where ten are left."""
    numbers, exact = flat(values), distribution.exact
    for p in (1e-1, 1e-2, 1e-3, 1e-4, 10 / numbers.size):
        for side, count in (
            ("below", int(np.sum(numbers < exact.ppf(p)))),
            ("above", int(np.sum(numbers > exact.isf(p)))),
        ):
            expected = stats.binom(numbers.size, p)
            likelihood = 2 * min(expected.cdf(count), expected.sf(count - 1))
            assert likelihood > ALPHA, (
                f"{count} numbers {side} the quantile of {p:g}, {p * numbers.size:g} expected"
            )


def _centred_powers(z: Numbers) -> list[Numbers]:
    """Return numbers and their squares, with mean 0 and variance 1."""
    return [(power - power.mean()) / power.std() for power in (z, z * z)]


def _check_product(first: Numbers, second: Numbers, label: object) -> None:
    deviation = float(first @ second) / math.sqrt(first.size)
    assert abs(deviation) < BAND, f"correlation {label}: {deviation:.1f} standard deviations"


def check_uncorrelated(first: Numbers, second: Numbers, label: object = "") -> None:
    """Check that two rows of numbers, and their squares, have no correlation."""
    for a, b in zip(_centred_powers(first), _centred_powers(second), strict=True):
        _check_product(a, b, label)


def check_all_uncorrelated(tensors: Mapping[str, Numbers]) -> None:
    """Check every two of the named rows of numbers."""
    powers = {name: _centred_powers(numbers) for name, numbers in tensors.items()}
    for first, second in itertools.combinations(powers, 2):
        for a, b in zip(powers[first], powers[second], strict=True):
            _check_product(a, b, f"between {first} and {second}")


def check_lags(z: Numbers, lags: Iterable[int]) -> None:
    """Check that numbers, and their squares, do not correlate with those at each of these lags."""
    powers = _centred_powers(z)
    for lag in lags:
        for power in powers:
            _check_product(power[:-lag], power[lag:], f"at lag {lag}")


def check_pairs(values: NDArray[Any], distribution: Distribution) -> None:
    """Count pairs of neighbours in a grid of 64 x 64 equally likely cells (chi-squared)."""
    cells = np.clip(distribution.cdf(flat(values)) * 64, 0, 63).astype(np.int64)
    cells = cells[: cells.size // 2 * 2].reshape(-1, 2)
    counts = np.bincount(cells[:, 0] * 64 + cells[:, 1], minlength=64 * 64)
    likelihood = float(stats.chisquare(counts).pvalue)
    assert ALPHA < likelihood < 1 - ALPHA, f"p-value {likelihood:.2g}"
