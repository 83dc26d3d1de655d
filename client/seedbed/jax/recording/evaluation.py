"""Values of a traced program, computed: all that is not a draw is run as it was written."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from seedbed.jax.recording.draws import Draw, draws_raw, look
from seedbed.jax.recording.programs import Known, Output, Sliced, Stacked, Unknown, Value, run_step
from seedbed.spec.errors import InvalidValueError, bad_value


@dataclass(slots=True)
class Sources:
    """What a value is computed from, besides what is known."""

    draws: list[Draw] = field(default_factory=list)
    """In the order of the program."""
    problem: InvalidValueError | None = None
    """Why it cannot be computed, if so."""


def sources_of(value: Value) -> Sources:
    """Return what a value is computed from; nothing is computed."""
    found = Sources()
    for each in _reached(value):
        if isinstance(each, Draw):
            found.draws.append(each)
        elif isinstance(each, Unknown):
            found.problem = found.problem or bad_value(
                "arguments", "arrays where a leaf depends on their content", each.form
            )
        elif isinstance(each, Output) and draws_raw(each.step):
            allowed = (
                "one that draws by jax.random.normal, uniform, truncated_normal or orthogonal, or"
                " by what is made of these"
            )
            found.problem = found.problem or bad_value("initializer", allowed, each.step.name)
    return found


def evaluate(value: Value, draws: Callable[[Draw], Any]) -> Any:
    """Return a value as an array, computed on the processor.

    Args:
        value: what :func:`sources_of` finds no problem with.
        draws: gives the array of each draw.
    """
    with on_processor():
        return _Evaluation(draws).of(value)


def known(value: Value) -> Any:
    """Return a value that is computed from no draw, as an array; each of its steps runs once."""

    def refuse(draw: Draw) -> Any:
        raise AssertionError(draw)

    with on_processor():
        return _Evaluation(refuse, keep=True).of(value)


@contextmanager
def on_processor() -> Iterator[None]:
    """Let JAX compute on one processor, whatever devices and mesh there are."""
    try:
        device = jax.local_devices(backend="cpu")[0]
    except RuntimeError:  # JAX_PLATFORMS leaves it out
        device = jax.local_devices()[0]
    with jax.default_device(device), jax.set_mesh(Mesh(np.array([device]), ("_",))):
        yield


def _reached(value: Value) -> Iterator[Value | Draw]:
    """Yield all that a value is computed from, and the value; the first operands first."""
    seen: set[int] = set()
    kept = []  # so that no id is used twice
    waiting: list[Value] = [value]
    while waiting:
        each = look(waiting.pop())
        if id(each) in seen:
            continue
        seen.add(id(each))
        kept.append(each)
        yield each
        if not isinstance(each, Draw):
            waiting.extend(reversed(_operands(each)))


def _operands(value: Value) -> Sequence[Value]:
    if isinstance(value, Output):
        return () if "results" in value.step.notes else value.step.operands
    if isinstance(value, Stacked):
        return value.parts
    return (value.whole,) if isinstance(value, Sliced) else ()


class _Evaluation:
    """Computes values, each once; a chain of them may be longer than Python's stack."""

    def __init__(self, draws: Callable[[Draw], Any], *, keep: bool = False) -> None:
        self._draws = draws
        self._keep = keep
        self._arrays: dict[int, Any] = {}
        self._kept: list[Any] = []

    def of(self, value: Value) -> Any:
        waiting: list[Value | Draw] = [value]
        while waiting:
            each = waiting[-1]
            if id(each) in self._arrays:
                waiting.pop()
                continue
            seen = each if isinstance(each, Draw) else look(each)
            if seen is not each:
                missing: list[Value | Draw] = [] if id(seen) in self._arrays else [seen]
            else:
                needed = () if isinstance(each, Draw) else _operands(each)
                missing = [one for one in needed if id(one) not in self._arrays]
            if missing:
                self._kept.extend(missing)
                waiting.extend(missing)
                continue
            self._kept.append(each)
            self._arrays[id(each)] = (
                self._computed(each) if seen is each else self._arrays[id(seen)]
            )
        return self._arrays[id(value)]

    def _computed(self, value: Value | Draw) -> Any:
        if isinstance(value, Draw):
            return self._draws(value)
        if isinstance(value, Known):
            return value.array
        if isinstance(value, Stacked):
            return jax.numpy.stack([self._arrays[id(part)] for part in value.parts])
        if isinstance(value, Sliced):
            return self._arrays[id(value.whole)][value.place]
        assert isinstance(value, Output)
        notes = value.step.notes
        results = notes.get("results")
        if results is None:
            operands = [self._arrays[id(operand)] for operand in value.step.operands]
            results = run_step(value.step, operands)
            if self._keep:
                notes["results"] = results
        return results[value.index]
