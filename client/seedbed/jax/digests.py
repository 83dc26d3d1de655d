"""The digests of a tree's leaves: the same, whatever lies on which device."""

from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from seedbed.jax.modules import split_modules
from seedbed.jax.names import leaves_by_name
from seedbed.spec.digests import Digest, Digests, digest_array, digest_of
from seedbed.spec.errors import bad_type, bad_value


def digests(tree: Any, *, prefix: str = "") -> dict[str, Digest]:
    """Return the digest of each leaf's bytes, by name.

    They are those that a server states for the same tensors; see :func:`seedbed.jax.manifest_of`.

    Args:
        tree: arrays, in any pytree; all of their shards must lie on devices of this process. Keys
            count by their words.
        prefix: put before each name.

    Raises:
        InvalidTypeError: if a leaf is no array, but a shape such as eval_shape gives.
        InvalidValueError: if other processes hold a part of it, or if a leaf is traced, as inside
            jit: it has no bytes.
    """
    return Digests(
        {
            name: digest_array(array_of(name, leaf))
            for name, leaf in named_leaves(tree, prefix).items()
        }
    )


def digest(tree: Any, *, prefix: str = "") -> Digest:
    """Return one digest for all leaves of a tree, as :func:`seedbed.digest_of` makes it.

    The arguments are those of :func:`digests`.

    Example:
        >>> digest({"b": jax.numpy.zeros(3)}) == digest_of({"b": digest_bytes(bytes(12))})
        True
    """
    return digest_of(digests(tree, prefix=prefix))


def named_leaves(tree: Any, prefix: str) -> dict[str, Any]:
    """Return the leaves of a tree by name."""
    return leaves_by_name(split_modules(tree)[0], prefix)


def array_of(name: str, leaf: Any) -> NDArray[Any]:
    """Return a leaf as an array of the host."""
    if isinstance(leaf, jax.core.Tracer):
        raise bad_value(
            "tree", "arrays that are not traced, as they are inside jit, grad or vmap", name
        )
    if isinstance(leaf, jax.Array):
        if not leaf.is_fully_addressable:
            raise bad_value("tree", "arrays whose shards all lie on devices of this process", name)
        if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            leaf = jax.random.key_data(leaf)
    array = np.asarray(leaf)
    if array.dtype.hasobject or array.dtype.kind in "SU":
        raise bad_type(f"tree[{name!r}]", "an array, not its shape", leaf)
    return array
