"""``seedbed.compat.v1`` has TensorFlow 1's names, constructors and calls, not its two defects."""

import copy
import inspect
import json
import subprocess
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import seedbed as sb
from seedbed.compat import v1
from seedbed.spec.dtypes import FLOATING, Dtype
from tests.contract.keras_page import content

SHAPE = (4, 3)


@dataclass(frozen=True)
class V1Class:
    """One class of TensorFlow 1."""

    names: tuple[str, ...]
    """Its names below ``tf.compat.v1``."""
    signature: str
    """The constructor's arguments and defaults, word for word, with ``tf.float32`` as its name."""
    twin: Any = None
    """The default namespace's initializer of ``example()``."""
    other: dict[str, Any] = field(default_factory=dict)
    """Arguments, without seed and dtype, that are not the defaults."""

    @property
    def cls(self) -> Any:
        """The class here."""
        return find(self.names[0])

    @property
    def has_dtype(self) -> bool:
        """Whether the constructor takes one."""
        return "dtype" in self.signature

    @property
    def is_random(self) -> bool:
        """Whether the constructor takes a seed."""
        return "seed" in self.signature

    def example(self, **arguments: Any) -> Any:
        """Return an instance with arguments that are not the defaults."""
        seed = {"seed": 5} if self.is_random else {}
        return self.cls(**{**self.other, **seed, **arguments})


def find(name: str) -> Any:
    """Return what has a name with dots below ``seedbed.compat.v1``."""
    found: Any = v1
    for part in name.split("."):
        found = getattr(found, part)
    return found


def names(outside: str, keras: str = "", *, both: bool = True) -> tuple[str, ...]:
    """Return TensorFlow's names: ``X_initializer``, ``initializers.X``, and Keras's of those."""
    first = (f"{outside}_initializer",) if both else ()
    return (
        *first,
        f"initializers.{outside}",
        *(f"keras.initializers.{each}" for each in keras.split()),
    )


DTYPE = "dtype='float32'"
NORMAL = "(mean=0.0, stddev={}, seed=None, dtype='float32')"
CLASSES = (
    V1Class(names("zeros", "Zeros zeros"), f"({DTYPE})", sb.Zeros()),
    V1Class(names("ones", "Ones ones"), f"({DTYPE})", sb.Ones()),
    V1Class(
        names("constant", "Constant constant"),
        f"(value=0, {DTYPE}, verify_shape=False)",
        sb.Constant(2.5),
        {"value": 2.5},
    ),
    V1Class(
        names("random_uniform"),
        f"(minval=0.0, maxval=None, seed=None, {DTYPE})",
        sb.RandomUniform(-1, 3, seed=5),
        {"minval": -1.0, "maxval": 3.0},
    ),
    V1Class(
        names("random_normal"),
        NORMAL.format("1.0"),
        sb.RandomNormal(1, 2, seed=5),
        {"mean": 1.0, "stddev": 2.0},
    ),
    V1Class(
        names("truncated_normal"),
        NORMAL.format("1.0"),
        sb.TruncatedNormal(1, 2, seed=5),
        {"mean": 1.0, "stddev": 2.0},
    ),
    V1Class(
        names("variance_scaling", "VarianceScaling"),
        f"(scale=1.0, mode='fan_in', distribution='truncated_normal', seed=None, {DTYPE})",
        sb.VarianceScaling(2, "fan_out", "uniform", seed=5),
        {"scale": 2.0, "mode": "fan_out", "distribution": "uniform"},
    ),
    V1Class(
        names("glorot_uniform", "glorot_uniform"), f"(seed=None, {DTYPE})", sb.GlorotUniform(seed=5)
    ),
    V1Class(
        names("glorot_normal", "glorot_normal"), f"(seed=None, {DTYPE})", sb.GlorotNormal(seed=5)
    ),
    V1Class(
        names("uniform_unit_scaling"),
        f"(factor=1.0, seed=None, {DTYPE})",
        sb.VarianceScaling(4, "fan_in", "uniform", seed=5),
        {"factor": 2.0},
    ),
    V1Class(
        names("orthogonal", "Orthogonal orthogonal"),
        f"(gain=1.0, seed=None, {DTYPE})",
        sb.Orthogonal(2, seed=5),
        {"gain": 2.0},
    ),
    V1Class(
        names("identity", "Identity identity", both=False),
        f"(gain=1.0, {DTYPE})",
        sb.Identity(2),
        {"gain": 2.0},
    ),
    V1Class(
        (
            "keras.initializers.RandomNormal",
            "keras.initializers.random_normal",
            "keras.initializers.normal",
        ),
        NORMAL.format("0.05"),
        sb.RandomNormal(1, 2, seed=5),
        {"mean": 1.0, "stddev": 2.0},
    ),
    V1Class(
        (
            "keras.initializers.RandomUniform",
            "keras.initializers.random_uniform",
            "keras.initializers.uniform",
        ),
        f"(minval=-0.05, maxval=0.05, seed=None, {DTYPE})",
        sb.RandomUniform(-1, 3, seed=5),
        {"minval": -1.0, "maxval": 3.0},
    ),
    V1Class(
        ("keras.initializers.TruncatedNormal", "keras.initializers.truncated_normal"),
        NORMAL.format("0.05"),
        sb.TruncatedNormal(1, 2, seed=5),
        {"mean": 1.0, "stddev": 2.0},
    ),
    V1Class(("keras.initializers.he_normal",), "(seed=None)", sb.HeNormal(seed=5)),
    V1Class(("keras.initializers.he_uniform",), "(seed=None)", sb.HeUniform(seed=5)),
    V1Class(("keras.initializers.lecun_normal",), "(seed=None)", sb.LecunNormal(seed=5)),
    V1Class(("keras.initializers.lecun_uniform",), "(seed=None)", sb.LecunUniform(seed=5)),
)
RANDOM = tuple(each for each in CLASSES if each.is_random)


