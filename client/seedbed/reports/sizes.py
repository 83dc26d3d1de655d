"""Where each tensor lies in a map of a model's sizes: beside those of its pattern."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from seedbed.reports.groups import Group
from seedbed.reports.tensor_figures import TensorFigures
from seedbed.reports.treemap import Box, squarified

# Less is no area that one could see.
LEAST_SHARE = 0.001
# Standard deviations that are more alike than 1 and 2 have tints that are.
LEAST_SPAN = math.log(2)


@dataclass(frozen=True, slots=True)
class SizedTensor:
    """A tensor's place."""

    tensor: TensorFigures
    """The tensor."""
    box: Box
    """Where it lies."""
    tint: float
    """From 0 to 1: where its standard deviation lies among all, on a logarithmic scale."""


@dataclass(frozen=True, slots=True)
class SizedGroup:
    """A pattern's place."""

    group: Group
    """The pattern."""
    box: Box
    """Where its tensors lie together."""
    share: float
    """The part of the model's numbers that it has."""
    tensors: tuple[SizedTensor, ...]
    """Its tensors, by depth."""


def sized_groups(groups: Sequence[Group], frame: Box) -> tuple[SizedGroup, ...]:
    """Return the places of all patterns that are large enough to be seen, the largest first."""
    total = sum(group.elements for group in groups)
    seen = [group for group in groups if group.elements > LEAST_SHARE * total]
    seen.sort(key=lambda group: -group.elements)
    stds = [each.std for group in seen for each in group.tensors if each.std > 0]
    low, high = (math.log(min(stds)), math.log(max(stds))) if stds else (0.0, 0.0)

    span = max(high - low, LEAST_SPAN)

    def tint(tensor: TensorFigures) -> float:
        return 0.5 + (math.log(tensor.std) - (low + high) / 2) / span if tensor.std > 0 else 0.5

    return tuple(
        SizedGroup(
            group,
            box,
            group.elements / total,
            tuple(
                SizedTensor(each, inner, tint(each))
                for each, inner in zip(
                    group.tensors,
                    squarified([float(each.elements) for each in group.tensors], box),
                    strict=True,
                )
            ),
        )
        for group, box in zip(
            seen, squarified([float(group.elements) for group in seen], frame), strict=True
        )
    )
