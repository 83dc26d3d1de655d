"""CuPy and numba-cuda as far as the CUDA device calls them, on the host.

Each call is noted, and done at once. Signatures and refusals are those of CuPy 14. Machine code is
only the names of its kernels, which run on the host for as many threads as were launched.
"""

import ctypes
import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any, Self

import numpy as np
from numba import typeof, types
from numpy.typing import DTypeLike, NDArray

from seedbed_server.backends.cuda_kernels import Capability, entry_name, signature_of
from seedbed_server.kernels.blocks import BLOCK_KERNELS, BlockKernel
from tests.fake_device import loop_over_threads

CODE = b"machine code of "
"""How the stand-in for machine code begins."""


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
    """Those that may be launched."""
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

        def device_properties(index: int) -> dict[str, Any]:
            return {"name": f"Stub {index}".encode(), "major": 9, "minor": 0}

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
            Module=lambda: Module(self),
            PinnedMemory=lambda size: PinnedMemory(self, size),
            PinnedMemoryPointer=lambda memory, offset: memory.content,
            Stream=lambda null=False, non_blocking=False: Stream(self, non_blocking),
            get_current_stream=current_stream,
            runtime=SimpleNamespace(
                CUDARuntimeError=CUDARuntimeError,
                driverGetVersion=lambda: self.driver_version,
                getDeviceCount=device_count,
                getDeviceProperties=device_properties,
            ),
            using_allocator=lambda allocator: self.use(pool=allocator.__self__),
        )
        return module  # type: ignore[no-any-return]

    def machine_code(self, kernels: Iterable[BlockKernel], capability: Capability) -> bytes:
        """Stand for the compilers."""
        names = [kernel.name for kernel in kernels]
        self.note("machine_code", names, capability)
        return CODE + "\n".join(names).encode()

    def numba_cuda(self) -> Any:
        """Return what ``from numba import cuda`` gives."""

        def jit(signature: Any, **options: Any) -> Callable[[Any], Compiled]:
            return lambda function: Compiled(self, signature, options, function)

        return SimpleNamespace(external_stream=lambda pointer: pointer, jit=jit)

    def run(self, kernel: BlockKernel, blocks: int, threads_per_block: int, arguments: Any) -> None:
        """Run a kernel for every thread that was asked for."""
        threads = arguments[0]
        assert (blocks - 1) * threads_per_block < threads <= blocks * threads_per_block
        given, wanted = tuple(map(typeof, arguments)), signature_of(kernel)
        assert given == wanted, f"{kernel.name} takes {wanted}, not {given}"
        self.loop(kernel)(*arguments)


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
        self.itemsize = content.itemsize
        self.strides = content.strides
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


class Module:
    """Loaded machine code."""

    def __init__(self, libraries: Libraries) -> None:
        self._libraries = libraries
        self._kernels: dict[str, BlockKernel] = {}

    def load(self, cubin: bytes) -> None:
        """Take the names of the kernels."""
        self._libraries.note("load", cubin)
        if not cubin.startswith(CODE):
            raise CUDADriverError("CUDA_ERROR_INVALID_IMAGE: device kernel image is invalid")
        names = cubin.removeprefix(CODE).decode().splitlines()
        kernels = [kernel for kernel in self._libraries.kernels if kernel.name in names]
        self._kernels = {entry_name(kernel): kernel for kernel in kernels}

    def get_function(self, name: str) -> "Function":
        """Return a kernel."""
        return Function(self._libraries, self._kernels[name])


@dataclass
class Function:
    """A loaded kernel."""

    libraries: Libraries
    kernel: BlockKernel

    def __call__(
        self,
        grid: tuple[int, ...],
        block: tuple[int, ...],
        args: tuple[Any, ...],
        shared_mem: int = 0,
        stream: Any = None,
    ) -> None:
        """Run it."""
        self.libraries.note("launch", self.kernel.name, *block, stream.ptr)
        numbers = iter(args)
        arguments = [_argument(kind, numbers) for kind in signature_of(self.kernel)]
        assert next(numbers, None) is None
        (blocks,), (threads_per_block,) = grid, block
        self.libraries.run(self.kernel, blocks, threads_per_block, arguments)


def _argument(kind: Any, numbers: Iterator[Any]) -> Any:
    """Return an argument of a kernel, from the numbers that machine code takes for it."""
    if isinstance(kind, types.UniTuple):
        return tuple(next(numbers) for _ in range(kind.count))
    if not isinstance(kind, types.Array):
        return next(numbers)
    fields = [next(numbers) for _ in range(5 + 2 * kind.ndim)]
    assert {type(each) for each in fields} == {np.int64}
    memory_info, parent, size, item_bytes, pointer, *sizes = map(int, fields)
    shape, strides = tuple(sizes[: kind.ndim]), tuple(sizes[kind.ndim :])
    memory = (ctypes.c_uint8 * (size * item_bytes)).from_address(pointer)
    array = np.asarray(memory).view(kind.dtype.name).reshape(shape)
    assert (memory_info, parent, strides) == (0, 0, array.strides)
    return array


class Compiled:
    """A kernel that numba-cuda has compiled."""

    def __init__(
        self, libraries: Libraries, signature: Any, options: dict[str, Any], function: Any
    ) -> None:
        body = inspect.getclosurevars(function).nonlocals["body"]
        (self._kernel,) = [kernel for kernel in libraries.kernels if kernel.body is body]
        assert signature == signature_of(self._kernel)
        libraries.note("jit", self._kernel.name, options)
        self._libraries = libraries

    def __getitem__(self, configuration: tuple[int, int, Any]) -> Callable[..., None]:
        blocks, threads_per_block, stream = configuration

        def launch(*arguments: Any) -> None:
            self._libraries.note("launch", self._kernel.name, threads_per_block, stream)
            on_host = [each.content if isinstance(each, Array) else each for each in arguments]
            self._libraries.run(self._kernel, blocks, threads_per_block, on_host)

        return launch


def _check_alike(array: Array, host: Any) -> None:
    assert type(host) is np.ndarray
    assert host.dtype == array.dtype
    assert host.shape == array.shape
    assert host.flags.c_contiguous
