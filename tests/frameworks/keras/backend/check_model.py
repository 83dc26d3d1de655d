"""``initialize`` fills every weight of a model by its path, the same on each backend."""

import functools
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import seedbed as sb
import seedbed.keras as sk
from tests.forms_of_rules import FORMS
from tests.frameworks.keras.cases import content, values
from tests.frameworks.keras.models import dense_model, large_model, own_model, twin_model

DIGEST = "xxh3_128:803eda01b6f5da1759870b4b70294131:2472"


@functools.cache
def large_manifest() -> sb.Manifest:
    """Return what the large model asks for."""
    return sk.initialize(large_model(), seed=42)


def weight(model: Any, path: str) -> Any:
    """Return the value of a weight by the end of its path."""
    (found,) = [each for each in model.weights if each.path.endswith(path)]
    return values(found)


def test_every_weight_is_the_tensor_of_its_path() -> None:
    model = large_model()
    manifest = sk.initialize(model, seed=42)
    assert list(manifest) == [each.path for each in model.weights]
    assert len(manifest) == 34
    sampled = sb.get_default_client().sample_all(manifest)
    for each in model.weights:
        if "lstm_cell/bias" not in each.path:
            assert content(each) == sampled[each.path].tobytes(), each.path
    assert {spec.seed for spec in manifest.tensors} == {42}


def test_the_digest_is_the_same_on_each_backend() -> None:
    model = large_model()
    sk.initialize(model, seed=42)
    assert str(sk.digest(model)) == DIGEST


def test_digests_are_a_servers() -> None:
    model = dense_model(dtype="bfloat16")
    manifest = sk.initialize(model, seed=1)
    assert sk.digests(model) == sb.get_default_client().digest_all(manifest)
    assert sk.digest(model).size_bytes == manifest.size_bytes
    before = sk.digest(model)
    sk.initialize(model, seed=2)
    assert sk.digest(model) != before


@pytest.mark.parametrize(
    ("path", "initializer"),
    [
        ("lstm/lstm_cell/kernel", sb.GlorotUniform()),
        ("lstm/lstm_cell/recurrent_kernel", sb.Orthogonal()),
        ("attention/query/bias", sb.Zeros()),
        ("norm/gamma", sb.Ones()),
        ("batch/moving_mean", sb.Zeros()),
        ("batch/moving_variance", sb.Ones()),
        ("separable/depthwise_kernel", sb.GlorotUniform()),
        ("separable/pointwise_kernel", sb.GlorotUniform()),
        ("depthwise/kernel", sb.HeNormal()),
        ("prelu/alpha", sb.Zeros()),
        ("rms/scale", sb.Ones()),
        ("dense/kernel", sb.HeNormal()),
    ],
)
def test_the_layers_own_initializers_say_what_fills(path: str, initializer: Any) -> None:
    assert large_manifest()[path].initializer == initializer.spec
    assert large_manifest()[path].fan_axes is None


def test_attention_counts_the_axes_of_its_equation() -> None:
    assert large_manifest()["attention/query/kernel"].fan_axes == sb.FanAxes(0, (1, 2))
    assert large_manifest()["attention/attention_output/kernel"].fan_axes == sb.FanAxes((0, 1), 2)


def test_an_initializers_own_axes_count() -> None:
    own = keras.initializers.VarianceScaling(
        1.0, "fan_in", "uniform", input_axes=[1], output_axes=[0]
    )
    manifest = sk.initialize(dense_model(kernel_initializer=own), seed=42)
    assert manifest["model/dense/kernel"].fan_axes == sb.FanAxes(1, 0)


def test_an_lstm_opens_its_forget_gates() -> None:
    model = large_model()
    sk.initialize(model, seed=42)
    assert weight(model, "lstm_cell/bias").tolist() == [0.0] * 4 + [1.0] * 4 + [0.0] * 8
    sk.initialize(model, seed=42, rules={"*lstm_cell/bias": sb.Constant(0.5)})
    assert weight(model, "lstm_cell/bias").tolist() == [0.5] * 16


def test_the_manifest_is_what_initialize_asks_for() -> None:
    model = dense_model()
    before = content(model.weights[0])
    manifest = sk.manifest_of(model, seed=42)
    assert content(model.weights[0]) == before
    assert sk.initialize(model, seed=42) == manifest
    assert sk.digests(model) == sb.get_default_client().digest_all(manifest)
    assert sk.manifest_of(model, seed=42, rules={"*": None}) == sb.Manifest([])


def test_a_prefix_and_a_draw_are_part_of_the_content() -> None:
    model = dense_model()
    manifest = sk.initialize(model, seed=42, rules={"a/*/bias": "ones"}, prefix="a/", draw=3)
    assert list(manifest) == ["a/model/dense/kernel", "a/model/dense/bias"]
    expected = sb.GlorotUniform(seed=42)((4, 3), name="a/model/dense/kernel", draw=3)
    assert content(model.weights[0]) == expected.tobytes()
    assert values(model.weights[1]).tolist() == [1.0] * 3
    stated = sb.get_default_client().digest_all(manifest)
    assert sk.digests(model, prefix="a/") == stated
    assert sk.digest(model, prefix="a/") == sb.digest_of(stated)


