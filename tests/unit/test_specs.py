"""A TensorSpec holds all that content depends on, checked once, as plain values."""

import copy
import dataclasses
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seedbed as sb
from seedbed.spec.dtypes import Dtype
from seedbed.spec.initializers import HeNormalSpec, InitializerSpec, RandomNormalSpec, ZerosSpec
from seedbed.spec.tensors import TensorRequest

SPEC: dict[str, Any] = {
    "name": "w",
    "shape": (4, 3),
    "dtype": "float32",
    "initializer": sb.HeNormal(seed=5),
}


def make(**changes: Any) -> sb.TensorSpec:
    """Return a spec with some arguments of its own."""
    return sb.TensorSpec(**{**SPEC, **changes})


def test_a_spec_holds_what_travels() -> None:
    spec = make()
    assert spec.initializer == HeNormalSpec()
    assert (spec.name, spec.shape, spec.dtype, spec.seed, spec.draw, spec.fan_axes) == (
        "w",
        (4, 3),
        Dtype.FLOAT32,
        5,
        0,
        None,
    )
    assert spec.element_count == 12


@pytest.mark.parametrize(
    "shape",
    [[4, 3], range(4, 2, -1), np.array([4, 3]), (n for n in (4, 3)), (np.int8(4), np.uint64(3))],
    ids=repr,
)
def test_a_shape_is_any_sequence_of_integers(shape: object) -> None:
    spec = make(shape=shape)
    assert spec == make()
    assert all(type(length) is int for length in spec.shape)


def test_a_type_checker_lets_numpys_integers_through_and_no_swapped_arguments() -> None:
    """Mypy is the test here: it wants no ignored error in one line, and one in the other."""
    rank, ranks, seed = np.int64(1), np.int64(4), np.int64(-5)
    spec = sb.TensorSpec("w", [np.int32(8), 3], "float32", "zeros", seed=seed, draw=np.uint8(1))
    assert (spec.shape, spec.seed, spec.draw) == ((8, 3), 2**64 - 5, 1)
    assert sb.shard(rank, ranks).of(spec.shape).starts == (2, 0)
    with pytest.raises(sb.InvalidTypeError, match=r"`dtype` must be one of .* \(3, 4\)"):
        sb.TensorSpec("w", "float32", (3, 4), "zeros")  # type: ignore[arg-type]


class ScalarTensor:
    """A tensor without axes as frameworks have it: an iterable class, and no iterable value."""

    ndim = 0

    def __index__(self) -> int:
        return 5

    def __iter__(self) -> Iterator[int]:
        raise TypeError("iteration over a 0-d tensor")


@pytest.mark.parametrize(
    "shape", [5, np.int64(5), np.array(5), ScalarTensor(), (5,), (ScalarTensor(),)]
)
def test_an_integer_is_a_vectors_length(shape: object) -> None:
    assert make(shape=shape).shape == (5,)


@pytest.mark.parametrize(
    "shape",
    [None, "43", b"43", 4.0, (4.0,), (4, None), (4, "3"), (True,), True, [[4, 3]], np.eye(2)],
    ids=repr,
)
def test_a_shape_of_something_else_is_a_type_error(shape: object) -> None:
    with pytest.raises(sb.InvalidTypeError, match="`shape"):
        make(shape=shape)


@pytest.mark.parametrize(
    ("shape", "field"),
    [
        ((-1, 3), "shape[0]"),
        ((4, -3), "shape[1]"),
        ((2**63,), "shape[0]"),
        ((2**31, 2**31), "shape"),
        ((2**61,), "shape"),
        ((1,) * 33, "shape"),
        ((0, 2**62), "shape"),
    ],
    ids=[
        "negative",
        "negative, second",
        "2**63",
        "product",
        "bytes",
        "33 axes",
        "empty, but no array has it",
    ],
)
def test_a_shape_that_is_not_allowed_is_refused_by_axis(shape: tuple[int, ...], field: str) -> None:
    with pytest.raises(sb.InvalidValueError) as caught:
        make(shape=shape)
    assert caught.value.field == field


@pytest.mark.parametrize("shape", [(), (0,), (0, 5), (1,) * 32, (2**61 - 1,), (0, 2**60)], ids=str)
def test_extreme_shapes_are_allowed(shape: tuple[int, ...]) -> None:
    assert make(shape=shape, initializer=sb.Zeros()).shape == shape


@pytest.mark.parametrize(
    "name", ["", "a" * 1024, "ü" * 512, "a\0b", "層/重み", "🌱" * 256], ids=lambda name: name[:8]
)
def test_any_text_of_1024_bytes_is_a_name(name: str) -> None:
    assert make(name=name).name == name


