"""Recordings of what torch's initializers tell its kernels, and ours a server, as numbers."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

import seedbed as sb

DEFAULTS = {"uniform_": (0.0, 1.0), "normal_": (0.0, 1.0)}


@dataclass(frozen=True)
class Fill:
    """A distribution and its two numbers (a constant's number twice)."""

    kind: str
    first: float
    second: float


# Torch is not installed where types are checked.
class _Recorder(TorchDispatchMode):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.fills: dict[int, Fill] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func._schema.name.removeprefix("aten::")
        if name in DEFAULTS:
            # What stands at its default is not among the arguments.
            given = list(args[1:])
            first, second = given + list(DEFAULTS[name][len(given) :])
            self.fills[args[0].data_ptr()] = Fill(name, first, second)
        elif name in ("fill_", "zero_"):
            value = float(args[1]) if name == "fill_" else 0.0
            self.fills[args[0].data_ptr()] = Fill("fill_", value, value)
        return result


def told_by_torch(call: Callable[[], object]) -> dict[int, Fill]:
    """Return each tensor's last fill during a call of torch, by its address."""
    recorder = _Recorder()
    with recorder:
        call()
    return recorder.fills


class RecordingClient(sb.Client):
    """The embedded engine, which remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__(sb.connect("embedded:")._transport)
        self.specs: list[sb.TensorSpec] = []
        self.slices: list[Any] = []

    def sample_all(self, manifest: Any, **arguments: Any) -> Any:
        self.specs += manifest.tensors
        self.slices += [arguments["slice"].get(name) for name in manifest]
        return super().sample_all(manifest, **arguments)


def fill_of(spec: sb.TensorSpec, client: sb.Client) -> Fill:
    """Return the distribution of a tensor that was asked for."""
    said = client.describe(spec)
    if said.value is not None:
        return Fill("fill_", said.value, said.value)
    if said.distribution == "uniform":
        assert said.minval is not None
        assert said.maxval is not None
        return Fill("uniform_", said.minval, said.maxval)
    assert said.distribution == "untruncated_normal", said
    assert said.mean is not None
    assert said.stddev is not None
    return Fill("normal_", said.mean, said.stddev)


def nan(shape: tuple[int, ...], dtype: Any = torch.float32) -> torch.Tensor:
    """Return a tensor in which a number that was not written shows."""
    return torch.full(shape, math.nan, dtype=torch.float32).to(dtype)
