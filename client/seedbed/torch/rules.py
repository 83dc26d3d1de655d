"""What fills each tensor of a module: the first rule that matches its name, or else its layer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from seedbed.manifest import Manifest, filled_manifest
from seedbed.rules import (
    UNSAID,
    Filling,
    InitializerLike,
    Rules,
    parse_optional,
    parse_rules,
    refuse,
    settle,
)
from seedbed.spec.initializers import InitializerSpec
from seedbed.torch.axes import LAYOUT, on_the_wire
from seedbed.torch.names import NamedTensor

ParameterRules = Rules[InitializerLike | None]
"""What fills the parameters: None is nothing."""
BufferRules = Rules[InitializerLike | Callable[[torch.Tensor], object] | None]
"""What fills the buffers: an initializer, a function that is called with the buffer, or None."""

Content = Filling | Callable[[torch.Tensor], object]
"""What becomes of a tensor: it is filled, or a function is called with it."""


def contents_of(
    tensors: Sequence[NamedTensor],
    rules: ParameterRules | None,
    buffers: BufferRules | None,
    *,
    partial: bool,
) -> dict[str, Content | None]:
    """Return what becomes of each tensor of a module, by name; None leaves it as it is.

    Args:
        tensors: the parameters and buffers.
        rules: for parameters; those that none matches get what their layer does.
        buffers: for buffers; of those that none matches, the ones of torch's layers get what their
            layer does, and the others stay as they are.
        partial: whether rules may match nothing.

    Raises:
        InvalidTypeError: if a rule is none.
        InvalidValueError: naming the parameters, and the buffers on the meta device, for which
            nothing is said, and the rules that match nothing. None says nothing about what is on
            the meta device.
    """
    parameter_rules = parse_rules("rules", rules, parse_optional)
    buffer_rules = parse_rules("buffers", buffers, _parse_buffer)
    # What is on the meta device has no content that could stay.
    on_meta = {each.name for each in tensors if each.tensor.is_meta}
    shapes = {each.name: tuple(each.tensor.shape) for each in tensors}
    parameters, faults = settle(
        {each.name: each.own or UNSAID for each in tensors if each.kind == "parameter"},
        parameter_rules,
        shapes=shapes,
        empty=on_meta,
        needy="parameter that no layer of torch says how to fill",
        partial=partial,
    )
    own: dict[str, Content | None] = {
        each.name: each.own for each in tensors if each.kind == "buffer"
    }
    others, more_faults = settle(
        own,
        buffer_rules,
        shapes=shapes,
        empty=on_meta,
        argument="buffers",
        needy="buffer that no layer of torch says how to fill and that is on the meta device, "
        "where its content is lost",
        partial=partial,
    )
    refuse([*faults, *more_faults])
    return {**parameters, **others}


def manifest_of_tensors(
    tensors: Sequence[NamedTensor],
    contents: Mapping[str, Content | None],
    *,
    seed: int,
    draw: int,
) -> Manifest:
    """Return what is asked for: the tensors that an initializer fills.

    Raises:
        InvalidArgumentError: if an initializer cannot fill its tensor, which is named.
    """
    filled = []
    for each in tensors:
        filling = contents[each.name]
        if isinstance(filling, Filling):
            shape, filling = on_the_wire(tuple(each.tensor.shape), filling)
            filled.append((each.name, shape, each.tensor.dtype, filling))
    return filled_manifest(filled, seed=seed, draw=draw, layout=LAYOUT)


def _parse_buffer(value: Any) -> Content | None:
    is_initializer = isinstance(getattr(value, "spec", value), InitializerSpec)
    if callable(value) and not is_initializer:
        return value  # type: ignore[no-any-return]  # callable() has said what it is
    return parse_optional(value)
