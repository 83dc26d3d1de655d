"""Two models side by side: how each tensor of one differs from the other's."""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.patterns import pattern_of
from seedbed.reports.groups import depths
from seedbed.reports.moments import BLOCK_ELEMENTS
from seedbed.reports.subjects import ModelFigures
from seedbed.reports.tensor_figures import TensorFigures

HERE_ONLY, THERE_ONLY, NOT_COMPARED = "here only", "there only", "not compared"
# What a tensor's content follows from; a checkpoint does not say the last four.
SAID = ("shape", "dtype", "rule", "seed", "draw", "fan_in")
MOST_DEPTHS = 8


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which a tensor differs from the other model's."""

    name: str
    """The tensor's name."""
    what: str
    """``shape``, ``dtype``, ``rule``, ``seed``, ``draw`` or ``fan_in``; ``content`` where these are
    the same or not known; ``here only`` and ``there only``; ``not compared`` where nothing else
    differs, and a model is too large to be digested."""
    here: Any = None
    """The model's shape, rule, and so on; None for the rest."""
    there: Any = None
    """The other's."""
    largest: float | None = None
    """The largest difference of two elements, NaN if one is in one model only; where only the
    content differs, and both were read whole."""


def differences_between(
    model: ModelFigures, other: ModelFigures, largest: Mapping[str, float]
) -> tuple[Difference, ...]:
    """Return all differences, in the model's order, then what the other has alone.

    Args:
        model: the model.
        other: the other one.
        largest: of the elements of tensors that were read whole, by name.
    """
    there = {each.name: each for each in other.tensors}
    found = [
        difference
        for each in model.tensors
        for difference in _of_tensor(each, there.pop(each.name, None), largest.get(each.name))
    ]
    return (*found, *(Difference(name, THERE_ONLY) for name in there))


def _of_tensor(
    here: TensorFigures, there: TensorFigures | None, largest: float | None
) -> Iterator[Difference]:
    if there is None:
        yield Difference(here.name, HERE_ONLY)
        return
    said = {each: (getattr(here, each), getattr(there, each)) for each in SAID}
    explained = [Difference(here.name, each, *two) for each, two in said.items() if _is_other(*two)]
    if here.shape != there.shape:  # fans follow from it
        explained = [each for each in explained if each.what != "fan_in"]
    is_same_type = (here.shape, here.dtype) == (there.shape, there.dtype)
    are_known = here.digest != "" != there.digest
    if is_same_type and are_known and here.digest == there.digest:
        return
    if explained:
        yield from explained
    elif are_known:
        yield Difference(here.name, "content", largest=largest)
    elif not (_is_one_value(here) and _is_one_value(there) and here.least == there.least):
        yield Difference(here.name, NOT_COMPARED)


def _is_one_value(tensor: TensorFigures) -> bool:
    """Return whether all elements are known to be the same number."""
    return tensor.is_constant and tensor.finite == tensor.elements


def _is_other(here: object, there: object) -> bool:
    """Return whether two values differ that are known, and not None or empty text."""
    unknown = (None, "")
    return here not in unknown and there not in unknown and here != there


def largest_differences(
    here: Mapping[str, NDArray[Any]], there: Mapping[str, NDArray[Any]], names: Collection[str]
) -> dict[str, float]:
    """Return the largest difference of two elements of each named tensor, NaN if one of two is.

    Args:
        here: the arrays of a model; empty where it cannot be read.
        there: those of the other.
        names: of tensors that both have, with the same shapes.
    """
    if not here or not there:
        return {}
    return {name: _largest(here[name], there[name]) for name in names}


