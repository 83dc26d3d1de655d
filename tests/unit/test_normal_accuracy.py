"""The normal quantile against the exact one, and rounding against other implementations."""

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import ml_dtypes
import mpmath
import numba
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtri

from seedbed.spec.dtypes import Dtype
from seedbed_server.backends.cpu import normal_params
from seedbed_server.backends.rules import Normal
from seedbed_server.kernels import normal_coefficients
from seedbed_server.kernels.rounding import (
    bfloat16_bits,
    float8_e4m3fn_bits,
    float8_e5m2_bits,
    float16_bits,
)
from tests.elements import values_of_words

STANDARD = Normal(0.0, 1.0)
ROOT = Path(__file__).parents[2]

# Words of float32: 2**22 strata of equal size, one word in each, and the outermost 2**20 of the
# lower tail.
_RANDOM = np.random.default_rng(20_240_229)
STRATIFIED = np.arange(0, 2**32, 2**10, dtype=np.uint32) + _RANDOM.integers(
    0, 2**10, 2**22, dtype=np.uint32
)
LOWER_TAIL: NDArray[np.uint32] = np.arange(2**20, dtype=np.uint32)

# What docs/numerics.md promises: absolute, and in units in the last place.
FLOAT32_ERROR = 5e-7
FLOAT32_ERROR_FAR_OUT = 1.1e-6
FLOAT64_UNITS = 4.0
FLOAT64_CENTRE = 1e-3

BOUNDS = [
    (-2.0, 2.0),
    (0.0, math.inf),
    (-math.inf, 1.0),
    (4.0, math.inf),
    (-math.inf, -4.0),
    (-0.5, 3.0),
    (-6.0, -1.0),
    (3.9, 4.0),
    (-1e-3, 1e-3),
    (0.5, 0.501),
    (-8.0, 8.0),
]


def quantiles(words: NDArray[Any], rule: Normal = STANDARD) -> NDArray[Any]:
    """Return what the kernel makes of the words: float32 of 32-bit ones, float64 of 64-bit ones."""
    dtype = Dtype.FLOAT64 if words.dtype.itemsize == 8 else Dtype.FLOAT32
    return values_of_words(rule, dtype, words)


def mass_between(low: float, high: float) -> float:
    """Return the probability of a standard normal number between two bounds, exactly rounded."""
    with mpmath.workdps(50):
        root = mpmath.sqrt(2)
        return float(
            (mpmath.erfc(mpmath.mpf(low) / root) - mpmath.erfc(mpmath.mpf(high) / root)) / 2
        )


def exact_float32(words: NDArray[np.uint32], rule: Normal = STANDARD) -> NDArray[np.float64]:
    """Return the exact quantiles of 32-bit words, in float64 from the nearer tail."""
    step = mass_between(rule.lower, rule.upper) / 2**32
    below = mass_between(-math.inf, rule.lower) + (words + 0.5) * step
    above = mass_between(rule.upper, math.inf) + (~words + 0.5) * step
    z: NDArray[np.float64] = np.where(below < above, 1.0, -1.0) * ndtri(
        np.minimum(np.minimum(below, above), 0.5)
    )
    return z


def exact_float64(word: int) -> mpmath.mpf:
    """Return the exact quantile of a 64-bit word below the median."""
    p = (mpmath.mpf(word) + 0.5) / 2**64
    z = mpmath.mpf(float(ndtri(float(p)))) if p < 0.4 else mpmath.sqrt(2 * mpmath.pi) * (p - 0.5)
    for _ in range(20):  # Newton's method
        change = (mpmath.erfc(-z / mpmath.sqrt(2)) / 2 - p) / mpmath.npdf(z)
        z -= change
        if abs(change) < mpmath.mpf(10) ** -22 * abs(z):  # the next change is about its square
            break
    return z


def lower_words_float64() -> NDArray[np.uint64]:
    """Return sorted 64-bit words below the median: 2,500 strata, both ends, the formulas' join."""
    size = 2**63 // 2500
    words = [i * size + int(_RANDOM.integers(0, size, dtype=np.uint64)) for i in range(2500)]
    join = 2**63 - int(mpmath.mpf("0.425") * 2**64)
    words += [
        join + offset
        for offset in (-(10**6), -4096, -2048, -1024, -1, 0, 1, 1024, 2048, 4096, 10**6)
    ]
    words += [*range(20), *(2**k for k in range(5, 63)), *(2**63 - 2**k for k in range(63))]
    return np.array(sorted(set(words)), np.uint64)


