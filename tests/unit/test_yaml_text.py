"""A YAML text means one thing, or is refused with the line of everything that is wrong."""

import math
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from seedbed.spec import yaml_text
from seedbed.spec.yaml_text import NUMBER, TRAP, YamlError, read_yaml

VALUES: dict[str, Any] = {
    # What both versions read alike.
    "42": 42,
    "-42": -42,
    "+42": 42,
    "0": 0,
    "-0": 0,
    "0xFF": 255,
    "0.5": 0.5,
    ".5": 0.5,
    "1.": 1.0,
    "0042.5": 42.5,
    "2.0e-2": 0.02,
    ".inf": math.inf,
    "-.INF": -math.inf,
    "true": True,
    "FALSE": False,
    "null": None,
    "~": None,
    "": None,
    "word": "word",
    "h.0.bias": "h.0.bias",
    "1.2.3": "1.2.3",
    "-x": "-x",
    "0x": "0x",
    # Numbers of YAML 1.2 that are text to YAML 1.1.
    "2e-2": 0.02,
    "1e3": 1000.0,
    "1.5E3": 1500.0,
    "0o17": 15,
    # Text to both, although some take it for something else.
    "y": "y",
    "N": "N",
    "inf": "inf",
    "nan": "nan",
    "NULL ": None,
    "1e": "1e",
    "0o8": "0o8",
    "0b2": "0b2",
    "None": "None",
}
TRAPS = {
    "octal": ["0042", "010", "-017", "+00", "09", "0_1"],
    "to the base 60": ["1:30", "-1:30:59", "1:30.5", "190:20:30"],
    "binary": ["0b1", "-0b1010", "0b1_0"],
    "hexadecimal": ["-0x1F", "+0xff"],
    "a number in": ["1_000", "0x_F", "1_0.5", ".5_0", "6_8.5e+3"],
    "a date": ["2020-01-01", "2020-13-45", "2001-12-14t21:59:43.10-05:00", "2020-1-2 3:04:05"],
    "a boolean": ["yes", "No", "ON", "off"],
    "a merge": ["<<"],
    "a default value": ["="],
}


@pytest.mark.parametrize("text", VALUES, ids=repr)
def test_a_scalar_is_what_yaml_1_2_says(text: str) -> None:
    value = read_yaml(f"key: {text}")["key"]
    assert (type(value), value) == (type(VALUES[text]), VALUES[text])


def test_nan_is_a_number() -> None:
    assert math.isnan(read_yaml(".nan"))


@pytest.mark.parametrize(
    ("meaning", "text"),
    [(meaning, text) for meaning, texts in TRAPS.items() for text in texts],
    ids=repr,
)
def test_what_the_versions_read_differently_is_refused_with_line_and_key(
    meaning: str, text: str
) -> None:
    with pytest.raises(YamlError) as caught:
        read_yaml(f"a:\n  b: [1,\n    {text}]")
    ((line, error),) = caught.value.faults
    assert (line, error.field) == (3, "a.b[1]")
    assert f"Received: {text} (" in str(error) and meaning in str(error)
    for quoted in (f"'{text}'", f'"{text}"', f"|-\n  {text}"):
        assert read_yaml(f"key: {quoted}") == {"key": text}


@given(st.text("0123456789-+_.:xobeEtTzZ<=~ynYNorufs", min_size=1, max_size=8))
@example("1_0:30:0.5_0")
@example("0x")
def test_no_scalar_is_read_otherwise_by_pyyaml_without_an_error(text: str) -> None:
    try:
        pyyaml = yaml.safe_load(f"[{text}]")
        ours = read_yaml(f"[{text}]")
    except (yaml.YAMLError, YamlError, ValueError):
        return
    if not isinstance(pyyaml[0], str):
        assert repr(ours) == repr(pyyaml), "YAML 1.1 makes another value of it"


@given(st.text("0123456789-+_.:xobeE<=yesno", max_size=8))
@example("1e3")
@example("0o17")
def test_text_that_pyyaml_writes_is_read_as_text(text: str) -> None:
    class Dumper(yaml.SafeDumper):
        pass

    Dumper.add_implicit_resolver("tag:yaml.org,2002:float", NUMBER, None)
    assert read_yaml(yaml.dump({text: [text]}, Dumper=Dumper)) == {text: [text]}


