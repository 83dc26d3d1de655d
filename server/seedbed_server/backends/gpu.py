"""Samples on a GPU by the CPU's element functions, through pinned host slots.

A fill is cut into slabs. While one slab is computed, the one before it is copied to a pinned slot,
and the one before
that is handed on: each slot has a stream of its own, and a fill keeps as many slots busy as it can
get. The ring is all the pinned memory there ever is, so a tensor may be larger than the device.
What needs no sampling (constants, the diagonal) and what is one long chain of sums (orthogonal) is
computed by the host's backend, to the same bits.
"""

import queue
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import OutOfDeviceMemoryError
from seedbed_server.backends.base import Backend
from seedbed_server.backends.cpu import normal_params, uniform_params
from seedbed_server.backends.device import Device, DeviceArray, Event, Stream
from seedbed_server.backends.rules import ElementwiseRule, Normal, Orthogonal, Sparse, Uniform
from seedbed_server.backends.runs import Runs
from seedbed_server.kernels.blocks import BLOCK_KERNELS, BlockKernel, run_table
from seedbed_server.kernels.keys import Key

# As large as the largest chunk of a stream, so that a chunk is one slab.
SLAB_BYTES = 4 * 2**20
SLOTS = 6
# A device that has no room for this has no room at all.
SMALLEST_SLAB_BYTES = 64 * 2**10


class _Slot:
    """A pinned buffer and a stream, used by one slab at a time."""

    def __init__(self, device: Device, size_bytes: int) -> None:
        self.pinned = device.pinned(size_bytes)
        self.stream: Stream = device.stream()
        self.done: Event | None = None
        self.kept: tuple[DeviceArray, ...] = ()
        """Device memory that the work under way uses."""

    def wait(self) -> None:
        """Return when the slot's work is done, and let go of what it used."""
        done, self.done = self.done, None
        try:
            if done is not None:
                done.wait()
        finally:
            self.kept = ()


