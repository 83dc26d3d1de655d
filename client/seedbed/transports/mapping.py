"""Maps, without a copy, tensors that a server on this host has put into shared memory."""

import fcntl
import functools
import mmap
import os
import re
import resource
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from seedbed.interrupts.held_signals import signals_held
from seedbed.wire.protos import segment_from_bytes

# What a server's paths look like; anything else could lead out of the folder.
PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,100}/[A-Za-z0-9_-][A-Za-z0-9._-]{0,100}")


class SegmentError(Exception):
    """A segment that this process cannot map; the tensor can still be had through the stream."""


class SegmentBusyError(SegmentError):
    """A segment that this process cannot map now, but perhaps another one later."""


class Mapper:
    """Maps the segments of one server, for as long as asking for them is of use.

    Args:
        target: the server's address, as given to ``connect``; only a Unix socket is sure to be on
            this host.
        directory: where the server's folder is for this process, if not where it is for the server.
    """

    def __init__(self, target: str, directory: str | None = None) -> None:
        self.is_of_use = target.startswith("unix:")
        self.map_segment = functools.partial(map_segment, directory=directory)

    @contextmanager
    def attempt(self, on_bytes: Callable[[int], None]) -> Iterator[Callable[[int], None]]:
        """Leave the block, without an error, if a segment cannot be had.

        The stream still has the tensors then.

        Yields:
            what is to be called in place of ``on_bytes``, which then hears that those bytes come
            again.
        """
        arrived = 0

        def count(size_bytes: int) -> None:
            nonlocal arrived
            arrived += size_bytes
            on_bytes(size_bytes)

        try:
            yield count
        except SegmentError as error:
            # What cannot be opened now cannot be opened later; what is full or busy may have room
            # again.
            self.is_of_use &= isinstance(error, SegmentBusyError)
            on_bytes(-arrived)


def map_segment(data: bytes, size_bytes: int, directory: str | None = None) -> memoryview:
    """Return a segment's memory, private to this process: what is written to it nobody else sees.

    Until nothing refers to it any more, the server is kept from using the memory for something
    else.

    Args:
        data: a serialized Segment.
        size_bytes: how large it must be; not 0.
        directory: where the server's folder is for this process, if not where it is for the server.

    Raises:
        SegmentError: if it is not there, may not be read, or is not what it should be.
        SegmentBusyError: if it has become another tensor's, or this process has too many files
            open.
    """
    try:
        folder, path, said_bytes = segment_from_bytes(data)
    except ValueError as error:
        raise SegmentError(str(error)) from None
    if not PATH.fullmatch(path) or said_bytes != size_bytes:
        raise SegmentError(f"segment {path!r} of {said_bytes} bytes, where {size_bytes} were due")
    with signals_held():  # nobody would close a descriptor that an interrupt parts from its name
        return _mapped(Path(directory or folder, path), path, size_bytes)


def _mapped(file: Path, path: str, size_bytes: int) -> memoryview:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (OSError, ValueError) as error:  # a folder with a zero byte in its name is a ValueError
        raise SegmentError(f"segment {path}: {error}") from None
    try:
        _check_descriptor(descriptor)
        found = _locked(descriptor, file)
        if not stat.S_ISREG(found.st_mode) or found.st_size != size_bytes:
            raise SegmentError(f"segment {path} is no file of {size_bytes} bytes")
        protection = mmap.PROT_READ | mmap.PROT_WRITE
        # The mapping has a descriptor of its own of the same open file, and so keeps the lock.
        return memoryview(
            mmap.mmap(descriptor, size_bytes, flags=mmap.MAP_PRIVATE, prot=protection)
        )
    except OSError as error:
        raise SegmentError(f"segment {path}: {error.strerror}") from None
    finally:
        os.close(descriptor)


def _check_descriptor(descriptor: int) -> None:
    """Leave some descriptors to the rest of the program.

    A system gives the lowest number that is free.
    """
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if descriptor > most // 4 * 3:
        raise SegmentBusyError(f"this process has {descriptor} of at most {most} files open")


def _locked(descriptor: int, file: Path) -> os.stat_result:
    """Lock a segment and return its status.

    One that was renamed meanwhile holds another tensor by now.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        found, named = os.fstat(descriptor), file.lstat()
    except (BlockingIOError, FileNotFoundError):
        raise SegmentBusyError(f"segment {file.name} is another tensor's by now") from None
    if (found.st_dev, found.st_ino) != (named.st_dev, named.st_ino):
        raise SegmentBusyError(f"segment {file.name} is another tensor's by now")
    return found
