"""Rules have three equal forms; their order counts, and a bad one is refused by its place."""

from collections import OrderedDict
from types import MappingProxyType
from typing import Any

import pytest

import seedbed as sb
from seedbed.rules import first_match, pairs_of
from tests.forms_of_rules import FORMS

RULES = {"b.*": "ones", "*.bias": None, "a.*": 3, "*": "zeros"}
RULE = "(pattern, initializer) or {match: pattern, initializer: ...}"


def type_name(value: object) -> str:
    """Return the name of a value's type."""
    return type(value).__name__


@pytest.mark.parametrize("form", FORMS, ids=FORMS)
def test_every_form_gives_the_pairs_in_their_order(form: str) -> None:
    assert pairs_of("rules", FORMS[form](RULES)) == list(RULES.items())
    assert pairs_of("rules", FORMS[form]({})) == []


def test_forms_may_be_mixed_and_of_any_mapping_and_sequence() -> None:
    entry = MappingProxyType({"initializer": 2, "match": "b"})
    assert pairs_of("rules", (("a", 1), entry, ("a", 3))) == [("a", 1), ("b", 2), ("a", 3)]
    assert pairs_of("rules", OrderedDict(b=1, a=2)) == [("b", 1), ("a", 2)]


def test_rules_stay_as_they_are() -> None:
    rules: list[Any] = [("a", 1), {"match": "b", "initializer": 2}]
    pairs_of("rules", rules).clear()
    assert rules == [("a", 1), {"match": "b", "initializer": 2}]


@pytest.mark.parametrize("argument", ["rules", "buffers"])
@pytest.mark.parametrize(
    "rules", [None, 3, True, "*", b"*", {"*"}, iter([("*", 1)])], ids=type_name
)
def test_what_are_no_rules_is_refused(argument: str, rules: Any) -> None:
    with pytest.raises(sb.InvalidTypeError) as caught:
        pairs_of(argument, rules)
    allowed = f"a mapping from patterns to initializers, or a list of {RULE}"
    assert (
        str(caught.value)
        == f"`{argument}` must be {allowed}. Received: {rules!r} (of type {type_name(rules)})"
    )
    assert caught.value.field == argument


@pytest.mark.parametrize(
    "rule",
    [
        None,
        3,
        "ab",
        [],
        ["*", "zeros"],
        (),
        ("*",),
        ("*", "zeros", 1),
        (1, "zeros"),
        (b"*", "zeros"),
        {},
        {"match": "*"},
        {"initializer": "zeros"},
        {"match": "*", "initialiser": "zeros"},
        {"match": "*", "initializer": "zeros", "seed": 1},
        {"match": 1, "initializer": "zeros"},
        {"*": "zeros"},
    ],
    ids=repr,
)
def test_what_is_no_rule_is_refused_by_its_place(rule: Any) -> None:
    with pytest.raises(sb.InvalidTypeError) as caught:
        pairs_of("buffers", [("*", "zeros"), rule])
    assert (
        str(caught.value)
        == f"`buffers[1]` must be {RULE}. Received: {rule!r} (of type {type_name(rule)})"
    )
    assert caught.value.field == "buffers[1]"


def test_a_pattern_of_a_mapping_is_a_string() -> None:
    rules: Any = {"*": "zeros", 1: "ones"}
    with pytest.raises(
        sb.InvalidTypeError, match=r"`rules\[1\]` must be .* Received: \(1, 'ones'\)"
    ):
        pairs_of("rules", rules)


@pytest.mark.parametrize(
    ("name", "pattern"),
    [("b.bias", "b.*"), ("a.bias", "*.bias"), ("a.weight", "a.*"), ("A.weight", "*"), ("", "*")],
)
def test_the_first_match_counts_whatever_it_says(name: str, pattern: str) -> None:
    assert first_match(list(RULES.items()), name) == (pattern, RULES[pattern])


def test_nothing_matches_without_a_pattern_that_does() -> None:
    assert first_match([], "a") is None
    assert first_match([("b", 1), ("", 2), ("a.*", 3)], "a") is None


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("a", "a", "ab"),
        ("a", "a", "A"),
        ("a.?", "a.b", "a.bc"),
        ("a.b", "a.b", "a_b"),
        ("*/bias", "a/b/bias", "bias"),
        ("a*c", "a.b/\nc", "a.b/c\n"),
        ("[ab].x", "b.x", "c.x"),
        ("[!ab].x", "c.x", "a.x"),
        ("h.[0-9].x", "h.7.x", "h.10.x"),
        ("[*]", "*", "a"),
        ("a[", "a[", "a"),
        ("重*🌱", "重み🌱", "重み"),
    ],
)
def test_patterns_are_those_of_fnmatch_with_upper_and_lower_case_distinct(
    pattern: str, matching: str, other: str
) -> None:
    assert first_match([(pattern, 1)], matching) == (pattern, 1)
    assert first_match([(pattern, 1)], other) is None
