"""Manifests in YAML and JSON are read alike, say what fills each tensor, or are refused."""

import copy
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import seedbed as sb
from seedbed import manifest_files
from seedbed.compat.v1 import initializers as v1
from seedbed.spec import yaml_text
from tests.forms_of_rules import FORMS

GPT2 = Path(__file__).parents[2] / "examples" / "gpt2-small.yaml"
HEAD: dict[str, Any] = {"seedbed_manifest": 1, "seed": 1, "dtype": "float32"}
ALL_ZEROS = [{"match": "*", "initializer": "zeros"}]
COMPLETE = sb.Manifest(
    [
        sb.TensorSpec("w", (4, 3), "bfloat16", sb.GlorotUniform(), 2**64 - 1, 7, sb.FanAxes(1, 0)),
        sb.TensorSpec("Gewicht.ß.重み.🌱", (), "float64", sb.Constant(2.5)),
        sb.TensorSpec("", (0, 3), "int8", sb.Constant(-128)),
        sb.TensorSpec(
            "e", (2, 2, 4), "float16", sb.VarianceScaling(2e-5, "fan_avg", "uniform"), -1
        ),
        *(
            sb.TensorSpec(name, (2,), "float32", sb.RandomNormal(0.1, 1e-22), 3)
            for name in (
                "1",
                "true",
                "null",
                "~",
                "<<",
                "=",
                "1e3",
                "0o17",
                "09",
                "0042",
                "1:30",
                "on",
                "y",
                "2020-01-01",
                "a: b",
                " x ",
                "\n\r\t\0\x85",
                "n" * 1024,
            )
        ),
        sb.TensorSpec("o", (4, 2), "float32", sb.Orthogonal(1.5), 5),
    ]
)


def loaded(path: Path, document: object) -> sb.Manifest:
    """Return the manifest of a document that was written as the file's format."""
    path.write_text(
        json.dumps(document)
        if path.suffix == ".json"
        else yaml.safe_dump(document, sort_keys=False)
    )
    return sb.Manifest.load(path)