WRONG = {
    "a key twice": ("a: 1\nb: 2\na: 3", 3, "`a` must be there once.*on line 1 and on line 3"),
    "a key of a list's mapping twice": ("- {a: 1, a: 2}", 1, r"`\[0\]\.a` must be there once"),
    "keys that are equal": ("1: x\ntrue: y", 2, "`true` must be there once"),
    "a list as key": ("? [a, b]\n: 1", 1, "keys are text"),
    "an alias as key": ("a: &x k\n*x : 1", 2, "keys are text"),
    "a tag of python": ("a: !!python/object/apply:os.system [x]", 1, "`a` must .* without a tag"),
    "a tag of YAML": ("a: 1\nb: !!int '3'", 2, "without a tag. Received: tag:yaml.org,2002:int"),
    "a tag of one's own": ("a: !mine {}", 1, "without a tag. Received: !mine"),
    "no tag's tag": ("a: ! 3", 1, "without a tag"),
    "a merge": ("a: &x {b: 1}\nc:\n  <<: *x", 3, "`c.<<` must be the same"),
    "an alias of nothing": ("a: *x", 1, "repeats what is not complete above it"),
    "a loop": ("a: &x [1, *x]", 1, "repeats what is not complete above it"),
    "a pattern without quotes": ("a: 1\n*.bias: zeros", 2, r"begins with \* needs quotes"),
    "two documents": ("a: 1\n---\nb: 2", 2, "a second document begins here"),
    "a tab": ("a:\n\tb: 1", 2, "cannot start any token"),
    "not closed": ("a: [1,\n 2\n", 3, "while parsing a flow sequence"),
    "a NUL": ("a: 1\nb: \0", 2, "a character that YAML lacks"),
    "deep lists": ("\n" + "[" * 100_000, 2, "nest"),
    "deep mappings": ("{a: " * 500, 1, "nested deeper than 64 levels"),
    "an integer of 5000 digits": ("a: 1\nb: " + "9" * 5000, 2, "`b` must be of fewer digits"),
    "a text with an escape that is none": ('a: "\\xZZ"', 1, "quoted scalar"),
}


@pytest.mark.parametrize("pure", [False, True], ids=["libyaml", "pure"])
@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_plain_document_is_refused_with_its_line(name: str, pure: bool) -> None:
    text, line, said = WRONG[name]
    with pytest.raises(YamlError, match=said) as caught:
        read_yaml(text, aliases=True, lone_surrogates=pure)
    assert caught.value.faults[-1].line == line
    assert len(str(caught.value)) < 500


def test_all_faults_are_found_up_to_one_that_ends_the_reading() -> None:
    with pytest.raises(YamlError) as caught:
        read_yaml("a: 010\nb: yes\na: !x 2\nc: [\n0b1\n")
    assert [each.line for each in caught.value.faults] == [1, 2, 3, 3, 5, 6]


def test_aliases_repeat_where_they_are_allowed_and_not_without_bounds() -> None:
    assert read_yaml("a: &x [1, 2]\nb: [*x, *x]", aliases=True) == {
        "a": [1, 2],
        "b": [[1, 2], [1, 2]],
    }
    with pytest.raises(YamlError, match="line 2: `b` must be written out: aliases are not"):
        read_yaml("a: &x [1, 2]\nb: *x")
    lines = [f"x{level}: &x{level} [{','.join([f'*x{level - 1}'] * 9)}]" for level in range(1, 12)]
    with pytest.raises(YamlError, match="line 8: aliases repeat more than 10000000 values"):
        read_yaml("\n".join(["x0: &x0 [1]", *lines]), aliases=True)


def test_an_empty_text_has_no_value_and_scalars_may_stay_text() -> None:
    for text in ("", "# nothing\n", "---\n"):
        assert read_yaml(text) is None
    assert read_yaml("a: 1e3\nb:\nc: ~", scalar=str) == {"a": "1e3", "b": "", "c": "~"}


def test_every_value_has_its_line() -> None:
    lines: dict[str, int] = {}
    read_yaml("# comment\na:\n  b.c: [1,\n    2]\nd: |\n  text\n", lines=lines)
    assert lines == {"": 2, "a": 2, "a.b.c": 3, "a.b.c[0]": 3, "a.b.c[1]": 4, "d": 5}


def test_each_trap_has_one_meaning() -> None:
    for texts in TRAPS.values():
        for text in texts:
            assert TRAP.match(text)
    assert yaml_text.MAX_DEPTH < 100, "the reader calls itself for each level"
