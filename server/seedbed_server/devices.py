"""The choice of a backend: the device asked for, or the best that passes its self-test."""

import logging

from seedbed.spec.device_names import DeviceName, parse_device
from seedbed.spec.errors import DeviceError, NoDeviceError, OutOfDeviceMemoryError, SeedbedError
from seedbed_server.backends.base import Backend
from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.backends.cpu_kernels import CpuKernels
from seedbed_server.backends.cuda import CudaDevice
from seedbed_server.backends.gpu import GpuBackend
from seedbed_server.sampling.self_test import run_self_test

log = logging.getLogger(__name__)

AUTO = "auto"

# What the slabs under way take, with the tables of slices whose runs are single elements; several
# times over.
DEVICE_POOL_BYTES = 2**30


def open_backend(device: str, threads: int | None) -> tuple[Backend, int]:
    """Return a backend that gives the contract's bits here, and how many golden vectors showed it.

    Args:
        device: ``auto`` (a GPU if one works, else the CPU), ``cpu``, ``gpu`` (the first one) or
            ``gpu:N``.
        threads: threads of the CPU; None is one for each processor.

    Raises:
        NoDeviceError: if there is no such device.
        SelfTestError: if the device gives other bits; the message names the kernel.
        DeviceError: if it fails.
    """
    kernels = CpuKernels()
    kernels.load()  # together, which is faster than one after another in the self-test
    host = CpuBackend(threads, kernels)
    if device == AUTO:
        try:
            return _tested(_gpu(0, host))
        except (SeedbedError, OutOfDeviceMemoryError) as error:
            level = logging.INFO if isinstance(error, NoDeviceError) else logging.WARNING
            log.log(level, "sampling on the CPU: %s", error)
            return _tested(host)
    name = parse_device("device", device)
    return _tested(host if name.kind == "cpu" else _gpu(name.index, host))


def open_gpu(name: DeviceName) -> GpuBackend:
    """Return the backend of one GPU for this process's own use, after its self-test."""
    backend = _gpu(name.index, CpuBackend())
    run_self_test(backend)
    return backend


def _gpu(index: int, host: CpuBackend) -> GpuBackend:
    try:
        return GpuBackend(CudaDevice(index, memory_limit_bytes=DEVICE_POOL_BYTES), host)
    except OutOfDeviceMemoryError as error:
        raise DeviceError(f"GPU {index} has no room for a server: {error}") from None


def _tested(backend: Backend) -> tuple[Backend, int]:
    return backend, run_self_test(backend)
