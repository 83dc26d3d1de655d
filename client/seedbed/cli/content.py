"""Digests of content: of an array in memory, and of many tensors at once."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.spec.digests import Digest, DigestAlgorithm, digest_bytes


def array_digest(array: NDArray[Any]) -> Digest:
    """Return the digest of an array's bytes; the array must be C-contiguous."""
    return digest_bytes(array.reshape(-1).view(np.uint8).data)


def manifest_digest(
    digests: Mapping[str, Digest], algorithm: DigestAlgorithm = "xxh3_128"
) -> Digest:
    """Return the digest of many tensors, hashed as lines of ``name digest`` in their order.

    Each line ends with a newline. A digest is written as ``algorithm:hex:bytes``. In a name, a
    backslash is doubled and a newline becomes a backslash and an n, as in the lists of
    ``sha256sum``, so that different tensors never give the same lines.
    """
    lines = (f"{_escaped(name)} {digest}\n" for name, digest in digests.items())
    return digest_bytes("".join(lines).encode(), algorithm)


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace("\n", "\\n")
