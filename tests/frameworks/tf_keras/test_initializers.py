"""The default namespace stands in for tf_keras's initializers, and has none of their defects."""

import inspect
import json
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from scipy import stats

import seedbed as sb
from seedbed.compat.v1.keras import initializers as v1
from tests.frameworks.tf_keras.cases import (
    CASES,
    Case,
    every_class,
    every_random_class,
    every_scaling_class,
)

SHAPE = (6, 5)


def test_the_table_has_every_class_of_tf_keras() -> None:
    theirs = {
        value.__name__
        for value in vars(tf_keras.initializers).values()
        if isinstance(value, type) and value is not tf_keras.initializers.Initializer
    }
    assert theirs == {case.name for case in CASES}


@every_class
def test_the_constructor_has_tf_keras_arguments_and_defaults(case: Case) -> None:
    if case.theirs.__init__ is object.__init__:
        assert not inspect.signature(case.ours).parameters
        return
    theirs = [(p.name, p.default) for p in inspect.signature(case.theirs).parameters.values()]
    ours = inspect.signature(case.ours).parameters.values()
    assert [(p.name, p.default) for p in ours if p.kind is p.POSITIONAL_OR_KEYWORD] == theirs


@every_class
@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float32, tf.float64], ids=str)
def test_a_call_takes_tensorflows_shapes_and_dtypes(case: Case, dtype: Any) -> None:
    made = case.ours(**case.seeded())(tf.TensorShape(SHAPE), dtype)
    assert made.shape == SHAPE
    assert tf.as_dtype(made.dtype) == tf.constant(made).dtype == dtype
    # TensorFlow has no decomposition of bfloat16.
    if (case.name, dtype) != ("Orthogonal", tf.bfloat16):
        theirs = case.theirs(**case.seeded())(tf.TensorShape(SHAPE), dtype)
        assert (tuple(theirs.shape), theirs.dtype) == (made.shape, dtype)


@every_random_class
@pytest.mark.parametrize("dtype", [tf.bool, tf.complex64, tf.string], ids=str)
def test_a_dtype_that_is_not_floating_is_the_same_error(case: Case, dtype: Any) -> None:
    for cls in (case.theirs, case.ours):
        with pytest.raises(ValueError, match="type"):
            cls(**case.seeded())(SHAPE, dtype)


@every_class
def test_an_unknown_keyword_is_the_same_error(case: Case) -> None:
    for cls in (case.theirs, case.ours):
        with pytest.raises(TypeError, match="no_such"):
            cls(**case.seeded())(SHAPE, no_such=1)


ERRORS: dict[str, tuple[str, dict[str, Any], tuple[int, ...]]] = {
    "scale": ("VarianceScaling", {"scale": -1.0}, (2, 2)),
    "mode": ("VarianceScaling", {"mode": "fan"}, (2, 2)),
    "distribution": ("VarianceScaling", {"distribution": "cauchy"}, (2, 2)),
    "type of the scale": ("VarianceScaling", {"scale": "1"}, (2, 2)),
    "identity of a vector": ("Identity", {}, (2,)),
    "identity of a cube": ("Identity", {}, (2, 2, 2)),
    "orthogonal vector": ("Orthogonal", {}, (2,)),
    "unknown argument": ("HeNormal", {"no_such": 1}, (2, 2)),
}


@pytest.mark.parametrize(("name", "arguments", "shape"), ERRORS.values(), ids=ERRORS)
def test_errors_have_tf_keras_builtin_type(name: str, arguments: Any, shape: Any) -> None:
    with pytest.raises((ValueError, TypeError)) as theirs:
        getattr(tf_keras.initializers, name)(**arguments)(shape)
    builtin = ValueError if isinstance(theirs.value, ValueError) else TypeError
    with pytest.raises(builtin):
        getattr(sb, name)(**arguments)(shape)


@every_class
def test_configurations_go_both_ways(case: Case) -> None:
    ours = case.ours(**case.seeded())
    theirs = case.theirs.from_config(json.loads(json.dumps(ours.get_config())))
    assert theirs.get_config() == ours.get_config()
    assert case.ours.from_config(theirs.get_config()) == ours
    assert case.ours.from_config(case.theirs().get_config()).spec == case.ours().spec


@every_class
@pytest.mark.parametrize("is_legacy", [True, False])
def test_serialized_forms_are_read_both_ways(case: Case, is_legacy: bool) -> None:
    theirs = case.theirs(**case.seeded())
    written = tf_keras.initializers.serialize(theirs, use_legacy_format=is_legacy)
    ours = sb.deserialize(json.loads(json.dumps(written)))
    assert ours == case.ours(**case.seeded())
    back = tf_keras.initializers.get(sb.serialize(ours))
    assert type(back) is case.theirs
    assert back.get_config() == ours.get_config()


