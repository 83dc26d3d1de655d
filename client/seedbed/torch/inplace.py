"""How one tensor is filled in place: checks first, then the seed, then the fetch."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch

from seedbed.client import Client
from seedbed.defaults import client_or_default
from seedbed.rules import Filling
from seedbed.spec.errors import bad_type, bad_value
from seedbed.spec.initializers import InitializerSpec
from seedbed.spec.tensors import TensorSpec
from seedbed.torch.axes import LAYOUT, on_the_wire
from seedbed.torch.fills import Destination, check_memory, fill_all
from seedbed.torch.seeds import seed_for

ANSWER: ContextVar[Callable[[torch.Tensor, InitializerSpec], None] | None] = ContextVar(
    "answer", default=None
)
"""What fills tensors without a seed of their own: the block of ``initializing`` that runs."""


@dataclass(frozen=True, slots=True)
class Seeding:
    """What decides a tensor's numbers besides its initializer, and who samples them."""

    generator: torch.Generator | None = None
    """Where the seed is drawn from if there is none."""
    seed: int | None = None
    """64 bits, or None."""
    name: str = ""
    """Part of the content."""
    draw: int = 0
    """The n-th use of one seed and name."""
    client: Client | None = None
    """Who samples; None is the default one."""


def fill(tensor: torch.Tensor, initializer: InitializerSpec, seeding: Seeding) -> torch.Tensor:
    """Fill a tensor and return it; what is wrong is said before anything is drawn from a generator.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if a value is not allowed.
        TransportError: if a server's answer does not come.
    """
    checked(tensor)
    answer = ANSWER.get()
    if answer is not None and seeding.seed is None:
        answer(tensor, initializer)
        return tensor
    check_memory(tensor)
    client = client_or_default(seeding.client)

    shape, filling = on_the_wire(tuple(tensor.shape), Filling(initializer).in_layout(LAYOUT))

    def spec(seed: int) -> TensorSpec:
        return TensorSpec(seeding.name, shape, tensor.dtype, filling, seed, seeding.draw)

    spec(0)
    seed = seed_for(tensor, seeding.seed, seeding.generator) if initializer.random else 0
    if answer is None:
        fill_all([Destination(tensor, spec(seed))], client)
        return tensor
    # The block must see it; and it may be to a part of what a process holds.
    made = torch.empty(tensor.shape, dtype=tensor.dtype)
    fill_all([Destination(made, spec(seed))], client)
    with torch.no_grad():
        return tensor.copy_(made)


def checked(tensor: Any) -> torch.Tensor:
    """Return a tensor that keeps what is written to it.

    Raises:
        InvalidTypeError: if it is no tensor.
        InvalidValueError: if it was computed, so that its content would be lost.
    """
    if not isinstance(tensor, torch.Tensor):
        raise bad_type("tensor", "a torch.Tensor", tensor)
    owner = tensor._base if tensor._is_view() else tensor  # noqa: SLF001
    if owner.grad_fn is not None:
        allowed = "a parameter, a buffer or a view of one: what is computed forgets what is written"
        raise bad_value("tensor", allowed, f"the result of {type(owner.grad_fn).__name__}")
    return tensor
