"""What fills each tensor of a module: the first rule that matches its name, or else what its own layer does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import torch

from seedbed.manifest import InitializerLike, parse_initializer
from seedbed.torch.inplace import axes_of, on_the_wire
from seedbed.torch.recipes import Recipe
from seedbed.torch.tensors import NamedTensor
from seedbed.wire.errors import InvalidArgumentError, bad_type, bad_value, shorten
from seedbed.wire.initializers import InitializerSpec
from seedbed.wire.specs import TensorSpec

Rules = Mapping[str, InitializerLike | None] | Sequence[tuple[str, InitializerLike | None]]
"""What fills the parameters whose name a pattern matches; None is nothing. The first match counts."""
BufferRule = InitializerLike | Callable[[torch.Tensor], object] | None
"""What fills a buffer: an initializer, a function that is called with the buffer and fills it, or None: nothing."""
BufferRules = Mapping[str, BufferRule] | Sequence[tuple[str, BufferRule]]
"""What fills the buffers whose name a pattern matches. The first match counts."""

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
                raise bad_value("shape", "of two axes or more for an initializer with inputs and outputs", shape)
            shape, axes = on_the_wire(recipe.initializer, shape, recipe.axes)
            return TensorSpec(name, shape, tensor.dtype, recipe.initializer, seed, draw, axes)
        except InvalidArgumentError as error:
            raise error.within(name) from None


def decide(tensors: Sequence[NamedTensor], rules: Rules | None, buffers: BufferRules | None) -> list[Decision]:
    """Return what becomes of each tensor of a module.

    Args:
        tensors: the parameters and buffers.
        rules: for parameters; those that none matches get what their layer does.
        buffers: for buffers; of those that none matches, the ones of torch's layers get what their layer does, and
            the others stay as they are.

    Raises:
        InvalidTypeError: if a rule is none.
        InvalidValueError: naming the parameters, or the buffers on the meta device, for which nothing is said; None
            says nothing about those on the meta device.
    """
    patterns = {"parameter": _checked("rules", rules), "buffer": _checked("buffers", buffers)}
    decisions = [Decision(each, _content(each, patterns[each.kind])) for each in tensors]
    _check_all_known(decisions)
    return decisions


class _Unknown:
    """What becomes of a tensor for which nothing says what fills it."""


_UNKNOWN: Any = _Unknown()


def _content(named: NamedTensor, rules: Sequence[tuple[str, Content]]) -> Content:
    missing = None if named.kind == "buffer" else _UNKNOWN
    found = next((content for pattern, content in rules if fnmatchcase(named.name, pattern)), named.recipe or missing)
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


def _checked(argument: str, rules: Any) -> list[tuple[str, Content]]:
    pairs = list(rules.items()) if isinstance(rules, Mapping) else [] if rules is None else rules
    if isinstance(pairs, (str, bytes)) or not isinstance(pairs, Sequence):
        raise bad_type(argument, "a mapping from patterns to initializers, or pairs of both", rules)
    checked = []
    for place, pair in enumerate(pairs):
        if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], str):
            raise bad_type(f"{argument}[{place}]", "a pair of a pattern and an initializer", pair)
        try:
            checked.append((pair[0], _content_of(pair[1], may_call=argument == "buffers")))
        except InvalidArgumentError as error:
            raise error.within(f"{argument}[{shorten(pair[0])}]") from None
    return checked


def _content_of(value: Any, *, may_call: bool) -> Content:
    is_initializer = isinstance(getattr(value, "spec", value), InitializerSpec)
    if value is None or (may_call and callable(value) and not is_initializer):
        return value  # type: ignore[no-any-return]  # callable() has said what it is
    # A seed that an initializer brings along does not count: the model's counts for all.
    initializer, _ = parse_initializer(value)
    return Recipe(initializer, getattr(value, "fan_axes", None) or axes_of(initializer))
