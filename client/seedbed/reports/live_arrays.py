"""The arrays of a live model, for a report."""

from collections.abc import Callable, Iterator, Mapping
from os import PathLike
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from seedbed.manifest import Manifest

LeafT = TypeVar("LeafT")


class LiveArrays(Mapping[str, NDArray[Any]], Generic[LeafT]):
    """Arrays by name, each read when it is asked for and not kept: one is in memory at a time.

    Args:
        leaves: a framework's tensors.
        read: returns one of them as an array of the host, given its name as well.
    """

    def __init__(
        self, leaves: Mapping[str, LeafT], read: Callable[[str, LeafT], NDArray[Any]]
    ) -> None:
        self._leaves = leaves
        self._read = read

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._read(name, self._leaves[name])

    def __contains__(self, name: object) -> bool:
        return name in self._leaves  # Mapping's would read it

    def __iter__(self) -> Iterator[str]:
        return iter(self._leaves)

    def __len__(self) -> int:
        return len(self._leaves)


def is_stored(subject: object) -> bool:
    """Return whether what a report is about is no live model: a manifest, a file, or arrays."""
    if isinstance(subject, Mapping):
        return bool(subject) and all(isinstance(each, np.ndarray) for each in subject.values())
    return isinstance(subject, Manifest | str | PathLike)