@pytest.mark.parametrize(
    "name", ["a" * 1025, "ü" * 513, "\ud800"], ids=["ascii", "umlauts", "half a surrogate pair"]
)
def test_a_name_that_is_too_long_or_no_unicode_is_refused(name: str) -> None:
    with pytest.raises(sb.InvalidValueError, match="`name` must be"):
        make(name=name)


@pytest.mark.parametrize("name", [None, b"w", 5, ("w",)], ids=repr)
def test_a_name_that_is_no_text_is_a_type_error(name: object) -> None:
    with pytest.raises(sb.InvalidTypeError, match="`name` must be a string"):
        make(name=name)


@pytest.mark.parametrize(
    "initializer", [None, b"zeros", sb.Zeros, 5, {"class_name": "Zeros"}], ids=repr
)
def test_what_is_no_initializer_is_a_type_error(initializer: object) -> None:
    with pytest.raises(sb.InvalidTypeError, match="`initializer` must be an initializer"):
        make(initializer=initializer)


@pytest.mark.parametrize(
    ("initializer", "hint"),
    [
        (sb.Zeros, "; did you mean Zeros()?"),
        ({"class_name": "Zeros"}, "; seedbed.get(...) makes an initializer of it"),
    ],
    ids=["class", "configuration"],
)
def test_what_is_nearly_an_initializer_is_refused_with_what_to_write(
    initializer: object, hint: str
) -> None:
    with pytest.raises(sb.InvalidTypeError) as caught:
        make(initializer=initializer)
    assert str(caught.value).endswith(hint)


@pytest.mark.parametrize("name", ["he_normal", "HeNormal"])
def test_a_name_means_the_initializer_with_its_defaults(name: str) -> None:
    assert make(initializer=name, seed=5) == make(initializer=sb.HeNormal(seed=5))
    with pytest.raises(sb.InvalidTypeError, match="`seed` must be an integer, as HeNormal is"):
        make(initializer=name)


def test_a_name_that_is_near_to_an_initializers_is_suggested() -> None:
    with pytest.raises(sb.InvalidValueError, match=r"did you mean 'GlorotUniform'\?$"):
        make(initializer="GlorotUnifrom")
    with pytest.raises(sb.InvalidValueError, match=r"did you mean 'glorot_uniform'\?$"):
        make(initializer="glorot_unifrom")


def test_a_parameter_without_a_default_is_missing_where_a_name_stands_alone() -> None:
    with pytest.raises(sb.InvalidValueError, match=r"`initializer\.sparsity` must be given"):
        make(initializer="sparse")


def test_the_specs_seed_comes_before_the_initializers() -> None:
    assert make(seed=9).seed == 9
    assert make(seed=0).seed == 0
    assert make(seed=-1).seed == 2**64 - 1
    assert make().seed == 5
    assert make(initializer=sb.HeNormal(seed=sb.SeedGenerator(6, position=3))).seed == 6


def test_a_plain_spec_has_no_seed_of_its_own() -> None:
    with pytest.raises(
        sb.InvalidTypeError,
        match="`seed` must be an integer, as RandomNormal is random and was given none",
    ):
        make(initializer=RandomNormalSpec())
    assert make(initializer=RandomNormalSpec(), seed=3).seed == 3
    assert make(initializer=ZerosSpec()).seed == 0


@pytest.mark.parametrize(
    ("field", "value"), [("seed", 1.0), ("draw", 1.0), ("seed", True), ("dtype", 5)], ids=str
)
def test_a_wrong_type_names_the_field(field: str, value: object) -> None:
    with pytest.raises(sb.InvalidTypeError) as caught:
        make(**{field: value})
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("field", "value"), [("seed", 2**64), ("draw", -1), ("dtype", "float8")], ids=str
)
def test_a_wrong_value_names_the_field(field: str, value: object) -> None:
    with pytest.raises(sb.InvalidValueError) as caught:
        make(**{field: value})
    assert caught.value.field == field


def test_fan_axes_come_from_either_side_and_must_agree() -> None:
    torch = sb.FanAxes(in_axis=1, out_axis=0)
    scaling = sb.VarianceScaling(seed=1, in_axis=1, out_axis=0)
    assert make(fan_axes=torch).fan_axes == make(initializer=scaling).fan_axes == torch
    assert make(initializer=scaling, fan_axes=torch).fan_axes == torch
    with pytest.raises(sb.InvalidValueError, match="`fan_axes` must be the initializer's own"):
        make(initializer=scaling, fan_axes=sb.FanAxes())