def _each(classes: tuple[V1Class, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("each", classes, ids=[each.names[0] for each in classes])


every_class = _each(CLASSES)
every_random_class = _each(RANDOM)
every_class_with_a_dtype = _each(tuple(each for each in CLASSES if each.has_dtype))


def partition(full_shape: Any, var_offset: Any) -> Any:
    """Return an object with the attributes of TensorFlow's."""
    return SimpleNamespace(full_shape=full_shape, var_offset=var_offset)


@every_class
def test_all_names_of_a_class_mean_it(each: V1Class) -> None:
    assert isinstance(each.cls, type)
    assert all(find(name) is each.cls for name in each.names)
    assert issubclass(each.cls, v1.keras.initializers.Initializer)


def test_the_table_has_every_name() -> None:
    listed = {name for each in CLASSES for name in each.names}
    functions = {
        f"initializers.{kind}_{shape}"
        for kind in ("he", "lecun")
        for shape in ("normal", "uniform")
    }
    exported = {name for name in v1.__all__ if name not in ("initializers", "keras")}
    exported |= {f"initializers.{name}" for name in v1.initializers.__all__}
    exported |= {f"keras.initializers.{name}" for name in v1.keras.initializers.__all__}
    further = {"Initializer", "deserialize", "get", "serialize"}
    assert exported == listed | functions | {f"keras.initializers.{name}" for name in further}


KERAS = v1.keras.initializers
NAMES_OF_KERAS = [
    name
    for name in KERAS.__all__
    if isinstance(getattr(KERAS, name), type) and name != "Initializer"
]


@pytest.mark.parametrize("name", NAMES_OF_KERAS)
def test_keras_finds_its_classes_by_name_and_dictionary(name: str) -> None:
    cls = getattr(KERAS, name)
    for identifier in (name, cls.__name__, cls, {"class_name": cls.__name__, "config": {}}):
        assert type(KERAS.get(identifier)) is cls
    made = cls()
    assert KERAS.get(made) is made
    written = json.loads(json.dumps(KERAS.serialize(made)))
    assert written == sb.serialize(made)
    again = KERAS.deserialize(written)
    assert type(again) is cls
    assert again.get_config() == made.get_config()
    keras_3 = {"module": "keras.initializers", "class_name": cls.__name__, "config": {}}
    assert type(KERAS.deserialize(keras_3)) is cls


def test_keras_finds_other_initializers_where_they_are_named() -> None:
    assert KERAS.get(None) is None
    other = v1.uniform_unit_scaling_initializer(2.0)
    assert type(KERAS.get(KERAS.serialize(other))) is type(other)
    custom = {"HeNormal": sb.HeNormal}
    assert KERAS.deserialize({"class_name": "HeNormal"}, custom) != KERAS.get("HeNormal")
    assert type(KERAS.deserialize({"class_name": "HeNormal"}, custom)) is sb.HeNormal
    with pytest.raises(sb.InvalidValueError, match="`class_name` must be a class of"):
        KERAS.get("no_such")
    with pytest.raises(sb.InvalidTypeError, match="`identifier` must be"):
        KERAS.get(3)
    with pytest.raises(sb.InvalidTypeError, match="`config` must be"):
        KERAS.deserialize("HeNormal")


@every_class
def test_the_constructor_is_tensorflows_word_for_word(each: V1Class) -> None:
    parameters = inspect.signature(each.cls).parameters.values()
    plain = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]
    assert str(inspect.Signature(plain)) == each.signature


@every_class
def test_a_call_takes_shape_dtype_and_partition_info_in_this_order(each: V1Class) -> None:
    parameters = inspect.signature(each.cls.__call__).parameters.values()
    positional = [(p.name, p.default) for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD][1:4]
    assert positional == [
        ("shape", inspect.Parameter.empty),
        ("dtype", None),
        ("partition_info", None),
    ]


@every_class
def test_the_values_are_those_of_the_default_namespace(each: V1Class) -> None:
    made = each.example()(SHAPE)
    assert made.dtype == np.float32
    assert content(made) == content(each.twin(SHAPE, draw=0))


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("he_normal", sb.HeNormal),
        ("he_uniform", sb.HeUniform),
        ("lecun_normal", sb.LecunNormal),
        ("lecun_uniform", sb.LecunUniform),
    ],
)
def test_he_and_lecun_are_functions_outside_of_keras(name: str, twin: Any) -> None:
    made = getattr(v1.initializers, name)(seed=5)
    assert type(made) is v1.variance_scaling_initializer
    assert content(made(SHAPE)) == content(twin(seed=5)(SHAPE))


