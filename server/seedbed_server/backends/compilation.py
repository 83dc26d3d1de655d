"""Compiles kernels for the processor, and keeps them on disk so that the next start is quick.

numba keeps its cache beside the source by default and looks only at the date of the file that holds
the kernel itself. Ours lies in a folder named after a digest of all kernel sources, so a changed
element function is never missed.
"""

import functools
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba import njit

from seedbed_server import kernels

CACHE_VARIABLE = "SEEDBED_KERNEL_CACHE_DIR"


def compile_kernel(function: Callable[..., None], signature: str) -> Callable[..., None]:
    """Return a kernel compiled for exactly one signature; it runs without Python's global lock."""
    # With numba's own error model each division might raise, and a loop that might is not
    # vectorized.
    dispatcher: Any = njit(nogil=True, error_model="numpy")(function)
    directory = cache_directory()
    if directory is not None:
        # numba chooses the folder when caching is switched on and reads it from its configuration
        # only; the process may use numba for its own purposes, so the setting is put back.
        previous = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = str(directory)
        try:
            dispatcher.enable_caching()
        finally:
            numba.config.CACHE_DIR = previous
    dispatcher.compile(signature)
    dispatcher.disable_compile()
    return dispatcher


@functools.cache
def cache_directory() -> Path | None:
    """Return a writable folder for compiled kernels, or None if there is no place to write.

    The first of: ``$SEEDBED_KERNEL_CACHE_DIR``; ``$XDG_CACHE_HOME/seedbed`` or
    ``~/.cache/seedbed``. Where that is read-only but filled (an image with a read-only root), a
    temporary copy of it.
    """
    name = f"kernels-{sources_digest()}"
    base = _base_directory()
    if base is not None and _is_writable(base / name):
        return base / name
    try:
        temporary = Path(tempfile.gettempdir()) / f"seedbed-{os.getuid()}" / name
        for folder in (temporary.parent, temporary):
            folder.mkdir(mode=0o700, exist_ok=True)
            # Another user's folder could hold another user's code.
            if folder.lstat().st_uid != os.getuid():
                return None
        if base is not None:
            _copy_missing(base / name, temporary)
    except OSError:
        return None
    return temporary if _is_writable(temporary) else None


def _base_directory() -> Path | None:
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    if cache := os.environ.get("XDG_CACHE_HOME"):
        return Path(cache) / "seedbed"
    try:
        return Path.home() / ".cache" / "seedbed"
    except RuntimeError:  # a user that is only a number, as in a container, may have no home
        return None


def _copy_missing(source: Path, target: Path) -> None:
    """Copy the files that the target lacks.

    It may hold kernels compiled since, and another process may be reading it; and since the modes
    of folders are not copied, the copy of a read-only folder can be written to.
    """
    for path in source.rglob("*"):
        copy = target / path.relative_to(source)
        if path.is_file() and not copy.exists():
            copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            partial = copy.with_name(f".{copy.name}.{os.getpid()}")
            shutil.copyfile(path, partial)
            partial.replace(copy)


def sources_digest() -> str:
    """Return a short digest of the kernels' sources, and of this file, which has the options."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in (Path(__file__), *sorted(Path(kernels.__file__).parent.glob("*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _is_writable(directory: Path) -> bool:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            return True
    except OSError:
        return False
