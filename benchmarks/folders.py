"""Folders that a benchmark needs and removes: for sockets, and in shared memory."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")


class FolderError(Exception):
    """A folder that cannot be had here."""


@contextmanager
def socket_folder() -> Iterator[Path]:
    """Yield a folder for Unix sockets: their paths must be short."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as folder:
        yield Path(folder)


@contextmanager
def shared_folder() -> Iterator[Path]:
    """Yield a folder in memory, as the system has it mounted."""
    with tempfile.TemporaryDirectory(
        dir=SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
    ) as folder:
        yield Path(folder)


@contextmanager
def huge_page_folder(size_bytes: int) -> Iterator[Path]:
    """Yield a folder in memory with pages of 2 MiB for large files: a tmpfs of our own.

    Args:
        size_bytes: how much it may hold.

    Raises:
        FolderError: if this process may not mount one.
    """
    with tempfile.TemporaryDirectory() as folder:
        options = f"size={size_bytes},mode=0700,huge=within_size"
        _run("mount", "-t", "tmpfs", "-o", options, "tmpfs", folder)
        try:
            yield Path(folder)
        finally:
            _run("umount", "--lazy", folder)


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise FolderError(f"there is no {command[0]}") from None
    except subprocess.CalledProcessError as error:
        raise FolderError(str(error.stderr).strip()) from None
