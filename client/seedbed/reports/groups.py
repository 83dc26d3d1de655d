"""Tensors that a model has many of, folded: ``h.*.attn.c_proj.weight``, twelve of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from seedbed.patterns import NUMBER, pattern_of
from seedbed.reports.tensor_figures import TensorFigures


@dataclass(frozen=True, slots=True)
class Group:
    """Tensors whose names differ in numbers only; shape, dtype and rule are the same."""

    pattern: str
    """Their names, with ``*`` for each number that differs."""
    tensors: tuple[TensorFigures, ...]
    """By depth, the first number in which their names differ; at least one."""

    @property
    def first(self) -> TensorFigures:
        """The first of them."""
        return self.tensors[0]

    @property
    def elements(self) -> int:
        """How many numbers all have together."""
        return sum(each.elements for each in self.tensors)

    @property
    def depths(self) -> tuple[int, ...]:
        """The first number in each name that differs; the place in the group without one."""
        return depths([each.name for each in self.tensors])


def depths(names: Sequence[str]) -> tuple[int, ...]:
    """Return the first number in each name that differs; its place in the list without one."""
    for numbers in zip(*map(NUMBER.findall, names), strict=False):
        if len(set(numbers)) > 1:
            return tuple(map(int, numbers))
    return tuple(range(len(names)))


def grouped(tensors: Sequence[TensorFigures]) -> tuple[Group, ...]:
    """Return the groups, in the order of their first tensors."""
    found: dict[tuple[object, ...], list[TensorFigures]] = {}
    for each in tensors:
        key = pattern_of(each.name), each.shape, each.dtype, each.rule
        found.setdefault(key, []).append(each)
    return tuple(
        Group(str(key[0]) if len(group) > 1 else group[0].name, _by_depth(group))
        for key, group in found.items()
    )


def _by_depth(group: Sequence[TensorFigures]) -> tuple[TensorFigures, ...]:
    pairs = zip(depths([each.name for each in group]), range(len(group)), strict=True)
    return tuple(group[place] for _, place in sorted(pairs))
