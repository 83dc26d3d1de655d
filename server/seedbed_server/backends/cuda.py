"""A CUDA device: memory, streams and events by CuPy, kernels by numba-cuda. The only file that needs either of them.

CuPy owns all memory; numba-cuda's kernels take CuPy's arrays as they are and run on CuPy's streams.
Device memory comes from a pool of our own with a limit. Pinned memory does not come from CuPy's
pool, which rounds up to powers of two, never shrinks and has no limit.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
from numba import types, uint64
from numba.np.numpy_support import from_dtype
from numpy.typing import NDArray

from seedbed.spec.errors import DeviceError, NoDeviceError, OutOfDeviceMemoryError, SeedbedError
from seedbed_server.backends.device import DeviceArray
from seedbed_server.kernels.blocks import BLOCK_KERNELS, BlockKernel

THREADS_PER_BLOCK = 128

# How the CUDA runtime and the driver say that there is no room.
OUT_OF_MEMORY = ("cudaErrorMemoryAllocation", "CUDA_ERROR_OUT_OF_MEMORY")


def cuda_device_count() -> int:
    """Return how many CUDA devices this process can use.

    Raises:
        NoDeviceError: if CuPy or numba-cuda is missing, or there is no driver or no device.
    """
    cupy, _ = _libraries()
    try:
        if cupy.cuda.runtime.driverGetVersion() == 0:
            raise NoDeviceError("no GPU can be used here: there is no NVIDIA driver")
        return int(cupy.cuda.runtime.getDeviceCount())
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise NoDeviceError(f"no GPU can be used here: {_first_line(error)}") from None


class CudaDevice:
    """One CUDA device; compiles all kernels for it when it is made.

    Args:
        index: the device's number, as in ``nvidia-smi``.
        memory_limit_bytes: how much device memory the pool may take; None is no limit.
    """

    def __init__(self, index: int = 0, *, memory_limit_bytes: int | None = None) -> None:
        count = cuda_device_count()
        if not 0 <= index < count:
            raise NoDeviceError(f"there is no GPU {index} here: there are {count}, numbered from 0")
        self._cupy, self._cuda = _libraries()
        self._index = index
        self._pool = self._cupy.cuda.MemoryPool()
        with self.used():
            if memory_limit_bytes is not None:
                self._pool.set_limit(size=memory_limit_bytes)
            # A process uses one device, so numba-cuda's context is the one that CuPy made current.
            properties = self._cupy.cuda.runtime.getDeviceProperties(index)
            self._name = f"{properties['name'].decode()} (GPU {index})"
            self._kernels = {name: self._compiled(kernel) for name, kernel in BLOCK_KERNELS.items()}

    @property
    def name(self) -> str:
        """The device's name and number."""
        return self._name

    def stream(self) -> "CudaStream":
        """Return a new non-blocking stream."""
        with self.used():
            return CudaStream(self, self._cupy, self._cuda)

    def pinned(self, size_bytes: int) -> NDArray[np.uint8]:
        """Return page-locked host memory, exactly as much as was asked for."""
        with self.used():
            memory = self._cupy.cuda.PinnedMemory(size_bytes)
            return np.frombuffer(
                self._cupy.cuda.PinnedMemoryPointer(memory, 0), np.uint8, size_bytes
            )

    def result(self, size_bytes: int) -> DeviceArray:
        """Return memory as the caller's own code would get it: from CuPy's current allocator, on the current stream."""
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
        """Make this the calling thread's device, and its pool where CuPy allocates; translate what CUDA raises."""
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

    def kernel(self, kernel: BlockKernel) -> Any:
        """Return a kernel as compiled for this device; other than the backend's when first asked for."""
        if kernel.name not in self._kernels:
            self._kernels[kernel.name] = self._compiled(kernel)
        return self._kernels[kernel.name]

    def _compiled(self, kernel: BlockKernel) -> Any:
        # Without the optimization at link time that numba-cuda else does, the machine code comes
        # from the PTX that tests/unit/test_ptx.py reads.
        return self._cuda.jit(signature_of(kernel), fastmath=False, lto=False)(
            thread_function(kernel)
        )


class CudaStream:
    """A stream of one device."""

    def __init__(self, device: CudaDevice, cupy: Any, cuda: Any) -> None:
        self._device = device
        self._cupy = cupy
        self._stream = cupy.cuda.Stream(non_blocking=True)
        self._for_numba = cuda.external_stream(self._stream.ptr)

    def allocate(self, size_bytes: int) -> DeviceArray:
        """Return memory of the pool; CuPy gives it to other streams only when this one has let go of it."""
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
        # With another current stream, CuPy would make this one wait for that one before it shows
        # numba-cuda an array.
        with self._device.used(), self._stream:
            blocks = -(-threads // THREADS_PER_BLOCK)
            compiled = self._device.kernel(kernel)
            compiled[blocks, THREADS_PER_BLOCK, self._for_numba](np.uint64(threads), *arguments)

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


def thread_function(kernel: BlockKernel) -> Callable[..., None]:
    """Return the function that numba-cuda compiles: a kernel's body for the thread that it runs on."""
    cuda = _numba_cuda()
    body: Any = kernel.body

    def run(threads: Any, runs: Any, key: Any, split: Any, params: Any, out: Any) -> None:
        thread = uint64(cuda.grid(1))
        if thread < threads:
            body(thread, runs, key, split, params, out)

    return run


def signature_of(kernel: BlockKernel) -> tuple[Any, ...]:
    """Return the numba types of :func:`thread_function`'s arguments."""
    return (
        types.uint64,
        types.Array(types.uint64, 2, "C"),
        types.UniTuple(types.uint32, 4),
        from_dtype(kernel.word),
        types.UniTuple(from_dtype(kernel.real), kernel.param_count),
        types.Array(from_dtype(kernel.out), 1, "C"),
    )


def _libraries() -> tuple[Any, Any]:
    """Return CuPy and numba-cuda, imported when a device is first asked for.

    Raises:
        NoDeviceError: naming what is missing.
    """
    try:
        with warnings.catch_warnings():
            # CuPy warns of a driver that it cannot find; counting devices says so too.
            warnings.simplefilter("ignore")
            import cupy
        return cupy, _numba_cuda()
    except ImportError as error:
        message = f"a GPU needs {error.name or 'CuPy'}: pip install 'seedbed[gpu]' (CUDA 13) or 'seedbed[gpu-cuda12]'"
        raise NoDeviceError(message) from None


def _numba_cuda() -> Any:
    from numba import cuda
    from numba.cuda.core import config

    # A small tensor leaves most of a GPU idle, and that is no fault.
    config.CUDA_LOW_OCCUPANCY_WARNINGS = 0
    return cuda


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
