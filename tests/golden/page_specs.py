"""Tensors' specs that docs/numerics.md allows or refuses."""

from collections.abc import Callable
from typing import Any

from seedbed.spec.initializers import INITIALIZERS
from seedbed.spec.tensors import TensorSpec


def fill(
    initializer: str, shape: tuple[int, ...], dtype: object = "float32", **values: Any
) -> TensorSpec:
    """Return the spec of a tensor."""
    return TensorSpec("", shape, dtype, INITIALIZERS[initializer](**values), 0)


def is_allowed(make: Callable[..., object], *arguments: Any, **named: Any) -> bool:
    """Return whether a call is not refused."""
    try:
        make(*arguments, **named)
    except ValueError:
        return False
    return True
