"""Memory that chunks are sampled to, used again and again.

Fresh memory costs the kernel a page fault for every page, half as much time again as sampling
(measured: 0.5 core seconds a GiB). Memory just used is also still in the processor's cache.
"""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

# What is kept though nothing uses it. More would be idle memory; less, and a few streams would
# take fresh memory for each chunk.
IDLE_BYTES = 32 * 2**20


class Buffers:
    """Free buffers, by size: powers of two."""

    def __init__(self) -> None:
        self._free: defaultdict[int, list[NDArray[np.uint8]]] = defaultdict(list)
        self._idle_bytes = 0

    def take(self, size_bytes: int) -> NDArray[np.uint8]:
        """Return a buffer of at least so many bytes, with anything in it."""
        capacity = 1 << (size_bytes - 1).bit_length()
        if free := self._free[capacity]:
            self._idle_bytes -= capacity
            return free.pop()
        return np.empty(capacity, np.uint8)

    def give_back(self, buffer: NDArray[np.uint8]) -> None:
        """Keep a buffer that :meth:`take` returned and nothing uses any more."""
        if self._idle_bytes + buffer.size <= IDLE_BYTES:
            self._idle_bytes += buffer.size
            self._free[buffer.size].append(buffer)
