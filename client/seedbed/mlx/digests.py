"""The digests of a module's parameters, or of any tree of arrays."""

from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from seedbed.mlx.names import arrays_by_name
from seedbed.spec.digests import Digest, Digests, digest_bytes, digest_of
from seedbed.spec.errors import bad_type, bad_value


def digests(tree: Any, *, prefix: str = "") -> dict[str, Digest]:
    """Return the digest of each array's bytes, by name.

    They are those that a server states for the same tensors; see :func:`seedbed.mlx.manifest_of`.
    The names are those of ``mlx.utils.tree_flatten``, such as ``layers.0.weight``.

    Args:
        tree: a module, of which the parameters count; or arrays in dicts, lists and tuples.
        prefix: put before each name.

    Raises:
        InvalidTypeError: if a leaf is no array.
        InvalidValueError: if two arrays have the same name, or if one is being traced and has no
            bytes yet.
    """
    return Digests(
        {
            name: digest_bytes(bytes_of(name, leaf).data)
            for name, leaf in arrays_by_name(tree, prefix).items()
        }
    )


def digest(tree: Any, *, prefix: str = "") -> Digest:
    """Return one digest for all arrays of a tree, as :func:`seedbed.digest_of` makes it.

    The arguments are those of :func:`digests`.

    Example:
        >>> digest({"b": mx.zeros(3)}) == digest_of({"b": digest_bytes(bytes(12))})
        True
    """
    return digest_of(digests(tree, prefix=prefix))


def bytes_of(name: str, leaf: Any) -> NDArray[np.uint8]:
    """Return the bytes of an array."""
    if not isinstance(leaf, mx.array):
        raise bad_type(f"tree[{name!r}]", "an array of MLX", leaf)
    # MLX runs on little-endian machines only. numpy does not know all of its dtypes, but bytes.
    words = mx.view(leaf.reshape(-1), mx.uint8, stream=mx.cpu)
    try:
        mx.eval(words)
    except ValueError:
        raise bad_value(
            "tree", "arrays that are not traced, as they are inside mx.compile or mx.vmap", name
        ) from None
    return np.asarray(words)
