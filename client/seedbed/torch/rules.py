"""What fills each tensor of a module: the first rule that matches its name, or else what its own layer does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from seedbed.manifest import InitializerLike, parse_initializer
from seedbed.rules import Rules, first_match, pairs_of
from seedbed.spec.errors import InvalidArgumentError, bad_value, shorten
from seedbed.spec.initializers import InitializerSpec
from seedbed.spec.tensors import TensorSpec
from seedbed.torch.inplace import axes_of, on_the_wire
from seedbed.torch.recipes import Recipe
from seedbed.torch.tensors import NamedTensor

ParameterRules = Rules[InitializerLike | None]
"""What fills the parameters: None is nothing."""
BufferRules = Rules[InitializerLike | Callable[[torch.Tensor], object] | None]
"""What fills the buffers: an initializer, a function that is called with the buffer and fills it, or None: nothing."""

Content = Recipe | Callable[[torch.Tensor], object] | None
"""What becomes of a tensor: a recipe fills it, or a function; None leaves it as it is."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A tensor and what becomes of it."""

    named: NamedTensor
    """The tensor."""
    content: Content
    """What fills it."""

    def spec(self, seed: int, draw: int) -> TensorSpec | None:
        """Return what to ask for; None if nothing is.

        Raises:
            InvalidArgumentError: if the initializer cannot fill the tensor; names it.
        """
        recipe, name, tensor = self.content, self.named.name, self.named.tensor
        if not isinstance(recipe, Recipe):
            return None
        shape = tuple(tensor.shape)
        try:
            if recipe.axes is not None and len(shape) < 2:
                raise bad_value(
                    "shape", "of two axes or more for an initializer with inputs and outputs", shape
                )
            shape, axes = on_the_wire(recipe.initializer, shape, recipe.axes)
            return TensorSpec(name, shape, tensor.dtype, recipe.initializer, seed, draw, axes)
        except InvalidArgumentError as error:
            raise error.within(name) from None


def decide(
    tensors: Sequence[NamedTensor], rules: ParameterRules | None, buffers: BufferRules | None
) -> list[Decision]:
    """Return what becomes of each tensor of a module.

    Args:
        tensors: the parameters and buffers.
        rules: for parameters; those that none matches get what their layer does.
        buffers: for buffers; of those that none matches, the ones of torch's layers get what their
            layer does, and the others stay as they are.

    Raises:
        InvalidTypeError: if a rule is none.
        InvalidValueError: naming the parameters, or the buffers on the meta device, for which
            nothing is said; None says nothing about those on the meta device.
    """
    patterns = {"parameter": _contents("rules", rules), "buffer": _contents("buffers", buffers)}
    decisions = [Decision(each, _content(each, patterns[each.kind])) for each in tensors]
    _check_all_known(decisions)
    return decisions


class _Unknown:
    """What becomes of a tensor for which nothing says what fills it."""


_UNKNOWN: Any = _Unknown()


def _content(named: NamedTensor, rules: Sequence[tuple[str, Content]]) -> Content:
    missing = None if named.kind == "buffer" else _UNKNOWN
    rule = first_match(rules, named.name)
    found = (named.recipe or missing) if rule is None else rule[1]
    # What is on the meta device has no content that could stay.
    return _UNKNOWN if found is None and named.tensor.is_meta else found


def _check_all_known(decisions: Sequence[Decision]) -> None:
    unknown = [decision.named for decision in decisions if decision.content is _UNKNOWN]
    for kind, argument in (("parameter", "rules"), ("buffer", "buffers")):
        names = [each.name for each in unknown if each.kind == kind]
        if names:
            what = f"a rule for each {kind} that no layer of torch says how to fill"
            if kind == "buffer":
                what += " and that is on the meta device, where its content is lost"
            raise bad_value(argument, what, ", ".join(names))


def _contents(
    argument: str, rules: ParameterRules | BufferRules | None
) -> list[tuple[str, Content]]:
    contents = []
    for pattern, value in pairs_of(argument, [] if rules is None else rules):
        try:
            contents.append((pattern, _content_of(value, may_call=argument == "buffers")))
        except InvalidArgumentError as error:
            raise error.within(f"{argument}[{shorten(pattern)}]") from None
    return contents


def _content_of(value: Any, *, may_call: bool) -> Content:
    is_initializer = isinstance(getattr(value, "spec", value), InitializerSpec)
    if value is None or (may_call and callable(value) and not is_initializer):
        return value  # type: ignore[no-any-return]  # callable() has said what it is
    # A seed that an initializer brings along does not count: the model's counts for all.
    initializer, _ = parse_initializer(value)
    return Recipe(initializer, getattr(value, "fan_axes", None) or axes_of(initializer))
