"""How one tensor is filled in place: checks first, then the seed, then the fetch."""

from dataclasses import dataclass
from typing import Any

import torch

from seedbed.client import Client
from seedbed.defaults import client_or_default
from seedbed.rules import Filling
from seedbed.spec.errors import bad_type
from seedbed.spec.initializers import InitializerSpec
from seedbed.spec.tensors import TensorSpec
from seedbed.torch.axes import LAYOUT, on_the_wire
from seedbed.torch.fills import Destination, check_memory, fill_all
from seedbed.torch.seeds import seed_for


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
    check_memory(checked(tensor))
    client = client_or_default(seeding.client)

    shape, filling = on_the_wire(tuple(tensor.shape), Filling(initializer).in_layout(LAYOUT))

    def spec(seed: int) -> TensorSpec:
        return TensorSpec(seeding.name, shape, tensor.dtype, filling, seed, seeding.draw)

    spec(0)
    seed = seed_for(tensor, seeding.seed, seeding.generator) if initializer.random else 0
    fill_all([Destination(tensor, spec(seed))], client)
    return tensor


def checked(tensor: Any) -> torch.Tensor:
    """Return a tensor.

    Raises:
        InvalidTypeError: if it is none.
    """
    if not isinstance(tensor, torch.Tensor):
        raise bad_type("tensor", "a torch.Tensor", tensor)
    return tensor
