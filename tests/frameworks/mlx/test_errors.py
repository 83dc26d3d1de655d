"""MLX's refusals are ours, with the same error where that is ValueError or TypeError."""

from typing import Any

import mlx.core as mx
import mlx.nn.init as theirs
import pytest

import seedbed as sb
from seedbed import mlx as ours

MATRIX, VECTOR, CUBE = mx.zeros((3, 4)), mx.zeros((3,)), mx.zeros((2, 3, 4))
Call = tuple[str, dict[str, Any], tuple[Any, ...], type[Exception]]

ALIKE: list[Call] = [
    ("glorot_uniform", {}, (VECTOR,), ValueError),
    ("glorot_normal", {}, (mx.array(0.0),), ValueError),
    ("he_uniform", {}, (VECTOR,), ValueError),
    ("he_normal", {}, (MATRIX, "fan_avg"), ValueError),
    ("he_uniform", {}, (MATRIX, 3), ValueError),
    ("glorot_uniform", {}, (MATRIX, "wide"), TypeError),
    ("he_normal", {}, (MATRIX, "fan_in", "wide"), TypeError),
    ("orthogonal", {}, (CUBE,), ValueError),
    ("orthogonal", {}, (VECTOR,), ValueError),
    ("sparse", {"sparsity": 0.5}, (CUBE,), ValueError),
    ("sparse", {"sparsity": "most"}, (MATRIX,), TypeError),
    ("identity", {}, (MATRIX,), ValueError),
    ("identity", {}, (CUBE,), ValueError),
    ("normal", {"dtype": mx.int32}, (MATRIX,), ValueError),
    ("uniform", {"dtype": mx.int32}, (MATRIX,), ValueError),
    ("uniform", {"dtype": mx.complex64}, (MATRIX,), ValueError),
    ("glorot_uniform", {"dtype": mx.bool_}, (MATRIX,), ValueError),
    ("he_normal", {"dtype": mx.uint8}, (MATRIX,), ValueError),
    ("sparse", {"sparsity": 0.5, "dtype": mx.int32}, (MATRIX,), ValueError),
    ("normal", {"dtype": "float32"}, (MATRIX,), TypeError),
    ("uniform", {"dtype": 3}, (MATRIX,), TypeError),
    ("constant", {"value": 1.0, "dtype": "float32"}, (MATRIX,), TypeError),
]


def call(module: Any, name: str, made: dict[str, Any], called: tuple[Any, ...]) -> Any:
    """Make an initializer and call it."""
    return getattr(module, name)(**made)(*called)


@pytest.mark.parametrize(
    ("name", "made", "called", "error"), ALIKE, ids=[f"{i}-{c[0]}" for i, c in enumerate(ALIKE)]
)
def test_an_error_has_the_builtin_type_of_mlx_s(
    name: str, made: dict[str, Any], called: tuple[Any, ...], error: type[Exception]
) -> None:
    with pytest.raises(error):
        call(theirs, name, made, called)
    with pytest.raises(error) as caught:
        call(ours, name, made, called)
    assert isinstance(caught.value, sb.InvalidArgumentError)


STRICTER: list[Call] = [
    ("normal", {"std": -1.0}, (MATRIX,), ValueError),
    ("normal", {"std": float("nan")}, (MATRIX,), ValueError),
    ("uniform", {"low": 1.0, "high": 0.0}, (MATRIX,), ValueError),
    ("normal", {"dtype": mx.complex64}, (MATRIX,), ValueError),
    ("orthogonal", {"dtype": mx.int32}, (MATRIX,), ValueError),
    ("sparse", {"sparsity": 1.5}, (MATRIX,), ValueError),
    ("sparse", {"sparsity": -0.5}, (MATRIX,), ValueError),
    ("sparse", {"sparsity": 0.5, "std": -1.0}, (MATRIX,), ValueError),
    ("glorot_uniform", {}, (MATRIX, -1.0), ValueError),
    ("constant", {"value": float("inf")}, (MATRIX,), ValueError),
]


@pytest.mark.parametrize(
    ("name", "made", "called", "error"),
    STRICTER,
    ids=[f"{i}-{c[0]}" for i, c in enumerate(STRICTER)],
)
def test_what_mlx_takes_silently_is_an_error(
    name: str, made: dict[str, Any], called: tuple[Any, ...], error: type[Exception]
) -> None:
    call(theirs, name, made, called)
    with pytest.raises(error) as caught:
        call(ours, name, made, called)
    assert isinstance(caught.value, sb.InvalidArgumentError)


@pytest.mark.parametrize("array", [None, [1, 2], 3, "array"], ids=repr)
def test_what_is_no_array_is_a_type_error(array: Any) -> None:
    for init in (
        ours.normal(),
        ours.constant(1.0),
        ours.identity(),
        ours.orthogonal(),
        ours.he_normal(),
    ):
        with pytest.raises(sb.InvalidTypeError, match="must be an array"):
            init(array)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"seed": 1.5}, TypeError),
        ({"seed": "7"}, TypeError),
        ({"seed": True}, TypeError),
        ({"seed": 2**64}, ValueError),
        ({"name": 3}, TypeError),
        ({"name": "x" * 1025}, ValueError),
        ({"client": "127.0.0.1:50051"}, TypeError),
    ],
    ids=repr,
)
def test_our_arguments_are_checked_when_an_initializer_is_made(
    arguments: dict[str, Any], error: type[Exception]
) -> None:
    for factory in (ours.normal, ours.glorot_uniform, ours.orthogonal):
        with pytest.raises(error) as caught:
            factory(**arguments)
        assert isinstance(caught.value, sb.InvalidArgumentError)
        assert caught.value.field == next(iter(arguments))
