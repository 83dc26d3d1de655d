"""A CUDA device: memory, streams, events and launches by CuPy, which no other file needs.

The kernels are machine code, made by :mod:`.cuda_kernels` and kept from one start to the next.
Device memory comes from a pool of our own with a limit. Pinned memory does not come from CuPy's
pool, which rounds up to powers of two, never shrinks and has no limit.
"""

import logging
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.spec.errors import DeviceError, NoDeviceError, OutOfDeviceMemoryError, SeedbedError
from seedbed_server.backends import cuda_kernels
from seedbed_server.backends.device import DeviceArray
from seedbed_server.kernels.blocks import BLOCK_KERNELS, BlockKernel

log = logging.getLogger(__name__)

THREADS_PER_BLOCK = 128

Launch = Callable[[int, Any, tuple[Any, ...]], None]
"""Runs a kernel: for a number of blocks, on one of CuPy's streams, with arguments."""

# How the CUDA runtime and the driver say that there is no room.
OUT_OF_MEMORY = ("cudaErrorMemoryAllocation", "CUDA_ERROR_OUT_OF_MEMORY")


def cuda_device_count() -> int:
    """Return how many CUDA devices this process can use.

    Raises:
        NoDeviceError: if CuPy or numba-cuda is missing, or there is no driver or no device.
    """
    cupy = _cupy()
    try:
        if cupy.cuda.runtime.driverGetVersion() == 0:
            raise NoDeviceError("no GPU can be used here: there is no NVIDIA driver")
        return int(cupy.cuda.runtime.getDeviceCount())
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise NoDeviceError(f"no GPU can be used here: {_first_line(error)}") from None


class CudaDevice:
    """One CUDA device, with all kernels loaded.

    Args:
        index: the device's number, as in ``nvidia-smi``.
        memory_limit_bytes: how much device memory the pool may take; None is no limit.
    """

    def __init__(self, index: int = 0, *, memory_limit_bytes: int | None = None) -> None:
        count = cuda_device_count()
        if not 0 <= index < count:
            raise NoDeviceError(f"there is no GPU {index} here: there are {count}, numbered from 0")
        self._cupy = _cupy()
        self._index = index
        self._pool = self._cupy.cuda.MemoryPool()
        with self.used():
            if memory_limit_bytes is not None:
                self._pool.set_limit(size=memory_limit_bytes)
            properties = self._cupy.cuda.runtime.getDeviceProperties(index)
            self._name = f"{properties['name'].decode()} (GPU {index})"
            self._capability = (properties["major"], properties["minor"])
            self._kernels = self._usable(
                BLOCK_KERNELS.values(), lambda: cuda_kernels.kept_machine_code(self._capability)
            )

    @property
    def name(self) -> str:
        """The device's name and number."""
        return self._name

    def stream(self) -> "CudaStream":
        """Return a new non-blocking stream."""
        with self.used():
            return CudaStream(self, self._cupy)

    def pinned(self, size_bytes: int) -> NDArray[np.uint8]:
        """Return page-locked host memory, exactly as much as was asked for."""
        with self.used():
            memory = self._cupy.cuda.PinnedMemory(size_bytes)
            return np.frombuffer(
                self._cupy.cuda.PinnedMemoryPointer(memory, 0), np.uint8, size_bytes
            )

    def result(self, size_bytes: int) -> DeviceArray:
        """Return memory as the caller's code gets it: by CuPy's current allocator and stream."""
        with self.used(pool=False):
            memory = self._cupy.empty(size_bytes, np.uint8)
            # What the memory was used for before may still be under way on that stream.
            self._cupy.cuda.get_current_stream().synchronize()
            return memory

    def free_unused(self) -> None:
        """Give the pool's free blocks back to the driver."""
        with self.used():
            self._pool.free_all_blocks()

    def as_dtype(
        self, array: DeviceArray, dtype: np.dtype[Any], shape: tuple[int, ...]
    ) -> DeviceArray:
        """Return a CuPy array of the dtype and the shape."""
        try:
            return array.view(dtype).reshape(shape)
        except (TypeError, ValueError) as error:
            raise DeviceError(
                f"CuPy {self._cupy.__version__} has no arrays of {dtype}: {error}"
            ) from None

    @contextmanager
    def used(self, *, pool: bool = True) -> Iterator[None]:
        """Make this the calling thread's device, with its pool; translate what CUDA raises."""
        cupy = self._cupy
        try:
            with (
                cupy.cuda.Device(self._index),
                cupy.cuda.using_allocator(self._pool.malloc) if pool else nullcontext(),
            ):
                yield
        except SeedbedError:
            raise
        except Exception as error:
            # CuPy's runtime and driver, numba-cuda and the compiler each have errors of their own.
            if isinstance(error, MemoryError) or any(word in str(error) for word in OUT_OF_MEMORY):
                raise OutOfDeviceMemoryError(_first_line(error)) from None
            raise DeviceError(f"the GPU failed: {_first_line(error)}") from error

    def kernel(self, kernel: BlockKernel) -> Launch:
        """Return what runs a kernel; one that is not the backend's is compiled at its first use."""
        if kernel.name not in self._kernels:
            self._kernels |= self._usable(
                [kernel], lambda: cuda_kernels.machine_code([kernel], self._capability)
            )
        return self._kernels[kernel.name]

    def _usable(
        self, kernels: Iterable[BlockKernel], code: Callable[[], bytes]
    ) -> dict[str, Launch]:
        """Return what runs kernels by name: their machine code, or else what numba-cuda makes."""
        try:
            return self._loaded(kernels, code())
        except Exception as error:  # noqa: BLE001  # CuPy's, CUDA's and the compilers'
            log.warning("numba-cuda compiles the kernels for this start: %s", _first_line(error))
            return {kernel.name: _by_numba_cuda(kernel) for kernel in kernels}

    def _loaded(self, kernels: Iterable[BlockKernel], code: bytes) -> dict[str, Launch]:
        module = self._cupy.cuda.Module()
        module.load(code)
        return {
            kernel.name: _by_cupy(module.get_function(cuda_kernels.entry_name(kernel)))
            for kernel in kernels
        }


