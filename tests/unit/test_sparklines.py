"""Sparklines say as much as eight heights can, in the letters that an output has."""

from typing import Any

import numpy as np
import pytest

from seedbed.reports.sparkline import ASCII, BLOCKS, histogram_line, sparkline
from seedbed.spec.dtypes import FLOATING, Dtype


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf-8", " ▁▅█"), ("UTF8", " ▁▅█"), ("ascii", " _=#"), ("latin-1", " _=#"), ("?", " _=#")],
)
def test_heights_are_letters_of_the_encoding(encoding: str, expected: str) -> None:
    assert sparkline([0, 0.001, 5, 8], encoding=encoding) == expected


@pytest.mark.parametrize("values", [[], [0, 0, 0]])
def test_without_a_height_there_is_no_ink(values: list[float]) -> None:
    assert sparkline(values, encoding="utf-8") == " " * len(values)


def test_the_letters_are_as_many() -> None:
    assert len(BLOCKS) == len(ASCII) == 8


def bars_of(line: str) -> str:
    return line.split(maxsplit=1)[1].rsplit(maxsplit=1)[0]


@pytest.mark.parametrize("dtype", FLOATING)
def test_a_uniforms_histogram_is_level_in_every_dtype(dtype: Dtype) -> None:
    array = np.random.default_rng(0).uniform(-0.1, 0.1, 300_000).astype(dtype.numpy)
    wide = array.astype(np.float64)
    line = histogram_line(array, wide.min(), wide.max(), within=(-0.1, 0.1))
    low, *_, high = line.split()
    assert (float(low), float(high)) == pytest.approx((wide.min(), wide.max()), rel=1e-6)
    assert set(bars_of(line)) <= set(BLOCKS[-2:] + ASCII[-2:])


@pytest.mark.parametrize("dtype", Dtype)
def test_two_values_are_the_two_ends(dtype: Dtype) -> None:
    array = np.array([0, 1, 1, 1]).astype(dtype.numpy)
    bars = bars_of(histogram_line(array, 0.0, 1.0))
    assert bars[0] in BLOCKS + ASCII and bars[-1] in BLOCKS[-1:] + ASCII[-1:]
    assert not bars[1:-1].strip()


@pytest.mark.parametrize(
    ("low", "high"), [(None, None), (1.0, 1.0), (0.0, np.inf), (np.nan, np.nan)]
)
def test_a_range_without_width_or_end_has_no_histogram(low: Any, high: Any) -> None:
    assert histogram_line(np.ones(3), low, high) == ""


def test_huge_ends_are_no_trouble() -> None:
    array = np.array([-1e307, 0.0, 1e307, 1e307])
    assert bars_of(histogram_line(array, -1e307, 1e307))[-1] in BLOCKS[-1] + ASCII[-1]
