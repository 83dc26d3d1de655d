"""Checks that a tensor fits in memory or on disk, made before sampling.

Overdrawn memory ends in a killed process, not in an error.
"""

import os
import shutil
from pathlib import Path

from seedbed.cli.result import CommandError
from seedbed.reports.text import size_text


def check_memory(needed_bytes: int, advice: str) -> None:
    """Raise if the machine has not that much memory left.

    Raises:
        CommandError: with the advice.
    """
    available = _available_memory_bytes()
    if available is not None and needed_bytes > available:
        needed = (
            f"{size_text(needed_bytes)} of memory are needed "
            f"and {size_text(available)} are available"
        )
        raise CommandError(f"{needed}; {advice}")


def check_disk(path: Path, needed_bytes: int) -> None:
    """Raise if a file of that size does not fit where it is to go.

    Raises:
        CommandError: if it does not.
        OSError: if the folder cannot be read.
    """
    free = shutil.disk_usage(Path(os.path.realpath(path)).parent).free
    if needed_bytes > free:
        raise CommandError(
            f"{path} needs {size_text(needed_bytes)} "
            f"and {size_text(free)} are free in {path.parent}"
        )


def _available_memory_bytes() -> int | None:
    """Return what the kernel says is available without swapping, or None where it does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next(
        (int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None
    )
