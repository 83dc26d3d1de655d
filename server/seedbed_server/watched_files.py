"""What an operator's files say, read again when they change."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from seedbed.spec.errors import SeedbedError

log = logging.getLogger(__name__)

# A look costs some microseconds for each file, and a call makes it.
LOOK_SECONDS = 1.0

T = TypeVar("T")
Stamp = tuple[int, ...] | None


class WatchedFileError(SeedbedError):
    """A file that cannot be read."""


class WatchedFile(Generic[T]):
    """What is read from one file, or from several that belong together.

    What is wrong with a new content is logged once, and the old value stays in use. What could not
    be read, as when no descriptor was left, is tried again. Threads may share it.

    Args:
        paths: the files; symbolic links are followed, as Kubernetes swaps them.
        load: returns the value. Its errors name the file, and no secret that is in it.
        clock: the time in seconds.

    Raises:
        WatchedFileError: if a file cannot be read at first.
        SeedbedError: whatever else ``load`` raises then.
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
        self._lock = threading.Lock()
        self._looked_at = clock()
        # Before they are read: what changes meanwhile is read again.
        self._stamps = self._look()
        self._value = self._loaded()
        self._complaint = ""

    @property
    def value(self) -> T:
        """The value, by the latest look."""
        self.look()
        return self._value

    def look(self) -> None:
        """Read the files again if they have changed; this looks at most once a second."""
        if self._clock() - self._looked_at >= LOOK_SECONDS:
            with self._lock:
                if self._clock() - self._looked_at >= LOOK_SECONDS:
                    self._looked_at = self._clock()
                    self._reload()

    def _reload(self) -> None:
        stamps = self._look()
        if stamps == self._stamps:
            return
        self._stamps = stamps
        try:
            self._value = self._loaded()
        except SeedbedError as error:
            if isinstance(error, WatchedFileError):
                self._stamps = []  # it may be there at the next look, and look the same
            if self._complaint != str(error):
                log.error("%s; what was read before stays in use", error)
            self._complaint = str(error)
        else:
            self._complaint = ""
            log.info("files read again", extra={"fields": {"paths": list(map(str, self._paths))}})

    def _loaded(self) -> T:
        try:
            return self._load()
        except OSError as error:
            where = error.filename or ", ".join(map(str, self._paths))
            raise WatchedFileError(f"cannot read {where}: {error.strerror or error}") from None

    def _look(self) -> list[Stamp]:
        return [_stamp(path) for path in self._paths]


def _stamp(path: Path) -> Stamp:
    """Return what changes with a file's content, or with who may read it; None is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
