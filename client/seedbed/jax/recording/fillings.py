"""Fillings of leaves: what a value of a program is, as the initializer of a whole tensor."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seedbed.jax.recording.draws import Draw, look
from seedbed.jax.recording.evaluation import known, on_processor, sources_of
from seedbed.jax.recording.programs import Known, Output, Stacked, Step, Value, form_of, run_step
from seedbed.jax.recording.units import Unit, explicit, units_of
from seedbed.spec.dtypes import FLOATING, as_dtype
from seedbed.spec.errors import InvalidArgumentError
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import (
    ConstantSpec,
    InitializerSpec,
    OnesSpec,
    OrthogonalSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    TruncatedNormalSpec,
    ZerosSpec,
)

UNCHANGED = frozenset(
    {
        "copy",
        "copy_p",
        "device_put",
        "name",
        "optimization_barrier",
        "reshard",
        "sharding_constraint",
        "stop_gradient",
    }
)
"""Primitives whose result is their operand."""

MOVES = frozenset({"broadcast_in_dim", "expand_dims", "reshape", "squeeze", "transpose"})
"""Primitives that say where the same elements stand; a broadcast repeats them, too."""

ELEMENTWISE = frozenset(
    {"add", "convert_element_type", "div", "exp", "log", "mul", "neg", "pow", "sqrt", "sub"}
)
"""Primitives that keep an array full of one number full of one number."""


@dataclass(frozen=True, slots=True)
class Random:
    """Random numbers of one distribution, each element of the units used once."""

    initializer: InitializerSpec
    """Of the whole, whatever its shape."""
    fan_axes: FanAxes | None
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    units: tuple[Unit, ...]
    moves: tuple[object, ...] = ()
    """Where the units' elements stand."""


def constant_of(value: Value) -> np.ndarray[Any, Any] | None:
    """Return the one number that an array is full of, as a scalar; None unless there is one."""
    seen = look(value)
    if isinstance(seen, Known):
        return _repeated(np.asarray(seen.array))
    if isinstance(seen, Stacked):
        numbers = [constant_of(part) for part in seen.parts]
        known = [number for number in numbers if number is not None]
        return _repeated(np.array(known)) if len(known) == len(numbers) else None
    if not isinstance(seen, Output):
        return None
    key = ("constant", seen.index)
    if key not in seen.step.notes:
        seen.step.notes[key] = _constant(seen)
    constant: np.ndarray[Any, Any] | None = seen.step.notes[key]
    return constant


def _constant(result: Output) -> np.ndarray[Any, Any] | None:
    step = result.step
    if result.form.size == 1:
        sources = sources_of(result)
        if sources.draws or sources.problem:
            return None
        return np.asarray(known(result)).reshape(())
    if step.name in UNCHANGED | MOVES:
        return constant_of(step.operands[result.index])
    if step.name not in ELEMENTWISE:
        return None
    operands = [constant_of(operand) for operand in step.operands]
    if any(operand is None for operand in operands):
        return None
    with on_processor():
        return np.asarray(run_step(step, operands)[0]).reshape(())


