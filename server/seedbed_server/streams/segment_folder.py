"""The segments of a server: how many there may be, who uses them, and which may be used again.

The operator names a folder, usually on a tmpfs. The server makes a folder of its own in it, with
names that nobody chose but itself, and locks it for as long as it lives. What a server that died
left behind is removed by the next one, which finds its lock free.

The ranks of a job ask for the same tensors at about the same time. The first one's call puts a
tensor into a segment, those of the others wait for it, and all map the same memory. A segment that
no call uses stays for a while, for a rank that is late, or as memory for another tensor.
"""

import asyncio
import fcntl
import itertools
import logging
import os
import resource
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from seedbed.spec.errors import SeedbedError
from seedbed_server.sampling.sampler import SamplePlan
from seedbed_server.streams.sampling_threads import SamplingThreads
from seedbed_server.streams.segment import Segment
from seedbed_server.streams.tensor_work import TensorWork

log = logging.getLogger(__name__)

PREFIX = "seedbed-"
LOCK = "lock"


class SegmentsError(SeedbedError):
    """A folder that cannot be used for segments."""


@dataclass(slots=True, eq=False)
class Lease:
    """A segment and its content, for as long as calls use it, and a while longer."""

    segment: Segment
    content: str
    """The key of the request whose bytes it holds."""
    path: str
    """The file, below the operator's folder."""
    filled: asyncio.Task[None]
    """Done when all of the content is there."""
    users: int = 1
    expiry: asyncio.TimerHandle | None = None
    """Removes it, when no call has used it for long."""

    @property
    def is_good(self) -> bool:
        """Whether the content is there, or will be."""
        return not self.filled.done() or not (self.filled.cancelled() or self.filled.exception())

    @property
    def is_new(self) -> bool:
        """Whether its only user so far is the one for which it is filled."""
        return self.users == 1 and not self.filled.done()


class SegmentFolder:
    """A server's own folder of segments. Its state belongs to the event loop.

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
        self._mode = mode
        self.max_bytes = max_bytes
        """How much they may hold at a time."""
        self._idle_seconds = idle_seconds
        # Each segment has a descriptor, here and in every client, and neither can do without
        # others.
        self._most = max(1, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4)
        self.held_bytes = 0
        """How much the segments hold now."""
        self._count = 0
        self._by_content: dict[str, Lease] = {}
        # Oldest first: used by no call now.
        self._idle: dict[Lease, None] = {}
        self._numbers = itertools.count()
        check_directory(directory)
        try:
            _remove_stale(directory)
            self.own = directory / f"{PREFIX}{os.getpid()}-{secrets.token_hex(8)}"
            self.own.mkdir(mode=0o700)
            # Who may read a file may enter its folder.
            self.own.chmod(0o700 | (mode & 0o044) >> 2 | mode & 0o044)
            self._guard = _guard(self.own)
        except OSError as error:
            raise SegmentsError(
                f"--shared-memory-dir {directory} cannot be used: {error.strerror or error}"
            ) from None

    def lease(self, plan: SamplePlan, peer: str, threads: SamplingThreads) -> Lease | None:
        """Return a segment that holds a tensor or will soon; None if there is no room for one.

        Raises:
            NoRoomError: if the tensor is computed whole and there is no memory for it now.
        """
        lease = self._by_content.get(plan.request.key)
        if lease is not None and lease.is_good:
            lease.users += 1
            self._use(lease)
            return lease
        work = TensorWork(plan, peer, threads)
        segment = self._used_again(plan.size_bytes) or self._new(plan.size_bytes)
        if segment is None:
            work.close()
            return None
        # Filled for whoever wants it: the call that asked first may end before the others'.
        filled = asyncio.get_running_loop().create_task(segment.fill(work, peer))
        filled.add_done_callback(lambda _: work.close())
        path = f"{self.own.name}/{segment.path.name}"
        lease = Lease(segment, plan.request.key, path, filled)
        self._by_content[lease.content] = lease
        return lease

    def give_back(self, lease: Lease) -> None:
        """Record that a call uses a segment no longer."""
        lease.users -= 1
        if lease.users:
            return
        lease.filled.cancel()  # does nothing once it is filled
        if not lease.filled.done() or not lease.is_good or not self._idle_seconds:
            self._remove(lease)
            return
        self._idle[lease] = None
        loop = asyncio.get_running_loop()
        lease.expiry = loop.call_later(self._idle_seconds, self._remove, lease)

    def close(self) -> None:
        """Remove the folder and all that is in it."""
        self._idle_seconds = 0.0
        for lease in list(self._idle):
            self._remove(lease)
        shutil.rmtree(self.own, ignore_errors=True)
        os.close(self._guard)

    def _used_again(self, size_bytes: int) -> Segment | None:
        for lease in self._idle:
            if lease.segment.size_bytes == size_bytes and lease.segment.take_back(
                self._next_path()
            ):
                self._use(lease)
                self._forget(lease)
                return lease.segment
        return None

    def _new(self, size_bytes: int) -> Segment | None:
        while self._idle and not self._has_room(size_bytes):
            self._remove(next(iter(self._idle)))
        if not self._has_room(size_bytes):
            return None
        try:
            segment = Segment(self._next_path(), size_bytes, self._mode)
        except OSError as error:
            log.warning("no segment of %d bytes: %s", size_bytes, error)
            return None
        self.held_bytes += size_bytes
        self._count += 1
        return segment

    def _has_room(self, size_bytes: int) -> bool:
        is_within = self.held_bytes + size_bytes <= self.max_bytes and self._count < self._most
        return is_within and size_bytes <= _free_bytes(self.own)

    def _use(self, lease: Lease) -> None:
        """Take a segment from those that no call uses."""
        self._idle.pop(lease, None)
        if lease.expiry is not None:
            lease.expiry.cancel()
            lease.expiry = None

    def _forget(self, lease: Lease) -> None:
        """Make sure that nobody is given the content any more."""
        if self._by_content.get(lease.content) is lease:
            del self._by_content[lease.content]

    def _remove(self, lease: Lease) -> None:
        self._use(lease)
        self._forget(lease)
        lease.segment.remove()
        self.held_bytes -= lease.segment.size_bytes
        self._count -= 1

    def _next_path(self) -> Path:
        return self.own / str(next(self._numbers))


def check_directory(directory: Path) -> None:
    """Raise unless a folder can be one for segments.

    Raises:
        SegmentsError: if the folder is not there, or cannot be written.
    """
    if not directory.is_absolute() or not directory.is_dir():
        raise SegmentsError(
            f"--shared-memory-dir must be an existing folder's absolute path. Received: {directory}"
        )
    if not os.access(directory, os.W_OK | os.X_OK):
        raise SegmentsError(f"--shared-memory-dir {directory} cannot be used: Permission denied")


def _guard(folder: Path) -> int:
    """Return a descriptor that keeps others from removing a folder.

    The file gets its name when it is locked: another server that starts would find it free before.
    """
    fresh = folder / f"{LOCK}-new"
    guard = _locked(fresh, os.O_CREAT)
    fresh.rename(folder / LOCK)
    return guard


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
    """Return what a folder has room for: nothing, if somebody took it away."""
    try:
        found = os.statvfs(directory)
    except OSError:
        return 0
    return found.f_bavail * found.f_frsize