@every_class_with_a_dtype
@pytest.mark.parametrize(
    "dtype", ["float16", "float64", np.float64, np.dtype("float16"), Dtype.BFLOAT16], ids=str
)
def test_the_constructors_dtype_is_the_default(each: V1Class, dtype: Any) -> None:
    # TensorFlow ignores it: glorot_normal(dtype=float64) gives float32.
    initializer = each.example(dtype=dtype)
    made = initializer(SHAPE)
    assert made.dtype == initializer.dtype.numpy != np.float32
    assert content(made) == content(each.twin(SHAPE, dtype, draw=0))
    assert initializer(SHAPE, "float32").dtype == np.float32


@_each(tuple(each for each in CLASSES if each.has_dtype and each.is_random))
@pytest.mark.parametrize("dtype", [d.value for d in Dtype if d not in FLOATING])
def test_a_dtype_that_is_not_floating_is_refused_by_the_constructor(
    each: V1Class, dtype: str
) -> None:
    with pytest.raises(sb.InvalidValueError, match="`dtype` must be a floating dtype"):
        each.cls(dtype=dtype)
    with pytest.raises(sb.InvalidValueError, match="`dtype` must be a floating dtype"):
        each.cls()(SHAPE, dtype)


@every_class
def test_the_config_is_the_constructors_arguments(each: V1Class) -> None:
    dtype = {"dtype": "float64"} if each.has_dtype else {}
    initializer = each.example(**dtype)
    config = initializer.get_config()
    seed = {"seed": 5} if each.is_random else {}
    extra = {"verify_shape": False} if "verify_shape" in each.signature else {}
    assert config == {**each.other, **seed, **dtype, **extra}
    again = each.cls.from_config(json.loads(json.dumps(config)))
    assert again == initializer
    assert content(again(SHAPE)) == content(initializer(SHAPE))
    assert again(SHAPE).dtype == initializer(SHAPE).dtype


@every_class
def test_the_parameters_are_attributes(each: V1Class) -> None:
    initializer = each.example()
    for name, value in initializer.get_config().items():
        assert getattr(initializer, name) == (Dtype(value) if name == "dtype" else value)
        with pytest.raises(AttributeError):
            setattr(initializer, name, value)


def test_variance_scalings_are_the_classes_that_are_tensorflows() -> None:
    scalings = {
        each.names[0] for each in CLASSES if issubclass(each.cls, v1.variance_scaling_initializer)
    }
    fans = {
        f"keras.initializers.{kind}_{shape}"
        for kind in ("he", "lecun")
        for shape in ("normal", "uniform")
    }
    glorot = {"glorot_uniform_initializer", "glorot_normal_initializer"}
    assert scalings == {"variance_scaling_initializer"} | glorot | fans
    initializer = v1.glorot_normal_initializer(seed=1)
    assert (initializer.scale, initializer.mode, initializer.distribution) == (
        1.0,
        "fan_avg",
        "truncated_normal",
    )


