"""The reference: any element of any tensor, bit for bit, from docs/numerics.md alone."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.reference.floats import (
    FLOAT32,
    FLOAT64,
    FORMATS,
    add,
    divide,
    encode,
    fma,
    multiply,
    next_below,
    round_ratio,
    round_to,
    square_root,
    subtract,
)
from tests.reference.fourier import stft_element
from tests.reference.normal import (
    COUNTS_AS_INFINITE,
    normal_float32,
    normal_float64,
    truncated_stddev,
)
from tests.reference.structures import (
    delta_element,
    is_dirac,
    is_on_diagonal,
    is_sparse_zero,
    orthogonal_element,
)
from tests.reference.words import Key, derive_key, word32, word64

Pair = tuple[float, float]
Value = float | str | None

# scale, mode, distribution.
SCALINGS: dict[str, tuple[float, str, str]] = {
    "glorot_uniform": (1.0, "fan_avg", "uniform"),
    "glorot_normal": (1.0, "fan_avg", "truncated_normal"),
    "he_uniform": (2.0, "fan_in", "uniform"),
    "he_normal": (2.0, "fan_in", "truncated_normal"),
    "lecun_uniform": (1.0, "fan_in", "uniform"),
    "lecun_normal": (1.0, "fan_in", "truncated_normal"),
}
DEFAULTS: dict[str, dict[str, Value]] = {
    "constant": {"value": 0.0},
    "identity": {"gain": 1.0},
    "orthogonal": {"gain": 1.0, "blocks": 1, "block_axis": -1},
    "delta_orthogonal": {"gain": 1.0},
    "dirac": {"groups": 1},
    "sparse": {"stddev": 0.01, "axis": 0},
    "stft": {"side": "real", "window": "hann", "scaling": "density", "periodic": False},
    "random_normal": {"mean": 0.0, "stddev": 0.05},
    "random_uniform": {"minval": -0.05, "maxval": 0.05},
    "truncated_normal": {"mean": 0.0, "stddev": 0.05, "lower": -2.0, "upper": 2.0},
    "variance_scaling": {
        "scale": 1.0,
        "mode": "fan_in",
        "distribution": "truncated_normal",
        "lower": -2.0,
        "upper": 2.0,
    },
    "xavier_uniform": {"gain": 1.0},
    "xavier_normal": {"gain": 1.0},
    "kaiming_uniform": {"a": 0.0, "mode": "fan_in", "nonlinearity": "leaky_relu"},
    "kaiming_normal": {"a": 0.0, "mode": "fan_in", "nonlinearity": "leaky_relu"},
}
INTEGER_BYTES = {f"{sign}int{8 * size}": size for sign in ("", "u") for size in (1, 2, 4, 8)} | {
    "bool": 1
}


@dataclass(frozen=True)
class Tensor:
    """What a tensor's content depends on, as plain values."""

    initializer: str
    dtype: str
    shape: tuple[int, ...]
    parameters: Mapping[str, Value] = field(default_factory=dict)
    """Those that are not the default."""
    seed: int = 0
    draw: int = 0
    name: str = ""
    fan_axes: Mapping[str, Sequence[int]] | None = None
    """in_axis, out_axis and batch_axis."""

    @property
    def all_parameters(self) -> dict[str, Value]:
        """The defaults too."""
        return {**DEFAULTS.get(self.initializer, {}), **self.parameters}

    def number(self, parameter: str) -> float:
        """Return a parameter that is a number; an integer is rounded to float64."""
        value = self.all_parameters[parameter]
        assert value is not None
        assert not isinstance(value, str)
        return round_ratio(value, 1, FLOAT64) if isinstance(value, int) else value

    @property
    def key(self) -> Key:
        """What sets its words apart."""
        return derive_key(self.seed, self.draw, self.name)