def test_what_is_asked_of_the_client_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    original = sb.Client.sample_all

    def sample_all(client: sb.Client, manifest: sb.Manifest, **options: Any) -> Any:
        asked.append(options)
        return original(client, manifest, **options)

    monkeypatch.setattr(sb.Client, "sample_all", sample_all)
    options: dict[str, Any] = {"local": True, "progress": True, "timeout_seconds": 60}
    sk.initialize(dense_model(), seed=42, **options)
    assert asked == [options]


def test_seeds_of_layers_do_not_matter() -> None:
    found = []
    for own in (1, 2, None, keras.random.SeedGenerator(7)):
        model = dense_model(kernel_initializer=keras.initializers.HeNormal(seed=own))
        sk.initialize(model, seed=42)
        found.append(content(model.weights[0]))
    assert found == [sb.HeNormal(seed=42)((4, 3), name="model/dense/kernel").tobytes()] * 4


@pytest.mark.parametrize(
    "rule",
    [
        sb.RandomNormal(stddev=0.02, seed=9),
        sk.RandomNormal(stddev=0.02, seed=9),
        keras.initializers.RandomNormal(stddev=0.02),
        sb.RandomNormal(stddev=0.02).spec,
        {"class_name": "RandomNormal", "config": {"stddev": 0.02}},
    ],
    ids=["plain", "ours", "Keras's", "spec", "dictionary"],
)
@pytest.mark.parametrize("form", FORMS, ids=FORMS)
def test_rules_override_in_their_order(rule: Any, form: str) -> None:
    model = dense_model()
    sk.initialize(model, seed=42, rules=FORMS[form]({"*/kernel": rule, "*": "ones"}))
    expected = sb.RandomNormal(stddev=0.02, seed=42)((4, 3), name="model/dense/kernel")
    assert content(model.weights[0]) == expected.tobytes()
    assert values(model.weights[1]).tolist() == [1.0] * 3


def test_the_rule_none_leaves_a_weight_alone() -> None:
    model = dense_model()
    before = content(model.weights[0])
    manifest = sk.initialize(model, seed=42, rules={"*/kernel": None})
    assert list(manifest) == ["model/dense/bias"]
    assert content(model.weights[0]) == before


def test_a_weight_without_a_known_initializer_is_an_error_that_names_it() -> None:
    model = own_model()
    before = content(model.weights[0])
    with pytest.raises(
        sb.InvalidValueError,
        match=r"`rules` must have a rule for each weight whose layer names no init.*"
        r'seedbed\.keras\.initializing.*\n    "model/own/table": ...,  # \(4, 2\)',
    ):
        sk.initialize(model, seed=42)
    rules = {"*table": "ones", "*kernel": "ones"}
    with pytest.raises(sb.InvalidValueError, match=r"match a name.*\n    '\*kernel'"):
        sk.initialize(model, seed=42, rules=rules)
    assert list(sk.manifest_of(model, seed=42, rules=rules, partial=True)) == ["model/own/table"]
    assert len(sk.manifest_of(model, seed=42, rules=rules, prefix="whole/")) == 1
    assert content(model.weights[0]) == before
    sk.initialize(model, seed=42, rules={"*table": "glorot_uniform"})
    assert (
        content(model.weights[0]) == sb.GlorotUniform(42)((4, 2), name="model/own/table").tobytes()
    )


class Halved(keras.initializers.GlorotUniform):  # type: ignore[misc]
    """A user's class, which may do anything."""


@pytest.mark.parametrize(
    "initializer",
    [Halved(), lambda shape, dtype=None: keras.ops.ones(shape, dtype)],
    ids=["subclass", "function"],
)
def test_an_initializer_without_a_counterpart_is_an_error_that_names_the_weight(
    initializer: Any,
) -> None:
    with pytest.raises(sb.InvalidValueError, match="model/dense/kernel: `initializer` must be"):
        sk.initialize(dense_model(kernel_initializer=initializer), seed=42)


def test_what_was_measured_stays() -> None:
    normalization = layers.Normalization(name="normalization")
    normalization.adapt(np.arange(12, dtype="float32").reshape(4, 3))
    model = keras.Sequential(
        [keras.Input((3,)), normalization, layers.Dense(2, name="dense")], name="model"
    )
    before = [content(each) for each in normalization.weights]
    manifest = sk.initialize(model, seed=42)
    assert sorted(manifest) == ["model/dense/bias", "model/dense/kernel"]
    assert [content(each) for each in normalization.weights] == before


def test_seeds_metrics_and_optimizers_are_no_weights() -> None:
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dropout(0.5, seed=3), layers.Dense(3, name="dense")],
        name="model",
    )
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(np.ones((2, 4), "float32"), np.ones((2, 3), "float32"), verbose=0)
    state = [content(each) for each in (*model.optimizer.variables, *model.layers[0].variables)]
    sk.initialize(model, seed=42)
    assert [
        content(each) for each in (*model.optimizer.variables, *model.layers[0].variables)
    ] == state
    assert (
        content(model.weights[0])
        == sb.GlorotUniform(42)((4, 3), name="model/dense/kernel").tobytes()
    )