class CudaStream:
    """A stream of one device."""

    def __init__(self, device: CudaDevice, cupy: Any) -> None:
        self._device = device
        self._cupy = cupy
        self._stream = cupy.cuda.Stream(non_blocking=True)

    def allocate(self, size_bytes: int) -> DeviceArray:
        """Return memory of the pool; other streams get it only when this one has let go of it."""
        with self._device.used(), self._stream:
            return self._cupy.empty(size_bytes, np.uint8)

    def upload(self, source: NDArray[Any]) -> DeviceArray:
        """Return a copy; CUDA has read pageable memory when the call returns."""
        with self._device.used(), self._stream:
            target = self._cupy.empty(source.shape, source.dtype)
            target.set(source, stream=self._stream)
            return target

    def launch(self, kernel: BlockKernel, threads: int, arguments: tuple[Any, ...]) -> None:
        """Run a kernel's body for every thread."""
        # The stream is current, too: showing numba-cuda an array, CuPy would make this stream wait
        # for any other that is.
        with self._device.used(), self._stream:
            blocks = -(-threads // THREADS_PER_BLOCK)
            launch = self._device.kernel(kernel)
            launch(blocks, self._stream, (np.uint64(threads), *arguments))

    def copy_to_host(self, source: DeviceArray, target: NDArray[np.uint8]) -> None:
        """Copy to pinned memory, later."""
        with self._device.used():
            source.get(stream=self._stream, out=target, blocking=False)

    def copy_to_device(self, source: NDArray[np.uint8], target: DeviceArray) -> None:
        """Copy from pinned memory, later."""
        with self._device.used():
            target.set(source, stream=self._stream)

    def record(self) -> "CudaEvent":
        """Return the point that the stream's work has come to."""
        with self._device.used():
            event = self._cupy.cuda.Event(block=True, disable_timing=True)
            event.record(self._stream)
            return CudaEvent(self._device, event)


class CudaEvent:
    """A point in a stream's work."""

    def __init__(self, device: CudaDevice, event: Any) -> None:
        self._device = device
        self._event = event

    def wait(self) -> None:
        """Return when it has been reached; the thread sleeps meanwhile."""
        with self._device.used():
            self._event.synchronize()


def _by_cupy(function: Any) -> Launch:
    def launch(blocks: int, stream: Any, arguments: tuple[Any, ...]) -> None:
        numbers = tuple(cuda_kernels.machine_arguments(arguments))
        function((blocks,), (THREADS_PER_BLOCK,), numbers, stream=stream)

    return launch


def _by_numba_cuda(kernel: BlockKernel) -> Launch:
    """Return a kernel that numba-cuda compiles, loads and launches."""
    # A process uses one device, so numba-cuda's context is the one that CuPy made current.
    cuda = cuda_kernels.numba_cuda()
    # Without its optimization at link time, the machine code comes from the PTX that
    # tests/unit/test_ptx.py reads.
    compiled = cuda.jit(cuda_kernels.signature_of(kernel), fastmath=False, lto=False)(
        cuda_kernels.thread_function(kernel)
    )

    def launch(blocks: int, stream: Any, arguments: tuple[Any, ...]) -> None:
        compiled[blocks, THREADS_PER_BLOCK, cuda.external_stream(stream.ptr)](*arguments)

    return launch


def _cupy() -> Any:
    """Return CuPy, imported when a device is first asked for.

    Raises:
        NoDeviceError: naming what is missing, CuPy or numba-cuda.
    """
    try:
        with warnings.catch_warnings():
            # CuPy warns of a driver that it cannot find; counting devices says so too.
            warnings.simplefilter("ignore")
            import cupy
        version("numba-cuda")
        return cupy
    except ImportError as error:
        raise NoDeviceError(
            f"a GPU needs {error.name or 'CuPy'}: "
            "pip install 'seedbed[gpu]' (CUDA 13) or 'seedbed[gpu-cuda12]'"
        ) from None


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
