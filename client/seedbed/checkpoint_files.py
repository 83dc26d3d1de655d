"""The files of a checkpoint: one, those of a folder or of an index, or a list of them.

Names and index are those that transformers writes and reads: ``model.safetensors``, or
``model-00001-of-00002.safetensors`` and so on with ``model.safetensors.index.json``.
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from numpy.typing import NDArray

from seedbed.checkpoints import (
    MAX_HEADER_BYTES,
    Entry,
    open_tensors,
    read_header,
    read_metadata,
    regular_file_size,
    without_duplicates,
)
from seedbed.spec.errors import bad_type, bad_value

SINGLE_FILE = "model.safetensors"
INDEX = "model.safetensors.index.json"

CheckpointPath = str | PathLike[str] | Sequence[str | PathLike[str]]
"""A file, a folder, an index, or a list of these."""

ValueT = TypeVar("ValueT")


def read_headers(path: CheckpointPath) -> dict[str, Entry]:
    """Return the tensors of a checkpoint by name, without reading their bytes.

    Raises:
        InvalidValueError: if it is no checkpoint, or two files have a tensor of the same name.
        OSError: if it cannot be read.
    """
    return _of_all_files(path, read_header)


def open_all(path: CheckpointPath) -> dict[str, NDArray[Any]]:
    """Return the tensors of a checkpoint by name, mapped read-only.

    Raises:
        InvalidValueError: likewise.
        OSError: if it cannot be read.
    """
    return _of_all_files(path, open_tensors)


def metadata_of(path: CheckpointPath) -> dict[str, str]:
    """Return the texts in the header of a checkpoint's first file.

    Raises:
        InvalidValueError: likewise.
        OSError: if it cannot be read.
    """
    return read_metadata(next(_files_of(path))[0])


def names_by_file(path: CheckpointPath) -> dict[Path, list[str]]:
    """Return the names of the tensors in each file of a checkpoint.

    Raises:
        InvalidValueError: likewise.
        OSError: if it cannot be read.
    """
    return {file: list(read_header(file)) for file, _ in _files_of(path)}


def file_count(name: str) -> int:
    """Return how many files a model has of which one has this name.

    Example:
        >>> file_count("model-00001-of-00002.safetensors"), file_count("model.safetensors")
        (2, 1)
    """
    found = re.search(r"-\d{5}-of-(\d{5})\.safetensors\Z", name)
    return int(found[1]) if found else 1


def _of_all_files(
    path: CheckpointPath, read: Callable[[Path], Mapping[str, ValueT]]
) -> dict[str, ValueT]:
    found: dict[str, ValueT] = {}
    for file, expected in _files_of(path):
        tensors = read(file)
        for name in tensors:
            if name in found:
                raise bad_value("file", "one of names that no other file has", name).within(
                    str(file)
                )
        for name in expected:
            if name not in tensors:
                raise bad_value("file", "one with all that its index says", name).within(str(file))
        found |= tensors
    return found


def _files_of(path: CheckpointPath) -> Iterator[tuple[Path, Sequence[str]]]:
    """Yield the files of a checkpoint, each with the names that an index says are in it."""
    if isinstance(path, Sequence) and not isinstance(path, str | bytes):
        if not path:
            raise bad_value("path", "a file, a folder, an index, or a list of these", path)
        for each in path:
            yield from _files_of(each)
        return
    if not isinstance(path, str | PathLike):
        raise bad_type("path", "a file, a folder, an index, or a list of these", path)
    if not os.fspath(path):  # not the current folder, which Path takes it for
        raise bad_value("path", "a file, a folder, an index, or a list of these", path)
    path = Path(path)
    if path.is_dir():
        yield from _files_of_folder(path)
    elif path.suffix == ".json":
        yield from _files_of_index(path)
    else:
        yield path, ()


def _files_of_folder(folder: Path) -> Iterator[tuple[Path, Sequence[str]]]:
    """Yield a folder's files: the single one before those of an index, as transformers does."""
    indexes = sorted(folder.glob("*.safetensors.index.json"))
    files = sorted(folder.glob("*.safetensors"))
    if (folder / SINGLE_FILE).is_file():
        yield folder / SINGLE_FILE, ()
    elif len(indexes) > 1:
        names = ", ".join(index.name for index in indexes)
        raise bad_value("folder", "one with one index; name the one you mean", names).within(
            str(folder)
        )
    elif indexes:
        yield from _files_of_index(indexes[0])
    elif files:
        yield from ((file, ()) for file in files)
    else:
        raise bad_value("folder", "one with safetensors files", "none").within(str(folder))


def _files_of_index(path: Path) -> Iterator[tuple[Path, Sequence[str]]]:
    names: dict[str, list[str]] = {}
    for name, file in _weight_map(path).items():
        names.setdefault(file, []).append(name)
    for file, expected in sorted(names.items()):
        yield path.with_name(file), expected


def _weight_map(path: Path) -> dict[str, str]:
    """Return which file of an index's folder holds each tensor."""
    size = regular_file_size(path)
    if size > MAX_HEADER_BYTES:
        raise bad_value("index", f"of at most {MAX_HEADER_BYTES} bytes", size).within(str(path))
    try:
        text = path.read_text(encoding="utf-8")
        files = json.loads(text, object_pairs_hook=without_duplicates)["weight_map"]
        for file in files.values():
            # Another folder's files are none of this checkpoint.
            is_text = isinstance(file, str) and not {"\\", "\0"} & set(file)
            if not is_text or Path(file).name != file or not file.endswith(".safetensors"):
                raise ValueError(f"{file!r} is no safetensors file of the same folder")
            file.encode()  # raises for half a surrogate pair
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        received = f"{type(error).__name__}: {error}"
        allowed = "a JSON object whose weight_map tells the file of each tensor"
        raise bad_value("index", allowed, received).within(str(path)) from None
    return dict(files)


def split(sizes: Mapping[str, int], max_bytes: int) -> dict[str, list[str]]:
    """Return the names of the tensors of each file: as many as fit, in their order.

    A tensor that is larger has a file of its own.

    Args:
        sizes: the bytes of each tensor, by name.
        max_bytes: of a file's tensors.
    """
    parts: list[list[str]] = [[]]
    room = max_bytes
    for name, size in sizes.items():
        if size > room and parts[-1]:
            parts.append([])
            room = max_bytes
        parts[-1].append(name)
        room -= size
    if len(parts) == 1:
        return {SINGLE_FILE: parts[0]}
    return {
        f"model-{place:05}-of-{len(parts):05}.safetensors": names
        for place, names in enumerate(parts, 1)
    }


def index_text(files: Mapping[str, Iterable[str]], total_bytes: int) -> str:
    """Return the text of an index: which file holds each tensor, and the bytes of all tensors."""
    weight_map = {name: file for file, names in files.items() for name in names}
    index = {"metadata": {"total_size": total_bytes}, "weight_map": weight_map}
    return json.dumps(index, indent=2, sort_keys=True) + "\n"


def is_weight_file(name: str) -> bool:
    """Return whether a file of this name is one of a folder that this module writes."""
    return (
        name in (SINGLE_FILE, INDEX)
        or re.fullmatch(r"model-\d{5}-of-\d{5}\.safetensors", name) is not None
    )
