"""A GPU of the client's own machine.

Tensors are sampled on it, or put there as they arrive, and never leave it. The SDK finds it by the
entry point ``seedbed.devices``.
"""

import functools
import os
from typing import Any

import numpy as np

from seedbed.spec.device_names import DeviceName
from seedbed.spec.tensors import TensorRequest
from seedbed_server.backends.device import DeviceArray
from seedbed_server.backends.gpu import GpuBackend
from seedbed_server.backends.rules import ElementwiseRule
from seedbed_server.devices import open_gpu
from seedbed_server.sampling.sampler import SamplePlan, TensorSource, plan

# Elements that are asked for at a time: a slice of short runs takes 16 bytes of host memory for
# each of them.
PIECE_ELEMENTS = 2**24


class GpuLanding:
    """Device memory for one tensor, or slice, that arrives piece by piece.

    Used by one thread at a time.
    """

    def __init__(self, backend: GpuBackend, request: TensorRequest) -> None:
        self._backend = backend
        self._request = request
        self._memory = backend.allocate(request.size_bytes)

    def write(self, byte_offset: int, data: memoryview) -> None:
        """Copy bytes to their place, by way of pinned memory."""
        self._backend.write(self._memory, byte_offset, np.frombuffer(data, np.uint8))

    def array(self) -> Any:
        """Return the array."""
        return self._backend.array(self._memory, self._request.spec.dtype, self._request.shape)


class LocalGpu:
    """A GPU that this process uses for itself."""

    def __init__(self, backend: GpuBackend) -> None:
        self._backend = backend

    def sample(self, request: TensorRequest) -> Any:
        """Return a tensor, or slice, sampled on the device."""
        sample_plan = plan(request)
        memory = self._backend.allocate(request.size_bytes)
        if isinstance(sample_plan.rule, ElementwiseRule):
            self._fill(sample_plan, sample_plan.rule, memory)
        else:
            host = np.empty(request.size_bytes, np.uint8)
            TensorSource(sample_plan, self._backend).fill(0, host)
            self._backend.write(memory, 0, host)
        return self._backend.array(memory, request.spec.dtype, request.shape)

    def _fill(self, sample_plan: SamplePlan, rule: ElementwiseRule, memory: DeviceArray) -> None:
        dtype = sample_plan.dtype
        for first in range(0, sample_plan.element_count, PIECE_ELEMENTS):
            count = min(PIECE_ELEMENTS, sample_plan.element_count - first)
            piece = memory[first * dtype.itemsize : (first + count) * dtype.itemsize]
            self._backend.fill_on_device(
                rule, sample_plan.key, sample_plan.runs(first, count), dtype, piece
            )

    def landing(self, request: TensorRequest) -> GpuLanding:
        """Return where the bytes of a tensor, or slice, that come from elsewhere are put."""
        return GpuLanding(self._backend, request)


@functools.cache
def open_local_gpu(name: DeviceName) -> LocalGpu:
    """Return a GPU of this machine, after its self-test.

    Raises:
        NoDeviceError: if it is not there, or CuPy is missing.
        SelfTestError: if it gives other bits than the contract.
    """
    return LocalGpu(open_gpu(name))


# CUDA does not survive a fork; a child that asks for the device again learns that from CUDA's own
# error.
os.register_at_fork(after_in_child=open_local_gpu.cache_clear)
