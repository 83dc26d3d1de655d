"""Statistical checks: each raises AssertionError if fair numbers would look like this once in a million times.

All bands come from theory and none from trying. The seeds are fixed, so a check passes always or never; with some 1,000
comparisons, one set of seeds in 1,000 would be unlucky.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

ALPHA = 1e-6
"""The probability at which a single comparison counts as failed."""
BAND = float(stats.norm.isf(ALPHA / 2))
"""The same in standard deviations: 4.89."""

Distribution = Any
"""A frozen distribution of scipy.stats."""
Numbers = NDArray[np.float64]


def standardized(values: NDArray[Any], distribution: Distribution) -> Numbers:
    """Return the numbers in standard deviations from the mean, by the exact distribution's."""
    numbers: Numbers = values.astype(np.float64).reshape(-1)
    return (numbers - distribution.mean()) / distribution.std()


def check_distribution_function(values: NDArray[Any], distribution: Distribution) -> None:
    """Compare the empirical distribution function with the exact one (Kolmogorov and Smirnov)."""
    result = stats.kstest(values.astype(np.float64).reshape(-1), distribution.cdf, method="asymp")
    assert result.pvalue > ALPHA, result


def standardized_moment(distribution: Distribution, order: int) -> float:
    """Return the exact mean of the standardized number's power."""
    mean, stddev = distribution.mean(), distribution.std()
    return float(distribution.expect(lambda x: ((x - mean) / stddev) ** order))


def check_moments(values: NDArray[Any], distribution: Distribution) -> None:
    """Compare mean, variance, skewness and kurtosis with the exact ones."""
    z = standardized(values, distribution)
    for order in (1, 2, 3, 4):
        moment = standardized_moment(distribution, order)
        stddev = math.sqrt((standardized_moment(distribution, 2 * order) - moment**2) / z.size)
        deviation = (float(np.mean(z**order)) - moment) / stddev
        assert abs(deviation) < BAND, f"moment {order} is {deviation:.1f} standard deviations off"


def check_tails(values: NDArray[Any], distribution: Distribution) -> None:
    """Count the numbers beyond quantiles on both sides, out to where ten are left."""
    numbers = values.astype(np.float64).reshape(-1)
    for p in (1e-1, 1e-2, 1e-3, 1e-4, 10 / numbers.size):
        for side, count in (
            ("below", int(np.sum(numbers < distribution.ppf(p)))),
            ("above", int(np.sum(numbers > distribution.isf(p)))),
        ):
            expected = stats.binom(numbers.size, p)
            likelihood = 2 * min(expected.cdf(count), expected.sf(count - 1))
            assert likelihood > ALPHA, f"{count} numbers {side} the quantile of {p:g}, {p * numbers.size:g} expected"


def check_uncorrelated(first: Numbers, second: Numbers, label: object = "") -> None:
    """Check that standardized numbers, and their squares, have no correlation."""
    for power in (1, 2):
        a, b = first**power, second**power
        a, b = (a - a.mean()) / a.std(), (b - b.mean()) / b.std()
        deviation = float(np.mean(a * b)) * math.sqrt(a.size)
        assert abs(deviation) < BAND, f"correlation {label} of powers {power}: {deviation:.1f} standard deviations"


def check_lags(z: Numbers, lags: Iterable[int]) -> None:
    """Check that numbers have no correlation with those that come later by each of these lags."""
    for lag in lags:
        check_uncorrelated(z[:-lag], z[lag:], f"at lag {lag}")


def check_pairs(values: NDArray[Any], distribution: Distribution) -> None:
    """Count pairs of neighbours in a grid of 64 x 64 equally likely cells (chi-squared)."""
    cells = np.minimum(distribution.cdf(values.astype(np.float64).reshape(-1)) * 64, 63).astype(np.int64)
    cells = cells[: cells.size // 2 * 2].reshape(-1, 2)
    counts = np.bincount(cells[:, 0] * 64 + cells[:, 1], minlength=64 * 64)
    result = stats.chisquare(counts)
    assert ALPHA < result.pvalue < 1 - ALPHA, result
