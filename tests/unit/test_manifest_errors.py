"""Everything that is wrong with a manifest is said at once, each with its line and its key."""

import json
import os
import re
import threading
from pathlib import Path
from typing import Any

import pytest

import seedbed as sb
from seedbed.faults import MOST_SHOWN, joined
from seedbed.manifest_files import read_file

MANY = """\
seedbed_manifest: 1
seed: 42
dtyp: float32
dtype: float23
fan_axes: {in_axis: 1, out_axs: 0}
rules:
  - match: "*.bais"
    initializer: zeros
  - match: "*.weight"
    initializer:
      class_name: RandomNormal
      config:
        stddev: -1
  - match: wte
    initializer: GlorotUnifrom
  - {match: 1, initializer: zeros}
tensors:
  wte.weight: [3, -1]
  h.0.bias: [3]
  scale:
    shape: [1, 2.5]
    draw: x
    sahpe: 1
    initializer: ones
  last:
    shape: [2]
    initializer: {class_name: RandomNormal, config: {std: 3}}
"""
EXPECTED = [
    (3, "dtyp", "; did you mean 'dtype'?"),
    (4, "dtype", 'must be one of float16, .* Received: "float23"'),
    (5, "out_axs", "; did you mean 'out_axis'?"),
    (7, "rules['*.bais']", r"must match a name, perhaps meant: '\*\.bias'"),
    (13, "rules['*.weight'].stddev", "must be 0 or more. Received: -1.0"),
    (14, "rules['wte']", "must match a name, perhaps meant: 'wte.weight'"),
    (15, "rules['wte'].initializer", "; did you mean 'GlorotUniform'?"),
    (16, "rules[3]", "must be .*match: pattern, initializer"),
    (18, "tensors.wte.weight.shape[1]", "must be 0 or more. Received: -1"),
    (21, "tensors.scale.shape[1]", "must be an integer. Received: 2.5"),
    (22, "tensors.scale.draw", "must be an integer. Received: 'x'"),
    (23, "tensors.scale.sahpe", "; did you mean 'shape'?"),
    (27, "tensors.last.initializer.std", "; did you mean 'stddev'?"),
]


def refused(path: Path) -> sb.InvalidArgumentError:
    """Return the error of a file."""
    with pytest.raises(sb.InvalidArgumentError) as caught:
        sb.Manifest.load(path)
    return caught.value


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.yaml"


def document(**keys: Any) -> dict[str, Any]:
    return {"seedbed_manifest": 1, "seed": 1, "dtype": "float32", "rules": {"*": "ones"}} | keys


def test_all_errors_come_at_once_in_the_files_order_with_line_and_key(path: Path) -> None:
    path.write_text(MANY)
    error = refused(path)
    assert str(error).splitlines()[0] == f"{path} has {len(EXPECTED)} errors:"
    assert len(error.violations) == len(EXPECTED)
    for each, (line, field, said) in zip(error.violations, EXPECTED, strict=True):
        assert each.field == f"{path}.{field}"
        assert each.message.startswith(f"{path}:{line}: "), each.message
        assert re.search(said, each.message), each.message
    assert error.field == error.violations[0].field


def test_json_has_lines_too(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps(document(tensors={"a": [1, -1], "b": {"shpe": 1}}), indent=1))
    lines = path.read_text().splitlines()
    # The shape of b is missing, too.
    places = [lines.index(each) + 1 for each in ("   -1", '  "b": {', '   "shpe": 1')]
    said = [each.message.split(": ")[0] for each in refused(path).violations]
    assert said == [f"{path}:{place}" for place in places]
    path.write_text('{"seedbed_manifest": 1,\n"tensors": }')
    assert str(refused(path)) == f"{path}:2: no JSON: Expecting value"


def test_json_that_python_reads_and_a_manifest_cannot_has_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text('{"seedbed_manifest": 1,\n "tensors": {"w": [1],\n  "w": [2]}}')
    assert str(refused(path)) == (
        f"{path}:3: `tensors.w` must be there once. "
        "Received: the key twice, on line 2 and on line 3"
    )
    path.write_text('{\n "tensors": [' + "9" * 5000 + "]}")
    assert str(refused(path)).startswith(f"{path}:2: `tensors[0]` must be of fewer digits.")
    path.write_text("[" * 100_000)
    assert str(refused(path)).startswith(f"{path}: no JSON: maximum recursion depth")


def test_one_error_stands_alone_and_keeps_its_kind(path: Path) -> None:
    path.write_text("seedbed_manifest: 1\ndtype: float32\ntensors:\n  w: {shape: 2.5}\nrules: {}\n")
    error = refused(path)
    assert isinstance(error, sb.InvalidTypeError)
    assert str(error).startswith(f"{path}:4: tensors.w: `shape` must be")
    assert error.field == f"{path}.tensors.w.shape"