def _repeated(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
    first = array.reshape(-1)[:1]
    return (
        first.reshape(())
        if array.size and array.tobytes() == first.tobytes() * array.size
        else None
    )


def initializer_of_constant(number: np.ndarray[Any, Any]) -> InitializerSpec | None:
    """Return the initializer of arrays full of a number; None if it does not exist here."""
    try:
        as_dtype(number.dtype)
        value = number.item()
        if value in (0, 1) and not np.signbit(float(value)):
            return OnesSpec() if value else ZerosSpec()
        return ConstantSpec(value)
    except InvalidArgumentError:
        return None


def random_of(value: Value) -> Random | None:
    """Return a value as random numbers of one distribution; None if it is something else.

    Raises:
        InvalidValueError: if seedbed does not have the distribution.
    """
    seen = look(value)
    if isinstance(seen, Draw):
        return _of_draw(seen)
    if isinstance(seen, Stacked):
        return _of_stack(seen)
    if not isinstance(seen, Output):
        return None
    step = seen.step
    if step.name in UNCHANGED:
        return random_of(step.operands[seen.index])
    if step.name in MOVES:
        return _moved(random_of(step.operands[0]), step, form_of(seen).shape)
    if step.name == "convert_element_type":
        return _converted(random_of(step.operands[0]), np.dtype(form_of(seen).dtype))
    if step.name == "neg":
        return _affine(random_of(step.operands[0]), factor=-1.0)
    if step.name in _AFFINE:
        return _AFFINE[step.name](*step.operands)
    return None


def _of_draw(draw: Draw) -> Random | None:
    units = tuple(units_of(draw))
    if not units or units[0].last_axis % max(len(draw.shape), 1) != max(len(draw.shape) - 1, 0):
        return None
    first = units[0]
    initializer = explicit(first.initializer, first.shape, first.fan_axes)
    axes = None if initializer is not first.initializer else first.fan_axes
    one = Random(initializer, axes, draw.dtype, draw.shape, units)
    return _stacked(one, draw.batch)


def _stacked(one: Random, batch: tuple[int, ...]) -> Random | None:
    """Return several of a distribution's arrays, stacked."""
    if not batch:
        return one
    shape = (*batch, *one.shape)
    if _is_elementwise(one.initializer):
        return replace(one, shape=shape)
    if not isinstance(one.initializer, OrthogonalSpec) or one.fan_axes is not None:
        return None
    return replace(one, shape=shape, fan_axes=FanAxes(batch_axis=range(len(batch))))


def _of_stack(stack: Stacked) -> Random | None:
    parts = [random_of(part) for part in stack.parts]
    first = parts[0] if parts else None
    if first is None:
        return None
    units: list[Unit] = []
    for part in parts:
        if part is None or replace(part, units=()) != replace(first, units=()):
            return None
        units.extend(part.units)
    return _stacked(replace(first, units=tuple(units)), (len(parts),))


def _moved(operand: Random | None, step: Step, shape: tuple[int, ...]) -> Random | None:
    if operand is None or np.prod(shape) != np.prod(operand.shape):
        return None
    if shape == operand.shape and step.name != "transpose":
        return operand
    keeps_rows = step.name == "reshape" and shape[-1:] == operand.shape[-1:]
    is_matrix = isinstance(operand.initializer, OrthogonalSpec) and operand.fan_axes is None
    if not _is_elementwise(operand.initializer) and not (
        is_matrix and keeps_rows and len(shape) >= 2
    ):
        return None
    how = (step.name, step.params.get("permutation"), shape)
    return replace(operand, shape=shape, moves=(*operand.moves, how))


def _converted(operand: Random | None, dtype: np.dtype[Any]) -> Random | None:
    if operand is None:
        return None
    try:
        is_floating = as_dtype(dtype) in FLOATING
    except InvalidArgumentError:
        return None
    # What was drawn with few bits keeps them where it is widened.
    if not is_floating or dtype.itemsize > operand.dtype.itemsize:
        return None
    return replace(operand, dtype=dtype)


def _affine(operand: Random | None, factor: Any = 1.0, offset: Any = 0.0) -> Random | None:
    if operand is None or factor is None or offset is None:
        return None
    initializer = _scaled(operand.initializer, float(factor), float(offset))
    return None if initializer is None else replace(operand, initializer=initializer)


def _scaled(initializer: InitializerSpec, factor: float, offset: float) -> InitializerSpec | None:
    """Return the initializer of ``factor * x + offset``; None if it does not exist here."""
    match initializer:
        case RandomNormalSpec(mean, stddev):
            return RandomNormalSpec(factor * mean + offset, abs(factor) * stddev)
        case TruncatedNormalSpec(mean, stddev, lower, upper) if factor >= 0:
            return TruncatedNormalSpec(factor * mean + offset, factor * stddev, lower, upper)
        case RandomUniformSpec(low, high) if factor >= 0:
            return RandomUniformSpec(factor * low + offset, factor * high + offset)
        case OrthogonalSpec() if offset == 0:
            return replace(initializer, gain=factor * initializer.gain)
    return None


def _is_elementwise(initializer: InitializerSpec) -> bool:
    return isinstance(initializer, (RandomNormalSpec, RandomUniformSpec, TruncatedNormalSpec))


def _times(left: Value, right: Value) -> Random | None:
    factor = constant_of(right)
    return (
        _affine(random_of(right), factor=constant_of(left))
        if factor is None
        else _affine(random_of(left), factor=factor)
    )


def _plus(left: Value, right: Value) -> Random | None:
    offset = constant_of(right)
    return (
        _affine(random_of(right), offset=constant_of(left))
        if offset is None
        else _affine(random_of(left), offset=offset)
    )


def _minus(left: Value, right: Value) -> Random | None:
    offset = constant_of(right)
    if offset is not None:
        return _affine(random_of(left), offset=-offset)
    return _affine(random_of(right), factor=-1.0, offset=constant_of(left))


def _over(left: Value, right: Value) -> Random | None:
    divisor = constant_of(right)
    return None if not divisor else _affine(random_of(left), factor=1.0 / float(divisor))


_AFFINE: dict[str, Callable[[Value, Value], Random | None]] = {
    "add": _plus,
    "add_any": _plus,
    "div": _over,
    "mul": _times,
    "sub": _minus,
}
