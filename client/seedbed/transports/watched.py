"""What is read from files, and read again when they change."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from seedbed.errors import InvalidValueError
from seedbed.transports.forks import forgets_after_fork

log = logging.getLogger("seedbed")

# A look costs some microseconds for each file, and each call may make it.
LOOK_SECONDS = 1.0

T = TypeVar("T")


class Watched(Generic[T]):
    """A value from files. Safe to use from several threads, and after a fork.

    It has no lock, which a forked child might find locked: two threads that see a change both read
    the files, and get the same.

    Args:
        paths: the files; symbolic links are followed, as Kubernetes swaps them.
        load: reads the value; raises InvalidValueError, without a secret in it, if it cannot.
        clock: the time in seconds.

    Raises:
        InvalidValueError: if it cannot be read at first. Later, a warning says so, and the old
            value stays in use.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        load: Callable[[], T],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._paths = tuple(paths)
        self._load = load
        self._clock = clock
        self._looked_at = clock()
        # The files' stamps are taken before they are read: what changes meanwhile is read again.
        # Both change at once: a late thread must not leave an old value under new stamps.
        self._seen: tuple[tuple[object, ...] | None, T] = (self._look(), load())
        forgets_after_fork(self)

    def __call__(self) -> T:
        """Return the value; at most once a second, this looks whether the files have changed."""
        now = self._clock()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._read_again()
        return self._seen[1]

    def forget(self) -> None:
        """Read the files again in a forked child: OpenSSL may hold a lock in what was read."""
        self._looked_at, self._seen = -math.inf, (None, self._seen[1])

    def _read_again(self) -> None:
        stamps = self._look()
        if stamps == self._seen[0]:
            return
        try:
            self._seen = (stamps, self._load())
        except InvalidValueError as error:
            log.warning("%s; what was read before stays in use", error)
            self._seen = (stamps, self._seen[1])

    def _look(self) -> tuple[object, ...]:
        return tuple(_stamp(path) for path in self._paths)


def _stamp(path: Path) -> object:
    """Return what changes with a file's content, or with who may read it; None is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
