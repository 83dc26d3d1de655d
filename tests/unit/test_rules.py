"""Rules have three equal forms; their order counts, and a bad one is refused by its place."""

from collections import OrderedDict
from types import MappingProxyType
from typing import Any

import pytest

import seedbed as sb
from seedbed.rules import (
    UNSAID,
    Filling,
    decide,
    first_match,
    pairs_of,
    parse_initializer,
    parse_optional,
    parse_rules,
    refuse,
    settle,
)
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


def test_all_rules_are_read_before_any_is_applied() -> None:
    assert parse_rules("rules", {"a": "ones", "b": None}, parse_optional) == [
        ("a", Filling(sb.Ones().spec)),
        ("b", None),
    ]
    assert parse_rules("rules", None, parse_optional) == []
    with pytest.raises(sb.InvalidValueError, match="must be one of") as caught:
        parse_rules("buffers", {"*": "ones", "b": "nobody"}, parse_optional)
    assert caught.value.field == "buffers['b'].initializer"


def test_all_wrong_rules_are_named_at_once() -> None:
    rules: Any = [("a", "nobody"), ("b", "ones"), 3, ("c", {"class_name": "Ones", "config": 3})]
    with pytest.raises(sb.InvalidArgumentError) as caught:
        parse_rules("rules", rules, parse_initializer)
    assert str(caught.value).startswith("`rules` has 3 errors:\n    rules['a']: `initializer` must")
    fields = [each.field for each in caught.value.violations]
    assert fields == ["rules['a'].initializer", "rules[2]", "rules['c'].initializer"]


@pytest.mark.parametrize(
    ("initializer", "meant"),
    [
        ("GlorotUnifrom", "'GlorotUniform'"),
        ("he_norml", "'he_normal'"),
        ({"class_name": "RandomNormal", "config": {"std": 1}}, "'stddev'"),
        ({"clas_name": "RandomNormal"}, "'class_name'"),
        ({"class_name": "HeNormal", "fan_axes": {"in_axes": 1}}, "'in_axis'"),
    ],
    ids=repr,
)
def test_a_misspelled_word_of_a_rule_is_recognized(initializer: Any, meant: str) -> None:
    with pytest.raises(sb.InvalidValueError, match=f"; did you mean {meant}\\?$"):
        parse_initializer(initializer)


@pytest.mark.parametrize("value", [None, 3, [], sb.HeNormal, True], ids=repr)
def test_what_is_no_initializer_is_refused(value: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match=r"`initializer` must be a name, or {class_name"):
        parse_initializer(value)


def test_an_initializer_brings_its_axes_and_its_seed() -> None:
    filling = sb.VarianceScaling(seed=-1, in_axis=1, out_axis=0)
    expected = Filling(filling.spec, sb.FanAxes(1, 0), 2**64 - 1)
    assert parse_initializer(filling) == expected
    config = {"class_name": "VarianceScaling", "config": {"seed": -1}}
    assert parse_initializer(config) == Filling(filling.spec, None, 2**64 - 1)
    assert parse_initializer(filling.spec) == Filling(filling.spec)


@pytest.mark.parametrize("seed", ["x", 1.0, True, 2**64], ids=repr)
def test_a_seed_that_comes_with_an_initializer_is_one(seed: Any) -> None:
    with pytest.raises(sb.InvalidArgumentError, match="`seed` must be"):
        parse_initializer({"class_name": "HeNormal", "config": {"seed": seed}})


def test_a_frameworks_layout_is_for_what_has_inputs_and_outputs() -> None:
    layout = sb.FanAxes(in_axis=1, out_axis=0)
    for told in (sb.HeNormal(), sb.XavierUniform(), sb.Dirac(), sb.DeltaOrthogonal()):
        assert parse_initializer(told).in_layout(layout).fan_axes == layout
    for other in (sb.Zeros(), sb.RandomNormal(), sb.Orthogonal(), sb.Identity(), sb.Sparse(0.5)):
        assert parse_initializer(other).in_layout(layout).fan_axes is None
    own = sb.VarianceScaling(in_axis=0, out_axis=1)
    assert parse_initializer(own).in_layout(layout).fan_axes == own.fan_axes


def test_a_rule_comes_before_a_default_and_none_leaves_a_tensor_alone() -> None:
    defaults: dict[str, Any] = {"a": 1, "b": 2, "c": UNSAID, "d": None}
    pairs = [("b", None), ("c", 3)]
    assert decide(defaults, pairs, shapes={}) == {"a": 1, "b": None, "c": 3, "d": None}


