"""Traced programs as graphs of values, unfolded only where somebody looks.

A value knows what computed it. Calls (jit, remat, custom derivatives), scans and conditionals are
opened when a value inside them is asked for, so that what a model does with its parameters, which
nobody asks for, costs nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Literal

CALLS = frozenset(
    {
        "checkpoint",
        "closed_call",
        "core_call",
        "custom_jvp_call",
        "custom_vjp_call",
        "custom_vjp_call_jaxpr",
        "jit",
        "pjit",
        "remat",
        "remat2",
    }
)
"""Equations that do no more than run another program on their operands."""


@dataclass(eq=False, slots=True)
class Known:
    """A value that does not have to be computed."""

    array: Any
    """An array of JAX or numpy."""


@dataclass(eq=False, slots=True)
class Unknown:
    """An argument that came without content, such as a ``jax.ShapeDtypeStruct``."""

    form: Any
    """Its shape and dtype."""


@dataclass(eq=False, slots=True)
class Stacked:
    """What the steps of a scan give, stacked along the first axis."""

    parts: tuple["Value", ...]
    form: Any


@dataclass(eq=False, slots=True)
class Sliced:
    """A place of a value's first axis: what one step of a scan gets."""

    whole: "Value"
    place: int
    form: Any


@dataclass(eq=False)
class Step:
    """An equation and its operands."""

    equation: JaxprEqn
    operands: tuple["Value", ...]
    notes: dict[object, Any] = field(default_factory=dict)
    """What others found out about it, to be found once."""

    @property
    def name(self) -> str:
        """The name of the primitive."""
        return str(self.equation.primitive.name)

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of the primitive."""
        return dict(self.equation.params)

    @cached_property
    def unfolded(self) -> list["Value"] | None:
        """The results as values of the program inside; None where there is none to look into."""
        if self.name in CALLS:
            inner = self.params.get("jaxpr", self.params.get("call_jaxpr"))
            return None if inner is None else values_of(inner, self.operands)
        return _steps_of_scan(self) if self.name == "scan" else None


@dataclass(eq=False, slots=True)
class Output:
    """One of an equation's results."""

    step: Step
    index: int

    @property
    def form(self) -> Any:
        """Its shape and dtype."""
        return self.step.equation.outvars[self.index].aval


Value = Known | Unknown | Stacked | Sliced | Output


def form_of(value: Value) -> Any:
    """Return what has a value's shape and dtype."""
    return value.array if isinstance(value, Known) else value.form


def values_of(program: Jaxpr | ClosedJaxpr, arguments: Sequence[Value]) -> list[Value]:
    """Return a program's results; nothing is computed."""
    jaxpr: Jaxpr = program.jaxpr if isinstance(program, ClosedJaxpr) else program
    consts = program.consts if isinstance(program, ClosedJaxpr) else []
    values: dict[Any, Value] = dict(zip(jaxpr.constvars, map(Known, consts), strict=True))
    values.update(zip(jaxpr.invars, arguments, strict=True))

    def value_of(atom: Any) -> Value:
        return Known(_array_of(atom)) if isinstance(atom, Literal) else values[atom]

    for equation in jaxpr.eqns:
        step = Step(equation, tuple(map(value_of, equation.invars)))
        values.update((var, Output(step, place)) for place, var in enumerate(equation.outvars))
    return [value_of(var) for var in jaxpr.outvars]


def run_step(step: Step, operands: Sequence[Any]) -> list[Any]:
    """Return the results of an equation that is no call, computed now."""
    # Where the results lie is said by whoever cuts the whole.
    params = {
        name: None if name in ("sharding", "out_sharding") else value
        for name, value in step.params.items()
    }
    primitive = step.equation.primitive
    results = primitive.bind(*operands, **params)
    return list(results) if primitive.multiple_results else [results]


def _array_of(literal: Literal) -> Any:
    return np.asarray(literal.val, literal.aval.dtype)


def _steps_of_scan(step: Step) -> list[Value]:
    params = step.params
    consts, carry_count = params["num_consts"], params["num_carry"]
    fixed = step.operands[:consts]
    carry = list(step.operands[consts : consts + carry_count])
    scanned = step.operands[consts + carry_count :]
    body: ClosedJaxpr = params["jaxpr"]
    forms = body.jaxpr.invars[consts + carry_count :]
    places = range(params["length"])
    rows: dict[int, list[Value]] = {}
    for place in reversed(places) if params["reverse"] else places:
        slices = [Sliced(whole, place, var.aval) for whole, var in zip(scanned, forms, strict=True)]
        results = values_of(body, [*fixed, *carry, *slices])
        carry, rows[place] = results[:carry_count], results[carry_count:]
    stacked_forms = [var.aval for var in step.equation.outvars[carry_count:]]
    return [
        *carry,
        *(
            Stacked(tuple(rows[place][index] for place in places), form)
            for index, form in enumerate(stacked_forms)
        ),
    ]
