"""initialize fills every parameter of a module by its name, and says which one is wrong."""

from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx import nn
from mlx.utils import tree_flatten

import seedbed as sb
from seedbed import mlx as ours
from tests.forms_of_rules import FORMS
from tests.frameworks.recording import RecordingClient

RULES: dict[str, Any] = {"*.bias": "zeros", "layers.3.*": "ones", "*": sb.HeNormal(seed=9)}


def small() -> nn.Module:
    """Return a module with layers of several kinds."""
    return nn.Sequential(
        nn.Linear(7, 5), nn.ReLU(), nn.Conv2d(5, 4, 3, bias=False), nn.LayerNorm(3)
    )


@pytest.mark.parametrize("form", FORMS, ids=FORMS)
def test_a_parameter_is_the_tensor_of_its_name(form: str, recorder: RecordingClient) -> None:
    module = small()
    rules = FORMS[form](RULES)
    assert ours.initialize(module, seed=5, rules=rules, client=recorder) is module
    assert recorder.call_count == 1
    assert [spec.name for spec, _ in recorder.parts] == [
        name for name, _ in tree_flatten(module.parameters())
    ]
    expected = sb.TensorSpec(
        "layers.0.weight", (5, 7), "float32", sb.HeNormal(seed=5), fan_axes=sb.FanAxes(-1, 0)
    )
    np.testing.assert_array_equal(module.layers[0].weight, recorder.sample(expected))
    assert module.layers[0].bias.tolist() == [0] * 5
    assert module.layers[3].weight.tolist() == [1] * 3


def test_fans_are_those_of_mlx_unless_a_rule_names_its_axes(recorder: RecordingClient) -> None:
    manifest = ours.manifest_of(small(), seed=5, rules=RULES)
    assert recorder.describe(manifest["layers.2.weight"]).fan_in == 5 * 3 * 3
    rules: dict[str, Any] = {"*.2.*": sb.VarianceScaling(in_axis=0, out_axis=3), "*": "zeros"}
    own = ours.manifest_of(small(), seed=5, rules=rules)["layers.2.weight"]
    assert own.fan_axes == sb.FanAxes(0, 3)


def test_a_kernel_passes_on_its_inputs_in_mlxs_layout() -> None:
    layer = ours.initialize(nn.Conv2d(2, 2, 3, bias=False), seed=1, rules={"*": "dirac"})
    expected = np.zeros((2, 3, 3, 2))
    expected[[0, 1], 1, 1, [0, 1]] = 1
    np.testing.assert_array_equal(layer.weight, expected)


@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16, mx.float32], ids=str)
def test_the_manifest_says_what_would_be_filled_and_its_digests_what_was(dtype: Any) -> None:
    module = small()
    module.set_dtype(dtype)
    before = ours.digest(module)
    manifest = ours.manifest_of(module, seed=5, rules=RULES)
    assert ours.digest(module) == before
    stated = sb.get_default_client().digest_all(manifest)
    assert ours.digests(ours.initialize(module, seed=5, rules=RULES)) == stated
    assert ours.digest(module) == sb.digest_of(stated)
    assert {spec.dtype.value for spec in manifest.tensors} == {str(dtype).removeprefix("mlx.core.")}


