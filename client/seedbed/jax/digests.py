"""The digest of a tree of arrays: the same, whatever lies on which device."""

from typing import Any

import jax
import numpy as np

from seedbed.jax.names import leaves_by_name
from seedbed.wire.digests import Digest, Digester
from seedbed.wire.errors import bad_value


def digest(tree: Any) -> Digest:
    """Return the digest of the bytes of all leaves, one after another in the order of their names.

    Args:
        tree: arrays, in any pytree; all of their shards must lie on devices of this process. Keys count by their words.

    Raises:
        InvalidValueError: if other processes hold a part of it.

    Example:
        >>> digest({"b": jax.numpy.zeros(3)}) == digest_bytes(bytes(12))
        True
    """
    digester = Digester()
    for name, leaf in sorted(leaves_by_name(tree).items()):
        array = leaf
        if isinstance(leaf, jax.Array):
            if not leaf.is_fully_addressable:
                raise bad_value("tree", "arrays whose shards all lie on devices of this process", name)
            if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
                array = jax.random.key_data(leaf)
        values = np.ascontiguousarray(np.asarray(array))
        little = values.astype(values.dtype.newbyteorder("<"), copy=False)
        digester.update(little.reshape(-1).view(np.uint8).data)
    return digester.digest()
