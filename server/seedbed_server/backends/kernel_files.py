"""Files of machine code in the kernel cache, each with a digest of its content."""

import hashlib
import logging
import os
from pathlib import Path

log = logging.getLogger(__name__)


def read_kernels(path: Path) -> bytes | None:
    """Return a file's machine code, or None if it is not there or not as it was written."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    code = content[: -hashlib.sha256().digest_size]
    if content == _with_digest(path, code):
        return code
    log.warning("kernels are compiled again: %s is damaged", path)
    return None


def write_kernels(path: Path, code: bytes) -> None:
    """Write a file all at once: who reads it finds all of it or none, whatever ends this process.

    Raises:
        OSError: if it cannot be written; no part of it stays.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(_with_digest(path, code))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)  # there only if one of the two failed


def _with_digest(path: Path, code: bytes) -> bytes:
    """Return a file's content; who runs machine code that is not whole may crash."""
    return code + hashlib.sha256(path.name.encode() + code).digest()