@pytest.mark.parametrize("axes", [(1, 0), "in", {"in_axis": 1}], ids=repr)
def test_fan_axes_are_fan_axes(axes: object) -> None:
    with pytest.raises(sb.InvalidTypeError, match="`fan_axes` must be FanAxes or None"):
        make(fan_axes=axes)


@pytest.mark.parametrize(
    "axes", [sb.FanAxes(in_axis=2), sb.FanAxes(0, 0)], ids=["outside", "twice"]
)
def test_fan_axes_are_checked_against_the_shape(axes: sb.FanAxes) -> None:
    with pytest.raises(sb.InvalidValueError):
        make(fan_axes=axes)


def test_a_spec_is_a_frozen_value() -> None:
    spec = make()
    assert spec == make()
    assert hash(spec) == hash(make())
    assert len({spec, make(), make(draw=1)}) == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.draw = 1  # type: ignore[misc]  # that it fails is the test


@pytest.mark.parametrize(
    "change",
    [
        {"name": "v"},
        {"shape": (3, 4)},
        {"dtype": "float64"},
        {"seed": 6},
        {"draw": 1},
        {"fan_axes": sb.FanAxes()},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_field_counts_for_equality(change: dict[str, Any]) -> None:
    assert make(**change) != make()
    assert dataclasses.replace(make(), **change) == make(**change)


@pytest.mark.parametrize(
    "twin",
    [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_copy_is_equal(twin: Any) -> None:
    spec = make(fan_axes=sb.FanAxes(1, 0), draw=3)
    assert twin(spec) == spec


def test_a_request_is_the_whole_or_a_part() -> None:
    whole = TensorRequest(make())
    assert (whole.shape, whole.element_count, whole.size_bytes) == ((4, 3), 12, 48)
    part = TensorRequest(make(dtype="bfloat16"), sb.TensorSlice((1, 0), (2, 3)))
    assert (part.shape, part.element_count, part.size_bytes) == ((2, 3), 6, 12)
    with pytest.raises(sb.InvalidValueError, match=r"`slice.lengths\[0\]`"):
        TensorRequest(make(), sb.TensorSlice((0, 0), (5, 3)))


def test_any_object_that_carries_a_spec_and_a_seed_is_an_initializer() -> None:
    class Own:
        spec: InitializerSpec = RandomNormalSpec()
        seed_bits = 11
        fan_axes = None

    assert make(initializer=Own()).seed == 11


@pytest.mark.parametrize(
    "turned",
    [
        lambda array: array,
        lambda array: array.copy(order="F"),
        lambda array: array.astype(">f4"),
        lambda array: np.repeat(array, 2, axis=1)[:, ::2],
        memoryview,
    ],
    ids=["plain", "Fortran", "big-endian", "strided", "memoryview"],
)
@pytest.mark.parametrize("algorithm", ["xxh3_128", "sha256"])
def test_an_array_has_the_digest_of_its_bytes(turned: Any, algorithm: Any) -> None:
    """Not that of its rows: a memoryview's length is that of its first axis."""
    array = np.arange(12, dtype="float32").reshape(4, 3)
    said = sb.digest_bytes(turned(array), algorithm)
    assert said == sb.digest_bytes(array.tobytes(), algorithm)
    assert said.size_bytes == 48


def test_arrays_of_every_dtype_and_rank_have_digests() -> None:
    for dtype in Dtype:
        for shape in ((), (0, 3), (2, 3)):
            array = np.ones(shape, dtype.numpy)
            assert sb.digest_bytes(array) == sb.digest_bytes(array.tobytes())


def test_a_digest_is_shown_as_text_that_can_be_compared() -> None:
    digest = sb.digest_bytes(b"1")
    assert repr(digest) == f"<seedbed.Digest {digest}>"


def test_a_models_digest_is_that_of_the_protocols_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
    model = sb.digest_of({"b": sb.digest_bytes(b"2"), "a": sb.digest_bytes(b"1")})
    assert f"hash to `{model}`" in page


def test_digests_of_several_algorithms_are_no_models() -> None:
    digests = {"a": sb.digest_bytes(b"1"), "b": sb.digest_bytes(b"2", "sha256")}
    with pytest.raises(sb.InvalidValueError, match="digests of one algorithm"):
        sb.digest_of(digests)
    assert str(sb.digest_of({"b": digests["b"]})).startswith("sha256:")
    assert str(sb.digest_of({})) == "xxh3_128:99aa06d3014798d86001c324468d497f:0"