def test_a_float32_quantile_is_within_5e_7_of_the_exact_one() -> None:
    for words in (STRATIFIED, LOWER_TAIL, np.invert(LOWER_TAIL)):
        assert np.abs(quantiles(words) - exact_float32(words)).max() < FLOAT32_ERROR


@pytest.mark.parametrize("bounds", BOUNDS, ids=str)
def test_a_truncated_float32_quantile_is_as_exact(bounds: tuple[float, float]) -> None:
    rule = Normal(0.0, 1.0, *bounds)
    words = np.concatenate([STRATIFIED[::16], LOWER_TAIL[:65536], ~LOWER_TAIL[:65536]])
    exact = exact_float32(words, rule)
    # Only a one-sided truncation resolves more, down to p = 2**-40; float32's last place is worth
    # 4.8e-7 there.
    usual = np.abs(exact) < 5.7
    error = np.abs(quantiles(words, rule) - np.clip(exact, ndtri(2.0**-40), -ndtri(2.0**-40)))
    assert error[usual].max() < FLOAT32_ERROR
    assert error.max() < FLOAT32_ERROR_FAR_OUT


@pytest.mark.parametrize("bounds", BOUNDS, ids=str)
@pytest.mark.parametrize("word", [np.uint32, np.uint64], ids=["float32", "float64"])
def test_no_truncated_number_leaves_its_bounds(bounds: tuple[float, float], word: Any) -> None:
    rule = Normal(0.0, 1.0, *bounds)
    split = int(normal_params(rule, Dtype.FLOAT64 if word is np.uint64 else Dtype.FLOAT32)[0])
    largest = int(np.iinfo(word).max)
    near_split = [min(max(split + offset, 0), largest) for offset in range(-50, 50)]
    ends = np.array([*range(1000), *(largest - i for i in range(1000)), *near_split], word)
    words = np.concatenate([ends, _RANDOM.integers(0, largest, 10_000, dtype=word, endpoint=True)])
    z = quantiles(words, rule)
    assert z.dtype.type(bounds[0]) <= z.min()
    assert z.max() <= z.dtype.type(bounds[1])
    assert (np.diff(z[np.argsort(words)]) >= 0).all()


def test_a_float64_quantile_is_within_4_units_in_the_last_place() -> None:
    words = lower_words_float64()
    found = quantiles(words)
    with mpmath.workdps(40):
        exact = [exact_float64(int(word)) for word in words]
        errors = [float(abs(mpmath.mpf(float(z)) - x)) for z, x in zip(found, exact, strict=True)]
    units = np.array(errors) / np.spacing(np.abs(np.array([float(x) for x in exact])))
    outside_the_centre = found < -FLOAT64_CENTRE
    assert outside_the_centre.sum() > 2500
    assert units[outside_the_centre].max() < FLOAT64_UNITS


def test_a_larger_word_never_gives_a_smaller_float32() -> None:
    neighbours = np.arange(2**12, dtype=np.uint32)
    places = _RANDOM.integers(0, 2**32 - 2**12, 500, dtype=np.uint32)
    for words in (
        STRATIFIED,
        LOWER_TAIL,
        ~LOWER_TAIL[::-1],
        *(place + neighbours for place in places),
    ):
        assert (np.diff(quantiles(words)) >= 0).all()


def test_a_larger_word_never_gives_a_smaller_float64() -> None:
    words = lower_words_float64()
    words = np.unique(
        np.concatenate([words, words + np.uint64(1), words + np.uint64(1000), ~words])
    )
    assert (np.diff(quantiles(words)) >= 0).all()


@pytest.mark.parametrize("words", [STRATIFIED, lower_words_float64()], ids=["float32", "float64"])
def test_a_word_and_its_complement_give_opposite_numbers(words: NDArray[Any]) -> None:
    assert np.array_equal(quantiles(~words), -quantiles(words))


@numba.njit  # type: ignore[untyped-decorator,unused-ignore]
def round_all(values: Any, halves: Any, brains: Any) -> None:
    for i in range(values.size):
        halves[i] = float16_bits(values[i])
        brains[i] = bfloat16_bits(values[i])


