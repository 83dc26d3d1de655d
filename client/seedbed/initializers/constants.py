"""Initializers without chance: zeros, ones, one number."""

from seedbed.initializers.base import Initializer
from seedbed.initializers.parameters import Parameter
from seedbed.spec import initializers as specs


class Zeros(Initializer):
    """All elements 0. Every dtype."""

    def __init__(self) -> None:
        super().__init__(specs.ZerosSpec())


class Ones(Initializer):
    """All elements 1. Every dtype."""

    def __init__(self) -> None:
        super().__init__(specs.OnesSpec())


class Constant(Initializer):
    """All elements the same number.

    Args:
        value: finite. A floating dtype takes it rounded once, to nearest even; an integer dtype or
            bool must hold it exactly, else the call is an InvalidValueError.
    """

    value = Parameter[int | float]()

    def __init__(self, value: float = 0) -> None:
        super().__init__(specs.ConstantSpec(value))
