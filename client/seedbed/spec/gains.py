"""The gains of PyTorch's initializers, one for each nonlinearity."""

import math
from typing import Literal, get_args

from seedbed.spec.errors import bad_type, bad_value
from seedbed.spec.numbers import as_finite
from seedbed.spec.suggestions import did_you_mean

Nonlinearity = Literal["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]
NONLINEARITIES: tuple[Nonlinearity, ...] = get_args(Nonlinearity)

Layer = Literal[
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"
]
"""Layers that PyTorch takes for nonlinearities: they are linear."""
_LAYERS: tuple[Layer, ...] = get_args(Layer)
NonlinearityName = Nonlinearity | Layer

# PyTorch's nn.LeakyReLU has this slope unless it is told another.
DEFAULT_SLOPE = 0.01


def as_nonlinearity(field: str, value: object) -> Nonlinearity:
    """Return the nonlinearity of a name; that of a convolution is ``linear``.

    Raises:
        InvalidTypeError: if it is no text.
        InvalidValueError: if there is none of that name.
    """
    names = (*NONLINEARITIES, *_LAYERS)
    allowed = "one of " + ", ".join(names)
    if not isinstance(value, str):
        raise bad_type(field, allowed, value)
    if value.lower() in _LAYERS:
        return "linear"
    for known in NONLINEARITIES:
        if value.lower() == known:
            return known
    raise bad_value(field, allowed, value, hint=did_you_mean(value, names))


def as_slope(field: str, value: object) -> float:
    """Return the negative slope of a leaky ReLU.

    Raises:
        InvalidTypeError: if it is no number.
        InvalidValueError: if it, or its square, is not finite.
    """
    slope = as_finite(field, value)
    if math.isinf(slope * slope):
        raise bad_value(field, "at most 1.3e154 in magnitude", slope)
    return slope


def calculate_gain(nonlinearity: NonlinearityName, param: float | None = None) -> float:
    """Return the gain with which a layer before a nonlinearity keeps its input's variance.

    1 for ``linear``, every ``conv1d`` to ``conv_transpose3d``, and ``sigmoid``; 5/3 for ``tanh``;
    sqrt(2) for ``relu``; sqrt(2 / (1 + param**2)) for ``leaky_relu``; 3/4 for ``selu``. These are
    the numbers of PyTorch's ``torch.nn.init.calculate_gain``; sqrt(2) is derived by He et al. 2015,
    arXiv:1502.01852.

    Args:
        nonlinearity: one of the names above.
        param: the negative slope of ``leaky_relu``, 0.01 if it is None; the others do not use it.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if there is no such nonlinearity, or the slope's square is not finite.
    """
    match as_nonlinearity("nonlinearity", nonlinearity):
        case "linear" | "sigmoid":
            return 1.0
        case "tanh":
            return 5.0 / 3.0
        case "relu":
            return math.sqrt(2.0)
        case "leaky_relu":
            slope = DEFAULT_SLOPE if param is None else as_slope("param", param)
            return math.sqrt(2.0 / (1.0 + slope * slope))
        case "selu":
            return 0.75
