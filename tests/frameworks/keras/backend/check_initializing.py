"""``initializing`` fills every weight while a model is built, as its own initializer says."""

import threading
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import seedbed as sb
import seedbed.keras as sk
from seedbed.compat import v1
from tests.frameworks.keras.cases import content, values
from tests.frameworks.keras.models import (
    Own,
    backbone_model,
    dense_model,
    large_model,
    own_model,
    twin_model,
)
from tests.frameworks.recording import RecordingClient

DIGEST = "xxh3_128:5cb314385615c1a2ae4ddc0a11f196aa:4460"
PATH = "model/own/table"


def sampled(initializer: Any, path: str = PATH, shape: Any = (4, 2)) -> bytes:
    """Return the bytes of a weight's tensor."""
    array: Any = initializer(shape, name=path)
    return bytes(array.tobytes())


def test_it_agrees_with_initialize() -> None:
    with sk.initializing(seed=42) as recorded:
        model = large_model()
    found = sk.digests(model)
    manifest = sk.initialize(model, seed=42)
    assert sk.digests(model) == found
    # The code that opens the forget gates is no tensor.
    assert set(manifest) - set(recorded.manifest) == {
        "lstm/lstm_cell/bias",
    }
    assert all(recorded.manifest[name] == manifest[name] for name in recorded.manifest)
    stated = sb.get_default_client().digest_all(recorded.manifest)
    assert stated == {name: found[name] for name in recorded.manifest}


def test_the_digest_is_the_same_on_each_backend() -> None:
    with sk.initializing(seed=42):
        model = backbone_model()
    assert str(sk.digest(model)) == DIGEST


