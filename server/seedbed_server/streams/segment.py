"""Segments: files in shared memory that hold one tensor each, for clients on the server's host.

A segment is written once, and read by whoever is told its path. A client holds a shared lock
(flock) on it for as long as it has it mapped. When nobody does, the memory may be used again, under
another name: the kernel takes longer to find and clear new pages than the processor takes to sample
into pages that are there.
"""

import fcntl
import functools
import mmap
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedbed.spec.reasons import Reason
from seedbed_server.refusals import NoRoomError
from seedbed_server.sampling.sampler import TensorSource
from seedbed_server.streams.tensor_work import Piece, TensorWork

# A smaller tensor is sent in the stream: opening and mapping a file costs more than copying it.
MIN_SEGMENT_BYTES = 2**18

# Sampled at a time into memory that is mapped, and into a buffer that is then written to the file:
# that one should still be in the processor's cache.
MAPPED_PART_BYTES = 2**22
WRITTEN_PART_BYTES = 2**21

RETRY_SECONDS = 1.0


class _Descriptor:
    """An open file, closed when nothing refers to it: a thread may still write."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        os.close(self.number)


class Segment:
    """One file, from one content to the next, until it is removed.

    The first content is written with ``pwrite``: a folder that is full is then an error that can be
    handled, where a store to mapped memory would end the process. Later ones are sampled straight
    into the file's memory, all of which is there by then.
    """

    def __init__(self, path: Path, size_bytes: int, mode: int) -> None:
        self.path = path
        self.size_bytes = size_bytes
        self._memory: NDArray[np.uint8] | None = None
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = _Descriptor(os.open(path, flags, mode))
        os.fchmod(self._file.number, mode)  # whatever the process's mask
        os.ftruncate(self._file.number, size_bytes)

    async def fill(self, work: TensorWork, peer: str) -> None:
        """Sample a tensor into the segment, after which clients may map it.

        Raises:
            NoRoomError: if the folder is full.
        """
        await work.run_all(peer, self._parts(work.source))
        fcntl.flock(self._file.number, fcntl.LOCK_UN)

    def take_back(self, path: Path) -> bool:
        """Get ready for another content, under another name, unless a client has it mapped."""
        try:
            fcntl.flock(self._file.number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        try:
            if self._memory is None:
                # The mapping keeps itself alive for as long as an array is made of it.
                mapping = mmap.mmap(self._file.number, self.size_bytes)
                self._memory = np.frombuffer(mapping, np.uint8)
            self.path.rename(path)
        except OSError:
            fcntl.flock(self._file.number, fcntl.LOCK_UN)
            return False
        self.path = path
        return True

    def remove(self) -> None:
        """Take the file's name away; whoever has mapped it keeps its memory."""
        self.path.unlink(missing_ok=True)

    def _parts(self, source: TensorSource) -> Iterator[Piece]:
        """Yield what samples each part of the tensor to its place, in any thread."""
        step = WRITTEN_PART_BYTES if self._memory is None else MAPPED_PART_BYTES
        for begin in range(0, self.size_bytes, step):
            size = min(step, self.size_bytes - begin)
            yield Piece(size, functools.partial(self._fill_part, source, begin, size))

    def _fill_part(self, source: TensorSource, begin: int, size_bytes: int) -> None:
        first = begin // source.plan.dtype.itemsize
        if self._memory is not None:
            source.fill(first, self._memory[begin : begin + size_bytes])
            return
        part = np.empty(size_bytes, np.uint8)
        source.fill(first, part)
        try:
            self._write(begin, part)
        except OSError:
            raise NoRoomError(
                "the server's shared memory is full; ask without accepts_segments",
                reason=Reason.SHARED_MEMORY_FULL,
                retry_after_seconds=RETRY_SECONDS,
            ) from None

    def _write(self, begin: int, part: NDArray[np.uint8]) -> None:
        view = part.data
        while len(view):
            written = os.pwrite(self._file.number, view, begin)
            view, begin = view[written:], begin + written
