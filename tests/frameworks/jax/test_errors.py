"""JAX's refusals are ours, with the same builtin error; docs/jax.md lists the others."""

from typing import Any

import jax
import jax.nn.initializers as theirs
import numpy as np
import pytest

import seedbed as sb
from seedbed.jax import initializers as ours

KEY = jax.random.key(0)

# The initializer's name, its factory's arguments, the call's shape and dtype, the error.
ALIKE: list[tuple[str, tuple[Any, ...], Any, Any, type[Exception]]] = [
    ("normal", (), (2,), "int32", ValueError),
    ("uniform", (), (2,), "int32", ValueError),
    ("uniform", (), (2,), "complex64", ValueError),
    ("truncated_normal", (), (2,), "bool", ValueError),
    ("normal", (), (2,), "no dtype", TypeError),
    ("zeros", (), (2,), "no dtype", TypeError),
    ("normal", (), (2.5,), None, TypeError),
    ("normal", (), "shape", None, TypeError),
    ("zeros", (), (2.5,), None, TypeError),
    ("constant", ("value",), (2,), None, TypeError),
    ("normal", (object(),), (2,), None, TypeError),
    ("glorot_uniform", (), (5,), None, ValueError),
    ("he_normal", (), (), None, ValueError),
    ("lecun_normal", (), (5,), None, ValueError),
    ("variance_scaling", (1.0, "fan", "normal"), (2, 3), None, ValueError),
    ("variance_scaling", (1.0, "fan_in", "gaussian"), (2, 3), None, ValueError),
    ("variance_scaling", ("1", "fan_in", "normal"), (2, 3), None, TypeError),
    ("variance_scaling", (1.0, "fan_in", "normal", "in"), (2, 3), None, TypeError),
    ("orthogonal", (), (5,), None, ValueError),
    ("orthogonal", (), (), None, ValueError),
    ("delta_orthogonal", (), (5, 5), None, ValueError),
    ("delta_orthogonal", (), (1, 1, 1, 1, 2, 2), None, ValueError),
    ("delta_orthogonal", (), (3, 3, 8, 4), None, ValueError),
]


def call(module: Any, name: str, arguments: tuple[Any, ...], shape: Any, dtype: Any) -> Any:
    """Make an initializer and call it."""
    init = getattr(module, name)
    if name not in ("zeros", "ones"):
        init = init(*arguments)
    return init(KEY, shape, dtype)


@pytest.mark.parametrize(("name", "arguments", "shape", "dtype", "error"), ALIKE, ids=str)
def test_an_error_has_the_builtin_type_of_jax_s(
    name: str, arguments: tuple[Any, ...], shape: Any, dtype: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        call(theirs, name, arguments, shape, dtype)
    with pytest.raises(error) as caught:
        call(ours, name, arguments, shape, dtype)
    assert isinstance(caught.value, sb.InvalidArgumentError)


STRICTER: list[tuple[str, tuple[Any, ...], Any, Any]] = [
    ("normal", (-1.0,), (2,), None),
    ("uniform", (-1.0,), (2,), None),
    ("uniform", (float("nan"),), (2,), None),
    ("normal", (), (2,), "complex64"),
    ("variance_scaling", (0.0, "fan_in", "normal"), (2, 3), None),
    ("variance_scaling", (1.0, "fan_in", "normal", 0, 1, 0), (2, 3), None),
    ("constant", (2.7,), (2,), "int32"),
    ("constant", (300,), (2,), "int8"),
    ("constant", (np.array([1.0, 2.5]),), (2,), "int32"),
    ("constant", (float("inf"),), (2,), "float32"),
]


@pytest.mark.parametrize(("name", "arguments", "shape", "dtype"), STRICTER, ids=str)
def test_what_jax_takes_silently_is_a_value_error(
    name: str, arguments: tuple[Any, ...], shape: Any, dtype: Any
) -> None:
    call(theirs, name, arguments, shape, dtype)
    with pytest.raises(sb.InvalidValueError):
        call(ours, name, arguments, shape, dtype)


@pytest.mark.parametrize("axes", [(5, 1), (0, 5), (0, 1, 5)])
def test_an_axis_outside_the_rank_is_named(axes: tuple[int, ...]) -> None:
    with pytest.raises(IndexError):
        call(theirs, "he_normal", axes, (2, 3), None)
    with pytest.raises(
        sb.InvalidValueError, match="_axis` must be an axis of the tensor, whose rank is 2"
    ):
        call(ours, "he_normal", axes, (2, 3), None)


@pytest.mark.parametrize("name", ["orthogonal", "delta_orthogonal"])
def test_a_column_axis_outside_the_rank_is_named(name: str) -> None:
    with pytest.raises(IndexError):
        call(theirs, name, (1.0, 7), (3, 3, 3), None)
    with pytest.raises(sb.InvalidValueError, match="column_axis"):
        call(ours, name, (1.0, 7), (3, 3, 3), None)


def test_a_server_that_does_not_answer_is_a_transport_error() -> None:
    with sb.connect("127.0.0.1:1") as client, pytest.raises(sb.UnavailableError):
        ours.normal(client=client)(KEY, (2,))
