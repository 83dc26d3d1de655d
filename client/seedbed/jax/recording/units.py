"""Units: the arrays of random numbers that a program draws, each told by its key.

For JAX the same key, distribution, shape and dtype are the same numbers. So they are one unit here,
wherever the program draws it, and two keys are two.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import numpy as np

from seedbed.jax.recording.draws import Draw
from seedbed.jax.recording.evaluation import known, sources_of
from seedbed.jax.recording.programs import Value
from seedbed.spec.errors import bad_value
from seedbed.spec.fans import FanAxes, fans_of
from seedbed.spec.initializers import (
    FixedScalingSpec,
    InitializerSpec,
    OrthogonalSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    TruncatedNormalSpec,
    VarianceScalingSpec,
)

TRUNCATED_STDDEV = 0.87962566103423978
"""The standard deviation of a standard normal number within two of them."""


@dataclass(frozen=True, slots=True)
class Unit:
    """An array of random numbers."""

    key: object
    """Tells it from others of its kind."""
    initializer: InitializerSpec
    fan_axes: FanAxes | None
    shape: tuple[int, ...]
    """In the order in which it is sampled."""
    dtype: np.dtype[Any]
    last_axis: int = -1
    """Where its last axis goes."""


def units_of(draw: Draw) -> list[Unit]:
    """Return the units of a draw: one for each of its keys, in their order.

    Raises:
        InvalidValueError: if a bound is random, or there is no such distribution here.
    """
    if draw.content is not None:
        spec = draw.content.spec(0)
        make = partial(
            Unit,
            initializer=spec.initializer,
            fan_axes=spec.fan_axes,
            shape=spec.shape,
            last_axis=draw.content.last_axis,
        )
    else:
        stacked = len(draw.shape) - 2 if draw.distribution == "orthogonal" else 0
        axes = FanAxes(batch_axis=range(stacked)) if stacked else None
        make = partial(Unit, initializer=initializer_of(draw), fan_axes=axes, shape=draw.shape)
    return [make(key, dtype=draw.dtype) for key in _keys(draw)]


def initializer_of(draw: Draw) -> InitializerSpec:
    """Return the initializer that draws like a function of ``jax.random``.

    Raises:
        InvalidValueError: if a bound is random, or there is no such distribution here.
    """
    bounds = [number(bound) for bound in draw.bounds]
    match draw.distribution:
        case "normal":
            return RandomNormalSpec(0.0, 1.0)
        case "uniform":
            return RandomUniformSpec(*bounds)
        case "truncated_normal":
            return TruncatedNormalSpec(0.0, 1.0, *bounds)
    return OrthogonalSpec(1.0)


def explicit(initializer: InitializerSpec, shape: tuple[int, ...], axes: FanAxes | None) -> Any:
    """Return an initializer without fans that gives the same numbers as one with them."""
    scaling = initializer.scaling if isinstance(initializer, FixedScalingSpec) else initializer
    if not isinstance(scaling, VarianceScalingSpec):
        return initializer
    variance = scaling.scale / max(1.0, getattr(fans_of(shape, axes), scaling.mode))
    if scaling.distribution == "uniform":
        limit = math.sqrt(3.0 * variance)
        return RandomUniformSpec(-limit, limit)
    stddev = math.sqrt(variance)
    if scaling.distribution == "untruncated_normal":
        return RandomNormalSpec(0.0, stddev)
    return TruncatedNormalSpec(0.0, stddev / TRUNCATED_STDDEV)


def number(value: Value) -> float:
    """Return a scalar of a program.

    Raises:
        InvalidValueError: if it is random, or an argument without content.
    """
    sources = sources_of(value)
    if sources.draws or sources.problem:
        raise bad_value("initializer", "one whose parameters are not random", "a drawn parameter")
    return float(known(value))


def _keys(draw: Draw) -> list[object]:
    sources = sources_of(draw.key)
    if sources.problem is not None:
        raise sources.problem
    if sources.draws:
        raise bad_value("initializer", "one whose keys are not random", draw.distribution)
    keys = known(draw.key)
    words, kind = keys, "words"
    if jax.dtypes.issubdtype(keys.dtype, jax.dtypes.prng_key):
        words, kind = jax.random.key_data(keys), str(keys.dtype)
    rows = np.asarray(words).reshape(math.prod(draw.batch), -1)
    return [(kind, row.tobytes()) for row in rows]
