"""A manifest takes names, shapes and dtypes from a file that the safetensors package wrote."""

import json
import struct
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

import seedbed as sb

ARRAYS: dict[str, Any] = {
    "a.weight": np.zeros((4, 3), np.float32),
    "a.bias": np.zeros(4, np.float16),
    "b.weight": np.zeros((2, 3), ml_dtypes.bfloat16),
    "steps": np.zeros((), np.int64),
    "mask": np.zeros((0, 5), np.bool_),
}
RULES: dict[str, Any] = {
    "*.weight": "glorot_uniform",
    "*.bias": {"class_name": "Constant", "config": {"value": 0.5}},
    "steps": "zeros",
    "m*": "ones",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of several dtypes."""
    save_file(ARRAYS, tmp_path / "model.safetensors", {"format": "np"})
    return tmp_path / "model.safetensors"


def test_names_shapes_and_dtypes_are_the_files(file: Path) -> None:
    manifest = sb.Manifest.from_safetensors(file, RULES, seed=7, layout="torch")
    assert {spec.name: (spec.shape, spec.dtype.numpy) for spec in manifest.tensors} == {
        name: (array.shape, array.dtype) for name, array in ARRAYS.items()
    }
    assert {spec.seed for spec in manifest.tensors} == {7}
    assert manifest["a.bias"].initializer == sb.Constant(0.5).spec
    assert manifest["b.weight"] == sb.TensorSpec(
        "b.weight", (2, 3), "bfloat16", sb.GlorotUniform(seed=7), fan_axes=sb.FanAxes(1, 0)
    )


def test_rules_may_be_pairs_and_the_first_match_counts(file: Path) -> None:
    manifest = sb.Manifest.from_safetensors(
        str(file), [("a.*", "ones"), *RULES.items()], seed=7, layout="keras"
    )
    assert [manifest[name].initializer.name() for name in ("a.weight", "b.weight")] == [
        "Ones",
        "GlorotUniform",
    ]


def test_an_initializers_own_seed_and_fan_axes_come_first(file: Path) -> None:
    filling = sb.VarianceScaling(seed=3, in_axis=1, out_axis=0)
    manifest = sb.Manifest.from_safetensors(file, {"*.weight": filling, "*": "zeros"}, seed=7)
    assert manifest["a.weight"] == sb.TensorSpec("a.weight", (4, 3), "float32", filling)


def test_an_initializer_without_a_seed_takes_the_given_one(file: Path) -> None:
    def built() -> sb.Manifest:
        rules = {"*.weight": sb.RandomNormal(stddev=0.02), "*": sb.Zeros()}
        return sb.Manifest.from_safetensors(file, rules, seed=7)

    assert built() == built(), "another process gets the same model"
    assert {spec.seed for spec in built().tensors} == {7}


def test_the_dtype_can_be_another(file: Path) -> None:
    manifest = sb.Manifest.from_safetensors(file, RULES, seed=7, layout="torch", dtype="float64")
    assert {spec.dtype.value for spec in manifest.tensors} == {"float64"}


def test_fan_axes_are_those_of_the_weights(file: Path) -> None:
    axes = sb.FanAxes(in_axis=1, out_axis=0)
    manifest = sb.Manifest.from_safetensors(file, RULES, seed=7, fan_axes=axes)
    assert {spec.name: spec.fan_axes for spec in manifest.tensors} == {
        name: axes if name.endswith("weight") else None for name in ARRAYS
    }


def test_it_survives_a_file(file: Path, tmp_path: Path) -> None:
    manifest = sb.Manifest.from_safetensors(file, RULES, seed=7, fan_axes=sb.FanAxes(1, 0))
    manifest.save(tmp_path / "m.yaml")
    assert sb.Manifest.load(tmp_path / "m.yaml") == manifest


def test_a_tensor_that_no_rule_matches_is_named_with_its_file(file: Path) -> None:
    with pytest.raises(sb.InvalidValueError) as caught:
        sb.Manifest.from_safetensors(file, {"[!sb]*": "zeros"}, seed=7)
    head, *lines = str(caught.value).split("\n    ")
    assert head == (
        f"{file}: `rules` must have a rule for each tensor. Complete these and put them first:"
    )
    assert sorted(lines) == ['"b.weight": ...,  # (2, 3)', '"steps": ...,  # ()']


def test_rules_that_match_nothing_are_for_another_part_or_wrong(file: Path) -> None:
    rules = {"A*": "zeros", "*.wieght": "zeros", "*": "zeros"}
    with pytest.raises(sb.InvalidValueError) as caught:
        sb.Manifest.from_safetensors(file, rules, seed=7)
    first, second = str(caught.value).splitlines()[1:]
    assert first.startswith("    'A*', perhaps meant: 'a.*'")
    assert second.startswith("    '*.wieght', perhaps meant: '*.weight'")
    assert len(sb.Manifest.from_safetensors(file, rules, seed=7, partial=True)) == len(ARRAYS)


def test_a_dtype_that_the_initializer_cannot_fill_is_named(file: Path) -> None:
    with pytest.raises(sb.InvalidValueError, match=r"steps.*`dtype`"):
        sb.Manifest.from_safetensors(
            file, {"steps": "he_normal", "*": "zeros"}, seed=7, layout="keras"
        )


LAYOUTS = {
    "torch": sb.FanAxes(in_axis=1, out_axis=0),
    "mlx": sb.FanAxes(in_axis=-1, out_axis=0),
    "keras": None,
    "jax": None,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_says_what_is_input_and_output(tmp_path: Path, layout: Any) -> None:
    save_file({"conv": np.zeros((8, 4, 3, 3), np.float32), "b": np.zeros(4)}, tmp_path / "m")
    rules = {"conv": "he_normal", "b": "zeros"}
    manifest = sb.Manifest.from_safetensors(tmp_path / "m", rules, seed=7, layout=layout)
    assert [spec.fan_axes for spec in manifest.tensors if spec.name == "conv"] == [LAYOUTS[layout]]
    assert manifest["b"].fan_axes is None


def test_axes_of_a_rule_come_before_the_layout(file: Path) -> None:
    own = {"class_name": "he_normal", "fan_axes": {"in_axis": 0, "out_axis": 1}}
    rules: dict[str, Any] = {"a.weight": own, "*.weight": "he_normal", "*": "zeros"}
    manifest = sb.Manifest.from_safetensors(file, rules, seed=7, layout="torch")
    assert [manifest[name].fan_axes for name in ("a.weight", "b.weight")] == [
        sb.FanAxes(0, 1),
        sb.FanAxes(1, 0),
    ]
    # Where every tensor that has inputs and outputs names them, there is no question.
    rules = {"*.weight": own, "*": "zeros"}
    assert len(sb.Manifest.from_safetensors(file, rules, seed=7)) == len(ARRAYS)


def test_without_a_layout_what_needs_one_is_an_error_that_lists_it(file: Path) -> None:
    rules: dict[str, Any] = {"*.weight": "he_normal", "mask": sb.Dirac(), "*": "zeros"}
    with pytest.raises(sb.InvalidValueError) as caught:
        sb.Manifest.from_safetensors(file, rules, seed=7)
    head, *lines = str(caught.value).split("\n    ")
    assert "`layout` must be one of torch, keras, jax, mlx, or `fan_axes` given" in head
    assert sorted(line.split("#")[1] for line in lines) == [" (0, 5)", " (2, 3)", " (4, 3)"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layout": "pytorch"}, "`layout` must be one of torch, keras, jax, mlx"),
        ({"layout": 3}, "`layout` must be one of"),
        ({"fan_axes": {"in_axis": 1}}, "`fan_axes` must be FanAxes or None"),
        ({"layout": "torch", "fan_axes": sb.FanAxes(1, 0)}, "`fan_axes` must be None where a lay"),
    ],
    ids=str,
)
def test_a_wrong_layout_is_refused(file: Path, arguments: Any, message: str) -> None:
    with pytest.raises(sb.InvalidArgumentError, match=message):
        sb.Manifest.from_safetensors(file, {"*": "zeros"}, seed=7, **arguments)


def test_inputs_and_outputs_need_two_axes_in_torchs_layout(file: Path) -> None:
    rules = {"a.bias": "he_normal", "*": "zeros"}
    with pytest.raises(
        sb.InvalidValueError, match=r"tensors\.a\.bias: `shape` must be of two axes"
    ):
        sb.Manifest.from_safetensors(file, rules, seed=7, layout="torch")


def test_a_convolutions_orthogonal_weight_is_another_matrix_to_torch(tmp_path: Path) -> None:
    save_file({"conv": np.zeros((8, 4, 3, 3), np.float32)}, tmp_path / "m")
    rules = {"conv": sb.Orthogonal()}
    with pytest.raises(sb.InvalidValueError, match=r"tensors\.conv: `shape` must be of two axes"):
        sb.Manifest.from_safetensors(tmp_path / "m", rules, seed=7, layout="torch")
    stacked = {"conv": sb.Orthogonal(batch_axis=[0, 1])}
    assert len(sb.Manifest.from_safetensors(tmp_path / "m", stacked, seed=7, layout="torch")) == 1
    assert len(sb.Manifest.from_safetensors(tmp_path / "m", rules, seed=7, layout="keras")) == 1


@pytest.fixture
def quantized(tmp_path: Path) -> Path:
    """A file with tensors of dtypes that seedbed does not make, as the package allows them."""
    header: dict[str, Any] = {"norm": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    begin = 8
    for place in range(3):
        for name, dtype, shape, size in (
            (f"h.{place}.scale", "F8_E8M0", [4], 4),
            (f"h.{place}.w", "F4", [4, 2], 4),
        ):
            header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, begin + size]}
            begin += size
    header["rope"] = {"dtype": "C64", "shape": [1, 2], "data_offsets": [begin, begin + 16]}
    text = json.dumps(header).encode()
    path = tmp_path / "quantized.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(begin + 16))
    with safe_open(path, "numpy") as read:  # type: ignore[no-untyped-call,unused-ignore]
        assert set(read.keys()) == header.keys()
    return path


def test_dtypes_that_nothing_makes_are_all_listed(quantized: Path) -> None:
    with pytest.raises(sb.InvalidValueError) as caught:
        sb.Manifest.from_safetensors(quantized, {"*": "zeros"}, seed=7)
    head, *lines = str(caught.value).split("\n    ")
    assert head.startswith(f"{quantized}: `dtype` must be given for these tensors")
    assert lines == [
        '"h.*.scale": None,  # x3 F8_E8M0',
        '"h.*.w": None,  # x3 F4',
        '"rope": None,  # C64',
    ]


def test_tensors_of_other_dtypes_are_kept_with_a_dtype_or_left_out_by_a_rule(
    quantized: Path,
) -> None:
    kept = sb.Manifest.from_safetensors(quantized, {"*": "zeros"}, seed=7, dtype="bfloat16")
    assert kept["h.2.w"].shape == (4, 2) and kept["rope"].dtype.value == "bfloat16"
    rules = {"h.*.scale": None, "h.*.w": None, "rope": None, "*": "zeros"}
    assert list(sb.Manifest.from_safetensors(quantized, rules, seed=7)) == ["norm"]


@pytest.mark.parametrize("rules", [3, "zeros", None, [3], [("*",)], {1: "zeros"}], ids=repr)
def test_rules_of_a_wrong_type_are_refused(file: Path, rules: object) -> None:
    with pytest.raises(sb.InvalidTypeError, match="rules"):
        sb.Manifest.from_safetensors(file, rules, seed=7)  # type: ignore[arg-type]


def test_a_rule_that_matches_nothing_is_checked_too(file: Path) -> None:
    with pytest.raises(
        sb.InvalidValueError, match=r"rules\['no_such'\]: `initializer` must be one"
    ):
        sb.Manifest.from_safetensors(file, {**RULES, "no_such": "nobody"}, seed=7)