@every_class
@pytest.mark.parametrize("is_default", [True, False], ids=["defaults", "other arguments"])
@pytest.mark.parametrize("read", [sb.deserialize, sb.get], ids=["deserialize", "get"])
def test_the_serialized_form_gives_an_equal_initializer(
    each: V1Class, is_default: bool, read: Any
) -> None:
    dtype = {"dtype": "float64"} if each.has_dtype else {}
    seeded = {"seed": 7} if "seed" in each.signature else {}
    initializer = each.cls(**seeded) if is_default else each.example(**dtype)
    written = json.loads(json.dumps(sb.serialize(initializer)))
    before = copy.deepcopy(written)
    restored = read(written)
    assert type(restored) is each.cls
    assert restored == initializer
    assert written == before
    assert restored(SHAPE).dtype == initializer(SHAPE).dtype
    assert content(restored(SHAPE, draw=0)) == content(initializer(SHAPE, draw=0))


@every_random_class
def test_what_was_made_without_a_seed_has_none_in_its_configuration(each: V1Class) -> None:
    initializer = each.cls()
    assert initializer.get_config()["seed"] is None
    made = [sb.deserialize(sb.serialize(initializer)), initializer.clone()]
    assert len({one.seed for one in (initializer, *made)}) == 3, "each draws its own"
    assert all(type(one) is each.cls for one in made)


@every_random_class
def test_a_serialized_generator_of_seeds_keeps_its_position(each: V1Class) -> None:
    initializer = each.example(seed=sb.SeedGenerator(5, position=3))
    assert sb.deserialize(sb.serialize(initializer)) == initializer


@every_class
def test_the_serialized_form_names_a_public_module_that_has_the_class(each: V1Class) -> None:
    written = sb.serialize(each.example())
    assert list(written) == ["module", "class_name", "config"]
    module = find(written["module"].removeprefix("seedbed.compat.v1."))
    assert each.cls in [getattr(module, name) for name in module.__all__]


@pytest.mark.parametrize(
    ("module", "name", "field"),
    [
        ("seedbed.compat.v1.initializers", "HeNormal", "class_name"),
        ("seedbed.compat.v1.keras.initializers", "Initializer", "class_name"),
        ("seedbed.compat.v2.initializers", "Zeros", "module"),
    ],
)
def test_a_serialized_class_that_does_not_exist_is_refused(
    module: str, name: str, field: str
) -> None:
    with pytest.raises(sb.InvalidValueError, match=f"`{field}` must be"):
        sb.deserialize({"module": module, "class_name": name, "config": {}})


