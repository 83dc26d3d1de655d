"""The modes of files that decide who may do what."""

import logging
import os
import stat
from pathlib import Path

from seedbed.spec.errors import SeedbedError

log = logging.getLogger(__name__)


class FileModeError(SeedbedError):
    """A file that others could change, or that is none."""


def check_is_file(path: Path) -> None:
    """Raise unless a path is that of a file.

    What comes through a pipe can be read once only, and waiting for it would hold up everybody.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise FileModeError(f"{path} must be a regular file, which is read again when it changes")


def check_not_writable(path: Path) -> None:
    """Raise if users other than the owner's may write to a file, or there is none.

    A read-only mount allows nobody to write, whatever modes it shows: secrets that Kubernetes or
    a desktop's virtual machine mounts often say 777.
    """
    check_is_file(path)
    is_writable = path.stat().st_mode & stat.S_IWOTH
    if is_writable and not os.statvfs(path).f_flag & os.ST_RDONLY:
        raise FileModeError(f"others can write to {path}: chmod o-w {path}")


def warn_if_readable(path: Path) -> None:
    """Log a warning if users other than the owner's may read a file."""
    if path.stat().st_mode & stat.S_IROTH:
        log.warning("others can read the hashes in %s: chmod o-r %s", path, path)
