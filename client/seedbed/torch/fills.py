"""How tensors get their content: fetched straight into their memory, or else copied there.

Every process asks for the elements it holds, and for no others.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seedbed.client import Client
from seedbed.deadlines import deadline
from seedbed.manifest import Manifest
from seedbed.spec.errors import bad_value
from seedbed.spec.tensors import TensorSpec
from seedbed.torch.dtensors import layout_of, local_tensor
from seedbed.torch.layout import Layout, PlacedRectangle

# Tensors on devices, and those that are not contiguous, come by way of arrays in the host's memory:
# this many bytes of them at a time, and one tensor at least.
STAGED_BYTES = 2**30


@dataclass(frozen=True, slots=True)
class Destination:
    """A tensor, and what is to be written there."""

    tensor: torch.Tensor
    """A tensor or DTensor, not on the meta device."""
    spec: TensorSpec
    """The whole tensor, in its own shape, or as the matrix of its first axis and all others."""
    zero_row: int | None = None
    """A row that is set to zero afterwards: an embedding's padding."""
    part: Layout | None = None
    """Only these elements are written, and the spec has the tensor's shape; None is all."""


class _Memory:
    """Where one tensor's numbers go."""

    def __init__(self, destination: Destination, layout: Layout) -> None:
        self.destination = destination
        self.layout = layout
        self.local = local_tensor(destination.tensor)
        wire_layout = layout if layout.shape == destination.spec.shape else layout.as_matrix()
        self.rectangles: list[PlacedRectangle] = list(wire_layout.rectangles(destination.part))
        self.shape = wire_layout.local_shape
        self.is_direct = (
            self.local.device.type == "cpu"
            and type(self.local) is torch.Tensor
            and self.local.is_contiguous()
        )
        self.staged_bytes = 0 if self.is_direct else self.local.numel() * self.local.element_size()
        self.array: NDArray[Any] | None = None

    def open(self) -> NDArray[Any]:
        """Return the array to be filled, of the shape that the rectangles' places are in."""
        dtype = self.destination.spec.dtype.numpy
        if self.array is None:
            # numpy does not know bfloat16 and float8 by torch's names: it gets the bytes.
            self.array = (
                self.local.reshape(-1).view(torch.uint8).numpy().view(dtype).reshape(self.shape)
                if self.is_direct
                else np.empty(self.shape, dtype)
            )
        return self.array

    def close(self) -> None:
        """Bring the numbers into the tensor, if they are not there yet."""
        array = self.open()
        if self.is_direct:
            # numpy wrote past autograd, which must learn that the tensor has changed.
            if not self.local.is_inference():
                torch.autograd.graph.increment_version(self.local)
        else:
            content = torch.from_numpy(array.reshape(-1).view(np.uint8)).view(self.local.dtype)
            content = content.reshape(self.local.shape)
            if self.destination.part is None:
                self.local.copy_(content)
            else:
                for rectangle in self.rectangles:
                    self.local[rectangle.place] = content[rectangle.place]
        row = (
            None
            if self.destination.zero_row is None
            else self.layout.axes[0].place_of(self.destination.zero_row)
        )
        if row is not None:
            self.local[row].zero_()
        self.array = None


def fill_all(
    destinations: Sequence[Destination],
    client: Client,
    *,
    local: bool = False,
    progress: bool = False,
    timeout_seconds: float | None = None,
) -> None:
    """Fill tensors; each process what it holds of them.

    Args:
        destinations: the tensors and what fills them. Those of one name are filled in turn.
        client: who samples.
        local: sample in this process, and compare with the server's digests.
        progress: show a progress bar on standard error.
        timeout_seconds: for the whole call; None is no limit.

    Raises:
        InvalidValueError: if a tensor cannot be filled, or a server's limits do not allow it.
        TransportError: if a server's answer does not come.
    """
    remaining = deadline(client.target, timeout_seconds)
    with torch.no_grad():
        for batch in _batches(
            [memory for destination in destinations for memory in _memories(destination)]
        ):
            for requests in _rounds(batch):
                _fetch(
                    requests, client, local=local, progress=progress, timeout_seconds=remaining()
                )
            for memory in batch:
                memory.close()


def check_memory(tensor: torch.Tensor) -> None:
    """Raise if a tensor has no memory to be filled.

    Raises:
        InvalidValueError: if it is on the meta device, or sparse.
    """
    if tensor.is_meta:
        allowed = (
            "on a device with memory: to_empty() gives some to a module on meta, "
            "and so does initialize_()"
        )
        raise bad_value("tensor", allowed, str(tensor.device))
    if tensor.layout is not torch.strided:
        raise bad_value("tensor", "dense: of a sparse one, no element has a place", tensor.layout)


def _memories(destination: Destination) -> Iterator[_Memory]:
    check_memory(destination.tensor)
    layout = layout_of(destination.tensor)
    if layout is not None and 0 not in layout.local_shape:
        yield _Memory(destination, layout)


def _batches(memories: Sequence[_Memory]) -> Iterator[Sequence[_Memory]]:
    """Yield the tensors that are filled together: as many as staging arrays have memory for."""
    batch: list[_Memory] = []
    staged_bytes = 0
    for memory in memories:
        staged_bytes += memory.staged_bytes
        if batch and memory.staged_bytes and staged_bytes > STAGED_BYTES:
            yield batch
            batch, staged_bytes = [], memory.staged_bytes
        batch.append(memory)
    if batch:
        yield batch


def _rounds(batch: Sequence[_Memory]) -> list[list[tuple[_Memory, PlacedRectangle]]]:
    """Yield what one call can ask for: no more than one rectangle of each name."""
    rounds: list[list[tuple[_Memory, PlacedRectangle]]] = []
    turns: Counter[str] = Counter()
    for memory in batch:
        name = memory.destination.spec.name
        for rectangle in memory.rectangles:
            if turns[name] == len(rounds):
                rounds.append([])
            rounds[turns[name]].append((memory, rectangle))
            turns[name] += 1
    return rounds


def _fetch(
    requests: Sequence[tuple[_Memory, PlacedRectangle]],
    client: Client,
    *,
    local: bool,
    progress: bool,
    timeout_seconds: float | None,
) -> None:
    places = {
        memory.destination.spec.name: memory.open()[rectangle.place]
        for memory, rectangle in requests
    }
    arrays = client.sample_all(
        Manifest([memory.destination.spec for memory, _ in requests]),
        slice={memory.destination.spec.name: rectangle.slice for memory, rectangle in requests},
        out={name: place for name, place in places.items() if place.flags.c_contiguous},
        local=local,
        progress=progress,
        timeout_seconds=timeout_seconds,
    )
    for name, array in arrays.items():
        if array is not places[name]:
            places[name][...] = array