def test_many_errors_are_cut_and_counted() -> None:
    tensors = {f"t{place}": [-place - 1] for place in range(1500)}
    with pytest.raises(sb.InvalidValueError) as caught:
        sb.Manifest.from_dict(document(tensors=tensors))
    lines = str(caught.value).splitlines()
    assert lines[0] == "the manifest has 1,500 errors:"
    assert len(lines) == 1 + MOST_SHOWN + 1
    assert lines[-1].strip() == "and 1,480 more errors"


@pytest.mark.parametrize("key", ["seed", "dtype", "fan_axes"])
def test_what_counts_for_all_tensors_is_wrong_once(key: str) -> None:
    shared = document(tensors={f"t{place}": [2, 2] for place in range(9)}) | {key: "x"}
    with pytest.raises(sb.InvalidArgumentError) as caught:
        sb.Manifest.from_dict(shared)
    assert len(caught.value.violations) == 1
    assert caught.value.field == key


def test_a_wrong_rule_is_wrong_once_and_its_tensors_are_not_missing() -> None:
    for rules in ({"*.w": "nobody", "b": "ones"}, [3, {"match": "b", "initializer": "ones"}]):
        tensors = {f"{place}.w": [2, 2] for place in range(9)} | {"b": [1]}
        with pytest.raises(sb.InvalidArgumentError) as caught:
            sb.Manifest.from_dict(document(rules=rules, tensors=tensors))
        assert len(caught.value.violations) == 1


def test_tensors_that_nothing_fills_come_with_the_other_errors() -> None:
    wrong = document(rules={"*.bias": "zeros", "X.bias": "ones"})
    wrong["tensors"] = {"a.bias": [3], "h.0.w": [2, 2], "h.1.w": [2, 2], "b.bias": [-1]}
    with pytest.raises(sb.InvalidValueError) as caught:
        sb.Manifest.from_dict(wrong)
    said = [each.message for each in caught.value.violations]
    assert said[0] == "tensors.b.bias: `shape[0]` must be 0 or more. Received: -1"
    assert said[1].splitlines()[1] == '    "h.*.w": ...,  # x2 (2, 2)'
    assert said[2].startswith("`rules['X.bias']` must match a name, perhaps meant: ")


def test_another_kind_of_document_has_few_errors(path: Path) -> None:
    path.write_text("image: x\nseedbed_manfest: 1\n")
    said = [each.message for each in refused(path).violations]
    assert said[0].endswith("`seedbed_manifest` must be 1. Received: nothing")
    assert said[1].endswith('Received: "image"')
    assert said[2].endswith("; did you mean 'seedbed_manifest'?")


def test_the_traps_of_a_file_come_all_at_once(path: Path) -> None:
    path.write_text(
        "seedbed_manifest: 1\nseed: 0042\ndtype: float32\nrules: {'*': ones}\n"
        "tensors:\n  a: [010]\n  no: [1]\n  b: {shape: [1_000], seed: 1:30}\n"
    )
    lines = [each.message.split(": ")[0] for each in refused(path).violations]
    assert lines == [f"{path}:{line}" for line in (2, 6, 7, 8, 8)]


def test_several_errors_of_one_type_keep_it() -> None:
    wrong_types = document(tensors={"a": ["x"], "b": [None]})
    with pytest.raises(sb.InvalidTypeError, match="the manifest has 2 errors"):
        sb.Manifest.from_dict(wrong_types)
    error = sb.InvalidValueError("x", field="y")
    assert joined([error], "z") is error


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe.yaml"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=("seedbed_manifest: 1\ntensors: 3",))
    writer.start()
    assert str(refused(path)).startswith(f"{path}:2: `tensors` must be a mapping")
    writer.join()


def test_a_reading_says_which_rule_fills_each_tensor_and_which_fill_none(path: Path) -> None:
    path.write_text(
        "seedbed_manifest: 1\nseed: 1\ndtype: float32\nrules:\n"
        "  '*.bias': zeros\n  'h.*': ones\n  'h.*.bias': ones\n  head.weight: ones\n  '*': ones\n"
        "tensors:\n  h.0.bias: [1]\n  h.0.weight: [1]\n"
        "  head.weight: {shape: [1], initializer: zeros}\n  head.bias: [1]\n"
    )
    reading = read_file(path)
    assert [spec.name for spec in reading.specs] == [
        "h.0.bias",
        "h.0.weight",
        "head.weight",
        "head.bias",
    ]
    assert [reading.rule(spec.name) for spec in reading.specs] == ["*.bias", "h.*", None, "*.bias"]
    assert list(reading.idle_rules()) == [
        "rules[2], 'h.*.bias', fills nothing: its tensors are filled by '*.bias'",
        (
            "rules[3], 'head.weight', fills nothing: its tensors are filled by "
            "initializers of their own"
        ),
    ]


def test_a_pattern_twice_is_idle_the_second_time(path: Path) -> None:
    path.write_text(
        "seedbed_manifest: 1\nseed: 1\ndtype: float32\nrules:\n"
        "  - {match: a, initializer: zeros}\n  - {match: a, initializer: ones}\n"
        "tensors:\n  a: [1]\n"
    )
    (text,) = read_file(path).idle_rules()
    assert text == "rules[1], 'a', fills nothing: its tensors are filled by 'a'"
