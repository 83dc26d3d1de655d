"""What rules say of the tensors of a module: an initializer, a function, or to leave them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from seedbed.rules import (
    Filling,
    InitializerLike,
    Rules,
    first_match,
    parse_initializer,
    parse_optional,
    parse_rules,
    refuse,
    unfilled,
    unmatched,
)
from seedbed.spec.errors import InvalidArgumentError
from seedbed.spec.initializers import InitializerSpec
from seedbed.torch.inplace import ANSWER
from seedbed.torch.names import NamedTensor

Function = Callable[[Any], object]
ParameterRules = Rules[InitializerLike | Function | None]
"""What fills the parameters.

Besides an initializer, a function: it is called with the parameter as a tensor on the meta device,
which also has its ``name``, its ``module`` and its ``layer``, the first number in the name. It
returns the initializer. Or it fills the tensor, and is called again with the parameter itself. None
leaves the parameter as it is.
"""
BufferRules = Rules[InitializerLike | Function | None]
"""What fills the buffers: an initializer, a function that is called with the buffer, or None."""

Content = Filling | Function
"""What to do with a tensor: fill it, or let a function fill it."""


class Asked(torch.Tensor):  # type: ignore[misc]  # torch is not installed where types are checked
    """A parameter without its content, for the function of a rule."""

    name = ""
    """Its name. (A tensor of torch has one that cannot be set.)"""
    module: nn.Module
    """The layer that has it."""
    layer: int | None
    """The first number in its name, such as 3 of ``layers.3.norm.weight``; None without one."""


@dataclass(frozen=True, slots=True)
class Ruled:
    """What the rules say."""

    contents: Mapping[str, Content | None]
    """What to do with each tensor that a rule matches; None leaves it as it is."""
    unmatched: Mapping[str, Sequence[str]]
    """What is wrong with the patterns, by what the caller names the rules."""


def ruled(
    tensors: Sequence[NamedTensor],
    rules: ParameterRules | None,
    buffers: BufferRules | None,
    *,
    aliases: Iterable[str],
    partial: bool,
) -> Ruled:
    """Return what rules say of the tensors of a module.

    Args:
        tensors: the parameters and buffers.
        rules: for parameters.
        buffers: for buffers.
        aliases: further names of these tensors, which a rule may match without an effect.
        partial: whether rules may match nothing.

    Raises:
        InvalidTypeError: if a rule is none.
        InvalidValueError: if an initializer is not allowed.
    """
    contents: dict[str, Content | None] = {}
    faults: dict[str, list[str]] = {}
    for argument, kind, given in (("rules", "parameter", rules), ("buffers", "buffer", buffers)):
        pairs = parse_rules(argument, given, _parse)
        mine = [each for each in tensors if each.kind == kind]
        for each in mine:
            rule = first_match(pairs, each.name)
            if rule is not None:
                contents[each.name] = _resolved(f"{argument}[{rule[0]!r}]", rule[1], each)
        names = [*(each.name for each in mine), *aliases]
        faults[argument] = unmatched(pairs, names, argument=argument, partial=partial)
    return Ruled(contents, faults)


def refuse_missing(
    missing: Sequence[NamedTensor],
    tensors: Sequence[NamedTensor],
    unmatched: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Raise one error that lists all tensors that nothing fills, if there are any.

    Args:
        missing: these tensors.
        tensors: all of them.
        unmatched: what is wrong with patterns, for the same error.

    Raises:
        InvalidValueError: with rules to complete.
    """
    faults = []
    for argument, kind, needy in (
        ("rules", "parameter", "parameter that the module's own code does not fill"),
        ("buffers", "buffer", "buffer on the meta device that the module's own code does not fill"),
    ):
        shapes = {each.name: tuple(each.tensor.shape) for each in missing if each.kind == kind}
        others = [each.name for each in tensors if each.kind == kind and each.name not in shapes]
        faults += unfilled(shapes, others, argument, needy)
        faults += (unmatched or {}).get(argument, ())
    refuse(faults)


def _parse(value: Any) -> Content | None:
    is_initializer = isinstance(getattr(value, "spec", value), InitializerSpec)
    if callable(value) and not is_initializer:
        return value  # type: ignore[no-any-return]  # callable() has said what it is
    return parse_optional(value)


def _resolved(field: str, content: Content | None, named: NamedTensor) -> Content | None:
    """Return what a rule's function says of a parameter, if it says something."""
    if content is None or isinstance(content, Filling) or named.kind == "buffer":
        return content
    # Without memory, ours can fill no more than torch's own do.
    token = ANSWER.set(_no_answer)
    try:
        said = content(_asked(named))
    finally:
        ANSWER.reset(token)
    if said is None or isinstance(said, torch.Tensor):
        return content
    try:
        return parse_initializer(said)
    except InvalidArgumentError as error:
        raise error.within(f"{field} of {named.name}") from None


def _no_answer(tensor: torch.Tensor, initializer: InitializerSpec) -> None:
    """Fill nothing."""


def _asked(named: NamedTensor) -> Asked:
    tensor = named.tensor
    asked: Asked = torch.empty(tensor.shape, dtype=tensor.dtype, device="meta").as_subclass(Asked)
    numbers = (int(part) for part in named.name.split(".") if part.isdecimal())
    asked.name, asked.module, asked.layer = named.name, named.owner, next(numbers, None)
    return asked
