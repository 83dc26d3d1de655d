"""The random numbers in a traced program: which of JAX's distributions each call draws from.

A call is recognized by comparing its program with that of ``jax.random``'s function, as the JAX
that is installed traces it: nothing depends on what a function is called or how it is written. What
is not recognized is opened, down to calls that are; a draw in another way is an error.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any

import jax
import numpy as np
from jax.extend.core import jaxprs_in_params

from seedbed.jax.recording.programs import Output, Sliced, Stacked, Step, Value, form_of
from seedbed.jax.tracing import HostCall, UnseededTensor

RAW_DRAWS = frozenset({"random_bits", "random_gamma", "rng_bit_generator", "rng_uniform"})
"""Primitives that draw in ways that have no counterpart here."""


@dataclass(eq=False, frozen=True, slots=True)
class Draw:
    """A call that draws an array for each of its keys."""

    distribution: str
    """``normal``, ``uniform``, ``truncated_normal``, ``orthogonal``, or ``seedbed``."""
    key: Value
    """A key, or an array of them."""
    bounds: tuple[Value, ...]
    """Of a uniform and of a truncated normal distribution."""
    batch: tuple[int, ...]
    """The shape of the keys."""
    shape: tuple[int, ...]
    """Of the array that each key gives."""
    dtype: np.dtype[Any]
    content: UnseededTensor | None = None
    """What an initializer of seedbed's draws."""


def draw_of(value: Value) -> Draw | None:
    """Return the draw that gives a value; None if it is not the result of one."""
    if not isinstance(value, Output):
        return None
    notes = value.step.notes
    if "draw" not in notes:
        notes["draw"] = _draw(value.step)
    draw: Draw | None = notes["draw"]
    return draw


def look(value: Value) -> Value | Draw:
    """Return the draw that gives a value, or the value as seen inside the calls that gave it."""
    while True:
        draw = draw_of(value)
        if draw is not None:
            return draw
        if isinstance(value, Output):
            inner = value.step.unfolded
            if inner is None:
                return value
            value = inner[value.index]
        elif isinstance(value, Sliced):
            whole = look(value.whole)
            if not isinstance(whole, Stacked):
                return value
            value = whole.parts[value.place]
        else:
            return value


def draws_raw(step: Step) -> bool:
    """Return whether an equation draws in a way that has no counterpart here."""
    if step.name in RAW_DRAWS:
        return True
    if "draws_raw" not in step.notes:
        step.notes["draws_raw"] = any(map(_holds_draws, jaxprs_in_params(step.params)))
    return bool(step.notes["draws_raw"])


def _holds_draws(jaxpr: Any) -> bool:
    return any(
        equation.primitive.name in RAW_DRAWS
        or isinstance(_callback(equation), HostCall)
        or any(map(_holds_draws, jaxprs_in_params(equation.params)))
        for equation in jaxpr.eqns
    )


def _draw(step: Step) -> Draw | None:
    if step.name in ("pure_callback", "shard_map"):
        return _draw_of_seedbed(step)
    distribution = str(step.params.get("name", "")).removeprefix("_")
    if step.name not in ("jit", "pjit") or distribution not in _REFERENCES:
        return None
    forms = [form_of(operand) for operand in step.operands]
    result = step.equation.outvars[0].aval
    if not forms or not jax.dtypes.issubdtype(forms[0].dtype, jax.dtypes.prng_key):
        return None
    batch, bounds = tuple(forms[0].shape), forms[1:]
    if any(form.shape != () for form in bounds) or result.shape[: len(batch)] != batch:
        return None
    shape = tuple(result.shape[len(batch) :])
    kinds = tuple((np.dtype(form.dtype), bool(form.weak_type)) for form in _avals(step)[1:])
    dtype = np.dtype(result.dtype)
    if not jax.dtypes.issubdtype(dtype, np.floating):
        return None  # complex numbers are drawn as pairs of real ones
    context = (jax.config.jax_enable_x64, jax.sharding.get_abstract_mesh())
    expected = _reference(distribution, batch, shape, dtype, forms[0].dtype, kinds, context)
    if _text(step.params["jaxpr"]) != expected or step.params["jaxpr"].consts:
        return None
    return Draw(distribution, step.operands[0], step.operands[1:], batch, shape, dtype)


def _avals(step: Step) -> list[Any]:
    return [atom.aval for atom in step.equation.invars]


def _draw_of_seedbed(step: Step) -> Draw | None:
    """Return the draw of one of seedbed's initializers, whole or by a call for each device."""
    calls = [_callback(step.equation)]
    if step.name == "shard_map":
        calls = [_callback(inner) for inner in step.params["jaxpr"].eqns]
    contents = [call.content for call in calls if isinstance(call, HostCall)]
    if not contents:
        return None
    (content,) = contents
    return Draw("seedbed", step.operands[0], (), (), content.shape, content.dtype.numpy, content)


def _callback(equation: Any) -> Any:
    return getattr(equation.params.get("callback"), "callback_func", None)


def _normal(shape: tuple[int, ...], dtype: Any, key: Any) -> Any:
    return jax.random.normal(key, shape, dtype)


def _uniform(shape: tuple[int, ...], dtype: Any, key: Any, low: Any, high: Any) -> Any:
    return jax.random.uniform(key, shape, dtype, low, high)


def _truncated_normal(shape: tuple[int, ...], dtype: Any, key: Any, low: Any, high: Any) -> Any:
    return jax.random.truncated_normal(key, low, high, shape, dtype)


def _orthogonal(shape: tuple[int, ...], dtype: Any, key: Any) -> Any:
    *batch, rows, columns = shape
    return jax.random.orthogonal(key, rows, tuple(batch), dtype, columns)


_REFERENCES: dict[str, Callable[..., Any]] = {
    "normal": _normal,
    "orthogonal": _orthogonal,
    "truncated_normal": _truncated_normal,
    "uniform": _uniform,
}


@cache
def _reference(
    distribution: str,
    batch: tuple[int, ...],
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    key_dtype: Any,
    kinds: tuple[tuple[np.dtype[Any], bool], ...],
    context: tuple[Any, ...],
) -> str | None:
    """Return the program of a function of ``jax.random`` as text; None if it refuses.

    The context is what else the program depends on.
    """
    del context
    draw = partial(_REFERENCES[distribution], shape, dtype)
    for _ in batch:
        draw = jax.vmap(draw, in_axes=(0, *(None for _ in kinds)))
    forms = [
        jax.ShapeDtypeStruct(batch, key_dtype),
        *(jax.ShapeDtypeStruct((), kind, weak_type=is_weak) for kind, is_weak in kinds),
    ]
    try:
        (equation,) = jax.make_jaxpr(draw)(*forms).jaxpr.eqns
    except (TypeError, ValueError):
        return None
    return _text(equation.params.get("jaxpr"))


# JAX gives equal calls one program, and to print it takes longer than all else here.
@lru_cache(maxsize=1000)
def _text(program: Any) -> str:
    return str(program)