def test_frozen_weights_are_filled_too() -> None:
    model = dense_model()
    model.trainable = False
    sk.initialize(model, seed=42)
    assert (
        content(model.weights[0])
        == sb.GlorotUniform(42)((4, 3), name="model/dense/kernel").tobytes()
    )


def test_a_single_layer_can_be_filled() -> None:
    layer = layers.Dense(3, name="alone")
    layer.build((None, 4))
    assert list(sk.initialize(layer, seed=42)) == ["alone/kernel", "alone/bias"]


def test_all_weights_come_in_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    model = large_model()
    asked: list[sb.Manifest] = []
    original = sb.Client.sample_all

    def sample_all(client: sb.Client, manifest: sb.Manifest, **options: Any) -> Any:
        asked.append(manifest)
        return original(client, manifest, **options)

    monkeypatch.setattr(sb.Client, "sample_all", sample_all)
    monkeypatch.setattr(sb.Client, "sample", lambda *_, **__: pytest.fail("one tensor at a time"))
    with sb.connect("embedded:") as client:
        manifest = sk.initialize(model, seed=42, client=client)
    assert asked == [manifest]


def test_a_model_that_is_not_built_is_refused() -> None:
    model = keras.Sequential([layers.Dense(3)])
    with pytest.raises(sb.InvalidValueError, match="`model` must be built"):
        sk.initialize(model, seed=42)


def test_weights_of_one_path_are_numbered_in_order() -> None:
    model = twin_model()
    manifest = sk.initialize(model, seed=42)
    assert list(manifest) == ["same/kernel", "same/bias", "same#2/kernel", "same#2/bias"]
    assert content(model.weights[0]) != content(model.weights[2])
    assert sk.digests(model) == sb.get_default_client().digest_all(manifest)


class Scale(layers.RMSNormalization):  # type: ignore[misc]
    """A layer of Keras's name whose code is another's, as Gemma's."""

    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(shape[-1],), initializer="zeros", name="scale")
        self.kernel_initializer = keras.initializers.Ones()
        self.kernel = self.add_weight(shape=(2,), initializer="zeros", name="kernel")


Scale.__name__ = "RMSNormalization"


def test_only_keras_own_layers_are_known_by_their_class() -> None:
    layer = Scale(name="other")
    layer.build((None, 3))
    with pytest.raises(sb.InvalidValueError, match=r"(?s)other/scale.*other/kernel"):
        sk.initialize(layer, seed=42)


class Called(layers.RMSNormalization):  # type: ignore[misc]
    """A subclass that leaves the weights to Keras's code."""


def test_a_subclass_that_leaves_its_weights_to_keras_is_known() -> None:
    layer = Called(name="called")
    layer.build((None, 3))
    assert sk.initialize(layer, seed=42)["called/scale"].initializer == sb.Ones().spec


@pytest.mark.parametrize("rule", ["glorot_uniform", sb.GlorotUniform(), sk.GlorotUniform()])
def test_a_rule_counts_the_axes_of_the_layers_equation(rule: Any) -> None:
    layer = layers.MultiHeadAttention(2, 3, name="attention")
    layer.build((None, 5, 6), (None, 5, 6))
    manifest = sk.manifest_of(layer, seed=42, rules={"*": rule})
    assert manifest["attention/query/kernel"].fan_axes == sb.FanAxes(0, (1, 2))
    assert manifest["attention/query/bias"].fan_axes is None


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"seed": "1"}, sb.InvalidTypeError, "`seed` must be an integer"),
        ({"seed": 2**64}, sb.InvalidValueError, "`seed` must be from"),
        ({"seed": 1, "rules": "ones"}, sb.InvalidTypeError, "`rules` must be a mapping"),
        (
            {"seed": 1, "rules": ["*"]},
            sb.InvalidTypeError,
            r"`rules\[0\]` must be \(pattern, initializer\) or",
        ),
        (
            {"seed": 1, "rules": {"*": "no_such"}},
            sb.InvalidValueError,
            r"rules\['\*'\]: `initializer` must be one",
        ),
        (
            {"seed": 1, "rules": {"no/such/path": Halved()}},
            sb.InvalidValueError,
            r"rules\['no/such/path'\]: `initializer` must be an initializer of Keras's",
        ),
        ({"seed": 1, "draw": -1}, sb.InvalidValueError, "`draw` must be from 0"),
        ({"seed": 1, "prefix": 3}, sb.InvalidTypeError, "`prefix` must be a string"),
        ({"seed": 1, "local": 1}, sb.InvalidTypeError, "`local` must be a bool"),
        ({"seed": 1, "timeout_seconds": "x"}, sb.InvalidTypeError, "`timeout_seconds`"),
        ({"seed": 1, "client": "embedded:"}, sb.InvalidTypeError, "`client` must be a Client"),
    ],
)
def test_wrong_arguments_are_refused(options: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind, match=message):
        sk.initialize(dense_model(), **options)