def _largest(here: NDArray[Any], there: NDArray[Any]) -> float:
    ours, theirs = here.reshape(-1), there.reshape(-1)
    largest = [0.0]
    for begin in range(0, ours.size, BLOCK_ELEMENTS):
        block = slice(begin, begin + BLOCK_ELEMENTS)
        a, b = ours[block].astype(np.float64), theirs[block].astype(np.float64)
        # The same infinity, or NaN in both, is no difference.
        differ = (a != b) & ~(np.isnan(a) & np.isnan(b))
        with np.errstate(over="ignore"):  # between the ends of float64 lies infinity
            largest.append(float(np.max(np.abs(a[differ] - b[differ]), initial=0.0)))
    return float(np.max(largest))  # Python's max may lose NaN


@dataclass(frozen=True, slots=True)
class FoldedDifference:
    """A difference that tensors of one pattern have in common."""

    pattern: str
    """Their names, with ``*`` for each number; the name of a single one."""
    depths: tuple[int, ...]
    """The first number in which their names differ, of each."""
    count: int
    """How many tensors of that pattern there are, in either model."""
    one: Difference
    """The difference of the first."""
    largest: float | None
    """The largest of all."""


def folded(
    differences: Sequence[Difference], names: Collection[str]
) -> tuple[FoldedDifference, ...]:
    """Return differences by pattern, in the order of the first of each.

    Args:
        differences: of two models.
        names: of all their tensors.
    """
    counts = Counter(map(pattern_of, names))
    found: dict[tuple[object, ...], list[Difference]] = {}
    for each in differences:
        key = pattern_of(each.name), each.what, each.here, each.there
        found.setdefault(key, []).append(each)
    return tuple(
        FoldedDifference(
            str(key[0]) if len(group) > 1 else group[0].name,
            tuple(sorted(depths([each.name for each in group]))),
            counts[str(key[0])],
            group[0],
            _largest_of(group),
        )
        for key, group in found.items()
    )


def _largest_of(group: Sequence[Difference]) -> float | None:
    known = [each.largest for each in group if each.largest is not None]
    return float(np.max(known)) if known else None


def difference_text(folded: FoldedDifference, shape_text: Callable[[Sequence[int]], str]) -> str:
    """Return what differs in words, such as ``seed 42 here, 43 there``.

    Args:
        folded: the difference.
        shape_text: writes a shape.
    """
    one = folded.one
    if one.what == "content":
        return f"content{_largest_text(folded.largest)}"
    if one.what in (HERE_ONLY, THERE_ONLY, NOT_COMPARED):
        return one.what
    write: Callable[[Any], str] = {"shape": shape_text, "fan_in": "{:.15g}".format}.get(
        one.what, str
    )
    return f"{one.what.replace('_', '-')} {write(one.here)} here, {write(one.there)} there"


def _largest_text(largest: float | None) -> str:
    if largest is None:
        return ""
    if math.isnan(largest):
        return ", NaN in one of them"
    if not largest:  # -0.0, or integers that float64 does not tell apart
        return ", in bits only"
    return f", elements by at most {largest:.3g}"


def names_text(folded: FoldedDifference, times: str) -> str:
    """Return whose difference it is: a name, or a pattern with its count and perhaps depths.

    Args:
        folded: the difference.
        times: the sign before a count.
    """
    many = len(folded.depths)
    if many == 1:
        return folded.pattern
    if many == folded.count:
        return f"{folded.pattern} {times}{many}"
    shown = ", ".join(map(str, folded.depths[:MOST_DEPTHS]))
    more = ", ..." if many > MOST_DEPTHS else ""
    return f"{folded.pattern} {times}{many} of {folded.count} ({shown}{more})"


def summary(model: ModelFigures, differences: Sequence[Difference]) -> str:
    """Return how many tensors are equal, different, not compared, or in one model only."""
    whats: dict[str, str] = {}
    for each in differences:
        alone = each.what in (HERE_ONLY, THERE_ONLY, NOT_COMPARED)
        whats[each.name] = each.what if alone else "different"
    counts = Counter(whats.values())
    counts["equal"] = len({each.name for each in model.tensors} - set(whats))
    order = ("equal", "different", NOT_COMPARED, HERE_ONLY, THERE_ONLY)
    return ", ".join(f"{counts[what]:,} {what}" for what in order if counts[what])
