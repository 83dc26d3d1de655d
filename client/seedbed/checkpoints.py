"""Tensors in a safetensors file, read or filled through a memory map.

The format (huggingface.co/docs/safetensors): 8 bytes, little-endian, the size of a JSON header; the
header; the tensors' bytes, little-endian, in C order. The safetensors package writes only what is
in memory already, so the header is written here; tests read the result with the package.
"""

import json
import math
import stat
import struct
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import bad_value
from seedbed.spec.shapes import as_shape

# The package's own limit on a header.
MAX_HEADER_BYTES = 100_000_000
ALIGNMENT = 8

_NAMES = {
    Dtype.FLOAT16: "F16",
    Dtype.BFLOAT16: "BF16",
    Dtype.FLOAT32: "F32",
    Dtype.FLOAT64: "F64",
    Dtype.FLOAT8_E4M3FN: "F8_E4M3",
    Dtype.FLOAT8_E5M2: "F8_E5M2",
    Dtype.INT8: "I8",
    Dtype.INT16: "I16",
    Dtype.INT32: "I32",
    Dtype.INT64: "I64",
    Dtype.UINT8: "U8",
    Dtype.UINT16: "U16",
    Dtype.UINT32: "U32",
    Dtype.UINT64: "U64",
    Dtype.BOOL: "BOOL",
}
_DTYPES = {name: dtype for dtype, name in _NAMES.items()}
# The bits of an element of the format's other dtypes, which seedbed does not make.
_OTHER_BITS = {
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "C64": 64,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One tensor of a file."""

    dtype: Dtype | None
    """The type of its elements; None if seedbed makes none of it."""
    dtype_name: str
    """The same as the file says it."""
    shape: tuple[int, ...]
    """The lengths of its axes."""
    begin: int
    """Where its bytes begin in the file."""
    end: int
    """Where they end."""


Layout = Sequence[tuple[str, Dtype, tuple[int, ...]]]
"""The name, dtype and shape of each tensor of a file, in its order."""


def create(
    path: str | Path, tensors: Layout, metadata: Mapping[str, str] | None = None
) -> dict[str, NDArray[Any]]:
    """Create a file of the right size and return its tensors by name, to be filled in place.

    Args:
        path: the file; an existing one is replaced.
        tensors: what is in it.
        metadata: texts that go into the header.
    """
    prefix = header(tensors, metadata)
    with Path(path).open("wb") as file:
        file.write(prefix)
        file.truncate(len(prefix) + size_bytes(tensors))
    return _views(path, tensors, len(prefix))


def reopen(
    path: str | Path, tensors: Layout, metadata: Mapping[str, str] | None = None
) -> dict[str, NDArray[Any]] | None:
    """Return the tensors of a file that is there already; None if there is none of its size.

    Its header is written anew: that of an interrupted run may have been amended. Whether the bytes
    of a tensor are the right ones is the caller's to check.
    """
    prefix = header(tensors, metadata)
    try:
        if Path(path).stat().st_size != len(prefix) + size_bytes(tensors):
            return None
    except FileNotFoundError:
        return None
    with Path(path).open("r+b") as file:
        file.write(prefix)
    return _views(path, tensors, len(prefix))


def header(tensors: Layout, metadata: Mapping[str, str] | None = None) -> bytes:
    """Return what comes before the tensors' bytes."""
    found: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    offset = 0
    for name, dtype, shape in tensors:
        if name == "__metadata__" or name in found:
            raise bad_value(
                "name", "another than __metadata__, and different from all others", name
            )
        size = math.prod(shape) * dtype.itemsize
        found[name] = {
            "dtype": _NAMES[dtype],
            "shape": list(shape),
            "data_offsets": [offset, offset + size],
        }
        offset += size
    text = json.dumps(found, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    return struct.pack("<Q", len(text)) + text


def size_bytes(tensors: Layout) -> int:
    """Return how many bytes all tensors have."""
    return sum(math.prod(shape) * dtype.itemsize for _, dtype, shape in tensors)


def _views(path: str | Path, tensors: Layout, begin: int) -> dict[str, NDArray[Any]]:
    data = _map(path, "r+")
    views = {}
    for name, dtype, shape in tensors:
        views[name] = _view(data, dtype, shape, begin)
        begin += views[name].nbytes
    return views


def amend(
    path: str | Path, tensors: Layout, old: Mapping[str, str], new: Mapping[str, str]
) -> None:
    """Write other metadata into a file that :func:`create` made; both must take the same room.

    Args:
        path: the file.
        tensors: what is in it.
        old: the metadata that it was made with.
        new: what replaces them.
    """
    prefix = header(tensors, new)
    assert len(prefix) == len(header(tensors, old))
    with Path(path).open("r+b") as file:
        file.write(prefix)


def read_metadata(path: str | Path) -> dict[str, str]:
    """Return the texts in a file's header.

    Raises:
        InvalidValueError: if it is no safetensors file.
        OSError: if it cannot be read.
    """
    return _read_header(path)[1]


def read_header(path: str | Path) -> dict[str, Entry]:
    """Return the tensors of a file by name, in its order, without reading their bytes.

    Raises:
        InvalidValueError: if it is no safetensors file.
        OSError: if it cannot be read.
    """
    return _read_header(path)[0]


def _read_header(path: str | Path) -> tuple[dict[str, Entry], dict[str, str]]:
    """Return a file's tensors and metadata."""
    file_size = regular_file_size(path)
    with Path(path).open("rb") as file:
        prefix = file.read(8)
        size = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else 0
        if not 2 <= size <= min(MAX_HEADER_BYTES, file_size - 8):
            raise _malformed(path, f"a header of {size} bytes in a file of {file_size}")
        data = file.read(size)
    try:
        text = data.decode()
        del data  # it may be large
        entries: dict[str, Any] = json.loads(text, object_pairs_hook=partial(_object, 8 + size))
        metadata = entries.pop("__metadata__", None)
        if metadata is not None and not all(isinstance(text, str) for text in metadata.values()):
            raise ValueError("__metadata__ holds something else than texts")
        for name, entry in entries.items():
            if not isinstance(entry, Entry):
                raise TypeError(f"{name!r} has no dtype, shape and data_offsets")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _malformed(
            path, f"a header that cannot be read ({type(error).__name__}: {error})"
        ) from None
    position = 8 + size
    for name, entry in sorted(entries.items(), key=lambda item: (item[1].begin, item[1].end)):
        bits = math.prod(entry.shape) * _element_bits(entry.dtype_name)
        has_room = (entry.end - entry.begin) * 8 == bits
        if entry.begin != position or entry.end > file_size or not has_room:
            raise _malformed(
                path, f"tensor {name!r} from byte {entry.begin} to {entry.end} of {file_size}"
            )
        position = entry.end
    if position != file_size:
        raise _malformed(path, f"tensors up to byte {position} of {file_size}")
    return entries, metadata or {}


def open_tensors(path: str | Path) -> dict[str, NDArray[Any]]:
    """Return the tensors of a file by name, mapped read-only.

    Raises:
        InvalidValueError: if it is no safetensors file, or naming all tensors of a dtype that
            seedbed does not make.
        OSError: if it cannot be read.
    """
    entries = read_header(path)
    others = [f"{name} ({each.dtype_name})" for name, each in entries.items() if not each.dtype]
    if others:
        allowed = "one whose dtypes seedbed makes: " + ", ".join(_DTYPES)
        raise bad_value("file", allowed, ", ".join(others)).within(str(path))
    data = _map(path, "r")
    return {
        name: _view(data, entry.dtype, entry.shape, entry.begin)
        for name, entry in entries.items()
        if entry.dtype
    }


def regular_file_size(path: str | Path) -> int:
    """Return how many bytes a file has.

    Raises:
        InvalidValueError: if it is a pipe or device, which may never answer.
        OSError: if it cannot be looked at.
    """
    status = Path(path).stat()
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise _malformed(path, "no regular file")
    return status.st_size


def _object(base: int, pairs: list[tuple[str, Any]]) -> Any:
    """Return an object of a header: an entry where it is one, else a dict.

    Entries are made while the header is parsed: dicts and lists of them all would take several
    times as much memory.
    """
    value = without_duplicates(pairs)
    # There may be tensors of these names.
    if value.keys() >= {"dtype", "shape", "data_offsets"} and type(value["dtype"]) is not Entry:
        return _entry(value, base)
    return value


def _entry(value: Any, base: int) -> Entry:
    offsets, lengths = value["data_offsets"], value["shape"]
    if any(
        not isinstance(numbers, list) or {*map(type, numbers)} - {int}
        for numbers in (offsets, lengths)
    ):
        raise ValueError("shape or data_offsets is no list of integers")
    begin, end = offsets
    name = value["dtype"]
    if name not in _DTYPES and name not in _OTHER_BITS:
        raise ValueError(f"dtype {name} is not one of {', '.join((*_DTYPES, *_OTHER_BITS))}")
    shape = as_shape(tuple(lengths), math.ceil(_element_bits(name) / 8))
    # One text for all tensors of a dtype.
    return Entry(_DTYPES.get(name), sys.intern(name), shape, base + begin, base + end)


def _element_bits(name: str) -> int:
    return _OTHER_BITS[name] if name in _OTHER_BITS else _DTYPES[name].itemsize * 8


def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of a JSON text.

    Raises:
        ValueError: if a key stands twice, or is no valid Unicode.
    """
    for name, _ in pairs:
        name.encode()  # raises for half a surrogate pair
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _map(path: str | Path, mode: Literal["r", "r+"]) -> NDArray[np.uint8]:
    """Map the whole file once: every mapping keeps a file open."""
    return np.memmap(path, np.uint8, mode)


def _view(
    data: NDArray[np.uint8], dtype: Dtype, shape: tuple[int, ...], begin: int
) -> NDArray[Any]:
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    return data[begin : begin + size].view(dtype.numpy).reshape(shape)


def _malformed(path: str | Path, received: str) -> Exception:
    return bad_value("file", "a safetensors file", received).within(str(path))
