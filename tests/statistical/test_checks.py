"""The checks themselves: fair numbers of another generator pass, wrong ones do not."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.statistical.checks import (
    Distribution,
    check_distribution_function,
    check_lags,
    check_moments,
    check_pairs,
    check_tails,
    check_uncorrelated,
    normal,
    uniform,
)

Check = Callable[[NDArray[np.float64], Distribution], None]

NORMAL = normal(0.0, 1.0)
FAIR = np.random.default_rng(1).standard_normal(2**20)
OTHER = np.random.default_rng(2).standard_normal(2**20)
CHECKS_OF_ONE: list[Check] = [check_distribution_function, check_moments, check_tails, check_pairs]


@pytest.mark.parametrize("check", CHECKS_OF_ONE)
def test_fair_numbers_pass(check: Check) -> None:
    check(FAIR, NORMAL)


@pytest.mark.parametrize("check", CHECKS_OF_ONE)
def test_fair_uniform_numbers_pass(check: Check) -> None:
    check(np.random.default_rng(4).uniform(2.0, 5.0, 2**20), uniform(2.0, 5.0))


def test_fair_numbers_are_not_correlated() -> None:
    check_lags(FAIR, range(1, 9))
    check_uncorrelated(FAIR, OTHER)


WRONG: dict[str, tuple[Check, NDArray[np.float64]]] = {
    "shifted by 0.01": (check_distribution_function, FAIR + 0.01),
    "2 percent too wide": (check_distribution_function, FAIR * 1.02),
    "mean of 0.01": (check_moments, FAIR + 0.01),
    "1 percent too wide": (check_moments, FAIR * 1.01),
    "skewed": (check_moments, (FAIR + 0.005 * (FAIR**2 - 1)) / np.sqrt(1 + 2 * 0.005**2)),
    "uniform of variance 1": (
        check_moments,
        np.random.default_rng(3).uniform(-(3**0.5), 3**0.5, 2**20),
    ),
    "clipped at 3.5": (check_tails, np.clip(FAIR, -3.5, 3.5)),
    "tails too heavy": (check_tails, np.where(np.abs(FAIR) > 3.0, 1.1 * FAIR, FAIR)),
    "pairs in order": (check_pairs, np.sort(FAIR.reshape(-1, 2), axis=1)),
    "every 64th pair equal": (
        check_pairs,
        np.where(np.arange(2**20) % 128 == 1, np.roll(FAIR, 1), FAIR),
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_numbers_are_rejected(case: str) -> None:
    check, values = WRONG[case]
    with pytest.raises(AssertionError):
        check(values, NORMAL)


@pytest.mark.parametrize("lag", [1, 4, 1027])
def test_correlated_numbers_are_rejected(lag: int) -> None:
    with pytest.raises(AssertionError):
        check_lags((FAIR + 0.01 * np.roll(FAIR, lag)) / np.sqrt(1.0001), [lag])


def test_numbers_that_share_only_their_magnitude_are_rejected() -> None:
    signs = np.where(OTHER > 0, 1.0, -1.0)
    with pytest.raises(AssertionError):
        check_uncorrelated(FAIR, np.where(np.arange(FAIR.size) % 100 == 0, FAIR * signs, OTHER))
