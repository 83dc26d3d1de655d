"""A file that appears whole or not at all: written beside its place, then renamed."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seedbed.cli.result import CommandError


def checked_output(path: str | Path) -> Path:
    """Return where a file is to go; checked before any work is done.

    Raises:
        CommandError: if something that is no file is there, or its folder is missing.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise CommandError(f"{path} exists and is no file")
    if not target.parent.is_dir():
        raise CommandError(f"{target.parent} is no folder; make it first")
    if not os.access(target.parent, os.W_OK):
        raise CommandError(f"{target.parent} cannot be written to")
    return Path(path)


@contextmanager
def unfinished(target: Path) -> Iterator[Path]:
    """Yield the name to write to; it becomes ``target``, or is removed if the block fails.

    A link stays: what it points to is replaced.
    """
    target = Path(os.path.realpath(target))
    path = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        yield path
        path.replace(target)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def reserve(path: Path) -> None:
    """Give a file of holes its blocks: writing to a mapping on a full disk would kill the process.

    Raises:
        OSError: if the disk is full.
    """
    size = path.stat().st_size
    if size and hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, size)
