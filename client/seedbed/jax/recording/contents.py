"""Contents: what fills each leaf of a recorded program, once all leaves are seen together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from seedbed.jax.keys import is_key
from seedbed.jax.recording.draws import Draw
from seedbed.jax.recording.evaluation import evaluate, sources_of
from seedbed.jax.recording.fillings import Random, constant_of, initializer_of_constant, random_of
from seedbed.jax.recording.programs import Value, form_of
from seedbed.jax.recording.units import Unit, units_of
from seedbed.patterns import lines_of_rules
from seedbed.rules import refuse
from seedbed.spec.errors import InvalidArgumentError
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import InitializerSpec
from seedbed.spec.slices import TensorSlice


@dataclass(frozen=True, slots=True)
class Sampled:
    """Random numbers of one distribution: a tensor of which every device gets its part."""

    name: str
    """The tensor's: that of the first leaf with these numbers."""
    initializer: InitializerSpec
    fan_axes: FanAxes | None


@dataclass(frozen=True, slots=True)
class Full:
    """One number everywhere: nobody needs to be asked for it."""

    number: np.ndarray[Any, Any]
    initializer: InitializerSpec | None
    """The one that fills so; None if there is none."""

    def part(self, wanted: TensorSlice) -> np.ndarray[Any, Any]:
        """Return a part of the leaf."""
        return np.broadcast_to(self.number, wanted.lengths)


@dataclass(frozen=True, slots=True)
class Computed:
    """Anything else: computed whole, by the program's own steps."""

    value: Value
    units: Mapping[Unit, str] = field(default_factory=dict)
    """The arrays of random numbers that it is computed from, and their names."""

    def array(self, arrays: Mapping[str, np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
        """Return the leaf.

        Args:
            arrays: the units' numbers, by name.
        """

        def drawn(draw: Draw) -> np.ndarray[Any, Any]:
            each = [
                np.moveaxis(arrays[self.units[unit]], -1, unit.last_axis)
                if unit.shape
                else arrays[self.units[unit]]
                for unit in units_of(draw)
            ]
            return np.reshape(np.array(each, draw.dtype), (*draw.batch, *draw.shape))

        return np.asarray(evaluate(self.value, drawn))


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of JAX, made of the seed and the leaf's name."""


Content = Sampled | Full | Computed | Keys


def prefixed(content: Content, prefix: str) -> Content:
    """Return the content of a leaf in a tree whose names all begin with a prefix."""
    if isinstance(content, Sampled):
        return replace(content, name=prefix + content.name)
    if isinstance(content, Computed):
        return replace(content, units={unit: prefix + name for unit, name in content.units.items()})
    return content


@dataclass(slots=True)
class Findings:
    """What a leaf is by itself."""

    content: Full | Keys | Random | Computed
    units: tuple[Unit, ...] = ()
    problem: InvalidArgumentError | None = None
    """Why it cannot be filled, if so."""


def findings_of(value: Value) -> Findings:
    """Return what a leaf is, whatever the others are."""
    if is_key(form_of(value)):
        return Findings(Keys())
    try:
        constant = constant_of(value)
        if constant is not None:
            return Findings(Full(constant, initializer_of_constant(constant)))
        found = random_of(value)
        if found is not None and len(set(found.units)) == len(found.units):
            return Findings(found, found.units)
        sources = sources_of(value)
        if sources.problem is not None:
            return Findings(Computed(value), problem=sources.problem)
        units = (unit for draw in sources.draws for unit in units_of(draw))
        return Findings(Computed(value), tuple(dict.fromkeys(units)))
    except InvalidArgumentError as error:
        return Findings(Computed(value), problem=error)


def contents_of(
    findings: Mapping[str, Findings], values: Mapping[str, Value]
) -> dict[str, Content]:
    """Return what fills each leaf.

    A unit that is the content of several leaves has one name. Where they do not all use it in the
    same way, it is a tensor of its own, and the leaves are computed from it.

    Args:
        findings: what each leaf is by itself.
        values: the leaves' values in the program.

    Raises:
        InvalidValueError: naming the leaves that cannot be filled.
    """
    _check(findings, values)
    users: dict[Unit, list[object]] = {}
    for found in findings.values():
        for unit in found.units:
            users.setdefault(unit, []).append(found.content)
    shared = {unit for unit, uses in users.items() if any(use != uses[0] for use in uses)}
    first: dict[Random, str] = {}
    named: dict[Unit, str] = {}
    contents: dict[str, Content] = {}
    for name, found in findings.items():
        content = found.content
        if isinstance(content, Random) and shared.isdisjoint(found.units):
            owner = first.setdefault(content, name)
            contents[name] = Sampled(owner, content.initializer, content.fan_axes)
        elif isinstance(content, (Random, Computed)):
            _name(name, found.units, named)
            units = {unit: named[unit] for unit in found.units}
            contents[name] = Computed(values[name], units)
        else:
            contents[name] = content
    return contents


def _name(leaf: str, units: Iterable[Unit], named: dict[Unit, str]) -> None:
    """Give a name to each unit that has none yet: the leaf's, and a count within it."""
    fresh = [unit for unit in units if unit not in named]
    named.update((unit, f"{leaf}#{place}") for place, unit in enumerate(fresh))


def _check(findings: Mapping[str, Findings], values: Mapping[str, Value]) -> None:
    problems: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, found in findings.items():
        if found.problem is not None:
            shape = tuple(form_of(values[name]).shape)
            problems.setdefault(str(found.problem), {})[name] = shape
    refuse(
        [
            text
            for problem, shapes in problems.items()
            for text in texts_of_leaves(f"{problem}. These leaves need rules:", shapes, findings)
        ]
    )


def texts_of_leaves(
    head: str, shapes: Mapping[str, tuple[int, ...]], names: Iterable[str]
) -> list[str]:
    """Return a text that lists leaves as rules to complete; none for no leaves.

    Args:
        head: what is wrong with them.
        shapes: theirs.
        names: of all leaves.
    """
    others = [name for name in names if name not in shapes]
    return ["\n    ".join([head, *lines_of_rules(shapes, others)])] if shapes else []
