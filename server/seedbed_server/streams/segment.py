"""Segments: files in shared memory that hold one tensor each, for clients on the server's host.

A segment is written once, and read by whoever is told its path. A client that says so holds a
shared lock (flock) on it
for as long as it has it mapped. When nobody does, the memory may be used again, under another name:
the kernel takes longer to find and clear new pages than the processor takes to sample into pages
that are there.
"""

import fcntl
import mmap
import os
import threading
from concurrent.futures import Future
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedbed.spec.digests import Digest
from seedbed_server.refusals import OverloadedError

# A smaller tensor is sent in the stream: opening and mapping a file costs more than copying it.
MIN_SEGMENT_BYTES = 2**18

RETRY_SECONDS = 1.0


class Segment:
    """One file, from one content to the next, until it is removed.

    The first content is written with ``pwrite``: a folder that is full is then an error that can be
    handled, where a store to mapped memory would end the process. Later ones are sampled straight
    into the file's memory, all of which is there by then.
    """

    def __init__(self, path: Path, size_bytes: int, mode: int) -> None:
        self.path = path
        self.size_bytes = size_bytes
        self.content: Future[Digest | None] = Future()
        """The content's digest, if it was computed, when all of it is there; fails if it never will be."""
        self.pulse = 0
        """Another number whenever whoever fills it has got on, or is alive and computes."""
        self._memory: NDArray[np.uint8] | None = None
        self._lock = threading.Lock()
        self._writers = 0
        self._is_removed = False
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, mode)
        os.fchmod(self._descriptor, mode)  # whatever the process's mask
        os.ftruncate(self._descriptor, size_bytes)

    @property
    def is_mapped(self) -> bool:
        """Whether it is used again, so that there is memory to be written to."""
        return self._memory is not None

    def memory(self, byte_offset: int, size_bytes: int) -> NDArray[np.uint8] | None:
        """Return memory of the file, to be written to, or None where it has to be written with :meth:`write`."""
        return (
            None if self._memory is None else self._memory[byte_offset : byte_offset + size_bytes]
        )

    def write(self, byte_offset: int, data: NDArray[np.uint8]) -> None:
        """Write bytes to their place; any thread. Does nothing when the segment has been removed.

        Raises:
            OSError: if the folder has no room for them.
        """
        with self._lock:
            if self._is_removed:
                return
            self._writers += 1
        try:
            view = data.data
            while len(view):
                written = os.pwrite(self._descriptor, view, byte_offset)
                view, byte_offset = view[written:], byte_offset + written
        finally:
            with self._lock:
                self._writers -= 1
                self._close_if_unused()

    def awaited(self) -> "Future[Digest | None]":
        """Return what becomes ``content``, for one who waits for it: cancelling it does nothing to others."""
        mine: Future[Digest | None] = Future()

        def copy(done: "Future[Digest | None]") -> None:
            if not mine.set_running_or_notify_cancel():
                return
            if (error := done.exception()) is not None:
                mine.set_exception(error)
            else:
                mine.set_result(done.result())

        self.content.add_done_callback(copy)
        return mine

    def publish(self, digest: Digest | None) -> None:
        """Say that all of the content is there; clients may lock the file from now on."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        self.content.set_result(digest)

    def abandon(self) -> None:
        """Say that the content will never be there."""
        message = "another client's call was to put the tensor into shared memory, and ended; ask without it"
        reason = "SEGMENT_ABANDONED"
        self.content.set_exception(
            OverloadedError(message, reason=reason, retry_after_seconds=RETRY_SECONDS)
        )

    def take_back(self, path: Path) -> bool:
        """Make the segment ready for another content, under another name, unless a client still has it mapped."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        try:
            if self._memory is None:
                # The mapping keeps itself alive for as long as an array is made of it.
                self._memory = np.frombuffer(mmap.mmap(self._descriptor, self.size_bytes), np.uint8)
            self.path.rename(path)
        except OSError:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            return False
        self.path, self.content, self.pulse = path, Future(), 0
        return True

    def remove(self) -> None:
        """Take the file's name away; who has mapped it keeps its memory. Once only."""
        self.path.unlink(missing_ok=True)
        with self._lock:
            self._is_removed = True
            self._close_if_unused()

    def _close_if_unused(self) -> None:
        # A descriptor that was closed under a writer's hands could be another file's by then.
        if self._is_removed and not self._writers:
            os.close(self._descriptor)
