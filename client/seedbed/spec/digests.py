"""Digests that identify a tensor's content."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

import numpy as np
import xxhash
from numpy.typing import NDArray

from seedbed.spec.errors import bad_type, bad_value
from seedbed.spec.html import table
from seedbed.spec.suggestions import did_you_mean

DigestAlgorithm = Literal["xxh3_128", "sha256"]
DIGEST_ALGORITHMS: tuple[DigestAlgorithm, ...] = get_args(DigestAlgorithm)
DIGEST_BYTES: dict[DigestAlgorithm, int] = {"xxh3_128": 16, "sha256": 32}


class Hasher(Protocol):
    """Hashes bytes piece by piece, as xxhash's and hashlib's objects do."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Add bytes."""

    def digest(self) -> bytes:
        """Return the sum of all bytes so far."""


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest of little-endian bytes in C order, and how many bytes it covers."""

    algorithm: DigestAlgorithm
    """How it was computed."""
    value: bytes
    """16 bytes for ``xxh3_128`` (canonical, big-endian), 32 for ``sha256``."""
    size_bytes: int
    """How many bytes it covers."""

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value.hex()}:{self.size_bytes}"

    def __repr__(self) -> str:
        return f"<seedbed.Digest {self}>"


class Digester:
    """Sums up the bytes of one tensor as they come."""

    def __init__(self, algorithm: DigestAlgorithm = "xxh3_128") -> None:
        if algorithm not in DIGEST_ALGORITHMS:
            allowed = "one of " + ", ".join(DIGEST_ALGORITHMS)
            hint = did_you_mean(algorithm, DIGEST_ALGORITHMS)
            raise bad_value("algorithm", allowed, algorithm, hint=hint)
        self._algorithm: DigestAlgorithm = algorithm
        self._hasher: Hasher = xxhash.xxh3_128() if algorithm == "xxh3_128" else hashlib.sha256()
        self._size_bytes = 0

    def update(self, data: bytes | memoryview) -> None:
        """Add the next bytes; a memoryview must have items of one byte."""
        self._hasher.update(data)
        self._size_bytes += len(data)

    def digest(self) -> Digest:
        """Return the digest of all bytes so far."""
        return Digest(self._algorithm, self._hasher.digest(), self._size_bytes)


def digest_bytes(
    data: bytes | memoryview | NDArray[Any], algorithm: DigestAlgorithm = "xxh3_128"
) -> Digest:
    """Return the digest of one piece of bytes, or of an array's.

    An array's bytes are those of its elements, little-endian and in C order, whatever its layout:
    what a client's digest is of.

    Raises:
        InvalidTypeError: if there are no bytes in it, as in a string or a list.

    Example:
        >>> digest_bytes(np.zeros((2, 3))) == digest_bytes(bytes(48))
        True
    """
    digester = Digester(algorithm)
    digester.update(_bytes_of(data))
    return digester.digest()


def digest_array(values: NDArray[Any]) -> Digest:
    """Return the digest of an array's elements, little-endian and in C order."""
    return digest_bytes(values)


def _bytes_of(data: bytes | memoryview | NDArray[Any]) -> bytes | memoryview:
    """Return what is hashed: with items of one byte, so that its length is that in bytes."""
    if isinstance(data, bytes):
        return data
    if not isinstance(data, np.ndarray):
        try:
            view = memoryview(data)
        except TypeError:
            raise bad_type("data", "bytes, or a numpy array", data) from None
        if view.ndim == view.itemsize == 1:
            return view
        data = np.asarray(view)
    contiguous = np.ascontiguousarray(data)
    little = contiguous.astype(contiguous.dtype.newbyteorder("<"), copy=False)
    return little.reshape(-1).view(np.uint8).data


class Digests(dict[str, Digest]):
    """The digests of many tensors, by name: a dict that notebooks show as a table."""

    def _repr_html_(self) -> str:
        rows = (
            (name, each.algorithm, each.value.hex(), f"{each.size_bytes:,}")
            for name, each in self.items()
        )
        caption = f"{len(self):,} digests, of all: {digest_of(self)}"
        return table(caption, ("name", "algorithm", "digest", "bytes"), rows, right=["bytes"])


def digest_of(digests: Mapping[str, Digest]) -> Digest:
    """Return a model's digest: one for many tensors, hashed from their names and digests, by name.

    It hashes a line ``NAME NUL DIGEST`` for each, in the order of the names' code points, the
    digest as its text, with the algorithm of the digests (XXH3-128 for no tensors); its size is
    that of all. So two processes agree on a model whatever each of them holds of it, and whichever
    framework it is in.

    Raises:
        InvalidTypeError: unless the digests are a mapping from names.
        InvalidValueError: if the digests have several algorithms.

    Example:
        >>> digest_of({"a": digest_bytes(b"1"), "b": digest_bytes(b"2")}).size_bytes
        2
    """
    if not isinstance(digests, Mapping):
        raise bad_type("digests", "a mapping from names to digests", digests)
    algorithms = sorted({each.algorithm for each in digests.values()}) or ["xxh3_128"]
    if len(algorithms) > 1:
        raise bad_value("digests", "digests of one algorithm", ", ".join(algorithms))
    digester = Digester(algorithms[0])
    for name in sorted(digests):
        digester.update(f"{name}\0{digests[name]}\n".encode())
    size_bytes = sum(each.size_bytes for each in digests.values())
    return Digest(algorithms[0], digester.digest().value, size_bytes)
