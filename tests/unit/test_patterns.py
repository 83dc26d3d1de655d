"""Names become few lines of rules, which match what they are for and nothing else."""

from fnmatch import fnmatchcase

import pytest

from seedbed.patterns import close_names, close_patterns, lines_of_rules, literal, pattern_of


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("layers.12.norm.weight", "layers.*.norm.weight"),
        ("0.1.weight", "*.*.weight"),
        ("blocks/3/kernel", "blocks/*/kernel"),
        ("Dense_0/kernel", "Dense_0/kernel"),
        ("h2.w3", "h2.w3"),
        ("0", "*"),
        ("", ""),
        ("a[0].*", "a[[]0].[*]"),
    ],
)
def test_numbers_that_are_whole_parts_become_stars(name: str, pattern: str) -> None:
    assert pattern_of(name) == pattern
    assert fnmatchcase(name, pattern)


def test_a_literal_pattern_matches_one_name() -> None:
    assert fnmatchcase("a[0].*?", literal("a[0].*?"))
    assert not fnmatchcase("a0.bc", literal("a[0].*?"))


def test_lines_keep_the_models_order_and_tell_number_and_shapes() -> None:
    shapes = {"emb": (9, 4), "h.0.w": (4, 4), "h.0.b": (4,), "h.1.w": (2, 4), "h.1.b": (4,)}
    assert lines_of_rules(shapes) == [
        '"emb": ...,  # (9, 4)',
        '"h.*.w": ...,  # x2 (4, 4) (2, 4)',
        '"h.*.b": ...,  # x2 (4,)',
    ]


def test_a_pattern_comes_after_those_whose_names_it_matches() -> None:
    names = ["0.w", "1.w", "h.0.x.w", "h.1.x.w", "h.0.w", "h.1.w", "h.y.w"]
    patterns = [line.split('"')[1] for line in lines_of_rules(dict.fromkeys(names, (2,)))]
    assert patterns == ["h.*.x.w", "h.y.w", "h.*.w", "*.w"]
    for name in names:
        first = next(pattern for pattern in patterns if fnmatchcase(name, pattern))
        assert first in {pattern_of(name), name}


def test_no_line_matches_a_name_of_others() -> None:
    shapes = {"h.0.norm.w": (2,), "h.1.norm.w": (2,), "k.0.w": (2,), "k.1.w": (2,)}
    assert lines_of_rules(shapes, ["h.0.attn.norm.w", "h.0.attn.w"]) == [
        '"h.0.norm.w": ...,  # (2,)',
        '"h.1.norm.w": ...,  # (2,)',
        '"k.*.w": ...,  # x2 (2,)',
    ]


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("layers.*.nrom.weight", "layers.*.norm.weight"),
        ("*.Bias", "*.bias"),
        ("*/bias", "*.bias"),
        ("layer.*", "layers.*"),
        ("layers.0.norm.wieght", "layers.*.norm.weight"),
        ("layers.*.norm", "layers.*.norm.weight"),
        ("norm.BIAS", "layers.*.norm.bias"),
    ],
)
def test_what_was_perhaps_meant_matches_something(wrong: str, meant: str) -> None:
    names = [f"layers.{place}.norm.{part}" for place in range(9) for part in ("weight", "bias")]
    close = close_patterns(wrong, names)
    assert meant in close
    assert all(any(fnmatchcase(name, pattern) for name in names) for pattern in close)


def test_close_names_are_longer_ones_first_and_then_those_that_are_spelled_alike() -> None:
    names = ["wte.weight", "wpe.weight", "h.0/w", "h.1/w", "h.2/w", "h.3/w"]
    assert close_names("wte", names) == ["wte.weight"]
    assert close_names("WTE.weight", names) == ["wte.weight", "wpe.weight"]
    assert close_names("weight", names) == ["wte.weight", "wpe.weight"]
    assert close_names("h.1", names) == ["h.1/w"]
    assert close_names("w", names) == [], "four names end so"
    assert close_names("", names) == close_names(3, names) == close_names("x", []) == []


def test_nothing_is_close_to_something_else() -> None:
    assert close_patterns("decoder", ["a.weight"]) == []
    assert close_patterns("*", []) == []
