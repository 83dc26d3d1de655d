"""The names of a tree's leaves: the path to each, joined with slashes."""

from typing import Any

import jax
from jax.tree_util import GetAttrKey, KeyPath

from seedbed.spec.errors import bad_value
from seedbed.spec.tensors import as_name


def name_of(path: KeyPath) -> str:
    """Return the name of a leaf: the keys that lead to it, such as ``params/Dense_0/kernel``.

    Flax's boxes (nnx's variables, linen's ``Partitioned``) keep their array as ``value``, which is
    left out, so that a tensor keeps its name when it is boxed.
    """
    if path and path[-1] == GetAttrKey("value"):
        path = path[:-1]
    return str(jax.tree_util.keystr(path, simple=True, separator="/"))


def leaves_by_name(tree: Any, prefix: str = "") -> dict[str, Any]:
    """Return the leaves of a tree by their names, in the tree's order.

    Args:
        tree: any pytree.
        prefix: put before each name.

    Raises:
        InvalidTypeError: if the prefix is no string.
        InvalidValueError: if two have the same name.
    """
    prefix = as_name(prefix, field="prefix")
    named: dict[str, Any] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        name = prefix + name_of(path)
        if name in named:
            raise bad_value("tree", "one whose leaves have different names", name)
        named[name] = leaf
    return named
