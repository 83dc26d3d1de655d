"""The segments of a server: how many there may be, who uses them, and which may be used again.

The operator names a folder, usually on a tmpfs. The server makes a folder of its own in it, with
names that nobody chose but itself, and locks it for as long as it lives. What a server that died
left behind is removed by the next one, which finds its lock free.

The ranks of a job ask for the same tensors at about the same time. The first one's call puts a
tensor into a segment, those of the others wait for it, and all map the same memory. A segment that
no call uses stays for a while, for a rank that is late, or as memory for another tensor.
"""

import fcntl
import itertools
import logging
import os
import resource
import secrets
import shutil
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from seedbed.spec.errors import SeedbedError
from seedbed_server.streams.segment import Segment

log = logging.getLogger(__name__)

PREFIX = "seedbed-"
LOCK = "lock"

# How often a look is taken for what has been idle for long.
SWEEP_SECONDS = 5.0


class SegmentsError(SeedbedError):
    """A folder that cannot be used for segments."""


@dataclass(slots=True, eq=False)
class Lease:
    """A segment, for as long as a call uses it."""

    segment: Segment
    content: str | None
    """What is in it; None where only this call may know."""
    users: int = 1
    idle_since: float = 0.0

    @property
    def has_failed(self) -> bool:
        """Whether its content will never be there."""
        return self.segment.content.done() and self.segment.content.exception() is not None


class SegmentFolder:
    """A server's own folder of segments.

    Args:
        directory: the operator's folder, as an absolute path; it must exist.
        mode: of the files, such as 0o600; whoever may read them may also enter the folder.
        max_bytes: how much all segments may hold at a time.
        idle_seconds: how long one that no call uses is kept; 0 is not at all.

    Raises:
        SegmentsError: if the folder is not there, or cannot be written.
    """

    def __init__(
        self, directory: Path, *, mode: int, max_bytes: int, idle_seconds: float = 30.0
    ) -> None:
        self.directory = directory
        self.mode = mode
        self._max_bytes = max_bytes
        self._idle_seconds = idle_seconds
        # Each segment has a descriptor, here and in every client, and neither can do without
        # others.
        self._most = max(1, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4)
        self._held_bytes = 0
        self._shared: dict[str, Lease] = {}
        self._idle: OrderedDict[int, Lease] = OrderedDict()
        self._count = 0
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._sweeper: threading.Thread | None = None
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
            raise SegmentsError(
                f"--shared-memory-dir {directory} cannot be used: {error.strerror or error}"
            ) from None

    @property
    def held_bytes(self) -> int:
        """How much the segments hold now."""
        return self._held_bytes

    def lease(self, size_bytes: int, content: str | None = None) -> tuple[Lease, bool] | None:
        """Return a segment, and whether the caller has to fill it; None if there is no room for it.

        Args:
            size_bytes: of the tensor.
            content: what it will hold, in words that no other tensor has, if other calls may use it
                at the same time and its memory may be used again. Whoever gets it must hold a lock
                then.
        """
        with self._lock:
            lease = self._shared.get(content) if content is not None else None
            if lease is not None and not lease.has_failed:
                lease.users += 1
                self._idle.pop(id(lease), None)
                return lease, False
            segment = self._used_again(size_bytes) or self._new(size_bytes)
            if segment is None:
                return None
            lease = Lease(segment, content)
            if content is not None:
                self._shared[content] = lease
            return lease, True

    def give_back(self, lease: Lease) -> None:
        """Take note that a call uses a segment no longer."""
        with self._lock:
            lease.users -= 1
            if lease.users:
                return
            is_whole = lease.segment.content.done() and not lease.has_failed
            if (
                lease.content is None
                or not is_whole
                or not self._idle_seconds
                or self._closed.is_set()
            ):
                self._remove(lease)
                return
            lease.idle_since = time.monotonic()
            self._idle[id(lease)] = lease
            if self._sweeper is None:
                self._sweeper = threading.Thread(
                    target=self._sweep, name="seedbed-segments", daemon=True
                )
                self._sweeper.start()

    def path_of(self, segment: Segment) -> str:
        """Return a segment's path below the operator's folder."""
        return f"{self.own.name}/{segment.path.name}"

    def close(self) -> None:
        """Remove the folder and all that is in it."""
        self._closed.set()
        with self._lock:
            for lease in list(self._idle.values()):
                self._remove(lease)
        shutil.rmtree(self.own, ignore_errors=True)
        os.close(self._guard)

    # What follows is called with the lock held.

    def _used_again(self, size_bytes: int) -> Segment | None:
        for lease in self._idle.values():
            if lease.segment.size_bytes == size_bytes and lease.segment.take_back(
                self._next_path()
            ):
                self._forget(lease)
                return lease.segment
        return None

    def _new(self, size_bytes: int) -> Segment | None:
        while self._idle and not self._has_room(size_bytes):
            self._remove(next(iter(self._idle.values())))
        if not self._has_room(size_bytes):
            return None
        try:
            segment = Segment(self._next_path(), size_bytes, self.mode)
        except OSError as error:
            log.warning("no segment of %d bytes: %s", size_bytes, error)
            return None
        self._held_bytes += size_bytes
        self._count += 1
        return segment

    def _has_room(self, size_bytes: int) -> bool:
        is_within = self._held_bytes + size_bytes <= self._max_bytes and self._count < self._most
        return is_within and size_bytes <= _free_bytes(self.own)

    def _remove(self, lease: Lease) -> None:
        self._forget(lease)
        lease.segment.remove()
        self._held_bytes -= lease.segment.size_bytes
        self._count -= 1

    def _forget(self, lease: Lease) -> None:
        self._idle.pop(id(lease), None)
        if lease.content is not None and self._shared.get(lease.content) is lease:
            del self._shared[lease.content]

    def _next_path(self) -> Path:
        return self.own / str(next(self._numbers))

    # And this is not.

    def _sweep(self) -> None:
        """Remove what has been idle for long."""
        while not self._closed.wait(min(SWEEP_SECONDS, self._idle_seconds / 4)):
            with self._lock:
                latest = time.monotonic() - self._idle_seconds
                for lease in [each for each in self._idle.values() if each.idle_since <= latest]:
                    self._remove(lease)


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