def check_rounding(values: NDArray[np.float32]) -> None:
    """Compare both roundings with numpy's and ml_dtypes', bit for bit."""
    values = values[np.isfinite(values)]
    halves, brains = np.empty(values.size, np.uint32), np.empty(values.size, np.uint32)
    round_all(values, halves, brains)
    with np.errstate(over="ignore"):
        assert np.array_equal(halves, values.astype(np.float16).view(np.uint16))
    assert np.array_equal(brains, values.astype(ml_dtypes.bfloat16).view(np.uint16))


def around(bits: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Return the float32 numbers with these bits and their neighbours, of both signs."""
    near = np.concatenate([bits - np.uint32(1), bits, bits + np.uint32(1)])
    return np.concatenate([near, near | np.uint32(0x80000000)]).view(np.float32)


def test_rounding_agrees_at_every_float16_and_every_tie_between_two() -> None:
    halves = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float64)
    ties = (halves + np.append(halves[1:], 65536.0)) / 2
    beyond = np.array([65519.996, 65520.0, 65536.0, 1e5, 3.4e38])
    check_rounding(
        around(np.concatenate([halves, ties, beyond]).astype(np.float32).view(np.uint32))
    )


def test_rounding_agrees_at_every_bfloat16_and_every_tie_between_two() -> None:
    brains = np.arange(0x7F80, dtype=np.uint32) << 16
    check_rounding(around(np.concatenate([brains, brains + np.uint32(0x8000)])))


def test_rounding_agrees_on_random_bits_of_every_exponent() -> None:
    bits = _RANDOM.integers(0, 2**32, 2**22, dtype=np.uint32)
    assert len(np.unique(bits >> 23)) == 512
    check_rounding(bits.view(np.float32))


@numba.njit  # type: ignore[untyped-decorator,unused-ignore]
def round_all_to_8_bits(values: Any, fours: Any, fives: Any) -> None:
    for i in range(values.size):
        fours[i] = float8_e4m3fn_bits(values[i])
        fives[i] = float8_e5m2_bits(values[i])


def check_rounding_to_8_bits(values: NDArray[np.float32]) -> None:
    """Compare both roundings with ml_dtypes' of what was cut to the range before, bit for bit."""
    values = values[~np.isnan(values)]
    fours, fives = np.empty(values.size, np.uint32), np.empty(values.size, np.uint32)
    round_all_to_8_bits(values, fours, fives)
    for bits, form, largest in (
        (fours, ml_dtypes.float8_e4m3fn, 448),
        (fives, ml_dtypes.float8_e5m2, 57344),
    ):
        assert np.array_equal(bits, values.clip(-largest, largest).astype(form).view(np.uint8))
        assert np.isfinite(bits.astype(np.uint8).view(form).astype(np.float32)).all()


def test_rounding_agrees_at_every_float8_and_every_tie_between_two() -> None:
    for form in (ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2):
        eights = np.arange(0x80, dtype=np.uint8).view(form).astype(np.float64)
        eights = eights[np.isfinite(eights)]
        ties = (eights[1:] + eights[:-1]) / 2
        beyond = np.array([464.0, 480.0, 512.0, 61440.0, 65536.0, 3.4e38, np.inf])
        check_rounding_to_8_bits(
            around(np.concatenate([eights, ties, beyond]).astype(np.float32).view(np.uint32))
        )


def test_rounding_to_8_bits_agrees_at_every_tie_of_every_exponent() -> None:
    # Both formats drop 20 bits or more: whether a number is a tie, and between which two, is in the
    # 14 upper ones.
    upper = np.arange(2**14, dtype=np.uint32) << np.uint32(18)
    check_rounding_to_8_bits(around(upper))


def test_rounding_to_8_bits_agrees_on_random_bits_of_every_exponent() -> None:
    bits = _RANDOM.integers(0, 2**32, 2**22, dtype=np.uint32)
    check_rounding_to_8_bits(bits.view(np.float32))


def test_the_coefficients_are_what_the_tool_fits() -> None:
    tool = subprocess.run(
        [sys.executable, ROOT / "tools" / "fit_normal.py"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert tool.stdout == Path(normal_coefficients.__file__).read_text()