def element_bytes(tensor: Tensor, indices: Iterable[int]) -> bytes:
    """Return the little-endian bytes of the elements at these indices of the whole tensor."""
    if tensor.dtype in INTEGER_BYTES:
        size = INTEGER_BYTES[tensor.dtype]
        return b"".join(
            _integer(tensor, index).to_bytes(size, "little", signed=tensor.dtype.startswith("int"))
            for index in indices
        )
    form = FORMATS[tensor.dtype]
    return b"".join(
        encode(element(tensor, index), form).to_bytes(form.bits // 8, "little") for index in indices
    )


def slice_indices(shape: Sequence[int], starts: Sequence[int], lengths: Sequence[int]) -> list[int]:
    """Return the index in the whole tensor of every element of a slice."""
    indices = [0]
    for whole, start, length in zip(shape, starts, lengths, strict=True):
        indices = [index * whole + start + i for index in indices for i in range(length)]
    return indices


def element(tensor: Tensor, index: int) -> float:
    """Return one element of a tensor of a floating dtype."""
    value = _wide_element(tensor, index)
    if tensor.dtype == "float64":
        return value
    single = round_to(value, FLOAT32)
    return single if tensor.dtype == "float32" else round_to(single, FORMATS[tensor.dtype])


def _wide_element(tensor: Tensor, index: int) -> float:
    """Return the element before it is rounded to its dtype; below 32 bits, as float32."""
    name = tensor.initializer
    if name in {"zeros", "ones", "constant", "identity", "dirac"}:
        return _integer_or_real(tensor, index)
    if name in {"orthogonal", "delta_orthogonal", "sparse", "stft"}:
        return _structured(tensor, index)
    if name == "random_uniform":
        return _uniform(tensor, index, tensor.number("minval"), tensor.number("maxval"))
    if name == "random_normal":
        return _normal(tensor, index, (tensor.number("mean"), tensor.number("stddev")))
    if name == "truncated_normal":
        mean, stddev, lower, upper = (
            tensor.number(p) for p in ("mean", "stddev", "lower", "upper")
        )
        return _normal(tensor, index, (mean, stddev), (lower, upper))
    if name.startswith(("xavier", "kaiming")):
        return _gained(tensor, index)
    return _scaled(tensor, index)


def _integer_or_real(tensor: Tensor, index: int) -> float:
    match tensor.initializer:
        case "zeros":
            return 0.0
        case "ones":
            return 1.0
        case "constant":
            return tensor.number("value")
        case "dirac":
            return float(
                is_dirac(tensor.shape, index, tensor.fan_axes, int(tensor.number("groups")))
            )
    return tensor.number("gain") if is_on_diagonal(tensor.shape, index, tensor.fan_axes) else 0.0


def _structured(tensor: Tensor, index: int) -> float:
    shape, axes = tensor.shape, tensor.fan_axes
    match tensor.initializer:
        case "orthogonal":
            cut = int(tensor.number("blocks")), int(tensor.number("block_axis"))
            return orthogonal_element(shape, index, axes, cut, tensor.number("gain"), tensor.key)
        case "delta_orthogonal":
            return delta_element(shape, index, axes, tensor.number("gain"), tensor.key)
        case "stft":
            return stft_element(shape, index, tensor.all_parameters)
    second = derive_key(tensor.seed, tensor.draw, tensor.name, first_byte=16)
    if is_sparse_zero(shape, index, int(tensor.number("axis")), tensor.number("sparsity"), second):
        return 0.0
    return _normal(tensor, index, (0.0, tensor.number("stddev")))


def _integer(tensor: Tensor, index: int) -> int:
    if tensor.initializer == "constant":
        value = tensor.all_parameters["value"]
        assert value is not None
        return int(value)
    return int(_integer_or_real(tensor, index))


def _uniform(tensor: Tensor, index: int, minval: float, maxval: float) -> float:
    wide = tensor.dtype == "float64"
    form = FLOAT64 if wide else FLOAT32
    unit = (
        math.ldexp(word64(index, tensor.key) >> 11, -53)
        if wide
        else math.ldexp(word32(index, tensor.key) >> 8, -24)
    )
    low, width, high = (
        round_to(value, form) for value in (minval, subtract(maxval, minval, FLOAT64), maxval)
    )
    ceiling = max(low, next_below(high, form))
    value = fma(unit, width, low, form)
    return min(ceiling, value)


def _normal(
    tensor: Tensor, index: int, moments: Pair, bounds: Pair = (-math.inf, math.inf)
) -> float:
    if tensor.dtype == "float64":
        return normal_float64(word64(index, tensor.key), *moments, *bounds)
    return normal_float32(word32(index, tensor.key), *moments, *bounds)


def _scaled(tensor: Tensor, index: int) -> float:
    parameters = tensor.all_parameters
    lower, upper = -2.0, 2.0
    if tensor.initializer in SCALINGS:
        scale, mode, distribution = SCALINGS[tensor.initializer]
    else:
        scale, lower, upper = (
            tensor.number(parameter) for parameter in ("scale", "lower", "upper")
        )
        mode, distribution = str(parameters["mode"]), str(parameters["distribution"])
    fan_in, fan_out = _fans(tensor)
    fan = {
        "fan_in": fan_in,
        "fan_out": fan_out,
        "fan_avg": divide(add(fan_in, fan_out, FLOAT64), 2.0, FLOAT64),
        "fan_geo_avg": square_root(multiply(fan_in, fan_out, FLOAT64), FLOAT64),
    }[mode]
    variance = divide(scale, max(1.0, fan), FLOAT64)
    if distribution == "uniform":
        limit = square_root(multiply(3.0, variance, FLOAT64), FLOAT64)
        return _uniform(tensor, index, -limit, limit)
    stddev = square_root(variance, FLOAT64)
    if distribution == "untruncated_normal":
        return _normal(tensor, index, (0.0, stddev))
    lower = -math.inf if lower < -COUNTS_AS_INFINITE else lower
    upper = math.inf if upper > COUNTS_AS_INFINITE else upper
    return _normal(
        tensor,
        index,
        (0.0, divide(stddev, truncated_stddev(lower, upper), FLOAT64)),
        (lower, upper),
    )


def _gained(tensor: Tensor, index: int) -> float:
    fan_in, fan_out = _fans(tensor)
    if tensor.initializer.startswith("xavier"):
        both = max(1.0, add(fan_in, fan_out, FLOAT64))
        stddev = multiply(
            tensor.number("gain"), square_root(divide(2.0, both, FLOAT64), FLOAT64), FLOAT64
        )
    else:
        fan = max(1.0, fan_in if tensor.all_parameters["mode"] == "fan_in" else fan_out)
        gain = _gain(str(tensor.all_parameters["nonlinearity"]), tensor.number("a"))
        stddev = divide(gain, square_root(fan, FLOAT64), FLOAT64)
    if tensor.initializer.endswith("normal"):
        return _normal(tensor, index, (0.0, stddev))
    limit = multiply(square_root(3.0, FLOAT64), stddev, FLOAT64)
    return _uniform(tensor, index, -limit, limit)


def _gain(nonlinearity: str, a: float) -> float:
    slope = {"relu": 0.0, "leaky_relu": a}.get(nonlinearity)
    if slope is not None:
        divisor = add(1.0, multiply(slope, slope, FLOAT64), FLOAT64)
        return square_root(divide(2.0, divisor, FLOAT64), FLOAT64)
    return {"tanh": divide(5.0, 3.0, FLOAT64), "selu": 0.75, "linear": 1.0, "sigmoid": 1.0}[
        nonlinearity
    ]


def _fans(tensor: Tensor) -> tuple[float, float]:
    shape, axes = tensor.shape, tensor.fan_axes
    if axes is None and len(shape) < 2:
        fan = round_ratio(math.prod(shape), 1, FLOAT64)
        return fan, fan
    axes = axes or {}
    named = [
        [axis % len(shape) for axis in axes.get(kind, default)]
        for kind, default in (("in_axis", [-2]), ("out_axis", [-1]), ("batch_axis", []))
    ]
    receptive = math.prod(
        n for axis, n in enumerate(shape) if not any(axis in kind for kind in named)
    )
    fan_in, fan_out = (math.prod(shape[axis] for axis in kind) * receptive for kind in named[:2])
    return round_ratio(fan_in, 1, FLOAT64), round_ratio(fan_out, 1, FLOAT64)