def test_all_tensors_that_nothing_fills_are_named() -> None:
    defaults: dict[str, Any] = {"a": UNSAID, "b": 1, "c": None, "d": UNSAID}
    shapes = {"a": (2,), "b": (), "c": (3, 4)}
    with pytest.raises(sb.InvalidValueError) as caught:
        decide(
            defaults, [("b", None)], shapes=shapes, empty="bc", argument="buffers", needy="buffer"
        )
    assert caught.value.field == "buffers"
    assert str(caught.value).split("\n    ") == [
        "`buffers` must have a rule for each buffer. Complete these and put them first:",
        '"a": ...,  # (2,)',
        '"b": ...,  # ()',
        '"c": ...,  # (3, 4)',
        '"d": ...,  # ',
    ]


def test_however_many_tensors_nothing_fills_the_error_lists_them_as_rules() -> None:
    names = [f"{kind}{place}.weight" for kind in ("layers.", "block_") for place in range(200)]
    with pytest.raises(sb.InvalidValueError) as caught:
        decide(dict.fromkeys(names, UNSAID), [], shapes=dict.fromkeys(names, (4096,)))
    lines = str(caught.value).splitlines()[1:]
    assert lines[0] == '    "layers.*.weight": ...,  # x200 (4096,)'
    pasted = eval("{" + "\n".join(lines).replace("...", "'zeros'") + "\n}")
    assert set(decide(dict.fromkeys(names, UNSAID), list(pasted.items()), shapes={})) == set(names)


def test_several_settlements_make_one_error() -> None:
    _, first = settle({"a": UNSAID}, [("A", 1)], shapes={})
    _, second = settle({"b": None}, [], shapes={}, empty="b", argument="buffers", needy="buffer")
    _, none = settle({"c": 1}, [("c", None)], shapes={})
    refuse(none)
    with pytest.raises(sb.InvalidValueError) as caught:
        refuse([*first, *second, *none])
    assert [line for line in str(caught.value).splitlines() if line[0] == "`"] == [
        "`rules` must have a rule for each tensor. Complete these and put them first:",
        (
            "`rules` must have patterns that match a name. These match none "
            "(in a part of a model, partial=True allows it):"
        ),
        "`buffers` must have a rule for each buffer. Complete these and put them first:",
    ]


def test_every_rule_that_matches_nothing_is_named() -> None:
    pairs = [("*.weigth", 1), ("encoder.*", 1), ("a.b*", 1), ("a.bias", 2), ("*", 3)]
    names = ["a.weight", "a.bias"]
    with pytest.raises(sb.InvalidValueError) as caught:
        decide(dict.fromkeys(names, 0), pairs, shapes={})
    _, first, second = str(caught.value).splitlines()
    assert first.startswith("    '*.weigth', perhaps meant: '*.weight'")
    assert second == "    'encoder.*'"
    # One that others shadow is none of these; and whatever is left may be nothing.
    decide(dict.fromkeys(names, 0), [("a.*", 1), ("a.bias", 2), ("*", 3)], shapes={})
    decide({}, [("*", 3)], shapes={})


def test_rules_that_match_nothing_may_be_for_other_parts_or_other_names() -> None:
    pairs = [("head.weight", 1)]
    assert decide({"a": 0}, pairs, shapes={}, partial=True) == {"a": 0}
    assert settle({"a": 0}, pairs, shapes={}, aliases=["head.weight"]) == ({"a": 0}, [])
    wrong: Any = 1
    with pytest.raises(sb.InvalidTypeError, match="`partial` must be a bool"):
        decide({"a": 0}, pairs, shapes={}, partial=wrong)


@pytest.mark.parametrize(
    "axes",
    [{"in_axis": 1, "out_axis": 0}, {"in_axis": [1, 2], "out_axis": [0], "batch_axis": []}],
    ids=repr,
)
def test_fan_axes_stand_beside_an_initializers_configuration(axes: dict[str, Any]) -> None:
    rule = {"class_name": "he_normal", "config": {}, "fan_axes": axes}
    assert parse_initializer(rule) == Filling(sb.HeNormal().spec, sb.FanAxes(**axes))
    document = {"seedbed_manifest": 1, "seed": 1, "dtype": "float32", "rules": {"*": rule}}
    manifest = sb.Manifest.from_dict(document | {"tensors": {"w": [2, 3, 4]}})
    assert manifest["w"].fan_axes == sb.FanAxes(**axes)


@pytest.mark.parametrize("axes", [3, [1, 0], {"in": 1}, {"in_axis": "x"}], ids=repr)
def test_what_are_no_fan_axes_is_refused_with_its_rule(axes: Any) -> None:
    rule = {"class_name": "he_normal", "fan_axes": axes}
    with pytest.raises(sb.InvalidArgumentError, match=r"^rules\['w'\]: `"):
        parse_rules("rules", {"w": rule}, parse_initializer)
