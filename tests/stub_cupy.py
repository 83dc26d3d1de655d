"""CuPy and numba-cuda as far as the CUDA device calls them, on the host: each call is noted, and done at once.

Signatures and refusals are those of CuPy 14. Kernels run on the host, for as many threads as were
launched.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from seedbed_server.backends.cuda import signature_of
from seedbed_server.kernels.blocks import BLOCK_KERNELS, BlockKernel
from tests.fake_device import loop_over_threads


class OutOfMemoryError(MemoryError):
    """As CuPy's."""


class CUDARuntimeError(RuntimeError):
    """As CuPy's."""


class CUDADriverError(RuntimeError):
    """As CuPy's."""


class CudaAPIError(Exception):
    """As numba-cuda's."""


class CUDAError(Exception):
    """As that of cuda.core, by which numba-cuda launches."""


@dataclass
class Call:
    """One call of a library, and under which device, allocator and stream it was made."""

    name: str
    arguments: tuple[Any, ...]
    device: int | None
    pool: "MemoryPool | None"
    stream: "Stream | None"


@dataclass
class Libraries:
    """The two libraries, what was called, and what shall be raised."""

    device_count: int = 2
    driver_version: int = 13000
    calls: list[Call] = field(default_factory=list)
    raising: dict[str, Exception] = field(default_factory=dict)
    """The error that each call of a name raises."""
    kernels: list[BlockKernel] = field(default_factory=lambda: list(BLOCK_KERNELS.values()))
    """Those that may be compiled."""
    loop: Callable[[BlockKernel], Callable[..., None]] = loop_over_threads
    """What runs a kernel's body for every thread."""
    device: int | None = None
    pool: "MemoryPool | None" = None
    stream: "Stream | None" = None

    def note(self, name: str, *arguments: Any) -> None:
        """Note a call, and raise what it shall raise."""
        self.calls.append(Call(name, arguments, self.device, self.pool, self.stream))
        if name in self.raising:
            raise self.raising[name]

    def named(self, name: str) -> list[Call]:
        """Return the calls of a name."""
        return [call for call in self.calls if call.name == name]

    @contextmanager
    def use(self, **current: Any) -> Iterator[None]:
        """Make something current, and what was current again afterwards."""
        before = {name: getattr(self, name) for name in current}
        vars(self).update(current)
        try:
            yield
        finally:
            vars(self).update(before)

    def cupy(self) -> ModuleType:
        """Return what ``import cupy`` gives."""

        def empty(shape: Any, dtype: DTypeLike = float, order: str = "C") -> Array:
            self.note("empty", shape, np.dtype(dtype))
            if self.pool is not None and self.pool.limit is not None:
                size = int(np.prod(shape)) * np.dtype(dtype).itemsize
                if size > self.pool.limit:
                    raise OutOfMemoryError(f"Out of memory allocating {size} bytes")
            return Array(self, aligned(shape, np.dtype(dtype)))

        def device_count() -> int:
            self.note("getDeviceCount")
            return self.device_count

        def current_stream() -> Stream:
            return self.stream or null

        null = Stream(self)
        module: Any = ModuleType("cupy")
        module.__version__ = "14.0.0"
        module.empty = empty
        module.cuda = SimpleNamespace(
            Device=lambda index: self.use(device=index),
            Event=lambda block=False, disable_timing=False: Event(self, block, disable_timing),
            MemoryPool=lambda: MemoryPool(self),
            PinnedMemory=lambda size: PinnedMemory(self, size),
            PinnedMemoryPointer=lambda memory, offset: memory.content,
            Stream=lambda null=False, non_blocking=False: Stream(self, non_blocking),
            driver=SimpleNamespace(CUDADriverError=CUDADriverError),
            get_current_stream=current_stream,
            memory=SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
            runtime=SimpleNamespace(
                CUDARuntimeError=CUDARuntimeError,
                driverGetVersion=lambda: self.driver_version,
                getDeviceCount=device_count,
                getDeviceProperties=lambda index: {"name": f"Stub {index}".encode(), "major": 9},
            ),
            using_allocator=lambda allocator: self.use(pool=allocator.__self__),
        )
        return module  # type: ignore[no-any-return]

    def numba_cuda(self) -> Any:
        """Return what ``from numba import cuda`` gives."""

        def jit(signature: Any, **options: Any) -> Callable[[Any], Compiled]:
            return lambda function: Compiled(self, signature, options, function)

        def external_stream(pointer: int) -> int:
            self.note("external_stream", pointer)
            return pointer

        return SimpleNamespace(
            cudadrv=SimpleNamespace(driver=SimpleNamespace(CudaAPIError=CudaAPIError)),
            external_stream=external_stream,
            jit=jit,
        )


