"""Mapping a segment: a tensor that a server on this host has put into shared memory, without copying a byte of it."""

import mmap
import os
import re
import stat
from pathlib import Path

from seedbed.wire.protos import segment_from_bytes

# What a server's paths look like; anything else could lead out of the folder.
PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,100}/[A-Za-z0-9_-][A-Za-z0-9._-]{0,100}")


class SegmentError(Exception):
    """A segment that this process cannot map; the tensor can still be had through the stream."""


def map_segment(data: bytes, size_bytes: int, directory: str | None = None) -> memoryview:
    """Return a segment's memory, private to this process: what is written to it nobody else sees.

    Args:
        data: a serialized Segment.
        size_bytes: how large it must be; not 0.
        directory: where the server's folder is for this process, if not where it is for the server.

    Raises:
        SegmentError: if it is not there, may not be read, or is not what it should be.
    """
    try:
        folder, path, said_bytes = segment_from_bytes(data)
    except ValueError as error:
        raise SegmentError(str(error)) from None
    if not PATH.fullmatch(path) or said_bytes != size_bytes:
        raise SegmentError(f"segment {path!r} of {said_bytes} bytes, where {size_bytes} were due")
    try:
        descriptor = os.open(Path(directory or folder, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (OSError, ValueError) as error:  # a folder with a zero byte in its name is a ValueError
        raise SegmentError(f"segment {path}: {error}") from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size != size_bytes:
            raise SegmentError(f"segment {path} is no file of {size_bytes} bytes")
        protection = mmap.PROT_READ | mmap.PROT_WRITE
        return memoryview(mmap.mmap(descriptor, size_bytes, flags=mmap.MAP_PRIVATE, prot=protection))
    except OSError as error:
        raise SegmentError(f"segment {path}: {error.strerror}") from None
    finally:
        os.close(descriptor)
