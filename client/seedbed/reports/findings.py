"""What is unusual about a model: what its rules, or its other layers, do not explain."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from seedbed.reports.groups import Group, grouped
from seedbed.reports.tensor_figures import TensorFigures

# A finding must be more than chance, by so many standard errors, and more than rounding.
STANDARD_ERRORS = 6.0
MATERIAL = 0.05
# Layers that nothing exact is known of: one may differ from the others by so much, and by so many
# times the spread among them.
UNLIKE = 1.5
SPREADS = 8.0
FEWEST_SIBLINGS = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """Something unusual."""

    name: str
    """The tensor's name."""
    text: str
    """What it is."""


def findings_in(tensors: Sequence[TensorFigures]) -> tuple[Finding, ...]:
    """Return what is unusual: the tensor's own faults first, then what differs from its like."""
    found = [each for tensor in tensors for each in _of_tensor(tensor)]
    for group in grouped(tensors):
        found += _of_group(group)
    found += _same_content(tensors)
    order = {tensor.name: place for place, tensor in enumerate(tensors)}
    return tuple(sorted(found, key=lambda each: order[each.name]))


def _of_tensor(tensor: TensorFigures) -> Iterator[Finding]:
    if tensor.not_finite:
        many = "element is" if tensor.not_finite == 1 else "elements are"
        yield Finding(tensor.name, f"{tensor.not_finite:,} {many} NaN or infinite")
    exact, count = tensor.exact, tensor.finite
    if exact is None or count < 2 or not exact.stddev:
        return
    if tensor.is_constant and count > STANDARD_ERRORS:
        yield Finding(tensor.name, f"constant, where {exact.label} was asked for")
        return
    if _is_off(tensor.std / exact.stddev - 1, tensor.std_z):
        times = tensor.std / exact.stddev
        yield Finding(tensor.name, f"std is {times:.3g} times the exact {exact.stddev:.4g}")
    if _is_off((tensor.mean - exact.mean) / exact.stddev, tensor.mean_z):
        yield Finding(tensor.name, f"mean is {tensor.mean:.4g}, and exactly {exact.mean:.4g}")


def _is_off(part: float, standard_errors: float | None) -> bool:
    return abs(part) > MATERIAL and abs(standard_errors or 0.0) > STANDARD_ERRORS


def _of_group(group: Group) -> Iterator[Finding]:
    """Yield tensors that are unlike their siblings, where nothing exact is known."""
    if len(group.tensors) <= FEWEST_SIBLINGS or group.first.exact is not None:
        return
    constant = [each for each in group.tensors if each.is_constant]
    if 0 < len(constant) <= len(group.tensors) // 4:
        for each in constant:
            yield Finding(each.name, f"constant, unlike the others of {group.pattern}")
    others = [each for each in group.tensors if not each.is_constant and each.std > 0]
    if len(others) <= FEWEST_SIBLINGS:
        return
    logs = [math.log(each.std) for each in others]
    middle = median(logs)
    spread = median(abs(each - middle) for each in logs)
    for each, log in zip(others, logs, strict=True):
        chance = STANDARD_ERRORS * math.sqrt(1 / (2 * max(each.measured, 1)))
        if abs(log - middle) > max(math.log(UNLIKE), SPREADS * spread, chance):
            times = each.std / math.exp(middle)  # infinity, where the other way overflows
            yield Finding(
                each.name, f"std is {times:.3g} times that of the others of {group.pattern}"
            )


def _same_content(tensors: Sequence[TensorFigures]) -> Iterator[Finding]:
    """Yield tensors that have the bytes of an earlier one, which random numbers never have.

    Those of another rule, such as an identity, have them by that rule.
    """
    first: dict[str, TensorFigures] = {}
    for each in tensors:
        is_by_rule = each.rule and each.seed is None
        if not each.digest or is_by_rule or each.is_constant or each.elements < 8:
            continue
        earlier = first.setdefault(each.digest, each)
        if earlier is not each:
            yield Finding(each.name, f"has the same content as {earlier.name}")
