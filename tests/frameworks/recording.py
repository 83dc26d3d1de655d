"""A client that remembers what it was asked for."""

import math
from typing import Any

from seedbed.client import Client
from seedbed.spec.slices import TensorSlice, as_slice, whole
from seedbed.spec.tensors import TensorSpec
from seedbed.transports.base import embedded_transport


class RecordingClient(Client):
    """The embedded engine, and all that it was asked for."""

    def __init__(self) -> None:
        super().__init__(embedded_transport())
        self.parts: list[tuple[TensorSpec, TensorSlice]] = []
        """Every tensor and part that was sampled, in order."""
        self.call_count = 0
        """How many calls there were."""

    @property
    def spec(self) -> TensorSpec:
        """The only tensor that was asked for."""
        (spec,) = {spec for spec, _ in self.parts}
        return spec

    @property
    def size_bytes(self) -> int:
        """The bytes of all parts."""
        return sum(math.prod(part.lengths) * spec.dtype.itemsize for spec, part in self.parts)

    def sample(self, spec: TensorSpec, **arguments: Any) -> Any:
        """Return a tensor, and remember it."""
        self._note(spec, arguments.get("slice"))
        self.call_count += 1
        return super().sample(spec, **arguments)

    def sample_all(self, manifest: Any, **arguments: Any) -> Any:
        """Return all tensors, and remember them."""
        slices = arguments.get("slice") or {}
        for spec in manifest.tensors:
            self._note(spec, slices.get(spec.name))
        self.call_count += 1
        return super().sample_all(manifest, **arguments)

    def _note(self, spec: TensorSpec, part: Any) -> None:
        self.parts.append((spec, as_slice(part, spec.shape) or whole(spec.shape)))