PAIR: Any = [(2, 3, 4), (2, 3, 4)]
LAYERS: dict[str, tuple[Any, Any]] = {
    "Attention": (lambda: layers.Attention(use_scale=True, score_mode="concat"), (PAIR,)),
    "AdditiveAttention": (layers.AdditiveAttention, (PAIR,)),
    "BatchNormalization": (layers.BatchNormalization, (2, 3)),
    "Bidirectional": (lambda: layers.Bidirectional(layers.GRU(3)), (2, 3, 4)),
    "Conv1D": (lambda: layers.Conv1D(3, 2), (2, 5, 4)),
    "Conv2D": (lambda: layers.Conv2D(4, 2, groups=2), (2, 5, 5, 4)),
    "Conv2DTranspose": (lambda: layers.Conv2DTranspose(3, 2), (2, 5, 5, 4)),
    "Conv3D": (lambda: layers.Conv3D(3, 2), (2, 5, 5, 5, 4)),
    "ConvLSTM1D": (lambda: layers.ConvLSTM1D(3, 2, unit_forget_bias=False), (2, 3, 5, 4)),
    "Dense": (lambda: layers.Dense(3), (2, 4)),
    "DepthwiseConv2D": (lambda: layers.DepthwiseConv2D(3, depth_multiplier=2), (2, 5, 5, 4)),
    "EinsumDense": (
        lambda: layers.EinsumDense("abc,cde->abde", (3, 4, 5), bias_axes="de"),
        (2, 3, 6),
    ),
    "Embedding": (lambda: layers.Embedding(7, 3), (2, 4)),
    "GRU": (lambda: layers.GRU(3), (2, 3, 4)),
    "GroupNormalization": (lambda: layers.GroupNormalization(2), (2, 4)),
    "GroupedQueryAttention": (lambda: layers.GroupQueryAttention(2, 4, 2), PAIR),
    "LayerNormalization": (layers.LayerNormalization, (2, 4)),
    "LSTM": (lambda: layers.LSTM(3, unit_forget_bias=False), (2, 3, 4)),
    "MultiHeadAttention": (lambda: layers.MultiHeadAttention(2, 3), PAIR),
    "PReLU": (lambda: layers.PReLU("he_normal"), (2, 3, 4)),
    "RMSNormalization": (layers.RMSNormalization, (2, 4)),
    "SeparableConv2D": (lambda: layers.SeparableConv2D(3, 2), (2, 5, 5, 4)),
    "SimpleRNN": (lambda: layers.SimpleRNN(3), (2, 3, 4)),
    "SpectralNormalization": (lambda: layers.SpectralNormalization(layers.Dense(3)), (2, 4)),
    "TimeDistributed": (lambda: layers.TimeDistributed(layers.Dense(3)), (2, 3, 4)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_of_keras_says_what_initialize_reads_from_it(name: str) -> None:
    make, shape = LAYERS[name]
    keras.utils.clear_session()
    with sk.initializing(seed=42) as recorded:
        layer = make()
        # Keras's layers with several inputs take their shapes as arguments, or as a list.
        layer.build(*(shape if isinstance(shape[0], (tuple, list)) else [shape]))
    found = sk.digests(layer)
    manifest = sk.initialize(layer, seed=42)
    assert {name: manifest[name] for name in manifest} == {
        n: recorded.manifest[n] for n in recorded.manifest
    }
    assert sk.digests(layer) == found
    assert len(recorded.manifest) == len(layer.weights) > 0


@pytest.mark.parametrize(
    "initializer",
    [
        "glorot_uniform",
        keras.initializers.GlorotUniform(seed=3),
        keras.initializers.GlorotUniform,
        sk.GlorotUniform(),
        sb.GlorotUniform(seed=7),
        {"class_name": "GlorotUniform", "config": {}},
        None,
    ],
    ids=["name", "Keras's", "class", "ours", "plain", "dictionary", "none"],
)
def test_a_layer_of_ones_own_hands_over_anything_that_keras_takes(initializer: Any) -> None:
    with sk.initializing(seed=42) as recorded:
        model = own_model(initializer)
    assert content(model.weights[0]) == sampled(sb.GlorotUniform(seed=42))
    assert recorded.manifest[PATH].initializer == sb.GlorotUniform().spec


def test_tensorflow_1s_classes_keep_their_own_fans() -> None:
    with sk.initializing(seed=42) as recorded:
        layer = Own(v1.uniform_unit_scaling_initializer(), name="own")
        layer.given = v1.uniform_unit_scaling_initializer()
        layer.add_weight(shape=(9,), initializer=layer.given, name="vector")
    assert recorded.manifest["own/vector"].fan_axes == sb.FanAxes((), -1)


def test_the_root_of_an_initializers_variance_is_code() -> None:
    with sk.initializing(seed=42) as recorded:
        layer = layers.BatchNormalization(renorm=True, name="batch")
        layer.build((2, 3))
    assert set(values(layer.moving_stddev)) == {1.0}
    assert len(recorded.manifest) == len(layer.weights) - 2
    with pytest.raises(sb.InvalidValueError, match="batch/moving_stddev"):
        sk.initialize(layer, seed=42)


class Halved(keras.initializers.GlorotUniform):  # type: ignore[misc]
    """A user's class, which calls Keras's code."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return super().__call__(shape, dtype) / 2


class Small(sk.Initializer):
    """A user's class that takes its numbers from Keras."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return keras.random.truncated_normal(shape, stddev=0.02, dtype=dtype)


def test_a_class_of_ones_own_is_run_with_seedbeds_numbers() -> None:
    with sk.initializing(seed=42) as recorded:
        model = own_model(Halved())
    limit = np.sqrt(6 / (4 + 2))
    expected = sb.RandomUniform(-limit, limit, seed=42)((4, 2), name=PATH) / np.float32(2)
    assert np.array_equal(values(model.weights[0]), expected)
    assert list(recorded.manifest) == [], "half a tensor is none"


@pytest.mark.parametrize(
    "initializer",
    [
        Small(),
        lambda shape, dtype: keras.random.truncated_normal(shape, stddev=0.02, dtype=dtype, seed=7),
        lambda shape, dtype: keras.initializers.TruncatedNormal(stddev=0.02)(shape, dtype=dtype),
        lambda shape, dtype: keras.random.truncated_normal(
            shape, 0, keras.ops.convert_to_tensor(0.02), dtype
        ),
    ],
    ids=["class", "function", "an initializer's", "tensor"],
)
def test_code_that_returns_one_tensor_gives_the_tensor_of_its_path(initializer: Any) -> None:
    with sk.initializing(seed=42) as recorded:
        model = own_model(initializer)
    (spec,) = recorded.manifest.tensors
    kind: Any = spec.initializer
    assert kind.name() == "TruncatedNormal"
    assert kind.stddev == pytest.approx(0.02)
    assert content(model.weights[0]) == sb.get_default_client().sample(spec).tobytes()


@pytest.mark.parametrize("space", [sb, sk], ids=["plain", "for Keras"])
def test_initializers_of_seedbed_within_code_take_the_seed_of_the_block(space: Any) -> None:
    found = []
    for _ in range(2):
        with sk.initializing(seed=42) as recorded:
            layer = layers.LSTM(3, bias_initializer=space.RandomNormal(), name="lstm")
            layer.build((2, 5, 4))
        found.append(values(layer.cell.bias).tolist())
    assert found[0] == found[1]
    path = "lstm/lstm_cell/bias"
    assert path not in recorded.manifest
    expected = sb.RandomNormal(seed=42)
    assert found[0][:3] == expected((3,), name=path).tolist()
    assert found[0][3:6] == [1.0] * 3
    assert found[0][6:] == expected((6,), name=path + "[1]").tolist()


def test_several_tensors_of_one_weight_differ() -> None:
    def both(shape: Any, dtype: Any) -> Any:
        half = (shape[0] // 2, shape[1])
        parts = [keras.initializers.RandomNormal(seed=1)(half, dtype) for _ in range(2)]
        return keras.ops.concatenate(parts)

    found = []
    for _ in range(2):
        with sk.initializing(seed=42) as recorded:
            model = own_model(both)
        found.append(values(model.weights[0]))
        assert list(recorded.manifest) == []
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0][:2], found[0][2:])


@pytest.mark.parametrize(
    "initializer",
    [
        keras.initializers.Constant(np.arange(8.0).reshape(4, 2)),
        np.arange(8.0).reshape(4, 2),
        lambda shape, dtype: keras.ops.reshape(keras.ops.arange(8, dtype=dtype), shape),
        lambda shape, dtype: (
            np.random.default_rng(3).permutation(8).reshape(shape) * 0
            + (np.arange(8).reshape(shape))
        ),
    ],
    ids=["constant", "array", "function", "seeded"],
)
def test_what_has_no_chance_in_it_is_right_as_it_is(initializer: Any) -> None:
    with sk.initializing(seed=42) as recorded:
        model = own_model(initializer)
    assert values(model.weights[0]).tolist() == np.arange(8.0).reshape(4, 2).tolist()
    assert PATH not in recorded.manifest


GENERATOR = np.random.default_rng(1)


@pytest.mark.parametrize(
    "initializer",
    [
        lambda shape, dtype: keras.ops.convert_to_tensor(GENERATOR.normal(size=shape), dtype),
        lambda shape, dtype: keras.random.gamma(shape, 1.0, dtype),
        lambda shape, dtype: keras.random.normal(shape, np.ones(2), 1.0, dtype),
        lambda shape, dtype: keras.initializers.GlorotUniform()(shape, "int32"),
    ],
    ids=["numpy's", "gamma", "means", "integers"],
)
def test_numbers_from_elsewhere_are_an_error_that_names_the_weight(initializer: Any) -> None:
    named = pytest.raises(sb.InvalidArgumentError, match=f"^{PATH}: ")
    with named as caught, sk.initializing(seed=42):
        own_model(initializer)
    assert isinstance(caught.value, (sb.InvalidValueError, sb.InvalidTypeError))


def test_rules_come_first() -> None:
    rules: Any = {PATH: sb.RandomNormal(stddev=0.02), "model/rest/*": None, "*": "ones"}
    made = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        with sk.initializing(seed=42, rules=rules) as recorded:
            model = own_model(lambda shape, dtype: pytest.fail("a rule replaces it"))
            model.add(layers.Dense(3, name="rest"))
            model.add(layers.Dense(3, name="last"))
        made.append(model)
        keras.utils.set_random_seed(3)
        theirs = keras.initializers.GlorotUniform()((2, 3))
    assert content(model.weights[0]) == sampled(sb.RandomNormal(stddev=0.02, seed=42))
    assert list(recorded.manifest) == [PATH, "model/last/kernel", "model/last/bias"]
    assert set(values(model.weights[3]).ravel()) == {1.0}
    assert np.array_equal(values(model.weights[1]), values(theirs)), "None leaves it to Keras"


def test_a_rule_that_matches_nothing_is_an_error() -> None:
    rules = {"*kernel": "zeros", "no/such": "ones"}
    refused = pytest.raises(sb.InvalidValueError, match=r"(?s)`rules`.*match.*no/such")
    with refused, sk.initializing(seed=42, rules=rules):
        dense_model()


def test_a_prefix_and_a_draw_are_part_of_the_content() -> None:
    with sk.initializing(seed=42, prefix="a/", draw=3, rules={"a/*bias": "ones"}) as recorded:
        model = dense_model()
    assert list(recorded.manifest) == ["a/model/dense/kernel", "a/model/dense/bias"]
    expected = sb.GlorotUniform(seed=42)((4, 3), name="a/model/dense/kernel", draw=3)
    assert content(model.weights[0]) == expected.tobytes()
    assert sk.digests(model, prefix="a/") == sb.get_default_client().digest_all(recorded.manifest)


def test_weights_of_one_path_are_numbered_and_differ() -> None:
    with sk.initializing(seed=42) as recorded:
        model = twin_model()
    assert list(recorded.manifest) == ["same/kernel", "same/bias", "same#2/kernel", "same#2/bias"]
    assert content(model.weights[0]) != content(model.weights[2])
    found = sk.digests(model)
    sk.initialize(model, seed=42)
    assert sk.digests(model) == found


def test_what_the_block_changes_afterwards_stays() -> None:
    with sk.initializing(seed=42):
        model = dense_model()
        model.set_weights([np.full((4, 3), 5.0), np.full(3, 6.0)])
    assert [set(values(each).ravel()) for each in model.weights] == [{5.0}, {6.0}]


class Inner(layers.Layer):  # type: ignore[misc]
    """A layer without a ``build``, whose parts are built when it is called."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.part = layers.Dense(3, name="part")
        self.drop = layers.Dropout(0.5, name="drop")

    def call(self, inputs: Any) -> Any:
        return self.drop(self.part(inputs))


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "bfloat16"])
@pytest.mark.parametrize("is_symbolic", [True, False], ids=["symbolic", "eager"])
def test_what_is_built_within_a_call_is_filled_too(policy: str, is_symbolic: bool) -> None:
    with sk.initializing(seed=42) as recorded:
        inner = Inner(name="inner", dtype=policy)
        inner.part.dtype_policy = policy
        inner(keras.Input((4,)) if is_symbolic else np.ones((2, 4), "float32"))
    assert list(recorded.manifest) == ["inner/part/kernel", "inner/part/bias"]
    found = sk.digests(inner)
    assert sb.get_default_client().digest_all(recorded.manifest) == found
    assert sk.initialize(inner, seed=42) == recorded.manifest
    assert sk.digests(inner) == found


class Direct(layers.Layer):  # type: ignore[misc]
    """A layer that makes its variables itself."""

    def build(self, _: Any) -> None:
        self.first = keras.Variable("glorot_uniform", shape=(4, 2), name="first")
        self.second = keras.Variable(
            lambda shape, dtype: keras.random.normal(shape, dtype=dtype), shape=(3,), name="second"
        )
        self.third = keras.Variable(np.ones(2), name="third")
        self.fourth = keras.Variable("zeros", shape=(2,), name="fourth")


def test_a_variable_that_a_layer_makes_itself_is_filled_where_chance_decides() -> None:
    with sk.initializing(seed=42) as recorded:
        layer = Direct(name="direct")
        layer.build(None)
    assert list(recorded.manifest) == ["direct/first", "direct/second"]
    found = sk.digests(layer)
    assert sb.get_default_client().digest_all(recorded.manifest).items() <= found.items()


def test_seeds_metrics_and_optimizers_are_no_weights() -> None:
    keras.utils.set_random_seed(3)
    with sk.initializing(seed=42) as recorded:
        inputs = keras.Input((4,), name="inputs")
        x = layers.Dropout(0.5, seed=3, name="drop")(inputs)
        model = keras.Model(inputs, layers.Dense(3, name="dense")(x), name="model")
        model.compile("adam", "mse", metrics=["mae"])
        model.fit(np.ones((2, 4), "float32"), np.ones((2, 3), "float32"), verbose=0)
    assert list(recorded.manifest) == ["dense/kernel", "dense/bias"]


def test_a_block_that_ends_early_leaves_right_values_and_keras_as_it_was() -> None:
    hooks = keras.layers.Layer.add_weight, keras.Variable.__init__, keras.random.normal
    built: list[Any] = []
    blocks: list[Any] = []

    def build() -> None:
        with sk.initializing(seed=42, rules={"no/such": None}) as recorded:
            blocks.append(recorded)
            built.append(dense_model())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        build()
    assert sk.digests(built[0]) == sb.get_default_client().digest_all(blocks[0].manifest)
    assert hooks == (keras.layers.Layer.add_weight, keras.Variable.__init__, keras.random.normal)
    assert "__init__" not in vars(keras.Variable), "it inherits it"
    keras.utils.set_random_seed(3)
    after = content(dense_model().weights[0])
    assert after != sb.GlorotUniform(seed=42)((4, 3), name="model/dense/kernel").tobytes()


def test_a_server_that_does_not_answer_is_an_error_and_the_rest_is_right() -> None:
    class Failing(RecordingClient):
        """The embedded engine, until its second tensor."""

        def sample(self, spec: sb.TensorSpec, **arguments: Any) -> Any:
            if self.parts:
                raise sb.UnavailableError("gone")
            return super().sample(spec, **arguments)

    first, second = layers.Dense(3, name="first"), layers.Dense(3, name="second")

    def build(recordings: list[Any]) -> None:
        with sk.initializing(seed=1, client=Failing()) as recorded:
            recordings.append(recorded)
            first.build((None, 4))
            second.build((None, 4))

    recordings: list[Any] = []
    with pytest.raises(sb.UnavailableError, match="gone"):
        build(recordings)
    (recorded,) = recordings
    assert list(recorded.manifest) == ["first/kernel", "first/bias"]
    assert sk.digests(first) == sb.get_default_client().digest_all(recorded.manifest)


def test_one_block_at_a_time() -> None:
    with sk.initializing(seed=42):
        refused = pytest.raises(sb.InvalidValueError, match="one block at a time")
        with refused, sk.initializing(seed=43):
            pytest.fail("it does not begin")
        model = dense_model()
    assert content(model.weights[0]) == sampled(
        sb.GlorotUniform(seed=42), "model/dense/kernel", (4, 3)
    )


def test_other_threads_build_models_of_their_own() -> None:
    made: list[Any] = []
    with sk.initializing(seed=42) as recorded:
        model = dense_model()
        thread = threading.Thread(target=lambda: made.append(dense_model()))
        thread.start()
        thread.join()
    assert len(recorded.manifest) == 2
    assert content(made[0].weights[0]) != content(model.weights[0])


def test_a_block_without_weights_is_an_error() -> None:
    with pytest.raises(sb.InvalidValueError, match="builds its models"), sk.initializing(seed=42):
        layers.Dense(3)


class Later(keras.Model):  # type: ignore[misc]
    """A model whose layers are built by its first call."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.part = layers.Dense(3, name="part")

    def call(self, inputs: Any) -> Any:
        return self.part(inputs)


@pytest.mark.parametrize(
    "make",
    [lambda: Later(name="later"), lambda: keras.Sequential([layers.Dense(3)], name="later")],
    ids=["subclass", "sequential"],
)
def test_a_model_that_would_be_built_after_the_block_is_an_error(make: Any) -> None:
    kept = []
    refused = pytest.raises(sb.InvalidValueError, match=r"builds its models.*later")
    with refused, sk.initializing(seed=42):
        kept += [dense_model(), make()]
    with sk.initializing(seed=42) as recorded:
        model = make()
        model(np.ones((2, 4), "float32"))
    assert sb.get_default_client().digest_all(recorded.manifest) == sk.digests(model)


def test_the_client_and_its_options_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    original = sb.Client.sample

    def sample(client: sb.Client, spec: Any, **options: Any) -> Any:
        asked.append(options)
        return original(client, spec, **options)

    monkeypatch.setattr(sb.Client, "sample", sample)
    client = RecordingClient()
    with sk.initializing(seed=42, client=client, local=True, timeout_seconds=60) as recorded:
        dense_model()
    assert asked == [{"local": True, "timeout_seconds": 60}]
    assert client.spec == recorded.manifest["model/dense/kernel"]


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"seed": "1"}, sb.InvalidTypeError, "`seed` must be an integer"),
        ({"seed": 2**64}, sb.InvalidValueError, "`seed` must be from"),
        ({"seed": 1, "rules": "ones"}, sb.InvalidTypeError, "`rules` must be a mapping"),
        ({"seed": 1, "rules": {"*": "no_such"}}, sb.InvalidValueError, r"rules\['\*'\]"),
        ({"seed": 1, "draw": -1}, sb.InvalidValueError, "`draw` must be from 0"),
        ({"seed": 1, "prefix": 3}, sb.InvalidTypeError, "`prefix` must be a string"),
        ({"seed": 1, "local": 1}, sb.InvalidTypeError, "`local` must be a bool"),
        ({"seed": 1, "timeout_seconds": "x"}, sb.InvalidTypeError, "`timeout_seconds`"),
        ({"seed": 1, "client": "embedded:"}, sb.InvalidTypeError, "`client` must be a Client"),
    ],
)
def test_wrong_arguments_are_refused(options: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind, match=message), sk.initializing(**options):
        dense_model()
