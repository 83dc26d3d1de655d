"""Segments: files in shared memory that hold one tensor each, for clients on the server's host.

The operator names a folder, usually on a tmpfs. The server makes a folder of its own in it, with names that nobody
chose but itself, and locks it for as long as it lives. A segment is there from its first byte until the client that
asked for it has ended its call; what a client has mapped by then stays with the client. What a server that died left
behind is removed by the next one, which finds its lock free.

Bytes are written with ``pwrite``: a folder that is full is an error that can be handled, where a write to mapped memory
would end the process.
"""

import fcntl
import itertools
import logging
import os
import secrets
import shutil
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedbed.wire.errors import SeedbedError

log = logging.getLogger(__name__)

# A smaller tensor is sent in the stream: opening and mapping a file costs more than copying it.
MIN_SEGMENT_BYTES = 2**18

PREFIX = "seedbed-"
LOCK = "lock"


class SegmentsError(SeedbedError):
    """A folder that cannot be used for segments."""


class Segment:
    """One file, while it is written and until it is removed."""

    def __init__(self, folder: "SegmentFolder", name: str, size_bytes: int) -> None:
        self.name = name
        self.size_bytes = size_bytes
        self._folder = folder
        self._lock = threading.Lock()
        self._writers = 0
        self._is_removed = False
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(folder.own / name, flags, folder.mode)
        os.fchmod(self._descriptor, folder.mode)  # whatever the process's mask
        os.ftruncate(self._descriptor, size_bytes)

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

    def remove(self) -> None:
        """Take the file's name away; who has mapped it keeps its memory. Once only."""
        (self._folder.own / self.name).unlink(missing_ok=True)
        with self._lock:
            self._is_removed = True
            self._close_if_unused()

    def _close_if_unused(self) -> None:
        # A descriptor that was closed under a writer's hands could be another file's by then.
        if self._is_removed and not self._writers:
            os.close(self._descriptor)
            self._folder.give_back(self.size_bytes)


class SegmentFolder:
    """A server's own folder of segments.

    Args:
        directory: the operator's folder, as an absolute path; it must exist.
        mode: of the files, such as 0o600; whoever may read them may also enter the folder.
        max_bytes: how much all segments may hold at a time.

    Raises:
        SegmentsError: if the folder is not there, or cannot be written.
    """

    def __init__(self, directory: Path, *, mode: int, max_bytes: int) -> None:
        self.directory = directory
        self.mode = mode
        self._max_bytes = max_bytes
        self._held_bytes = 0
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        if not directory.is_absolute() or not directory.is_dir():
            raise SegmentsError(
                f"--shared-memory-dir must be an existing folder's absolute path. Received: {directory}"
            )
        try:
            _remove_stale(directory)
            self.own = directory / f"{PREFIX}{os.getpid()}-{secrets.token_hex(8)}"
            self.own.mkdir()
            # Who may read a file may enter its folder.
            self.own.chmod(0o700 | (mode & 0o044) >> 2 | mode & 0o044)
            self._guard = _locked(self.own / LOCK, os.O_CREAT)
        except OSError as error:
            raise SegmentsError(f"--shared-memory-dir {directory} cannot be used: {error.strerror or error}") from None

    @property
    def held_bytes(self) -> int:
        """How much the segments hold now."""
        return self._held_bytes

    def create(self, size_bytes: int) -> Segment | None:
        """Return a new segment, or None if there is no room for it."""
        with self._lock:
            if self._held_bytes + size_bytes > self._max_bytes or size_bytes > _free_bytes(self.own):
                return None
            self._held_bytes += size_bytes
        try:
            return Segment(self, str(next(self._numbers)), size_bytes)
        except OSError as error:
            self.give_back(size_bytes)
            log.warning("no segment of %d bytes: %s", size_bytes, error)
            return None

    def path_of(self, segment: Segment) -> str:
        """Return a segment's path below the operator's folder."""
        return f"{self.own.name}/{segment.name}"

    def give_back(self, size_bytes: int) -> None:
        """Take note that a segment is gone."""
        with self._lock:
            self._held_bytes -= size_bytes

    def close(self) -> None:
        """Remove the folder and all that is in it."""
        shutil.rmtree(self.own, ignore_errors=True)
        os.close(self._guard)


def _locked(path: Path, flags: int = 0) -> int:
    """Return a descriptor that holds a lock until it is closed, or the process has ended."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | flags, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def _remove_stale(directory: Path) -> None:
    """Remove the folders of servers that ended without doing so; only our own user's."""
    for folder in directory.glob(f"{PREFIX}*"):
        try:
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            guard = _locked(folder / LOCK)
        except OSError:  # held by a server that lives, or no server's folder
            continue
        shutil.rmtree(folder, ignore_errors=True)
        os.close(guard)
        log.info("removed %s, which a server left behind", folder)


def _free_bytes(directory: Path) -> int:
    found = os.statvfs(directory)
    return found.f_bavail * found.f_frsize
