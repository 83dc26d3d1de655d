"""The modes of files that decide who may do what."""

import logging
import os
import stat
from pathlib import Path

from seedbed.spec.errors import SeedbedError

log = logging.getLogger(__name__)


class FileModeError(SeedbedError):
    """A file that others could change."""


def check_not_writable(path: Path) -> None:
    """Raise if users other than the owner's may write to a file.

    A read-only mount allows nobody to write, whatever modes it shows: secrets that Kubernetes or
    a desktop's virtual machine mounts often say 777.
    """
    is_writable = path.stat().st_mode & stat.S_IWOTH
    if is_writable and not os.statvfs(path).f_flag & os.ST_RDONLY:
        raise FileModeError(f"others can write to {path}: chmod o-w {path}")


def warn_if_readable(path: Path) -> None:
    """Log a warning if users other than the owner's may read a file."""
    if path.stat().st_mode & stat.S_IROTH:
        log.warning("others can read the hashes in %s: chmod o-r %s", path, path)