@pytest.fixture(params=[".yaml", ".yml", ".json"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file of each format."""
    return tmp_path / f"model{request.param}"


def test_a_file_says_what_fills_each_tensor(path: Path) -> None:
    document = HEAD | {
        "numerics": "seedbed-1",
        "rules": [
            {"match": "*.bias", "initializer": "zeros"},
            {"match": "*", "initializer": "glorot_uniform"},
        ],
        "tensors": {
            "b.weight": [3, 2],
            "a.bias": 2,
            "c": {"shape": [], "dtype": "bool", "initializer": "ones"},
        },
    }
    manifest = loaded(path, document)
    assert manifest.tensors == (
        sb.TensorSpec("b.weight", (3, 2), "float32", sb.GlorotUniform(seed=1)),
        sb.TensorSpec("a.bias", (2,), "float32", sb.Zeros(), 1),
        sb.TensorSpec("c", (), "bool", sb.Ones(), 1),
    )
    assert manifest.size_bytes == 24 + 8 + 1


@pytest.mark.parametrize("own", [None, 3])
@pytest.mark.parametrize("configured", [None, 2])
@pytest.mark.parametrize("shared", [None, 1])
def test_the_tensors_seed_comes_first_then_the_initializers_then_the_manifests(
    own: int | None, configured: int | None, shared: int | None
) -> None:
    initializer = {"class_name": "RandomNormal", "config": {"seed": configured}}
    entry = {"shape": [2], "seed": own, "initializer": initializer}
    document = HEAD | {"seed": shared, "tensors": {"w": entry}}
    expected = next((seed for seed in (own, configured, shared) if seed is not None), None)
    if expected is None:
        with pytest.raises(sb.InvalidTypeError, match=r"tensors\.w: `seed`"):
            sb.Manifest.from_dict(document)
    else:
        assert sb.Manifest.from_dict(document)["w"].seed == expected


UNSEEDED = {
    "an initializer": sb.RandomNormal,
    "one with a generator": lambda: sb.RandomNormal(seed=sb.SeedGenerator()),
    "its configuration": lambda: sb.serialize(sb.RandomNormal()),
    "a copy": lambda: copy.deepcopy(sb.RandomNormal()),
    "a class of TensorFlow 1": v1.random_normal,
}


@pytest.mark.parametrize("make", UNSEEDED.values(), ids=UNSEEDED)
def test_an_initializer_without_a_seed_takes_the_manifests(make: Any) -> None:
    def built() -> sb.Manifest:
        document = HEAD | {"rules": {"*": make()}, "tensors": {"w": [2], "v": {"shape": [2]}}}
        return sb.Manifest.from_dict(document)

    assert built() == built(), "another process gets the same model"
    assert {spec.seed for spec in built().tensors} == {1}


@pytest.mark.parametrize("make", UNSEEDED.values(), ids=UNSEEDED)
def test_no_seed_anywhere_is_an_error_that_says_so(make: Any) -> None:
    document = {"seedbed_manifest": 1, "dtype": "float32", "tensors": {"w": [2]}}
    with pytest.raises(sb.InvalidTypeError, match=r"tensors\.w: `seed` must be an integer"):
        sb.Manifest.from_dict(document | {"rules": {"*": make()}})


def test_an_object_and_a_name_make_the_same_manifest() -> None:
    for made, name in ((sb.Zeros(), "zeros"), (sb.HeNormal(), "he_normal")):
        one, two = (
            sb.Manifest.from_dict(HEAD | {"rules": {"*": rule}, "tensors": {"w": [2, 2]}})
            for rule in (made, name)
        )
        assert one == two


def test_seed_zero_counts_as_given() -> None:
    entry = {
        "shape": [2],
        "seed": 0,
        "initializer": {"class_name": "RandomNormal", "config": {"seed": 2}},
    }
    assert sb.Manifest.from_dict(HEAD | {"tensors": {"w": entry}})["w"].seed == 0


def test_a_tensors_own_dtype_fan_axes_and_draw_come_first() -> None:
    own = {
        "shape": [2, 3],
        "dtype": "float16",
        "fan_axes": {"in_axis": 0, "out_axis": 1},
        "draw": 9,
    }
    shared = HEAD | {
        "fan_axes": {"in_axis": 1, "out_axis": 0},
        "rules": [{"match": "*", "initializer": "he_normal"}],
    }
    manifest = sb.Manifest.from_dict(shared | {"tensors": {"a": own, "b": [2, 3]}})
    assert [spec.dtype.value for spec in manifest.tensors] == ["float16", "float32"]
    assert [spec.fan_axes for spec in manifest.tensors] == [sb.FanAxes(0, 1), sb.FanAxes(1, 0)]
    assert [spec.draw for spec in manifest.tensors] == [9, 0]


def test_shared_fan_axes_leave_out_tensors_without_fans() -> None:
    rules = [
        {"match": "*.bias", "initializer": "zeros"},
        {"match": "*", "initializer": "glorot_uniform"},
    ]
    shared = HEAD | {"fan_axes": {"in_axis": 1, "out_axis": 0}, "rules": rules}
    manifest = sb.Manifest.from_dict(shared | {"tensors": {"a.bias": [3], "a.weight": [3, 2]}})
    assert [spec.fan_axes for spec in manifest.tensors] == [None, sb.FanAxes(1, 0)]


@pytest.mark.parametrize("form", FORMS, ids=FORMS)
def test_the_first_rule_that_matches_counts_and_case_matters(form: str) -> None:
    rules = FORMS[form]({"a.?": "ones", "[ab].*": "zeros", "A.*": "he_normal", "*": "identity"})
    tensors = {name: [2, 2] for name in ("a.b", "a.bc", "b.c", "A.b", "c")}
    manifest = sb.Manifest.from_dict(HEAD | {"rules": rules, "tensors": tensors})
    names = [spec.initializer.name() for spec in manifest.tensors]
    assert names == ["Ones", "Zeros", "Zeros", "HeNormal", "Identity"]


@pytest.mark.parametrize(
    "name", ["GlorotUniform", "glorot_uniform", "GLOROT_UNIFORM", "glorotUniform"]
)
@pytest.mark.parametrize("form", ["text", "mapping", "keras"])
def test_an_initializers_name_has_any_spelling(name: str, form: str) -> None:
    keras = {
        "module": "keras.initializers",
        "class_name": name,
        "config": {"seed": None},
        "registered_name": None,
    }
    value = {"text": name, "mapping": {"class_name": name}, "keras": keras}[form]
    manifest = sb.Manifest.from_dict(
        HEAD | {"tensors": {"w": {"shape": [2, 2], "initializer": value}}}
    )
    assert manifest["w"] == sb.TensorSpec("w", (2, 2), "float32", sb.GlorotUniform(seed=1))


def test_shared_axes_are_those_of_kernels_and_stacked_matrices_too() -> None:
    rules = [
        {"match": "dirac", "initializer": "dirac"},
        {"match": "*", "initializer": "orthogonal"},
    ]
    axes = {"in_axis": 1, "out_axis": 0, "batch_axis": 2}
    shared = HEAD | {"fan_axes": axes, "rules": rules}
    manifest = sb.Manifest.from_dict(
        shared | {"tensors": {"dirac": [6, 4, 2, 3], "stack": [4, 4, 3]}}
    )
    assert [spec.fan_axes for spec in manifest.tensors] == [sb.FanAxes(1, 0, 2)] * 2
    assert sb.Manifest.from_dict(manifest.to_dict()) == manifest


def test_an_initializer_object_brings_its_seed_and_its_fan_axes() -> None:
    filling = sb.VarianceScaling(seed=5, in_axis=1, out_axis=0)
    manifest = sb.Manifest.from_dict(HEAD | {"rules": [("*", filling)], "tensors": {"w": [2, 3]}})
    assert manifest["w"] == sb.TensorSpec("w", (2, 3), "float32", filling)


def test_a_manifest_survives_a_dictionary_and_a_file(path: Path) -> None:
    assert sb.Manifest.from_dict(COMPLETE.to_dict()) == COMPLETE
    COMPLETE.save(path)
    assert sb.Manifest.load(str(path)) == COMPLETE
    assert list(sb.Manifest.load(path)) == list(COMPLETE)


def test_a_manifest_without_tensors_survives_a_file(path: Path) -> None:
    sb.Manifest([]).save(path)
    assert sb.Manifest.load(path) == sb.Manifest([])


def test_a_manifest_is_an_ordered_mapping() -> None:
    manifest = sb.Manifest(iter(COMPLETE.tensors))
    assert (
        manifest == COMPLETE and hash(manifest) == hash(COMPLETE) and manifest != COMPLETE.tensors
    )
    assert manifest != sb.Manifest(COMPLETE.tensors[::-1]) and manifest != sb.Manifest(
        COMPLETE.tensors[1:]
    )
    assert len(manifest) == len(COMPLETE.tensors) == len(list(manifest))
    assert "w" in manifest and "W" not in manifest and 1 not in manifest
    assert manifest["1"].name == "1"
    assert "23 tensors" in repr(manifest)
    with pytest.raises(KeyError):
        manifest["nobody"]


def test_two_tensors_of_one_name_are_refused() -> None:
    with pytest.raises(sb.InvalidValueError, match=r'different names.*"w"'):
        sb.Manifest([COMPLETE["w"], COMPLETE["o"], COMPLETE["w"]])
    with pytest.raises(sb.InvalidTypeError, match="tensors"):
        sb.Manifest(["w"])  # type: ignore[list-item]


def test_names_that_are_only_alike_as_text_are_no_names() -> None:
    with pytest.raises(sb.InvalidTypeError, match=r"tensors\.1: `name` must be a string"):
        sb.Manifest.from_dict(HEAD | {"rules": ALL_ZEROS, "tensors": {"1": [2], 1: [2]}})


def test_the_example_is_gpt2_small() -> None:
    manifest = sb.Manifest.load(GPT2)
    assert len(manifest) == 148
    assert sum(math.prod(spec.shape) for spec in manifest.tensors) == 124_439_808
    assert manifest.size_bytes == 4 * 124_439_808
    assert {spec.seed for spec in manifest.tensors} == {42}
    written = [
        line.split(":")[0].strip()
        for line in GPT2.read_text().split("\ntensors:\n")[1].splitlines()
    ]
    assert list(manifest) == written


@pytest.mark.parametrize(
    ("name", "initializer"),
    [
        ("wte.weight", sb.RandomNormal(stddev=0.02)),
        ("wpe.weight", sb.RandomNormal(stddev=0.01)),
        ("h.0.ln_1.weight", sb.Ones()),
        ("h.0.ln_1.bias", sb.Zeros()),
        ("h.5.attn.c_attn.weight", sb.RandomNormal(stddev=0.02)),
        ("h.5.attn.c_attn.bias", sb.Zeros()),
        ("h.11.attn.c_proj.weight", sb.RandomNormal(stddev=0.02 / math.sqrt(24))),
        ("h.11.mlp.c_fc.weight", sb.RandomNormal(stddev=0.02)),
        ("h.11.mlp.c_proj.weight", sb.RandomNormal(stddev=0.02 / math.sqrt(24))),
        ("h.11.mlp.c_proj.bias", sb.Zeros()),
        ("h.11.ln_2.weight", sb.Ones()),
        ("ln_f.weight", sb.Ones()),
        ("ln_f.bias", sb.Zeros()),
    ],
)
def test_the_example_begins_as_published(name: str, initializer: sb.Initializer) -> None:
    assert sb.Manifest.load(GPT2)[name].initializer == initializer.spec


def test_yaml_is_imported_by_whoever_needs_it() -> None:
    program = "import seedbed, sys; sys.exit('yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_yaml_is_read_and_written_by_libyaml_where_it_is_there() -> None:
    """Its pure Python takes minutes for manifests of 100,000s of tensors."""
    has_libyaml = yaml.__with_libyaml__
    assert yaml_text._FastParser is (yaml.CSafeLoader if has_libyaml else yaml.SafeLoader)
    assert issubclass(manifest_files._Dumper, yaml.CSafeDumper if has_libyaml else yaml.SafeDumper)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("wte", "no tensor 'wte'; did you mean 'wte.weight'?"),
        ("c_fc.bias", "no tensor 'c_fc.bias'; did you mean 'h.0.mlp.c_fc.bias'?"),
        ("WPE.weight", "no tensor 'WPE.weight'; did you mean 'wpe.weight' or 'wte.weight'?"),
        ("h.0.mlp.c_cf.bias", "no tensor 'h.0.mlp.c_cf.bias'; did you mean 'h.0.mlp.c_fc.bias'?"),
        ("nobody", "no tensor 'nobody'"),
        ("", "no tensor ''"),
        (3, "no tensor 3"),
    ],
)
def test_a_name_that_is_not_there_is_a_key_error_with_the_close_ones(name: Any, said: str) -> None:
    names = ("wte.weight", "wpe.weight", "h.0.mlp.c_fc.bias")
    tensors = sb.Manifest(sb.TensorSpec(name, 2, "float32", sb.Zeros()) for name in names)
    with pytest.raises(KeyError) as caught:
        tensors[name]
    assert caught.value.args == (said,)
    assert name not in tensors


def test_a_manifest_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest_files, "MAX_CHARACTERS", 2**20)
    with pytest.raises(sb.InvalidValueError, match="must be at most 1,048,576 characters long"):
        sb.Manifest.load("/dev/zero")
