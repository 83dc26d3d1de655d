"""Tables and pairs fit a terminal, whatever its width and the letters in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.reports.fitted_table import (
    Column,
    cut_in_the_middle,
    fitted_pairs,
    fitted_table,
    folded,
    text_width,
)

NAMES = ["h.0.attn.c_attn.weight", "wte.weight", "b"]


def columns() -> list[Column]:
    return [
        Column("name", NAMES, 0, least=10),
        Column("shape", ["768,2304", "50257,768", "2"], 1, right=True),
        Column("dtype", ["float32"] * 3, 2),
        Column("rule", ["*.weight", "*.weight", "*"], 3, least=4),
        Column("bytes", ["7,077,888", "154,389,504", "8"], 4, right=True),
    ]


def test_a_table_without_a_width_has_everything() -> None:
    text, left_out = fitted_table(columns(), None)
    assert text.splitlines() == [
        "name                        shape  dtype    rule            bytes",
        "----------------------  ---------  -------  --------  -----------",
        "h.0.attn.c_attn.weight   768,2304  float32  *.weight    7,077,888",
        "wte.weight              50257,768  float32  *.weight  154,389,504",
        "b                               2  float32  *                   8",
    ]
    assert left_out == []


def test_a_column_of_one_value_is_left_out_first_and_then_the_less_important() -> None:
    left_out = {
        width: [each.heading for each in fitted_table(columns(), width).left_out]
        for width in (65, 49, 48, 39, 24, 12)
    }
    assert left_out == {
        65: [],
        49: [],
        48: ["dtype"],
        39: ["dtype", "bytes"],
        24: ["dtype", "rule", "bytes"],
        12: ["shape", "dtype", "rule", "bytes"],
    }


def test_the_widest_cells_are_cut_first_and_in_the_middle() -> None:
    lines = fitted_table(columns(), 45).text.splitlines()
    assert lines[2:] == [
        "h.0.a…eight   768,2304  *.weight    7,077,888",
        "wte.weight   50257,768  *.weight  154,389,504",
        "b                    2  *                   8",
    ]


@given(
    st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), max_size=40), min_size=1),
    st.integers(1, 200),
)
def test_no_line_is_wider_than_the_terminal(names: list[str], width: int) -> None:
    table = [
        Column("n", names, 0, least=8),
        Column("place", [str(place) for place, _ in enumerate(names)], 1, right=True),
    ]
    lines = fitted_table(table, width).text.split("\n")
    assert len(lines) == len(names) + 2
    assert max(map(text_width, lines)) <= width


@given(st.text(st.characters(exclude_categories=["C", "Z", "M"])), st.integers(0, 30))
def test_a_cut_text_has_its_width_and_both_ends(text: str, width: int) -> None:
    cut = cut_in_the_middle(text, width)
    assert text_width(cut) <= width
    if cut != text and width >= 5:
        head, _, tail = cut.partition("…")
        assert text.startswith(head) and text.endswith(tail) and head and tail


@pytest.mark.parametrize(
    ("text", "width"), [("", 0), ("abc", 3), ("重み", 4), ("🌱", 2), ("e\u0301", 1), ("ﾊ", 1)]
)
def test_wide_and_combining_characters_are_counted_as_a_terminal_shows_them(
    text: str, width: int
) -> None:
    assert text_width(text) == width


def test_pairs_are_folded_below_their_values() -> None:
    rows = [("name", "w"), ("empty", ""), ("distribution", "normal, mean 0, stddev 0.02")]
    assert fitted_pairs(rows, None).splitlines() == [
        "name          w",
        "distribution  normal, mean 0, stddev 0.02",
    ]
    assert fitted_pairs(rows, 30).splitlines() == [
        "name          w",
        "distribution  normal, mean 0,",
        "              stddev 0.02",
    ]


def test_words_are_never_broken() -> None:
    assert folded("a 123,456,789 b", 6) == "a\n123,456,789\nb"
