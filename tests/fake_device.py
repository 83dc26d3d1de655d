"""A device without a device: the GPU backend's seam on the host, as unkind as a real device may be.

Work that is given to a stream is done when an event of the stream is waited for, or at any moment
before that. Memory holds a pattern when it is handed out, from the moment that a copy to it is
ordered until the copy is done, and when it has been freed: what is used too soon gives other bits.
What does not show in the bits is a violation: an assertion fails, and ``violations`` names it,
since the failure may have come in a thread or where nobody looks. The n-th call of a kind fails on
demand, and memory may be limited.
"""

import functools
import gc
import random
import threading
import time
import weakref
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numba import njit, typeof, uint64
from numpy.typing import DTypeLike, NDArray

from seedbed.spec.errors import DeviceError, OutOfDeviceMemoryError
from seedbed_server.backends.cuda_kernels import signature_of
from seedbed_server.backends.gpu import GpuBackend
from seedbed_server.kernels.blocks import BlockKernel

POISON = 0xA5
"""What memory holds whose content nobody may rely on."""

Call = Literal["allocate", "launch", "copy", "record", "wait"]
"""A kind of call that may be made to fail; an upload counts as an allocation."""

Schedule = Literal["late", "early"] | int
"""When work is done: when it is waited for, when it is given, or at moments drawn with a seed."""


class Block:
    """What device arrays of one allocation refer to; the allocation ends with it."""

    def __init__(self, device: "FakeDevice", content: NDArray[np.uint8]) -> None:
        self.device = device
        self.content = content


