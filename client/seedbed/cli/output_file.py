"""A file that appears whole or not at all: written in a hidden folder beside it, then renamed.

The folder's name follows from the file's, so that the next run for the same output finds what a
killed one left. It is locked: of two runs at a time the second is told of the first.
"""

import errno
import fcntl
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from seedbed.cli.result import CommandError

LOCK = "lock"
# Where the kernel names no file, as it does not for a file that is open.
NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
# Of file systems without locks, such as Lustre as it is often mounted.
NO_LOCKS = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK)


def checked_output(path: str | Path) -> Path:
    """Return where a file is to go; checked before any work is done.

    Raises:
        CommandError: if something that is no file is there, or its folder is missing.
    """
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise CommandError(f"{path} is a loop of links")
    if target.exists() and not target.is_file():
        raise CommandError(f"{path} exists and is no file")
    if not target.parent.is_dir():
        raise CommandError(f"{target.parent} is no folder; make it first")
    if not os.access(target.parent, os.W_OK):
        raise CommandError(f"{target.parent} cannot be written to")
    return Path(path)


def check_replaceable(path: str | Path, *, is_forced: bool) -> None:
    """Replace no file unless told to.

    Raises:
        CommandError: if there is one.
    """
    if Path(path).is_file() and not is_forced:
        raise CommandError(f"{path} exists: --force replaces it")


@contextmanager
def unfinished(target: Path, *, is_forced: bool) -> Iterator[Path]:
    """Yield the name to write to; it becomes ``target``, or is removed if the block fails.

    A link stays: what it points to is replaced.

    Raises:
        CommandError: if another process writes the same, or has meanwhile.
    """
    target = Path(os.path.realpath(target))
    with part_folder(target) as folder:
        clear(folder)
        check_replaceable(target, is_forced=is_forced)
        try:
            yield folder / target.name
            check_replaceable(target, is_forced=is_forced)
            (folder / target.name).replace(target)
        finally:
            clear(folder)


@contextmanager
def part_folder(target: Path) -> Iterator[Path]:
    """Yield the locked folder of what is not yet complete; it stays if something is left in it.

    Raises:
        CommandError: if another process has it, if it is a link or has one, or is another user's:
            what a link points to would be written to.
        OSError: if it cannot be made.
    """
    folder = target.with_name(f".{target.name}.part")
    if folder.is_symlink():
        raise CommandError(f"{folder} is a link, and what is there would be removed")
    lock = None
    try:
        lock = _locked(folder, target)
        _check_own(folder)
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {platform.node()}")
        lock.flush()
        yield folder
    except OSError as error:
        if error.errno in NO_ROOM and error.filename is None:
            error.filename = str(target)
        raise
    finally:
        if lock is not None:
            with suppress(OSError):  # a full disk has not taken what is buffered
                lock.close()
        # An interrupt may have come before the lock was had: whoever has it now keeps the folder.
        _drop(folder)


def clear(folder: Path) -> None:
    """Remove what is in a locked folder."""
    for path in folder.iterdir():
        if path.name != LOCK:
            path.unlink()


def _locked(folder: Path, target: Path) -> IO[str]:
    """Make the folder if need be; return its lock, which only this process has."""
    while True:
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except FileExistsError:
            raise CommandError(f"{folder} is no folder, and has to be removed first") from None
        try:
            _check_own(folder)
            file = (folder / LOCK).open("a+", encoding="utf-8", errors="replace")
        except FileNotFoundError:  # whoever had it has just removed the folder
            continue
        try:
            _lock(file, target)
            if _is_there(file, folder):
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def _check_own(folder: Path) -> None:
    if folder.stat().st_uid != os.geteuid():
        raise CommandError(f"{folder} belongs to another user; it has to be removed first")
    for path in folder.iterdir():
        if path.is_symlink():
            raise CommandError(f"{path} is a link, and what it points to would be written to")


def _drop(folder: Path) -> None:
    """Remove a folder with nothing but a lock in it, unless somebody has the lock."""
    with suppress(OSError, CommandError):
        _check_own(folder)  # opening what a link points to might make it
        with (folder / LOCK).open("a+", encoding="utf-8") as file:
            _lock(file, folder)
            if _is_there(file, folder):
                (folder / LOCK).unlink()
                folder.rmdir()


def _is_there(file: IO[str], folder: Path) -> bool:
    """Return whether a lock is still the folder's: whoever had it may have removed it."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), (folder / LOCK).stat())
    except FileNotFoundError:
        return False


def _lock(file: IO[str], target: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read() or "another process"
        raise CommandError(f"{holder} writes {target} at the moment") from None
    except OSError as error:
        if error.errno not in NO_LOCKS:
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