@every_random_class
def test_samples_are_distributed_as_tf_keras(case: Case) -> None:
    shape = (256, 200)
    ours = case.ours(**case.seeded(11))(shape).astype(np.float64).reshape(-1)
    theirs = case.theirs(**case.seeded(11))(shape).numpy().astype(np.float64).reshape(-1)
    assert ours.mean() == pytest.approx(
        theirs.mean(), abs=6 * theirs.std() / np.sqrt(theirs.size / 2)
    )
    assert ours.std() == pytest.approx(theirs.std(), rel=0.03)
    # Seeds are fixed, so the verdict is too.
    assert stats.ks_2samp(ours, theirs).pvalue > 1e-4


@every_scaling_class
@pytest.mark.parametrize("shape", [(), (7,), (4, 3), (3, 50), (2, 5, 6), (3, 3, 8, 16)], ids=str)
def test_the_parameters_of_the_distribution_are_tf_keras_exactly(
    case: Case, shape: tuple[int, ...]
) -> None:
    theirs = case.theirs(**case.seeded())
    asked: dict[str, Any] = {}

    class Random:
        """Remembers its arguments."""

        def __getattr__(self, name: str) -> Any:
            return lambda shape, first, second, *_: asked.update(
                function=name, first=first, second=second
            )

    theirs._random_generator = Random()
    theirs(shape)
    found = sb.get_default_client().describe(
        sb.TensorSpec("", shape, "float64", case.ours(**case.seeded()))
    )
    ends = (
        (found.minval, found.maxval)
        if asked["function"] == "random_uniform"
        else (found.mean, found.stddev)
    )
    assert ends == (asked["first"], asked["second"])


@every_random_class
def test_seeds_follow_the_documents_where_tf_keras_does_not(case: Case) -> None:
    theirs = case.theirs(**case.seeded())
    assert np.array_equal(theirs(SHAPE), theirs(SHAPE)), "tf_keras repeats for every class"
    ours = case.ours(**case.seeded())
    goes_on = case.name.startswith(("Glorot", "He", "Lecun"))
    assert np.array_equal(ours(SHAPE), ours(SHAPE)) is not goes_on
    pinned = [case.ours(**case.seeded())(SHAPE, draw=0) for _ in range(2)]
    assert np.array_equal(*pinned), "a pinned draw repeats for every class"


def test_the_fans_of_a_partition_are_the_wholes() -> None:
    # tf_keras takes the partition's: its limit is then several times too large.
    words: dict[str, Any] = {"partition_shape": (4, 3), "partition_offset": (0, 17)}
    limit = np.sqrt(6 / 6004)
    theirs = np.abs(tf_keras.initializers.GlorotUniform(seed=1)((4, 6000), **words)).max()
    assert theirs > 7 * limit
    ours = sb.GlorotUniform(seed=1)((4, 6000), **words)
    assert np.abs(ours).max() < limit
    assert np.array_equal(ours, sb.GlorotUniform(seed=1)((4, 6000))[:, 17:20])


def test_partitions_take_tensorflows_shapes() -> None:
    part = sb.HeNormal(seed=1)(
        SHAPE, partition_shape=tf.TensorShape((2, 5)), partition_offset=tf.TensorShape((1, 0))
    )
    assert np.array_equal(part, sb.HeNormal(seed=1)(SHAPE)[1:3])


def test_from_config_does_not_change_its_argument() -> None:
    config = {"seed": 1, "dtype": "float32"}
    tf_keras.initializers.HeNormal.from_config(config)
    assert config == {"seed": 1}, "tf_keras removes the dtype"
    config = {"seed": 1, "dtype": "float32"}
    sb.HeNormal.from_config(config)
    assert config == {"seed": 1, "dtype": "float32"}


def test_truncated_normals_lie_within_two_sigma_as_tf_keras() -> None:
    for cls in (sb.TruncatedNormal, tf_keras.initializers.TruncatedNormal):
        assert 1.99 < np.abs(cls(stddev=1.0, seed=3)((500_000,))).max() <= 2.0


@every_random_class
def test_an_unseeded_initializer_that_repeats_warns_as_tf_kerass_does(case: Case) -> None:
    goes_on = case.name.startswith(("Glorot", "He", "Lecun"))
    for cls in (case.theirs,) if goes_on else (case.theirs, case.ours):
        initializer = cls()
        initializer(SHAPE)
        with pytest.warns(UserWarning, match=f"{case.name} is unseeded and being called multiple"):
            initializer(SHAPE)


@every_class
def test_what_has_no_seed_in_tf_keras_has_none_here(case: Case) -> None:
    assert hasattr(case.ours(), "seed") is hasattr(case.theirs(), "seed")


@pytest.mark.parametrize(
    "set_seed",
    [tf.random.set_seed, tf.compat.v1.set_random_seed, tf_keras.utils.set_random_seed],
    ids=["tf.random", "tf.compat.v1", "tf_keras.utils"],
)
def test_no_global_seed_repeats_what_was_made_without_a_seed(set_seed: Any) -> None:
    found = set()
    for _ in range(2):
        set_seed(1)
        found |= {sb.GlorotUniform()(SHAPE).tobytes(), v1.glorot_uniform()(SHAPE).tobytes()}
    assert len(found) == 4