def test_a_serialized_class_is_found_by_a_process_that_imported_seedbed_only() -> None:
    written = sb.serialize(v1.uniform_unit_scaling_initializer(2.0, seed=5, dtype="float64"))
    code = (
        "import sys, seedbed; print('seedbed.compat' in sys.modules); "
        f"print(seedbed.serialize(seedbed.deserialize({written!r})) == {written!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\nTrue\n"


@every_class
def test_from_config_does_not_change_its_argument(each: V1Class) -> None:
    config = each.example().get_config()
    before = copy.deepcopy(config)
    each.cls.from_config(config)
    assert config == before


@every_class_with_a_dtype
def test_the_dtype_is_a_part_of_equality(each: V1Class) -> None:
    assert each.example() != each.example(dtype="float64")
    assert each.example().clone() == each.example()
    assert each.example(dtype="float64").clone() == each.example(dtype="float64")


@every_random_class
def test_successive_calls_differ_and_equal_seeds_give_equal_sequences(each: V1Class) -> None:
    one, two = each.example(), each.example()
    first = [content(one(SHAPE)) for _ in range(3)]
    assert len(set(first)) == 3
    assert (
        first
        == [content(two(SHAPE)) for _ in range(3)]
        == [content(each.twin(SHAPE, draw=d)) for d in range(3)]
    )


@every_class
def test_a_partition_is_the_exact_slice_of_the_whole(each: V1Class) -> None:
    initializer = each.example()
    parts = [initializer((2, 5), None, partition((6, 5), (row, 0))) for row in (0, 2, 4)]
    assert content(np.concatenate(parts)) == content(each.twin((6, 5), draw=0))
    assert content(initializer((6, 5))) == content(each.twin((6, 5), draw=0)), (
        "partitions took no draw"
    )


def test_a_partition_has_the_wholes_fans() -> None:
    info = partition([4, 6000], [0, 17])
    part = v1.glorot_uniform_initializer(seed=1)(shape=[4, 3], dtype="float64", partition_info=info)
    assert content(part) == content(sb.GlorotUniform(seed=1)((4, 6000), "float64")[:, 17:20])
    assert np.abs(part).max() < np.sqrt(6 / 6004)


@pytest.mark.parametrize(
    ("shape", "info", "kind", "message"),
    [
        (
            (2, 3),
            (6, 3),
            sb.InvalidTypeError,
            "`partition_info` must be an object with full_shape and var_offset",
        ),
        (
            (2, 3),
            SimpleNamespace(full_shape=(6, 3)),
            sb.InvalidTypeError,
            "`partition_info` must be an object",
        ),
        (
            (2, 3),
            partition((6, 3), None),
            sb.InvalidTypeError,
            r"`partition_info.var_offset` must be a sequence",
        ),
        (
            (2, 3),
            partition((6, 3), (5, 0)),
            sb.InvalidValueError,
            r"`shape\[0\]` must be from 0 to 1",
        ),
        (
            (2, 3),
            partition((6, 3), (7, 0)),
            sb.InvalidValueError,
            r"`partition_info.var_offset\[0\]` must be from 0",
        ),
        ((2, 3), partition((6,), (0,)), sb.InvalidValueError, r"`shape` must be 1 numbers"),
    ],
)
def test_a_partition_that_does_not_fit_is_refused(
    shape: Any, info: Any, kind: Any, message: str
) -> None:
    with pytest.raises(kind, match=message):
        v1.glorot_normal_initializer(seed=1)(shape, partition_info=info)


@pytest.mark.parametrize(
    ("shape", "inputs"), [((), 1), ((7,), 1), ((4, 3), 4), ((2, 3, 5), 6)], ids=str
)
def test_uniform_unit_scaling_counts_all_axes_but_the_last(
    shape: tuple[int, ...], inputs: int
) -> None:
    initializer = v1.uniform_unit_scaling_initializer(factor=1.5, seed=3, dtype="float64")
    limit = 1.5 * np.sqrt(3 / inputs)
    reference = sb.RandomUniform(-limit, limit, seed=3)(shape, "float64")
    np.testing.assert_allclose(initializer(shape), reference, rtol=1e-12)


def test_a_vector_of_uniform_unit_scaling_can_be_cut() -> None:
    initializer = v1.uniform_unit_scaling_initializer(seed=3)
    part = initializer((3,), partition_info=partition((7,), (2,)))
    assert content(part) == content(initializer((7,))[2:5])


@pytest.mark.parametrize("factor", [0, -1.0, float("inf")])
def test_a_factor_that_is_not_positive_and_finite_is_refused(factor: float) -> None:
    with pytest.raises(sb.InvalidValueError, match="`factor` must be"):
        v1.uniform_unit_scaling_initializer(factor)


def test_maxval_is_1_where_none_is_given() -> None:
    made = v1.random_uniform_initializer(seed=1)((1000,))
    assert content(made) == content(sb.RandomUniform(0, 1, seed=1)((1000,)))


def test_a_verified_shape_of_a_constant_is_a_scalars() -> None:
    assert v1.constant_initializer(2.5, verify_shape=True)(()) == 2.5
    with pytest.raises(TypeError, match="`shape` must be"):
        v1.constant_initializer(2.5, verify_shape=True)((2,))
    with pytest.raises(TypeError, match="`shape` must be"):
        v1.constant_initializer(2.5)((2,), verify_shape=True)
    assert v1.constant_initializer(2.5, verify_shape=True)((2,), verify_shape=False).tolist() == [
        2.5,
        2.5,
    ]
    number: Any = 1
    with pytest.raises(TypeError, match="`verify_shape` must be a bool"):
        v1.constant_initializer(2.5, verify_shape=number)


@pytest.mark.parametrize("value", [[1.0, 2.0], np.ones(3), "1"], ids=repr)
def test_a_constant_is_one_number(value: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match="`value`"):
        v1.constant_initializer(value)


def test_the_options_of_the_default_namespace_work_here() -> None:
    initializer = v1.glorot_normal_initializer(seed=1, dtype="float64")
    named = initializer(SHAPE, name="w", draw=2)
    assert content(named) == content(sb.GlorotNormal(seed=1)(SHAPE, "float64", name="w", draw=2))
    with pytest.raises(TypeError, match="no_such"):
        initializer(SHAPE, no_such=1)


def test_tensorflow_is_not_imported() -> None:
    code = (
        "import sys, seedbed.compat.v1; "
        "print([n for n in ('tensorflow', 'keras', 'tf_keras') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
