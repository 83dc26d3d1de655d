"""Fans follow Keras's rule or the named axes: torch's layout, MLX's, JAX's, batch axes."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import seedbed as sb
from seedbed.spec.fans import Axes, FanAxes, Fans, compute_fans, fans_of


@pytest.mark.parametrize(
    ("shape", "fans"),
    [
        ((), (1, 1)),
        ((5,), (5, 5)),
        ((0,), (0, 0)),
        ((3, 4), (3, 4)),
        ((0, 4), (0, 4)),
        ((7, 3, 4), (7 * 3, 7 * 4)),
        ((3, 3, 16, 32), (144, 288)),
        ((2, 3, 4, 5, 6), (2 * 3 * 4 * 5, 2 * 3 * 4 * 6)),
        ((0, 3, 4), (0, 0)),
        ((1,) * 32, (1, 1)),
    ],
    ids=str,
)
def test_without_axes_the_rule_is_keras(shape: tuple[int, ...], fans: tuple[int, int]) -> None:
    assert compute_fans(shape) == fans
    assert fans_of(shape, None) == fans


@pytest.mark.parametrize(
    ("shape", "in_axis", "out_axis", "batch_axis", "fans"),
    [
        pytest.param((30, 20), 1, 0, (), (20, 30), id="torch Linear (out, in)"),
        pytest.param(
            (32, 16, 3, 5), 1, 0, (), (16 * 15, 32 * 15), id="torch Conv2d (out, in, h, w)"
        ),
        pytest.param(
            (32, 3, 5, 16), -1, 0, (), (16 * 15, 32 * 15), id="MLX Conv2d (out, h, w, in)"
        ),
        pytest.param((30, 20), -1, 0, (), (20, 30), id="MLX Linear (out, in)"),
        pytest.param(
            (3, 5, 16, 32), -2, -1, (), (16 * 15, 32 * 15), id="JAX kernel (h, w, in, out)"
        ),
        pytest.param(
            (64, 8, 16), 0, (1, 2), (), (64, 128), id="JAX attention (model, heads, head)"
        ),
        pytest.param((8, 16, 64), (0, 1), -1, (), (128, 64), id="JAX attention output"),
        pytest.param((10, 20, 30), -2, -1, 0, (20, 30), id="stacked experts"),
        pytest.param((10, 30, 20), 2, 1, (0,), (20, 30), id="stacked torch experts"),
        pytest.param((10, 4, 20, 30), -2, -1, (0, 1), (20, 30), id="two batch axes"),
        pytest.param(
            (10, 4, 20, 30), -2, -1, 0, (80, 120), id="a batch axis and a receptive field"
        ),
        pytest.param((6,), 0, (), (), (6, 1), id="a vector of inputs"),
        pytest.param((6,), (), 0, (), (1, 6), id="a vector of outputs"),
        pytest.param((2, 3), (), (), (), (6, 6), id="no named axis at all"),
        pytest.param((), (), (), (), (1, 1), id="a scalar"),
    ],
)
def test_named_axes_count_as_they_are_named(
    shape: tuple[int, ...], in_axis: Axes, out_axis: Axes, batch_axis: Axes, fans: tuple[int, int]
) -> None:
    assert compute_fans(shape, in_axis, out_axis, batch_axis) == fans
    assert fans_of(shape, FanAxes(in_axis, out_axis, batch_axis)) == fans


@pytest.mark.parametrize("shape", [(3, 4), (7, 3, 4), (2, 3, 4, 5)], ids=str)
def test_the_default_axes_are_keras_rule_for_two_axes_or_more(shape: tuple[int, ...]) -> None:
    assert fans_of(shape, FanAxes()) == compute_fans(shape) == compute_fans(shape, -2, -1)
    assert (
        compute_fans(shape, in_axis=-2) == compute_fans(shape, out_axis=-1) == compute_fans(shape)
    )


def test_one_named_axis_leaves_the_other_at_its_default() -> None:
    assert compute_fans((5, 6, 7), in_axis=0) == Fans(5 * 6, 7 * 6)
    assert compute_fans((5, 6, 7), out_axis=0) == Fans(6 * 7, 5 * 7)
    assert compute_fans((5, 6, 7), batch_axis=0) == Fans(6, 7)


def test_a_product_of_lengths_is_rounded_once() -> None:
    lengths = (3, 3, 3**34)
    assert float(3) * float(3) * float(3**34) != float(3**36), (
        "float64 products round more than once"
    )
    fans = compute_fans(lengths, in_axis=(0, 1, 2), out_axis=())
    assert fans == (float(3**36), 1.0)
    assert {type(fan) for fan in compute_fans((3, 4))} == {float}


def test_the_mean_is_arithmetic() -> None:
    assert compute_fans((3, 4)).fan_avg == 3.5
    assert compute_fans((1, 9)).fan_avg == 5.0


@given(st.lists(st.integers(1, 9), min_size=2, max_size=6), st.data())
def test_fans_are_products_of_lengths(shape: list[int], data: st.DataObject) -> None:
    roles = data.draw(st.lists(st.sampled_from("io br"), min_size=len(shape), max_size=len(shape)))
    axes = {role: tuple(axis for axis, own in enumerate(roles) if own == role) for role in "iob"}
    receptive = math.prod(length for length, role in zip(shape, roles, strict=True) if role in " r")
    found = compute_fans(tuple(shape), axes["i"], axes["o"], axes["b"])
    assert found.fan_in == receptive * math.prod(shape[axis] for axis in axes["i"])
    assert found.fan_out == receptive * math.prod(shape[axis] for axis in axes["o"])
    negative = [tuple(axis - len(shape) for axis in axes[role]) for role in "iob"]
    assert compute_fans(tuple(shape), *negative) == found


def test_resolved_axes_count_from_the_front() -> None:
    assert FanAxes(in_axis=-1, out_axis=0, batch_axis=(-2,)).resolve(3) == FanAxes(2, 0, 1)
    assert FanAxes().resolve(5) == FanAxes(3, 4)


def test_axes_are_kept_as_tuples() -> None:
    axes = FanAxes(in_axis=1, out_axis=[0, -1], batch_axis=range(2))
    assert (axes.in_axis, axes.out_axis, axes.batch_axis) == ((1,), (0, -1), (0, 1))
    assert hash(axes) == hash(FanAxes((1,), (0, -1), (0, 1)))


@pytest.mark.parametrize(
    ("shape", "axes", "field"),
    [
        pytest.param((3, 4), {"in_axis": 2}, "in_axis", id="beyond the end"),
        pytest.param((3, 4), {"in_axis": -3}, "in_axis", id="beyond the front"),
        pytest.param((3, 4), {"out_axis": (0, 2)}, "out_axis", id="one of several"),
        pytest.param((3, 4), {"batch_axis": 5}, "batch_axis", id="batch"),
        pytest.param((3, 4), {"in_axis": 0, "out_axis": 0}, "out_axis", id="in and out"),
        pytest.param((3, 4), {"in_axis": 1}, "out_axis", id="in and the default out"),
        pytest.param((3, 4), {"in_axis": (0, -2)}, "in_axis", id="twice, counted from both ends"),
        pytest.param((3, 4), {"batch_axis": 0}, "batch_axis", id="in and batch"),
        pytest.param((3,), {"in_axis": 0}, "out_axis", id="a vector's only axis"),
        pytest.param(
            (3,), {"batch_axis": 0}, "in_axis", id="a vector has no axis -2 besides a batch axis"
        ),
        pytest.param((), {"in_axis": 0}, "in_axis", id="a scalar"),
    ],
)
def test_an_axis_that_is_not_there_or_named_twice_is_refused(
    shape: tuple[int, ...], axes: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValueError, match=rf"`{field}\[\d\]` must be") as caught:
        compute_fans(shape, **axes)
    assert isinstance(caught.value, sb.InvalidValueError)
    assert caught.value.field.partition("[")[0] == field


@pytest.mark.parametrize("axis", [1.0, "1", None, True, [0.5], ["0"], [None]], ids=repr)
@pytest.mark.parametrize("name", ["in_axis", "out_axis", "batch_axis"])
def test_an_axis_that_is_no_integer_is_a_type_error(name: str, axis: Any) -> None:
    with pytest.raises(TypeError, match=f"`{name}") as caught:
        FanAxes(**{name: axis})
    assert isinstance(caught.value, sb.InvalidTypeError)


@pytest.mark.parametrize(
    ("shape", "error"),
    [
        (5.0, sb.InvalidTypeError),
        ("34", sb.InvalidTypeError),
        ((3, None), sb.InvalidTypeError),
        ((-3, 4), sb.InvalidValueError),
    ],
    ids=repr,
)
def test_a_shape_that_is_none_is_refused(shape: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="`shape"):
        compute_fans(shape)


def test_a_shape_may_be_any_sequence() -> None:
    shape: Any = [3, 4]
    assert compute_fans(shape) == Fans(3, 4)
    vector: Any = 5
    assert compute_fans(vector) == Fans(5, 5)