class GpuBackend:
    """A device as a backend.

    Args:
        device: where to sample.
        host: computes what the device does not; closed with this backend.
        slots: how many slabs may be under way at a time.
        slab_bytes: the size of a slab; a multiple of 8.
    """

    name = "gpu"
    samples_in_place = False

    def __init__(
        self, device: Device, host: Backend, *, slots: int = SLOTS, slab_bytes: int = SLAB_BYTES
    ) -> None:
        self._device = device
        self._host = host
        self._slab_bytes = slab_bytes
        self._slots = slots
        self._free: queue.LifoQueue[_Slot] = queue.LifoQueue()
        for _ in range(slots):
            self._free.put(_Slot(device, slab_bytes))

    @property
    def device(self) -> str:
        """The device's name."""
        return self._device.name

    @property
    def threads(self) -> int:
        """How many threads keep the slots busy."""
        return self._slots

    @property
    def free_slots(self) -> int:
        """How many slots nothing uses."""
        return self._free.qsize()

    def close(self) -> None:
        """End the host's threads."""
        self._host.close()

    def fill(
        self, rule: ElementwiseRule, key: Key, runs: Runs, dtype: Dtype, out: NDArray[np.uint8]
    ) -> None:
        """Write the runs' elements to host memory.

        See :class:`seedbed_server.backends.base.Backend`.

        Raises:
            OutOfDeviceMemoryError: if the device has no room, not even for a smaller slab.
            DeviceError: if the device failed.
        """
        if not isinstance(rule, (Uniform, Normal)):
            self._host.fill(rule, key, runs, dtype, out)
            return
        launch = _Launch(rule, key, dtype)

        def sample(slot: _Slot, begin: int, end: int) -> None:
            memory = slot.stream.allocate(end - begin)
            table = launch.on(
                slot.stream, runs.part(begin // dtype.itemsize, end // dtype.itemsize), memory
            )
            slot.kept = (memory, *table)
            slot.stream.copy_to_host(memory, slot.pinned[: end - begin])

        def hand_on(slot: _Slot, begin: int, end: int) -> None:
            out[begin:end] = slot.pinned[: end - begin]

        self._in_slabs(out.size, sample, hand_on)

    def orthogonal(
        self, rule: Orthogonal, block: int, key: Key, is_cancelled: Callable[[], bool]
    ) -> NDArray[np.float64]:
        """Return a block, computed on the host."""
        return self._host.orthogonal(rule, block, key, is_cancelled)

    def words(self, key: Key, runs: Runs) -> NDArray[np.uint32]:
        """Return the words of the runs, drawn on the host."""
        return self._host.words(key, runs)

    def are_zero(
        self, rule: Sparse, runs: Runs, first_line: int, thresholds: NDArray[np.uint64]
    ) -> NDArray[np.bool_]:
        """Return which elements are zero, decided on the host."""
        return self._host.are_zero(rule, runs, first_line, thresholds)

    # What stays on the device.

    def allocate(self, size_bytes: int) -> DeviceArray:
        """Return device memory (uint8) for a result; freed when nothing refers to it.

        Raises:
            OutOfDeviceMemoryError: if the device has no room.
        """
        try:
            return self._device.result(size_bytes)
        except OutOfDeviceMemoryError:
            self._device.free_unused()
            return self._device.result(size_bytes)

    def fill_on_device(
        self, rule: ElementwiseRule, key: Key, runs: Runs, dtype: Dtype, out: DeviceArray
    ) -> None:
        """Write the runs' elements to device memory (uint8, from :meth:`allocate`), and wait."""
        if not isinstance(rule, (Uniform, Normal)):
            host = np.empty(out.size, np.uint8)
            self._host.fill(rule, key, runs, dtype, host)
            self.write(out, 0, host)
            return
        launch = _Launch(rule, key, dtype)

        def sample(slot: _Slot, begin: int, end: int) -> None:
            part = runs.part(begin // dtype.itemsize, end // dtype.itemsize)
            slot.kept = launch.on(slot.stream, part, out[begin:end])

        self._in_slabs(out.size, sample)

    def write(self, out: DeviceArray, at: int, data: NDArray[np.uint8]) -> None:
        """Copy host bytes to device memory from byte ``at`` on, through pinned slots, and wait."""

        def upload(slot: _Slot, begin: int, end: int) -> None:
            slot.pinned[: end - begin] = data[begin:end]
            slot.stream.copy_to_device(slot.pinned[: end - begin], out[at + begin : at + end])

        self._in_slabs(data.size, upload)

    def array(self, memory: DeviceArray, dtype: Dtype, shape: tuple[int, ...]) -> DeviceArray:
        """Return device memory as the array that a user gets."""
        return self._device.as_dtype(memory, dtype.numpy, shape)

    # The pipeline.

    def _in_slabs(
        self,
        size_bytes: int,
        start: Callable[[_Slot, int, int], None],
        finish: Callable[[_Slot, int, int], None] | None = None,
    ) -> None:
        """Start every slab on a free slot, and finish them in order.

        The slots come back however this ends.
        """
        under_way: deque[tuple[_Slot, int, int]] = deque()
        try:
            slab_bytes = self._slab_bytes
            begin = 0
            while begin < size_bytes or under_way:
                slot = self._next_slot(may_wait=not under_way) if begin < size_bytes else None
                if slot is None:  # all are busy, or nothing is left to start
                    done, first, last = under_way[0]
                    done.wait()
                    if finish is not None:
                        finish(done, first, last)
                    under_way.popleft()
                    self._free.put(done)
                    continue
                end = min(begin + slab_bytes, size_bytes)
                under_way.append((slot, begin, end))
                if not _starts(start, slot, begin, end):
                    slab_bytes = self._smaller(slab_bytes)
                    end = min(begin + slab_bytes, size_bytes)
                    under_way[-1] = (slot, begin, end)
                    start(slot, begin, end)
                slot.done = slot.stream.record()
                begin = end
        finally:
            with ExitStack() as all_of_them:  # one that fails does not keep the others
                for slot, _, _ in under_way:
                    all_of_them.callback(self._take_back, slot)

    def _next_slot(self, *, may_wait: bool) -> _Slot | None:
        """Return a free slot.

        Only a caller that holds none may wait for one: the others finish theirs without waiting.
        """
        try:
            return self._free.get(block=may_wait)
        except queue.Empty:
            return None

    def _take_back(self, slot: _Slot) -> None:
        """Make a slot free again when its work, which nobody wants, has ended, well or not."""
        try:
            if slot.done is None:
                slot.done = slot.stream.record()
            slot.wait()
        finally:
            self._free.put(slot)

    def _smaller(self, slab_bytes: int) -> int:
        """Free unused memory, and return the size to try next: half."""
        self._device.free_unused()
        # No larger than a slot, and whole elements of every dtype.
        return max(min(SMALLEST_SLAB_BYTES, slab_bytes), slab_bytes // 16 * 8)


def _starts(start: Callable[[_Slot, int, int], None], slot: _Slot, begin: int, end: int) -> bool:
    """Start a slab; return False if the device has no room, with its memory free again.

    Inside an ``except`` that memory would not be free: the error's traceback still refers to it.
    """
    try:
        start(slot, begin, end)
    except OutOfDeviceMemoryError:
        slot.kept = ()
        return False
    return True


class _Launch:
    """One rule, ready to be launched for any runs."""

    def __init__(self, rule: Uniform | Normal, key: Key, dtype: Dtype) -> None:
        if isinstance(rule, Uniform):
            self._kernel: BlockKernel = BLOCK_KERNELS[f"uniform_{dtype.value}"]
            split, params = self._kernel.word.type(0), uniform_params(rule, dtype)
        else:
            self._kernel = BLOCK_KERNELS[f"normal_{dtype.value}"]
            split, params = normal_params(rule, dtype)
        # Numbers are passed by value; arrays would have to be copied to the device first.
        self._numbers: tuple[Any, ...] = (tuple(key.as_array()), split, params)

    def on(self, stream: Stream, runs: Runs, out: DeviceArray) -> tuple[Any, ...]:
        """Launch for some runs, and return what must live until the launch is done."""
        table, threads = run_table(runs.firsts, runs.counts, self._kernel.elements_per_block)
        on_device = stream.upload(table)
        stream.launch(
            self._kernel, threads, (on_device, *self._numbers, out.view(self._kernel.out))
        )
        return on_device, table
