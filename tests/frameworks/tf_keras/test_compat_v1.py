"""``seedbed.compat.v1`` has the names and signatures of ``tf.compat.v1``, and no dead arguments."""

import inspect
import json
import re
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from tensorflow.python.autograph.utils import ag_logging as autograph_logging
from tensorflow.python.ops.variable_scope import _PartitionInfo as PartitionInfo

import seedbed as sb
import seedbed.keras
from seedbed.compat import v1

NAMES = (
    *(name for name in v1.__all__ if name not in ("initializers", "keras")),
    *(f"initializers.{name}" for name in v1.initializers.__all__),
    *(f"keras.initializers.{name}" for name in v1.keras.initializers.__all__),
)
CLASSES = tuple(
    name for name in NAMES if not re.search("Initializer$|he_|lecun_|get$|serialize$", name)
)
RANDOM = tuple(
    name for name in CLASSES if not re.search("zeros|ones|constant|identity", name, re.IGNORECASE)
)


def find(root: Any, name: str) -> Any:
    """Return what has a name with dots below a module."""
    for part in name.split("."):
        root = getattr(root, part)
    return root


def theirs(name: str) -> Any:
    """Return TensorFlow's class or function."""
    return find(tf.compat.v1, name)


def ours(name: str) -> Any:
    """Return what stands for it."""
    return find(v1, name)


every_name = pytest.mark.parametrize(
    "name", [name for name in NAMES if not re.search("Initializer$|get$|serialize$", name)]
)
every_class = pytest.mark.parametrize("name", CLASSES)
every_random_class = pytest.mark.parametrize("name", RANDOM)


def test_no_initializer_of_tensorflow_is_missing() -> None:
    for module, here in (
        (tf.compat.v1.initializers, v1.initializers),
        (tf.compat.v1.keras.initializers, v1.keras.initializers),
    ):
        names = {
            name
            for name, value in vars(module).items()
            if not name.startswith("_") and callable(value) and not name.endswith("initializer")
        }
        # Functions of tables and variables, which fill no tensor.
        helpers = {"global_variables", "local_variables", "variables"}
        assert names - helpers - {"tables_initializer"} <= set(here.__all__)


@every_name
def test_the_constructor_has_tensorflows_arguments_and_defaults(name: str) -> None:
    def parameters(function: Any) -> list[tuple[str, Any]]:
        found = [(p.name, p.default) for p in inspect.signature(function).parameters.values()]
        return [
            (name, tf.as_dtype(default).name if name == "dtype" else default)
            for name, default in found
        ]

    assert parameters(ours(name)) == parameters(theirs(name))


@every_class
def test_configurations_go_both_ways(name: str) -> None:
    config = json.loads(json.dumps(ours(name)().get_config()))
    read = theirs(name).from_config(config)
    again = ours(name).from_config(read.get_config())
    assert again.get_config() == config


@pytest.mark.parametrize("name", [name for name in RANDOM if "lorot" in name])
def test_tensorflow_ignores_the_constructors_dtype_and_we_do_not(name: str) -> None:
    assert theirs(name)(seed=1, dtype=tf.float64)((3, 2)).dtype == tf.float32
    made = ours(name)(seed=1, dtype=tf.float64)((3, 2))
    assert made.dtype == np.float64
    assert ours(name)(seed=1, dtype=tf.float64).get_config() == {"seed": 1, "dtype": "float64"}


@every_random_class
def test_samples_are_distributed_as_tensorflows(name: str) -> None:
    tf.compat.v1.set_random_seed(1)
    shape = (128, 200)
    mine = ours(name)(seed=11)(shape).astype(np.float64).reshape(-1)
    real = theirs(name)(seed=11)(shape).numpy().astype(np.float64).reshape(-1)
    assert mine.std() == pytest.approx(real.std(), rel=0.05)
    # Seeds are fixed, so the verdict is too.
    assert stats.ks_2samp(mine, real).pvalue > 1e-4


