"""Compiles kernels for the processor, and keeps them on disk so that the next start is quick.

The cache is a folder named after a digest of all kernel sources, so that a changed element function
is never missed, with a file for each kernel and processor.
"""

import functools
import hashlib
import logging
import os
import pickle
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numba
from numba import njit
from numba.core.compiler import CompileResult
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target
from numba.core.runtime import rtsys
from numba.core.serialize import dumps

from seedbed.spec.errors import SeedbedError
from seedbed_server import kernels
from seedbed_server.backends.kernel_files import read_kernels, write_kernels

log = logging.getLogger(__name__)

CACHE_VARIABLE = "SEEDBED_KERNEL_CACHE_DIR"


class KernelError(SeedbedError):
    """A process in which no kernel can be compiled."""


class CacheError(SeedbedError):
    """A folder of kernels into which others could have put code."""


def compile_kernel(
    function: Callable[..., None], signature: str, path: Path | None
) -> Callable[..., None]:
    """Return a kernel compiled for exactly one signature; it runs without Python's global lock.

    Args:
        function: the kernel in Python.
        signature: its arguments' types, as numba writes them.
        path: the file that keeps it; written if it is not there, or damaged. None keeps it nowhere.

    Raises:
        KernelError: if numba has been told not to compile.
    """
    if numba.config.DISABLE_JIT:
        raise KernelError(
            "the engine's kernels are compiled by numba, which NUMBA_DISABLE_JIT switches off: "
            "unset it, or name a server"
        )
    # With numba's own error model each division might raise, and a loop that might is not
    # vectorized.
    dispatcher: Any = njit(nogil=True, error_model="numpy")(function)
    with global_compiler_lock:
        kept = None if path is None else _kept(path, dispatcher.targetctx)
        if kept is not None:
            dispatcher.add_overload(kept)
        else:
            dispatcher.compile(signature)
            _keep(dispatcher, path)
    dispatcher.disable_compile()
    return dispatcher


# numba's own cache would load all that numba knows of types first, with scipy where that is
# installed; that takes half of a start's time, and only compiling needs it. Its index is not safe
# from several machines that write to one folder, and its place depends on variables of the user's.


def _kept(path: Path, target: Any) -> Any:
    """Return what :func:`_keep` wrote, for numba to run; None if there is no such file."""
    code = read_kernels(path)
    if code is None:
        return None
    rtsys.initialize(target)  # it has the functions that allocate arrays
    return CompileResult._rebuild(target, *pickle.loads(code))  # noqa: SLF001


def _keep(dispatcher: Any, path: Path | None) -> None:
    """Write a compiled kernel to a file; where there is no room, the next start compiles again."""
    (compiled,) = dispatcher.overloads.values()
    if path is not None:
        with suppress(OSError):
            write_kernels(path, dumps(compiled._reduce()))  # noqa: SLF001


def code_digest(signature: str) -> str:
    """Return a short digest of all but the sources that a kernel's machine code depends on."""
    target: Any = cpu_target.target_context.codegen().magic_tuple()
    settings = [str(getattr(numba.config, name)) for name in _SETTINGS]
    what = (signature, target, sys.implementation.cache_tag, settings)
    return hashlib.sha256(repr(what).encode()).hexdigest()[:16]


# What a user may set to look for a fault of their own: the bits stay, but the kernels are slow.
_SETTINGS = ("OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "BOUNDSCHECK", "DEBUGINFO_DEFAULT")


@functools.cache
def cache_directory() -> Path | None:
    """Return a writable folder for compiled kernels, or None if there is no place to write.

    The first of: ``$SEEDBED_KERNEL_CACHE_DIR``; ``$XDG_CACHE_HOME/seedbed`` or
    ``~/.cache/seedbed``. Where that is read-only but filled (an image with a read-only root), a
    temporary copy of it. What lies there is code: where others could have written it, a default
    folder is left alone, with a warning.

    Raises:
        CacheError: if the variable names such a folder.
    """
    name = f"kernels-{sources_digest()}"
    base = _base_directory()
    try:
        if base is not None:
            is_writable = _is_writable(base / name)
            check_code_folder(base / name)
            if is_writable:
                return base / name
    except CacheError as error:
        if os.environ.get(CACHE_VARIABLE):
            raise
        log.warning("kernels are compiled for this start: %s", error)
        return None
    return _temporary_directory(base, name)


def _temporary_directory(base: Path | None, name: str) -> Path | None:
    try:
        temporary = Path(tempfile.gettempdir()) / f"seedbed-{os.getuid()}" / name
    except FileNotFoundError:  # all is read-only
        return None
    if not _is_writable(temporary):
        return None
    try:
        check_code_folder(temporary)
        if base is not None:
            _copy_missing(base / name, temporary)
    except OSError:
        return None
    except CacheError as error:  # anybody can make a folder of that name before we do
        log.warning("kernels are compiled for this start: %s", error)
        return None
    return temporary


def check_code_folder(folder: Path) -> None:
    """Raise if others than this user and root may have written to a folder, or its parent.

    Raises:
        CacheError: naming the folder, or the file in it.
    """
    try:
        parent, found = folder.parent.stat(), folder.stat()
    except OSError:  # where it cannot be found, nothing of it is used
        return
    _check_owner(folder.parent, parent)
    _check_owner(folder, found)
    for path in folder.rglob("*"):
        try:
            inner = path.lstat()
        except OSError as error:
            raise CacheError(f"{path} cannot be checked: {error.strerror}") from None
        # numba makes files by the umask; where others cannot enter the folder, that is all one.
        is_link = stat.S_ISLNK(inner.st_mode)
        _check_owner(path, inner, any_mode=is_link or not found.st_mode & 0o011)


def _check_owner(path: Path, found: os.stat_result, *, any_mode: bool = False) -> None:
    """Raise unless a file is this user's or root's, and only theirs to write."""
    if found.st_uid not in (os.getuid(), 0):
        raise CacheError(f"{path} belongs to another user, whose code it may hold")
    if found.st_mode & 0o022 and not any_mode:
        raise CacheError(f"others may write to {path}, and it may hold their code")


def _base_directory() -> Path | None:
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named).absolute()
    if cache := os.environ.get("XDG_CACHE_HOME"):
        return Path(cache).absolute() / "seedbed"
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
        directory.parent.parent.mkdir(parents=True, exist_ok=True)
        for folder in (directory.parent, directory):
            folder.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            return True
    except OSError:
        return False
