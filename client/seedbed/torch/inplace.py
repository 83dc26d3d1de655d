"""How one tensor is filled in place: checks first, then the seed, then the fetch."""

import math
from dataclasses import dataclass
from typing import Any

import torch

from seedbed.client import Client
from seedbed.defaults import get_default_client
from seedbed.spec.errors import bad_type
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import (
    DeltaOrthogonalSpec,
    DiracSpec,
    InitializerSpec,
    OrthogonalSpec,
)
from seedbed.spec.tensors import TensorSpec
from seedbed.torch.fills import Fill, check_memory, fill_all
from seedbed.torch.seeds import seed_for

LAYOUT = FanAxes(in_axis=1, out_axis=0)
"""torch's weights are (out, in, ...)."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a tensor's numbers come from, besides its initializer."""

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


def fill(tensor: torch.Tensor, initializer: InitializerSpec, source: Source) -> torch.Tensor:
    """Fill a tensor and return it; what is wrong is said before anything is drawn from a generator.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if a value is not allowed.
        TransportError: if a server's answer does not come.
    """
    check_memory(checked(tensor))
    client = get_default_client() if source.client is None else source.client
    if not isinstance(client, Client):
        raise bad_type("client", "a Client or None", client)

    def spec(seed: int) -> TensorSpec:
        shape, axes = on_the_wire(initializer, tuple(tensor.shape), axes_of(initializer))
        return TensorSpec(source.name, shape, tensor.dtype, initializer, seed, source.draw, axes)

    spec(0)
    seed = seed_for(tensor, source.seed, source.generator) if initializer.random else 0
    fill_all([Fill(tensor, spec(seed))], client)
    return tensor


def checked(tensor: Any) -> torch.Tensor:
    """Return a tensor.

    Raises:
        InvalidTypeError: if it is none.
    """
    if not isinstance(tensor, torch.Tensor):
        raise bad_type("tensor", "a torch.Tensor", tensor)
    return tensor


def axes_of(initializer: InitializerSpec) -> FanAxes | None:
    """Return what an initializer must be told about torch's layout; None if inputs and outputs are one to it."""
    is_kernel = isinstance(initializer, (DeltaOrthogonalSpec, DiracSpec))
    return LAYOUT if initializer.has_fans or is_kernel else None


def on_the_wire(
    initializer: InitializerSpec, shape: tuple[int, ...], axes: FanAxes | None
) -> tuple[tuple[int, ...], FanAxes | None]:
    """Return the shape and the axes with which a tensor is asked for.

    They are its own, but an orthogonal tensor is a matrix: torch takes the first axis as the rows
    and flattens the others, where seedbed, as Keras, takes the last axis as the columns. (One of
    several matrices, by batch axes or
    blocks, is nothing that torch has: it is seedbed's own.)
    """
    is_one_matrix = (
        isinstance(initializer, OrthogonalSpec)
        and initializer.blocks == 1
        and not (axes and axes.batch_axis)
    )
    return (
        ((shape[0], math.prod(shape[1:])), None)
        if is_one_matrix and len(shape) > 2
        else (shape, axes)
    )