@every_class
def test_successive_calls_differ_if_and_only_if_tensorflows_do(name: str) -> None:
    arguments = {"seed": 3} if name in RANDOM else {}
    found = []
    for cls in (theirs(name), ours(name)):
        initializer = cls(**arguments)
        found.append(np.array_equal(initializer((4, 4)), initializer((4, 4))))
    assert found == [name not in RANDOM] * 2


@every_class
def test_tensorflows_own_partition_information_is_read(name: str) -> None:
    info = PartitionInfo(full_shape=[6, 5], var_offset=[2, 0])
    arguments = {"seed": 3} if name in RANDOM else {}
    part = ours(name)(**arguments)([2, 5], partition_info=info)
    assert np.array_equal(part, ours(name)(**arguments)([6, 5])[2:4])
    if name in RANDOM:
        assert theirs(name)(**arguments)([2, 5], partition_info=info).shape == (2, 5)
    if "dentity" in name:
        assert np.array_equal(part, theirs(name)()([2, 5], partition_info=info)), (
            "TensorFlow cuts it exactly, too"
        )


@every_random_class
def test_errors_have_tensorflows_builtin_type(name: str) -> None:
    with pytest.raises(ValueError, match="`dtype` must be a floating dtype"):
        ours(name)(dtype=tf.int32)
    # TensorFlow's uniform numbers may be integers, and its Glorot classes ignore the constructor's
    # dtype.
    if not re.search("random_?uniform|initializers.uniform$|glorot", name, re.IGNORECASE):
        with pytest.raises(ValueError, match="dtype"):
            theirs(name)(dtype=tf.int32)


def test_a_variable_takes_an_initializer() -> None:
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variable = tf.compat.v1.get_variable(
            "w", (3, 2), initializer=v1.glorot_normal_initializer(seed=1)
        )
        session.run(variable.initializer)
        assert np.array_equal(session.run(variable), v1.glorot_normal_initializer(seed=1)((3, 2)))


def test_a_partitioned_variable_is_the_whole_one_in_parts() -> None:
    partitioner = tf.compat.v1.fixed_size_partitioner(3)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        initializer = v1.glorot_uniform_initializer(seed=1)
        variable = tf.compat.v1.get_variable(
            "w", (7, 2), initializer=initializer, partitioner=partitioner
        )
        session.run(tf.compat.v1.global_variables_initializer())
        parts = session.run(list(variable))
    assert len(parts) == 3
    assert np.array_equal(np.concatenate(parts), v1.glorot_uniform_initializer(seed=1)((7, 2)))


@pytest.mark.parametrize("name", [name for name in CLASSES if name.startswith("keras.")])
# tf_keras says that TensorFlow 1's classes are none of its own; it writes them all the same.
@pytest.mark.filterwarnings("ignore:The `keras.initializers.serialize:UserWarning")
def test_keras_reads_what_tensorflow_writes(name: str) -> None:
    written = tf.compat.v1.keras.initializers.serialize(theirs(name)())
    read = v1.keras.initializers.deserialize(json.loads(json.dumps(written)))
    assert type(read) is ours(name)
    assert type(v1.keras.initializers.get(name.rpartition(".")[2])) is ours(name)


@pytest.mark.parametrize(
    "make",
    [
        lambda: sb.RandomNormal(seed=1),
        lambda: v1.random_normal_initializer(seed=1),
        lambda: seedbed.keras.RandomNormal(seed=1),
    ],
    ids=["plain", "TensorFlow 1's", "for Keras"],
)
def test_autograph_runs_a_call_as_it_is(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[Any] = []
    monkeypatch.setattr(autograph_logging, "warning", lambda *args, **_: warned.append(args))
    initializer = make()

    call = tf.function(lambda: tf.convert_to_tensor(initializer((2, 3))))
    assert np.array_equal(call(), make()((2, 3)))
    assert warned == []