class FakeArray:
    """Device memory as the host sees it: to slice, to view and to pass on, but not to read."""

    def __init__(
        self, block: Block, begin: int, dtype: np.dtype[Any], shape: tuple[int, ...]
    ) -> None:
        assert begin % dtype.itemsize == 0, f"a device cannot read {dtype} at address {begin}"
        self.block = block
        self.begin = begin
        self.dtype = dtype
        self.shape = shape
        self.size = int(np.prod(shape, dtype=np.int64))
        self.nbytes = self.size * dtype.itemsize
        assert self.begin + self.nbytes <= block.content.size

    def __getitem__(self, key: slice) -> "FakeArray":
        assert isinstance(key, slice), "the host reads an element of device memory"
        assert len(self.shape) == 1
        start, stop, step = key.indices(self.size)
        assert step == 1
        begin = self.begin + start * self.dtype.itemsize
        return FakeArray(self.block, begin, self.dtype, (max(0, stop - start),))

    def view(self, dtype: DTypeLike) -> "FakeArray":
        """Return the same memory as another dtype; one-dimensional."""
        new: np.dtype[Any] = np.dtype(dtype)
        assert len(self.shape) == 1
        assert self.nbytes % new.itemsize == 0
        return FakeArray(self.block, self.begin, new, (self.nbytes // new.itemsize,))

    @property
    def on_host(self) -> NDArray[Any]:
        """The memory, for this module only."""
        whole = self.block.content[self.begin : self.begin + self.nbytes]
        return whole.view(self.dtype).reshape(self.shape)


@dataclass(eq=False)
class Work:
    """Something that a stream was given to do."""

    do: Callable[[], None]
    uses: tuple[NDArray[np.uint8], ...]
    """Allocations; it does not keep them alive, whoever gives the work must."""
    is_pinned_intact: Callable[[], bool] = lambda: True
    is_done: bool = False


class FakeDevice:
    """A device in host memory.

    Args:
        schedule: when work is done.
        limit_bytes: device memory, with what was freed but not given back; None is no limit.
    """

    def __init__(self, schedule: Schedule = "late", *, limit_bytes: int | None = None) -> None:
        self.name = f"a fake device ({schedule})"
        self.limit_bytes = limit_bytes
        self.violations: list[str] = []
        self.calls: Counter[str] = Counter()
        self.history: list[str] = []
        """The calls in their order."""
        self.copied: list[int] = []
        """The sizes of the copies to the host, in the order in which they were given."""
        self.peak_bytes = 0
        self.pinned_bytes = 0
        self._schedule = schedule
        self._random = random.Random(schedule if isinstance(schedule, int) else 0)
        self._lock = threading.RLock()
        self._failing: dict[Call, set[int]] = {}
        self._live_bytes = 0
        self._unused: Counter[int] = Counter()
        self._freed: deque[NDArray[np.uint8]] = deque()
        self._streams: weakref.WeakSet[FakeStream] = weakref.WeakSet()
        self._pinned: list[NDArray[np.uint8]] = []

    # What the backend calls.

    def stream(self) -> "FakeStream":
        """Return a new stream."""
        with self._lock:
            stream = FakeStream(self)
            self._streams.add(stream)
            return stream

    def pinned(self, size_bytes: int) -> NDArray[np.uint8]:
        """Return host memory that copies may use."""
        memory = np.full(size_bytes, POISON, np.uint8)
        with self._lock:
            self._pinned.append(memory)
            self.pinned_bytes += size_bytes
        return memory

    def result(self, size_bytes: int) -> FakeArray:
        """Return device memory for a result."""
        return self.allocate((size_bytes,), np.dtype(np.uint8))

    def free_unused(self) -> None:
        """Forget what was freed."""
        with self.call("free_unused"):
            self._unused.clear()

    def as_dtype(self, array: FakeArray, dtype: np.dtype[Any], shape: tuple[int, ...]) -> FakeArray:
        """Return the memory as an array."""
        assert array.dtype == np.uint8
        result = FakeArray(array.block, array.begin, dtype, shape)
        assert result.nbytes == array.nbytes
        return result

    # What tests call.

    def fail(self, call: Call, *numbers: int) -> None:
        """Make calls of a kind fail: those with these numbers, 0 being the next one."""
        with self._lock:
            self._failing[call] = {self.calls[call] + number for number in numbers}

    def contents(self, array: FakeArray) -> NDArray[Any]:
        """Return what an array holds."""
        with self.call("contents"):
            return array.on_host.copy()

    @property
    def live_bytes(self) -> int:
        """Device memory that something refers to."""
        with self.call("live_bytes"):
            return self._live_bytes

    @property
    def live_streams(self) -> int:
        """How many streams something refers to."""
        return len(self._streams)

    @property
    def unsettled(self) -> int:
        """How much work has been given and not been waited for."""
        with self._lock:
            return sum(len(stream.unsettled) for stream in self._streams)

    # What streams and events call.

    @contextmanager
    def call(self, name: str) -> Iterator[bool]:
        """Hold the device for one call, and yield whether it shall fail; some work may be done."""
        with self._lock:
            self._take_back_freed()
            if isinstance(self._schedule, int):
                self._do_some_work()
            number = self.calls[name]
            self.calls[name] += 1
            self.history.append(name)
            yield any(name == call and number in numbers for call, numbers in self._failing.items())

    def give(self, work: Work, stream: "FakeStream") -> None:
        """Put work at the end of a stream."""
        stream.unsettled.append(work)
        if self._schedule == "early":
            stream.work()

    def allocate(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> FakeArray:
        """Return memory with the pattern."""
        size = int(np.prod(shape)) * dtype.itemsize
        with self.call("allocate") as fails:
            if self._unused[size] and not fails:
                self._unused[size] -= 1
            elif fails or (
                self.limit_bytes is not None and self._held_bytes() + size > self.limit_bytes
            ):
                raise OutOfDeviceMemoryError(
                    f"no room for {size} bytes beside {self._held_bytes()}"
                )
            content = np.full(size, POISON, np.uint8)
            self._live_bytes += size
            self.peak_bytes = max(self.peak_bytes, self._live_bytes)
            block = Block(self, content)
            # Runs in any thread at any moment, so it only takes a note.
            weakref.finalize(block, self._freed.append, content).atexit = False
            return FakeArray(block, 0, dtype, shape)

    def is_pinned(self, array: NDArray[np.uint8]) -> bool:
        """Return whether host memory is such that copies may use it."""
        return any(np.may_share_memory(array, whole) for whole in self._pinned)

    def violate(self, message: str) -> None:
        """Note what must not be, and fail."""
        self.violations.append(message)
        raise AssertionError(message)

    def _held_bytes(self) -> int:
        return self._live_bytes + sum(size * count for size, count in self._unused.items())

    def _take_back_freed(self) -> None:
        while self._freed:
            content = self._freed.popleft()
            for stream in self._streams:
                for work in stream.unsettled:
                    if any(content is each for each in work.uses):
                        self.violations.append(
                            "memory was freed before the work that uses it was waited for"
                        )
                        work.do = lambda: None
            content.fill(POISON)
            self._live_bytes -= content.size
            self._unused[content.size] += 1

    def _do_some_work(self) -> None:
        for _ in range(self._random.randrange(4)):
            busy = [stream for stream in self._streams if stream.first_undone() is not None]
            if busy:
                self._random.choice(sorted(busy, key=lambda stream: stream.number)).work(limit=1)

    def pause(self) -> None:
        """Let other threads run, for a moment that is drawn like all else."""
        if isinstance(self._schedule, int):
            with self._lock:
                seconds = self._random.choice((0.0, 0.0, 1e-5, 3e-4))
            time.sleep(seconds)


class FakeStream:
    """A stream; see :class:`FakeDevice`."""

    def __init__(self, device: FakeDevice) -> None:
        self.number = device.calls["stream"]
        device.calls["stream"] += 1
        self.unsettled: deque[Work] = deque()
        """Work that was not waited for, done or not, in order."""
        self.settled = 0
        """How much work was waited for."""
        self._device = device

    def allocate(self, size_bytes: int) -> FakeArray:
        """Return device memory with the pattern."""
        return self._device.allocate((size_bytes,), np.dtype(np.uint8))

    def upload(self, source: NDArray[Any]) -> FakeArray:
        """Return a copy that the stream makes later."""
        target = self._device.allocate(source.shape, source.dtype)
        content, place = source.copy(), target.on_host
        with self._device.call("upload"):
            work = Work(lambda: np.copyto(place, content), (target.block.content,))
            self._device.give(work, self)
        return target

    def launch(self, kernel: BlockKernel, threads: int, arguments: tuple[Any, ...]) -> None:
        """Check the arguments' types, and run the kernel later."""
        runs, *numbers, out = arguments
        assert threads > 0
        for array in (runs, out):
            assert isinstance(array, FakeArray)
            assert array.block.device is self._device
        loop = loop_over_threads(kernel)
        runs_on_host, out_on_host = runs.on_host, out.on_host
        on_host = (np.uint64(threads), runs_on_host, *numbers, out_on_host)
        given, wanted = tuple(map(typeof, on_host)), signature_of(kernel)
        assert given == wanted, f"{kernel.name} takes {wanted}, not {given}"

        def run() -> None:
            # Else the kernel would read and write anywhere, here as on a GPU.
            if (
                int(runs_on_host[3, -1]) != threads
                or int(runs_on_host[1:3, -1].sum()) > out_on_host.size
            ):
                self._device.violate("a kernel runs before its table is there")
            loop(*on_host)

        with self._device.call("launch") as fails:
            if fails:
                raise DeviceError("the launch failed")
            self._device.give(Work(run, (runs.block.content, out.block.content)), self)

    def copy_to_host(self, source: FakeArray, target: NDArray[np.uint8]) -> None:
        """Copy later; until then the target holds the pattern."""
        content = source.on_host
        self._check_copy(source, target)
        with self._device.call("copy") as fails:
            if fails:
                raise DeviceError("the copy failed")
            work = Work(lambda: np.copyto(target, content), (source.block.content,))
            self._device.copied.append(target.size)
            target.fill(POISON)
            self._device.give(work, self)

    def copy_to_device(self, source: NDArray[np.uint8], target: FakeArray) -> None:
        """Copy later, what the source then holds."""
        content, place = source.copy(), target.on_host
        self._check_copy(target, source)
        with self._device.call("copy") as fails:
            if fails:
                raise DeviceError("the copy failed")
            work = Work(
                lambda: np.copyto(place, source),
                (target.block.content,),
                is_pinned_intact=lambda: np.array_equal(content, source),
            )
            self._device.give(work, self)

    def record(self) -> "FakeEvent":
        """Return the point behind the work that was given so far."""
        with self._device.call("record") as fails:
            if fails:
                raise DeviceError("the event could not be recorded")
            return FakeEvent(self._device, self, self.settled + len(self.unsettled))

    def first_undone(self) -> Work | None:
        """Return the next work to do."""
        return next((work for work in self.unsettled if not work.is_done), None)

    def work(self, limit: int | None = None) -> None:
        """Do what was given, or some of it."""
        while (work := self.first_undone()) is not None and limit != 0:
            work.is_done = True
            work.do()
            limit = None if limit is None else limit - 1

    def settle(self, position: int, *, does_work: bool) -> None:
        """Do the work before a position, or give it up, and forget it."""
        while self.settled < position:
            if does_work and not self.unsettled[0].is_done:
                self.work(limit=1)
            work = self.unsettled.popleft()
            self.settled += 1
            if not work.is_pinned_intact():
                self._device.violate(
                    "the host wrote to pinned memory before the copy from it was waited for"
                )

    def _check_copy(self, on_device: FakeArray, on_host: NDArray[np.uint8]) -> None:
        assert isinstance(on_device, FakeArray)
        assert on_device.block.device is self._device
        assert on_device.dtype == on_host.dtype == np.uint8
        assert on_device.shape == on_host.shape
        assert self._device.is_pinned(on_host)


class FakeEvent:
    """A point in a stream's work."""

    def __init__(self, device: FakeDevice, stream: FakeStream, position: int) -> None:
        self._device = device
        self._stream = stream
        self._position = position

    def wait(self) -> None:
        """Do the work before this point, if that has not happened."""
        self._device.pause()
        with self._device.call("wait") as fails:
            self._stream.settle(self._position, does_work=not fails)
            if fails:
                raise DeviceError("the work failed")


_compiling = threading.Lock()


def loop_over_threads(kernel: BlockKernel) -> Callable[..., None]:
    """Return what runs a kernel's body for every thread, the last first; compiled once."""
    with _compiling:
        return _compiled(kernel)


@functools.cache
def _compiled(kernel: BlockKernel) -> Callable[..., None]:
    body: Any = kernel.body

    def loop(threads: Any, runs: Any, key: Any, split: Any, params: Any, out: Any) -> None:
        for i in range(threads):
            body(threads - uint64(1) - uint64(i), runs, key, split, params, out)

    compiled: Callable[..., None] = njit(signature_of(kernel), nogil=True)(loop)
    return compiled


def uses(device: FakeDevice, backend: GpuBackend) -> dict[str, int]:
    """Return what is under way or left over, and how much of it."""
    if device.live_bytes:  # an exception's traceback may still refer to it
        gc.collect()
    found = {
        "unsettled": device.unsettled,
        "live bytes": device.live_bytes,
        "slots": backend.threads - backend.free_slots,
        "streams beside the slots'": device.live_streams - backend.threads,
    }
    return {name: count for name, count in found.items() if count}


def assert_idle(device: FakeDevice, backend: GpuBackend) -> None:
    """Check that nothing is under way or left over."""
    assert device.violations == []
    assert uses(device, backend) == {}