class Twice(nn.Module):  # type: ignore[misc]  # MLX has no annotations
    """One layer under two names, and in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Linear(3, 3)
        self.other = self.one
        self.more = [self.one, nn.Linear(3, 3)]


def test_a_layer_with_several_places_is_filled_once_under_its_first_name() -> None:
    module = Twice()
    manifest = ours.manifest_of(module, seed=1, rules={"*": sb.RandomNormal()})
    assert list(manifest) == ["one.weight", "one.bias", "more.1.weight", "more.1.bias"]
    ours.initialize(module, seed=1, rules={"*": sb.RandomNormal()})
    assert module.one is module.other is module.more[0]
    with sb.connect("embedded:") as client:
        assert ours.digests(module) == client.digest_all(manifest)


def test_none_leaves_a_parameter_alone() -> None:
    module = small()
    kept = module.layers[0].weight
    ours.initialize(module, seed=5, rules={"layers.0.weight": None, "*": "zeros"})
    assert module.layers[0].weight is kept
    assert not mx.any(module.layers[2].weight)


def test_frozen_parameters_are_filled_too_and_stay_frozen() -> None:
    module = small()
    module.freeze()
    ours.initialize(module, seed=5, rules={"*": "ones"})
    assert module.layers[0].bias.tolist() == [1] * 5
    assert not module.trainable_parameters()["layers"][0]


def test_a_prefix_and_a_draw_are_part_of_the_content() -> None:
    rules: dict[str, Any] = {"net.*.bias": "ones", "*": sb.RandomNormal()}
    part = ours.initialize(nn.Linear(7, 5), seed=5, rules=rules, prefix="net.0.", draw=2)
    expected = sb.RandomNormal(seed=5)((5, 7), name="net.0.weight", draw=2)
    np.testing.assert_array_equal(part.weight, expected)
    assert part.bias.tolist() == [1] * 5
    assert set(ours.digests(part, prefix="net.0.")) == {"net.0.weight", "net.0.bias"}
    named = {f"net.0.{name}": each for name, each in ours.digests(part).items()}
    assert ours.digest(part, prefix="net.0.") == sb.digest_of(named)


def test_what_is_asked_of_the_client_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    original = sb.Client.sample_all

    def sample_all(client: sb.Client, manifest: sb.Manifest, **options: Any) -> Any:
        asked.append(options)
        return original(client, manifest, **options)

    monkeypatch.setattr(sb.Client, "sample_all", sample_all)
    options: dict[str, Any] = {"local": True, "progress": True, "timeout_seconds": 60}
    ours.initialize(small(), seed=5, rules=RULES, **options)
    assert asked == [options]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"module": {"w": mx.zeros(3)}}, r"`module` must be an mlx\.nn\.Module"),
        ({"seed": "1"}, "`seed` must be an integer"),
        ({"draw": -1}, "`draw` must be from 0"),
        ({"prefix": 3}, "`prefix` must be a string"),
        ({"rules": "zeros"}, "`rules` must be a mapping"),
        ({"rules": None}, r'each parameter\. .*\n    "layers\.\*\.weight": \.\.\.,  # x3'),
        (
            {"rules": {"*.weight": "ones"}},
            r'a rule for each parameter\. .*\n    "layers.\*.bias": ...,  # x2 ',
        ),
        (
            {"rules": {"*.wieght": "ones", "*": "zeros"}},
            r"patterns that match a name.*\n    '\*.wieght', perhaps meant: '\*.weight'",
        ),
        (
            {"rules": {"*": "ones", "no_such": "glorot"}},
            r"rules\['no_such'\]: `initializer` must be one of",
        ),
        (
            {"rules": {"*.bias": sb.HeNormal(), "*": "ones"}},
            "layers.0.bias: `shape` must be of two axes or more",
        ),
        ({"client": "embedded:"}, "`client` must be a Client or None"),
        ({"local": 1}, "`local` must be a bool"),
        ({"timeout_seconds": "x"}, "`timeout_seconds`"),
    ],
    ids=str,
)
def test_wrong_arguments_are_refused_before_anything_is_changed(
    arguments: dict[str, Any], message: str
) -> None:
    module = small()
    before = ours.digest(module)
    with pytest.raises(sb.InvalidArgumentError, match=message):
        ours.initialize(**{"module": module, "seed": 1, "rules": {"*": "ones"}, **arguments})
    assert ours.digest(module) == before


def test_a_server_that_does_not_answer_leaves_the_module_as_it_was() -> None:
    module = small()
    before = ours.digest(module)
    with (
        sb.connect("127.0.0.1:1", patience_seconds=0) as nobody,
        pytest.raises(sb.UnavailableError),
    ):
        ours.initialize(module, seed=1, rules={"*": "ones"}, client=nobody)
    assert ours.digest(module) == before
