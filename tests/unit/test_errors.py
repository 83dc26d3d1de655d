"""Errors show values in words of no language, and say where they are."""

import math
from typing import Any

import numpy as np
import pytest

import seedbed as sb
from seedbed.spec.errors import Violation, Words, bad_type, bad_value, over_limit, shown

SHOWN: dict[str, tuple[Any, str]] = {
    "nothing": (None, "nothing"),
    "a flag": (True, "true"),
    "an integer": (-3, "-3"),
    "a float": (1.0, "1.0"),
    "a float of numpy": (np.float64(0.5), "0.5"),
    "infinity": (-math.inf, "-inf"),
    "text": ("a b", '"a b"'),
    "text with quotes": ("'a' \"b\"", '"\'a\' \\"b\\""'),
    "text that turns the terminal around": ("a\u202eb\x1b", '"a\\u202eb\\u001b"'),
    "letters of all alphabets": ("é\U0001f331", '"é\U0001f331"'),
    "a shape": ((4, 3), "[4, 3]"),
    "a vector's shape": ((4,), "[4]"),
    "a scalar's shape": ((), "[]"),
    "a list of anything": ([None, "a", (1,)], '[nothing, "a", [1]]'),
    "words": (Words("4 bytes"), "4 bytes"),
}


@pytest.mark.parametrize(("value", "text"), SHOWN.values(), ids=SHOWN)
def test_a_value_is_shown_in_words_of_no_language(value: Any, text: str) -> None:
    assert shown(value) == text
    assert str(bad_value("x", "y", value)) == f"`x` must be y. Received: {text}"


@pytest.mark.parametrize("value", [(1,) * 10**6, "n" * 10**6, 10**5000, [[0] * 99] * 99], ids=type)
def test_what_is_long_is_cut(value: Any) -> None:
    assert len(shown(value)) <= 120


def test_a_value_of_the_wrong_type_looks_as_in_python() -> None:
    text = "`x` must be a string. Received: None (of type NoneType)"
    assert str(bad_type("x", "a string", None)) == text


def test_a_limit_is_named_in_the_text_and_for_programs() -> None:
    error = over_limit("transfer.max_chunk_bytes", "at most 4", 5, "max_chunk_bytes")
    assert (error.reason, error.limit) == ("OVER_LIMIT", "max_chunk_bytes")
    assert "at most 4 (max_chunk_bytes). Received: 5" in str(error)
    moved = error.at("a.b")
    assert (moved.field, moved.limit, moved.reason) == ("a.b", error.limit, error.reason)
    assert str(moved).startswith("`a.b` must be at most 4")


def test_an_error_of_one_argument_has_one_violation() -> None:
    with pytest.raises(sb.InvalidValueError) as caught:
        sb.RandomNormal(stddev=-1.0)
    assert caught.value.violations == (Violation("stddev", str(caught.value)),)
