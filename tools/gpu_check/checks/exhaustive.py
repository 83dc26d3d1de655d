"""The element functions for all words, on the device and on the processor, bit for bit.

Each of the processor's threads has a stream and a pinned buffer: it orders a chunk, computes it
itself meanwhile, and compares.
"""

import queue
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed_server.backends.cuda import CudaDevice
from seedbed_server.backends.processor import available_threads
from tools.gpu_check.element_kernels import ELEMENT_KERNELS, ElementKernel
from tools.gpu_check.result import Checks, Passed, StoppedError
from tools.gpu_check.rig import Rig

# Not used by element functions.
KEY = (np.uint32(0),) * 4


def checks(rig: Rig) -> Checks:
    """Return a check for each element function; each has an equal part of the time that is left."""
    device = rig.device()
    return {
        name: partial(compare, rig, device, element, len(ELEMENT_KERNELS) - place)
        for place, (name, element) in enumerate(ELEMENT_KERNELS.items())
    }


def compare(rig: Rig, device: CudaDevice, element: ElementKernel, checks_left: int) -> Passed:
    """Compare all words of an element function, or as many as there is time for."""
    words = min(element.words, rig.sizes.words or element.words)
    chunk = rig.sizes.chunk_words
    end = rig.deadline - rig.seconds_left * (1 - 1 / checks_left)
    threads = available_threads()
    on_cpu = element.compiled()
    # Here, as each of the threads would compile it for itself.
    with device.used():
        device.kernel(element.kernel)
    lanes: queue.SimpleQueue[Lane] = queue.SimpleQueue()
    for _ in range(threads):
        lanes.put(Lane(device, element, on_cpu, chunk))

    def differing(first: int) -> int | None:
        """Return how many words of a chunk differ; None if it was not its turn any more."""
        if rig.deadline - rig.seconds_left > end:
            return None
        lane = lanes.get()
        try:
            return lane.differing(first, min(chunk, words - first))
        finally:
            lanes.put(lane)

    with ThreadPoolExecutor(threads) as pool:
        counts = list(pool.map(differing, range(0, words, chunk)))
    wrong = sum(count for count in counts if count is not None)
    done = sum(count is not None for count in counts)
    if wrong:
        first = next(i for i, count in enumerate(counts) if count) * chunk
        example = lanes.get().example(first, min(chunk, words - first))
        raise AssertionError(f"{wrong} words differ; {example}")
    if done < len(counts):
        raise StoppedError(done * chunk, words)
    return Passed(f"{words} of {element.words} words" if rig.rehearses else f"{words} words")


class Lane:
    """One thread's stream and buffers."""

    def __init__(
        self,
        device: CudaDevice,
        element: ElementKernel,
        on_cpu: Callable[..., None],
        chunk_words: int,
    ) -> None:
        self._element = element
        self._on_cpu = on_cpu
        self._stream = device.stream()
        self._pinned = device.pinned(chunk_words * element.kernel.out.itemsize)
        self._expected = np.empty(chunk_words, element.kernel.out)

    def differing(self, first: int, count: int) -> int:
        """Return how many words from ``first`` on have other bits on the device."""
        on_device, expected = self._values(first, count)
        if np.array_equal(on_device, expected):
            return 0
        return int(np.count_nonzero(on_device != expected))

    def example(self, first: int, count: int) -> str:
        """Return the first word of a chunk that differs, and its values."""
        on_device, expected = self._values(first, count)
        places = np.flatnonzero(on_device != expected)
        if not places.size:
            return f"those from {first} on were right the second time"
        place = int(places[0])
        bits = f"{int(on_device[place]):#x} on the device, {int(expected[place]):#x} on the CPU"
        return f"number {first + place} gives {bits}"

    def _values(self, first: int, count: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the bits of the device's values and of the processor's."""
        kernel, element = self._element.kernel, self._element
        size = count * kernel.out.itemsize
        memory = self._stream.allocate(size)
        table = self._stream.upload(np.array([[first], [count], [0], [count]], np.uint64))
        arguments = table, KEY, element.split, element.params, memory.view(kernel.out)
        self._stream.launch(kernel, count, arguments)
        self._stream.copy_to_host(memory, self._pinned[:size])
        done = self._stream.record()
        expected = self._expected[:count]
        try:
            self._on_cpu(np.uint64(first), element.split, element.params, expected)
        finally:
            done.wait()
        bits = np.dtype(f"u{kernel.out.itemsize}")
        return self._pinned[:size].view(bits), expected.view(bits)
