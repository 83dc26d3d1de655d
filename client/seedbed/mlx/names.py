"""The names of a tree's arrays: those of ``mlx.utils.tree_flatten``."""

from typing import Any

from mlx import nn
from mlx.utils import tree_flatten

from seedbed.spec.errors import bad_value
from seedbed.spec.tensors import as_name


def arrays_by_name(tree: Any, prefix: str = "") -> dict[str, Any]:
    """Return the arrays of a tree by their names, such as ``layers.0.weight``, in its order.

    Args:
        tree: a module, of which the parameters count; or arrays in dicts, lists and tuples.
        prefix: put before each name.

    Raises:
        InvalidTypeError: if the prefix is no string.
        InvalidValueError: if two have the same name.
    """
    prefix = as_name(prefix, field="prefix")
    named: dict[str, Any] = {}
    for path, leaf in tree_flatten(tree.parameters() if isinstance(tree, nn.Module) else tree):
        name = prefix + path
        if name in named:
            raise bad_value("tree", "one whose arrays have different names", name)
        named[name] = leaf
    return named
