"""An operator's YAML files: texts, lists and mappings, or an error that says where."""

from pathlib import Path

import pytest

from seedbed_server.yaml_files import YamlFileError, line_of, read_mapping


def written(folder: Path, text: str) -> Path:
    path = folder / "file.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("text", ["1e3", "null", "~", "0x10", "true", "0o17", "60"])
def test_a_scalar_stays_the_text_that_was_written(tmp_path: Path, text: str) -> None:
    assert read_mapping(written(tmp_path, f"key: {text}\n")) == {"key": text}


@pytest.mark.parametrize("text", ["on", "0600", "1:30", "2026-01-31", "1_000"])
def test_what_yaml_1_1_reads_as_a_value_needs_quotes(tmp_path: Path, text: str) -> None:
    with pytest.raises(YamlFileError, match=r"line 2: `a\.b\[1\]` must be the same in YAML 1.1"):
        read_mapping(written(tmp_path, f"a:\n  b: [1, {text}]\n"))
    assert read_mapping(written(tmp_path, f"a: '{text}'")) == {"a": text}


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, "a: yes\nb: 0600\na: 1\n")
    with pytest.raises(YamlFileError) as caught:
        read_mapping(path)
    assert [f"line {line}: " in str(caught.value) for line in (1, 2, 3)] == [True] * 3


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "---\n"])
def test_an_empty_file_is_an_empty_mapping(tmp_path: Path, text: str) -> None:
    assert read_mapping(written(tmp_path, text)) == {}


def test_lists_and_mappings_may_lie_in_each_other(tmp_path: Path) -> None:
    path = written(tmp_path, "a: [1, two]\nb: {c: {d: x}}\ne:\n")
    assert read_mapping(path) == {"a": ["1", "two"], "b": {"c": {"d": "x"}}, "e": ""}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2\n", "`a` must be there once. Received: the key twice, on line 1 and"),
        ("x:\n  a: 1\n  a: 2\n", "line 3"),
        ("a: &x [1]\nb: *x\n", "aliases are not allowed"),
        ("? [a]\n: 1\n", "must be a mapping whose keys are text"),
        ("- a\n", "must be a mapping"),
        ("word\n", "must be a mapping"),
        ("a: [1\n", "line 2: while parsing a flow sequence"),
        ("a: 1\n---\nb: 2\n", "line 2: a second document begins here"),
        ("a: !!python/object/apply:os.system [x]\n", "line 1: `a` must be written without a tag"),
        ("[" * 5000, "nested deeper than 64 levels"),
    ],
)
def test_what_cannot_be_right_is_an_error_that_names_the_file(
    tmp_path: Path, text: str, said: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(YamlFileError) as caught:
        read_mapping(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes(b"a: \xff\xfe\n")
    with pytest.raises(YamlFileError, match="no text in UTF-8"):
        read_mapping(path)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(YamlFileError, match=r"cannot read .*No such file"):
        read_mapping(tmp_path / "missing.yaml")


def test_a_file_beyond_the_limit_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path, "a: " + "x" * 2**20 + "\n")
    with pytest.raises(YamlFileError, match="at most 1048576 bytes"):
        read_mapping(path)


TEXTS = [
    "512 MiB",
    "600",
    "true",
    "~",
    "",
    " x ",
    "a: b",
    "# x",
    "/a,b c",
    "[::1]:0",
    "- a",
    "'",
    "*x",
]
TEXTS += ["on", "0600", "1:30", "2026-01-31", "1_000", "<<", "1e3"]
TEXTS += ["!x", "%a", "]", "{a", "\x7f", "\udc80", "a\nb", "a " * 200, "\N{SEEDLING}"]


@pytest.mark.parametrize("value", [*TEXTS, TEXTS, ["a"]], ids=repr)
def test_a_line_is_read_as_what_was_written(tmp_path: Path, value: str | list[str]) -> None:
    assert read_mapping(written(tmp_path, line_of("key", value) + "  # why\n")) == {"key": value}
