"""A file that is no manifest is refused by our own error, with the file and the place."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import seedbed as sb

HEAD: dict[str, Any] = {"seedbed_manifest": 1, "seed": 1, "dtype": "float32"}
ALL_ZEROS = [{"match": "*", "initializer": "zeros"}]
ONE_WRONG = {
    "match": "b",
    "initializer": {"class_name": "RandomNormal", "config": {"stddev": -1}},
}
START = "seedbed_manifest: 1\nseed: 1\ndtype: float32\nrules: [{match: '*', initializer: zeros}]\n"


def each(*values: Any) -> tuple[Any, ...]:
    """Return values of any types."""
    return values


def tensor(**keys: Any) -> dict[str, Any]:
    """Return a document with one tensor."""
    return HEAD | {"rules": ALL_ZEROS, "tensors": {"w": {"shape": [2, 2]} | keys}}


def rules(value: object) -> dict[str, Any]:
    """Return a document with these rules."""
    return HEAD | {"rules": value, "tensors": {"w": [2]}}


def filled(value: object) -> dict[str, Any]:
    """Return a document with a tensor that this fills."""
    return HEAD | {"tensors": {"w": {"shape": [2], "initializer": value}}}


WRONG: list[tuple[str, object]] = [
    ("manifest", None),
    ("manifest", []),
    ("manifest", [1]),
    ("manifest", "text"),
    ("manifest", 3),
    ("foo", HEAD | {"foo": 1, "tensors": {}}),
    ("seedbed_manifest", {"tensors": {}}),
    *(
        ("seedbed_manifest", {"seedbed_manifest": v, "tensors": {}})
        for v in each(0, 2, "1", True, 1.0, None, [1], {})
    ),
    *(
        ("numerics", HEAD | {"numerics": v, "tensors": {}})
        for v in ("seedbed-2", None, 1, ["seedbed-1"])
    ),
    *(("tensors", HEAD | {"tensors": v}) for v in (None, [], ["w"], "w", 3)),
    ("tensors", HEAD),
    *(("rules", rules(v)) for v in (3, 2.5, True, False, 0, "", "abc")),
    *(
        ("rules[0]", rules([v]))
        for v in (3, None, "ab", ["*", "zeros"], [], {"match": 1, "initializer": "ones"}, {})
    ),
    *(
        ("rules[0]", rules([v]))
        for v in ({"match": "*", "initialiser": "zeros"}, ALL_ZEROS[0] | {"seed": 1})
    ),
    *(("rules[1]", rules([*ALL_ZEROS, v])) for v in ({"match": "*"}, {"initializer": "zeros"})),
    ("initializer", rules([{"match": "*", "initializer": 3}])),
    # A rule is read whether it matches a name or not.
    ("rules['b'].initializer", rules([*ALL_ZEROS, {"match": "b", "initializer": "nobody"}])),
    ("rules['b'].initializer", rules([*ALL_ZEROS, {"match": "b", "initializer": None}])),
    ("rules['b'].stddev", rules([*ALL_ZEROS, ONE_WRONG])),
    ("rules", rules([])),
    ("rules", rules(None)),
    ("rules", rules([*ALL_ZEROS, {"match": "W", "initializer": "zeros"}])),
    *(
        ("initializer", filled(v))
        for v in (3, [], ["zeros"], {}, "nobody", {"class_name": 3}, True, "", "ones ")
    ),
    *(
        ("initializer", filled({"class_name": "Ones", "config": v}))
        for v in ([1], 0, "", "x", False)
    ),
    ("stddev", filled({"class_name": "RandomNormal", "stddev": 0.02})),
    ("initializer.foo", filled({"class_name": "RandomNormal", "config": {"foo": 1}})),
    *(
        ("stddev", filled({"class_name": "RandomNormal", "config": {"stddev": v}}))
        for v in each("x", None, [], True, -1)
    ),
    *(
        ("seed", filled({"class_name": "RandomNormal", "config": {"seed": v}}))
        for v in ("x", 1.0, True, 2**64)
    ),
    (
        "seed",
        {
            "seedbed_manifest": 1,
            "dtype": "float32",
            "tensors": {"w": {"shape": 2, "initializer": "he_normal"}},
        },
    ),
    *(
        ("shape", tensor(shape=v))
        for v in (None, "22", True, 2.0, {}, {"2": 2}, [1] * 33, [2**40, 2**40])
    ),
    *(("shape[1]", tensor(shape=[2, v])) for v in ("2", None, True, 2.0, -1, [2], 2**63)),
    *(("shape", HEAD | {"rules": ALL_ZEROS, "tensors": {"w": v}}) for v in each(None, "2", {})),
    *(("dtype", tensor(dtype=v)) for v in each(None, 3, [], {}, "", "complex64", ">f4", True)),
    *(("dtype", tensor() | {"dtype": v}) for v in (None, 3, ["float32"], "x")),
    *(("seed", tensor(seed=v)) for v in ("1", 1.0, True, [1], 2**64, -(2**63) - 1)),
    *(("draw", tensor(draw=v)) for v in ("1", 1.0, True, None, -1, 2**64)),
    *(("fan_axes", tensor(fan_axes=v)) for v in (3, "x", [1, 0], False)),
    ("in", tensor(fan_axes={"in": 1})),
    *(("in_axis", tensor(fan_axes={"in_axis": v})) for v in ("x", None, 1.0, True, 2, [[0]])),
    ("sahpe", tensor(sahpe=[1])),
]


def refused(path: Path, field: str | None = None) -> None:
    """Check that a file is refused and how."""
    with pytest.raises(sb.InvalidArgumentError) as caught:
        sb.Manifest.load(path)
    assert isinstance(caught.value, (sb.InvalidValueError, sb.InvalidTypeError))
    assert str(path) in str(caught.value)
    if field is not None:
        fields = [each.field for each in caught.value.violations]
        assert all(each.startswith(str(path)) for each in fields)
        assert any(f".{field}" in each for each in fields)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
@pytest.mark.parametrize(("field", "document"), WRONG, ids=lambda value: str(value)[:60])
def test_a_wrong_document_is_refused_with_its_path(
    tmp_path: Path, suffix: str, field: str, document: object
) -> None:
    path = tmp_path / f"m{suffix}"
    path.write_text(json.dumps(document) if suffix == ".json" else yaml.safe_dump(document))
    refused(path, field)


YAML = {
    "a key twice": START + "seed: 2\ntensors: {}",
    "a name twice": START + "tensors: {w: [1], b: [1], w: [1]}",
    "a tensor's key twice": START + "tensors: {w: {shape: [1], shape: [1]}}",
    "1 and true, which are equal": START + "tensors: {1: [1], true: [1]}",
    "a number as name": START + "tensors: {1: [1]}",
    "a word that is a bool": START + "tensors: {on: [1]}",
    "a date as name": START + "tensors: {2020-01-01: [1]}",
    "no name": START + "tensors: {~: [1]}",
    "a list as key": START + "? [a, b]\n: 1\ntensors: {}",
    "a number as pattern": START.replace("[{match: '*', initializer: zeros}]", "{1: zeros}")
    + "tensors: {w: [1]}",
    "numbers and words as parameters": START
    + "tensors: {w: {shape: 1, initializer: {class_name: HeNormal, config: {1: 1, x: 2}}}}",
    "a set as shape": START + "tensors: {w: !!set {1, 2}}",
    "bytes as shape": START + "tensors: {w: !!binary aGVsbG8=}",
    "a date as shape": START + "tensors: {w: 2020-01-01}",
    "empty": "",
    "only a comment": "# nothing",
    "two documents": "a: 1\n---\nb: 2\n",
    "a tab": "\ta: 1",
    "not closed": "a: [1",
    "a wrong escape": '"\\xZZ"',
    "a NUL": "\0",
    "an object": "!!python/object:os.system {}",
    "a call": START + "tensors: {w: !!python/object/apply:os.getcwd []}",
    "an unknown tag": START + "tensors: !mine {}",
    "a merge": START + "tensors: {a: &a {shape: [1]}, b: {<<: *a, draw: 3}}",
    "an impossible date": "a: 2020-13-45",
    "an integer of 5000 digits": START + f"tensors: {{w: [{'9' * 5000}]}}",
    "no integer": "a: !!int abc",
    "an empty integer": "a: !!int ''",
    "an empty float": "a: !!float ''",
    "no bool": "a: !!bool maybe",
    "no time": "a: !!timestamp abc",
    "a list that says mapping": "!!map [1]",
    "a text that says mapping": START + "tensors: !!map abc",
    "a loop": START + "tensors: &t {w: *t}",
    "a looping list": "&a [*a]",
    "deep lists": "[" * 500 + "]" * 500,
    "deep mappings": "{a: " * 500 + "1" + "}" * 500,
    "half a surrogate pair": START + 'tensors: {"\\ud800": [1]}',
}
JSON = {
    "empty": "",
    "not closed": "{",
    "a key twice": '{"seedbed_manifest": 1, "seedbed_manifest": 1, "tensors": {}}',
    "a name twice": '{"seedbed_manifest": 1, "tensors": {"w": [1], "w": [1]}}',
    "something behind": '{"seedbed_manifest": 1, "tensors": {}} 1',
    "deep lists": "[" * 100_000,
    "deep mappings": '{"a":' * 100_000,
    "not a number": '{"seedbed_manifest": NaN, "tensors": {}}',
    "an integer of 5000 digits": '{"seedbed_manifest": 1, "seed": ' + "9" * 5000 + "}",
}


@pytest.mark.parametrize("text", YAML.values(), ids=YAML.keys())
def test_yaml_that_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(text)
    refused(path)


@pytest.mark.parametrize("text", JSON.values(), ids=JSON.keys())
def test_json_that_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "m.json"
    path.write_text(text)
    refused(path)


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
@pytest.mark.parametrize(
    "data", [b"\xff\xfe\0\x80", b"\x80", START.encode("utf-16"), b"\x89PNG\r\n\x1a\n\0"], ids=repr
)
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, suffix: str, data: bytes) -> None:
    path = tmp_path / f"m{suffix}"
    path.write_bytes(data)
    refused(path)


@pytest.mark.parametrize("levels", [9, 12])
def test_aliases_of_aliases_do_not_blow_up(tmp_path: Path, levels: int) -> None:
    path = tmp_path / "m.yaml"
    lines = [f"  t{i}: &t{i} [{', '.join([f'*t{i - 1}'] * 9)}]" for i in range(1, levels)]
    path.write_text(START + "\n".join(["tensors:", "  t0: &t0 [1, 1, 1]", *lines]))
    with pytest.raises(sb.InvalidValueError, match="aliases repeat more than 10000000 values"):
        sb.Manifest.load(path)


def test_a_long_path_stays_whole_in_the_error(tmp_path: Path) -> None:
    folder = tmp_path / ("f" * 200)
    folder.mkdir()
    (folder / "m.yaml").write_text("a: [")
    refused(folder / "m.yaml")


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sb.Manifest.load(tmp_path / "nobody.yaml")
