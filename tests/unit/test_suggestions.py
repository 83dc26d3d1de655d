"""A misspelled word gets the nearest known one, or nothing."""

import pytest

from seedbed.spec.suggestions import did_you_mean

WORDS = ("stddev", "mean", "seed", "GlorotUniform", "GlorotNormal")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("std", "stddev"),
        ("STDDEV", "stddev"),
        ("sed", "seed"),
        ("glorotunifrom", "GlorotUniform"),
        ("Glorot_Normal", "GlorotNormal"),
    ],
)
def test_the_nearest_word_is_meant_in_any_case(word: str, meant: str) -> None:
    assert did_you_mean(word, WORDS) == f"; did you mean {meant!r}?"


@pytest.mark.parametrize(
    "word", ["", "x", "quantize", None, 3, b"std", "x" * 10**4], ids=lambda word: repr(word)[:9]
)
def test_what_is_near_nothing_gets_nothing(word: object) -> None:
    assert did_you_mean(word, WORDS) == ""


def test_no_known_word_is_no_suggestion() -> None:
    assert did_you_mean("std", ()) == ""