def aligned(shape: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return memory that begins where the device's would, at a multiple of 512."""
    size = int(np.prod(shape)) * dtype.itemsize
    memory = np.full(size + 512, 0xA5, np.uint8)
    begin = -int(memory.__array_interface__["data"][0]) % 512
    return memory[begin : begin + size].view(dtype).reshape(shape)


class MemoryPool:
    """A pool without memory of its own; no allocation is larger than its limit."""

    def __init__(self, libraries: Libraries) -> None:
        self._libraries = libraries
        self.limit: int | None = None

    def malloc(self, size: int) -> None:
        """Stand for CuPy's allocator."""

    def set_limit(self, size: int | None = None, fraction: float | None = None) -> None:
        """Note the limit."""
        self._libraries.note("set_limit", size)
        self.limit = size

    def free_all_blocks(self, stream: Any = None) -> None:
        """Note that memory was given back."""
        self._libraries.note("free_all_blocks", self)


class Stream:
    """A stream."""

    def __init__(self, libraries: Libraries, non_blocking: bool = False) -> None:
        self._libraries = libraries
        libraries.note("Stream", non_blocking)
        self.ptr = id(self)
        self._before: list[Stream | None] = []

    def __enter__(self) -> Self:
        self._before.append(self._libraries.stream)
        self._libraries.stream = self
        return self

    def __exit__(self, *error: object) -> None:
        self._libraries.stream = self._before.pop()

    def synchronize(self) -> None:
        """Note that it was waited for."""
        self._libraries.note("Stream.synchronize", self)


class Event:
    """An event."""

    def __init__(self, libraries: Libraries, block: bool, disable_timing: bool) -> None:
        self._libraries = libraries
        libraries.note("Event", block, disable_timing)

    def record(self, stream: Stream | None = None) -> None:
        """Note the stream."""
        self._libraries.note("Event.record", stream)

    def synchronize(self) -> None:
        """Note that it was waited for."""
        self._libraries.note("Event.synchronize")


class PinnedMemory:
    """Pinned memory, and the buffer that its pointer is."""

    def __init__(self, libraries: Libraries, size: int) -> None:
        libraries.note("PinnedMemory", size)
        self.content = bytearray(size)


class Array:
    """A CuPy array."""

    def __init__(self, libraries: Libraries, content: NDArray[Any]) -> None:
        self._libraries = libraries
        self.content = content
        self.shape = content.shape
        self.dtype = content.dtype
        self.size = content.size
        self.nbytes = content.nbytes
        self.data = SimpleNamespace(ptr=int(content.__array_interface__["data"][0]))

    def __dlpack__(self, **arguments: Any) -> Any:
        return self.content.__dlpack__(**arguments)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.content.__dlpack_device__()

    def __getitem__(self, key: slice) -> "Array":
        return Array(self._libraries, self.content[key])

    def view(self, dtype: DTypeLike) -> "Array":
        """Return the same memory as another dtype."""
        if "view" in self._libraries.raising:
            raise self._libraries.raising["view"]
        return Array(self._libraries, self.content.view(dtype))

    def reshape(self, *shape: Any) -> "Array":
        """Return the same memory in another shape."""
        return Array(self._libraries, self.content.reshape(*shape))

    def get(
        self,
        stream: Any = None,
        order: str = "C",
        out: NDArray[Any] | None = None,
        blocking: bool = True,
    ) -> NDArray[Any]:
        """Copy to the host."""
        self._libraries.note("get", stream, blocking)
        assert out is not None
        _check_alike(self, out)
        out[...] = self.content
        return out

    def set(self, source: NDArray[Any], stream: Any = None) -> None:
        """Copy from the host."""
        self._libraries.note("set", stream)
        _check_alike(self, source)
        self.content[...] = source


class Compiled:
    """A compiled kernel."""

    def __init__(
        self, libraries: Libraries, signature: Any, options: dict[str, Any], function: Any
    ) -> None:
        self.options = options
        body = inspect.getclosurevars(function).nonlocals["body"]
        (self.kernel,) = [kernel for kernel in libraries.kernels if kernel.body is body]
        assert signature == signature_of(self.kernel)
        libraries.note("compile", self)
        self._libraries = libraries

    def __getitem__(self, configuration: tuple[int, int, Any]) -> Callable[..., None]:
        blocks, threads_per_block, stream = configuration

        def launch(threads: Any, *arguments: Any) -> None:
            self._libraries.note("launch", self.kernel.name, blocks, threads_per_block, stream)
            assert (blocks - 1) * threads_per_block < threads <= blocks * threads_per_block
            on_host = (
                argument.content if isinstance(argument, Array) else argument
                for argument in arguments
            )
            self._libraries.loop(self.kernel)(threads, *on_host)

        return launch


def _check_alike(array: Array, host: Any) -> None:
    assert type(host) is np.ndarray
    assert host.dtype == array.dtype
    assert host.shape == array.shape
    assert host.flags.c_contiguous
