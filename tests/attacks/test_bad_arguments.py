"""Wrong seeds, parameters, shapes, names and targets are refused on the spot, by name."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import seedbed as sb
from seedbed.spec.errors import InvalidArgumentError

TYPE, VALUE = sb.InvalidTypeError, sb.InvalidValueError

NO_INTEGER: dict[str, Any] = {
    "True": True,
    "numpy True": np.True_,
    "1.0": 1.0,
    "numpy 1.0": np.float32(1.0),
    "'1'": "1",
    "b'1'": b"1",
    "[1]": [1],
    "{1}": {1},
    "{}": {},
    "1j": 1j,
    "an array of one": np.array([1]),
    "an object": object(),
}
NO_REAL = {key: value for key, value in NO_INTEGER.items() if "1.0" not in key} | {"None": None}
NO_INTEGER_NOR_NONE = NO_INTEGER | {"None": None}
# Not a sequence of integers: neither in number nor in order.
NO_SHAPE: dict[str, Any] = {
    "None": None,
    "True": True,
    "3.0": 3.0,
    "'34'": "34",
    "b'34'": b"34",
    "a bytearray": bytearray(b"34"),
    "{3, 4}": {3, 4},
    "a frozenset": frozenset({3}),
    "{3: 4}": {3: 4},
    "(3.0,)": (3.0,),
    "(True,)": (True,),
    "('3',)": ("3",),
    "(None, 3)": (None, 3),
    "[[3]]": [[3]],
    "a matrix": np.array([[3]]),
    "floats": np.array([3.0]),
    "an object": object(),
}
LARGE = {"2**64": 2**64, "-2**63-1": -(2**63) - 1, "10**400": 10**400}
NOT_FINITE = {
    "nan": math.nan,
    "inf": math.inf,
    "-inf": -math.inf,
    "numpy nan": np.float64("nan"),
    "10**400": 10**400,
}

UNIFORM = sb.RandomUniform(seed=1)
SPEC = sb.TensorSpec("w", (4, 6), "float32", UNIFORM)


def _spec(**changes: Any) -> sb.TensorSpec:
    arguments: dict[str, Any] = {
        "name": "w",
        "shape": (4, 6),
        "dtype": "float32",
        "initializer": UNIFORM,
    }
    return sb.TensorSpec(**(arguments | changes))


def _refused(call: Callable[[], object], kind: type[InvalidArgumentError], field: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        call()
    assert type(caught.value) is kind
    assert caught.value.field.startswith(field)
    assert "Received" in str(caught.value)
    assert len(str(caught.value)) < 600
    assert isinstance(caught.value, sb.SeedbedError)


INTEGERS: dict[str, tuple[str, Callable[[Any], object]]] = {
    "TensorSpec(draw)": ("draw", lambda value: _spec(draw=value)),
    "shard(index)": ("index", lambda value: sb.shard(value, 5)),
    "shard(count)": ("count", lambda value: sb.shard(0, value)),
    "shard(axis)": ("axis", lambda value: sb.shard(0, 1, value)),
    "SeedGenerator(position)": ("position", lambda value: sb.SeedGenerator(1, value)),
}


def _seeded(kind: Callable[..., object]) -> Callable[[Any], object]:
    return lambda value: kind(seed=value)


SEEDED = (
    sb.RandomUniform,
    sb.RandomNormal,
    sb.TruncatedNormal,
    sb.VarianceScaling,
    sb.GlorotUniform,
    sb.GlorotNormal,
    sb.HeUniform,
    sb.HeNormal,
    sb.LecunUniform,
    sb.LecunNormal,
    sb.Orthogonal,
    sb.SeedGenerator,
)
SEEDS = {
    "TensorSpec": lambda value: _spec(seed=value),
    **{kind.__name__: _seeded(kind) for kind in SEEDED},
}
REALS: dict[str, tuple[str, Callable[[Any], object]]] = {
    "Constant(value)": ("value", sb.Constant),
    "RandomUniform(minval)": ("minval", lambda value: sb.RandomUniform(minval=value)),
    "RandomUniform(maxval)": ("maxval", lambda value: sb.RandomUniform(maxval=value)),
    "RandomNormal(mean)": ("mean", lambda value: sb.RandomNormal(mean=value)),
    "RandomNormal(stddev)": ("stddev", lambda value: sb.RandomNormal(stddev=value)),
    "TruncatedNormal(mean)": ("mean", lambda value: sb.TruncatedNormal(mean=value)),
    "TruncatedNormal(stddev)": ("stddev", lambda value: sb.TruncatedNormal(stddev=value)),
    "VarianceScaling(scale)": ("scale", lambda value: sb.VarianceScaling(scale=value)),
    "XavierUniform(gain)": ("gain", sb.XavierUniform),
    "XavierNormal(gain)": ("gain", sb.XavierNormal),
    "KaimingUniform(a)": ("a", sb.KaimingUniform),
    "KaimingNormal(a)": ("a", sb.KaimingNormal),
    "Identity(gain)": ("gain", sb.Identity),
    "Orthogonal(gain)": ("gain", sb.Orthogonal),
}


@pytest.mark.parametrize("value", NO_INTEGER_NOR_NONE.values(), ids=NO_INTEGER_NOR_NONE.keys())
@pytest.mark.parametrize(("field", "call"), INTEGERS.values(), ids=INTEGERS.keys())
def test_what_is_no_integer_is_refused(
    field: str, call: Callable[[Any], object], value: Any
) -> None:
    _refused(lambda: call(value), TYPE, field)


@pytest.mark.parametrize("value", NO_INTEGER.values(), ids=NO_INTEGER.keys())
@pytest.mark.parametrize("call", SEEDS.values(), ids=SEEDS.keys())
def test_a_seed_that_is_no_integer_is_refused(call: Callable[[Any], object], value: Any) -> None:
    _refused(lambda: call(value), TYPE, "seed")


@pytest.mark.parametrize("value", LARGE.values(), ids=LARGE.keys())
@pytest.mark.parametrize("call", SEEDS.values(), ids=SEEDS.keys())
def test_a_seed_of_more_than_64_bits_is_refused(call: Callable[[Any], object], value: int) -> None:
    _refused(lambda: call(value), VALUE, "seed")


@pytest.mark.parametrize(
    "value", [np.int8(-3), np.uint64(2**64 - 1), np.array(7), -(2**63), 2**64 - 1], ids=repr
)
def test_every_kind_of_integer_is_a_seed(value: Any) -> None:
    assert _spec(seed=value).seed == int(value) % 2**64
    assert sb.GlorotUniform(seed=value).seed_bits == int(value) % 2**64


@pytest.mark.parametrize("value", NO_REAL.values(), ids=NO_REAL.keys())
@pytest.mark.parametrize(("field", "call"), REALS.values(), ids=REALS.keys())
def test_what_is_no_number_is_refused(
    field: str, call: Callable[[Any], object], value: Any
) -> None:
    if field == "value" and isinstance(value, (bool, np.bool_)):
        assert isinstance(call(value), sb.Constant)  # Keras's constant(True) fills a bool tensor
        return
    _refused(lambda: call(value), TYPE, field)


@pytest.mark.parametrize("value", NOT_FINITE.values(), ids=NOT_FINITE.keys())
@pytest.mark.parametrize(("field", "call"), REALS.values(), ids=REALS.keys())
def test_what_is_not_finite_is_refused(
    field: str, call: Callable[[Any], object], value: Any
) -> None:
    _refused(lambda: call(value), VALUE, field)


VALUES: dict[str, tuple[str, Callable[[], object]]] = {
    "maxval below minval": ("maxval", lambda: sb.RandomUniform(1.0, 0.0)),
    "a range that overflows": ("maxval", lambda: sb.RandomUniform(-1.7e308, 1.7e308)),
    "a negative stddev": ("stddev", lambda: sb.RandomNormal(stddev=-1e-9)),
    "a negative truncated stddev": ("stddev", lambda: sb.TruncatedNormal(stddev=-1)),
    "a lower bound of 5": ("lower", lambda: sb.TruncatedNormal(lower=5, upper=6)),
    "an upper bound of -5": ("upper", lambda: sb.TruncatedNormal(lower=-6, upper=-5)),
    "bounds in the wrong order": ("upper", lambda: sb.TruncatedNormal(lower=1, upper=-1)),
    "a scale of 0": ("scale", lambda: sb.VarianceScaling(scale=0)),
    "an unknown mode": ("mode", lambda: sb.VarianceScaling(mode="fan_out_in")),  # type: ignore[arg-type]
    "an unknown distribution": ("distribution", lambda: sb.VarianceScaling(distribution="cauchy")),  # type: ignore[arg-type]
    "a bound of a uniform": ("lower", lambda: sb.VarianceScaling(distribution="uniform", lower=-1)),
    "a bound of an untruncated normal": (
        "upper",
        lambda: sb.VarianceScaling(distribution="untruncated_normal", upper=math.inf),
    ),
    "bounds of a scaling in the wrong order": (
        "upper",
        lambda: sb.VarianceScaling(lower=1, upper=-1),
    ),
    "a negative Xavier gain": ("gain", lambda: sb.XavierUniform(-1)),
    "both fans for Kaiming": ("mode", lambda: sb.KaimingNormal(mode="fan_avg")),  # type: ignore[arg-type]
    "an unknown nonlinearity": ("nonlinearity", lambda: sb.KaimingUniform(nonlinearity="gelu")),  # type: ignore[arg-type]
    "a slope whose square overflows": ("a", lambda: sb.KaimingUniform(1e200)),
    "a constant that float8 cannot hold": (
        "value",
        lambda: _spec(initializer=sb.Constant(480), dtype="float8_e4m3fn"),
    ),
    "a mean that float8 cannot hold": (
        "mean",
        lambda: _spec(initializer=sb.RandomNormal(1e5, seed=5), dtype="float8_e5m2"),
    ),
    "a constant of 2**64": ("value", lambda: sb.Constant(2**64)),
    "a constant that uint8 cannot hold": (
        "value",
        lambda: _spec(initializer=sb.Constant(256), dtype="uint8"),
    ),
    "a gain that int8 cannot hold": (
        "gain",
        lambda: _spec(initializer=sb.Identity(0.5), dtype="int8"),
    ),
    "a stddev that float16 cannot hold": (
        "stddev",
        lambda: _spec(initializer=sb.RandomNormal(0, 1e5, seed=5), dtype="float16"),
    ),
    "random integers": ("dtype", lambda: _spec(dtype="int32")),
    "an unknown dtype": ("dtype", lambda: _spec(dtype="float8")),
    "a big-endian dtype": ("dtype", lambda: _spec(dtype=np.dtype(">f4"))),
    "a complex dtype": ("dtype", lambda: _spec(dtype=np.complex64)),
    "rank 33": ("shape", lambda: _spec(shape=(1,) * 33)),
    "a negative length": ("shape[1]", lambda: _spec(shape=(3, -1))),
    "a length of 2**64": ("shape[0]", lambda: _spec(shape=(2**64,))),
    "2**63 bytes": ("shape", lambda: _spec(shape=(2**61,))),
    "an orthogonal vector": ("shape", lambda: _spec(shape=(3,), initializer=sb.Orthogonal(seed=1))),
    "an identity of rank 3": ("shape", lambda: _spec(shape=(3, 3, 3), initializer=sb.Identity())),
    "a long name": ("name", lambda: _spec(name="é" * 513)),
    "a lone surrogate": ("name", lambda: _spec(name="\ud800")),
    "a negative draw": ("draw", lambda: _spec(draw=-1)),
    "a draw of 2**64": ("draw", lambda: _spec(draw=2**64)),
    "an axis outside": ("in_axis", lambda: _spec(fan_axes=sb.FanAxes(5, 0))),
    "an axis twice": ("out_axis", lambda: _spec(fan_axes=sb.FanAxes(1, -1))),
    "part 5 of 5": ("index", lambda: sb.shard(5, 5)),
    "part -1": ("index", lambda: sb.shard(-1, 5)),
    "no parts": ("count", lambda: sb.shard(0, 0)),
    "an empty target": ("target", lambda: sb.connect("")),
    "a target with a blank": ("target", lambda: sb.connect("a b")),
    "a web address": ("target", lambda: sb.connect("http://localhost:1")),
    "a target with a NUL": ("target", lambda: sb.connect("\0")),
    "a name of no initializer": ("", lambda: sb.get("glorot")),
    "two tensors of one name": ("", lambda: sb.Manifest([SPEC, SPEC])),
}


@pytest.mark.parametrize(("field", "call"), VALUES.values(), ids=VALUES.keys())
def test_a_wrong_value_is_refused(field: str, call: Callable[[], object]) -> None:
    _refused(call, VALUE, field)


@pytest.mark.parametrize("value", NO_SHAPE.values(), ids=NO_SHAPE.keys())
def test_what_is_no_sequence_of_integers_is_refused(value: Any) -> None:
    _refused(lambda: _spec(shape=value), TYPE, "shape")
    if value is not None:
        _refused(lambda: sb.FanAxes(value, 0), TYPE, "in_axis")
    _refused(lambda: sb.TensorSlice(value, (1,)), TYPE, "slice.starts")
    _refused(lambda: sb.TensorSlice((1,), value), TYPE, "slice.lengths")


@pytest.mark.parametrize(
    "value", [[4, 6], np.array([4, 6]), (np.int64(4), 6), range(4, 7, 2), iter([4, 6])], ids=repr
)
def test_every_sequence_of_integers_is_a_shape(value: Any) -> None:
    assert _spec(shape=value).shape == (4, 6)


TYPES: dict[str, tuple[str, Callable[[], object]]] = {
    "a name of None": ("name", lambda: _spec(name=None)),
    "a name of bytes": ("name", lambda: _spec(name=b"w")),
    "a dtype of None": ("dtype", lambda: _spec(dtype=None)),
    "a dtype of 3": ("dtype", lambda: _spec(dtype=3)),
    "a dtype of []": ("dtype", lambda: _spec(dtype=[])),
    "an initializer of None": ("initializer", lambda: _spec(initializer=None)),
    "an initializer's name in bytes": ("initializer", lambda: _spec(initializer=b"zeros")),
    "an initializer's class": ("initializer", lambda: _spec(initializer=sb.Zeros)),
    "fan axes of (0, 1)": ("fan_axes", lambda: _spec(fan_axes=(0, 1))),
    "no seed at all": ("seed", lambda: _spec(initializer=UNIFORM.spec)),
    "a mode of 3": ("mode", lambda: sb.VarianceScaling(mode=3)),  # type: ignore[arg-type]
    "a distribution of None": ("distribution", lambda: sb.VarianceScaling(distribution=None)),  # type: ignore[arg-type]
    "a nonlinearity of None": ("nonlinearity", lambda: sb.KaimingNormal(nonlinearity=None)),  # type: ignore[arg-type]
    "a Kaiming mode of 1": ("mode", lambda: sb.KaimingNormal(mode=1)),  # type: ignore[arg-type]
    "a target of bytes": ("target", lambda: sb.connect(b"localhost:1")),  # type: ignore[arg-type]
    "a target of (host, port)": ("target", lambda: sb.connect(("localhost", 1))),  # type: ignore[arg-type]
    "options of a list": ("options", lambda: sb.connect("localhost:1", options=[("a", 1)])),  # type: ignore[arg-type]
    "an option of None": ("options", lambda: sb.connect("localhost:1", options={"grpc.x": None})),  # type: ignore[dict-item]
    "a default client of str": ("client", lambda: sb.set_default_client("localhost:1")),  # type: ignore[arg-type]
    "get(3)": ("identifier", lambda: sb.get(3)),
    "a configuration of a list": ("config", lambda: sb.Zeros.from_config([])),  # type: ignore[arg-type]
    "an argument that does not exist": ("config", lambda: sb.Zeros.from_config({"x": 1})),
    "a manifest of a spec": ("", lambda: sb.Manifest(SPEC)),  # type: ignore[arg-type]
    "a manifest of strings": ("", lambda: sb.Manifest(["w"])),  # type: ignore[list-item]
}


@pytest.mark.parametrize(("field", "call"), TYPES.values(), ids=TYPES.keys())
def test_a_wrong_type_is_refused(field: str, call: Callable[[], object]) -> None:
    _refused(call, TYPE, field)


def test_fans_that_no_float_holds_are_refused_or_infinite() -> None:
    shape = (2**63 - 1,) * 31 + (0,)
    try:
        assert sb.compute_fans(shape).fan_in == math.inf
    except sb.InvalidValueError:
        with pytest.raises(sb.InvalidValueError, match="shape"):
            sb.compute_fans(shape)
