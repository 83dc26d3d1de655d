"""The names of a tree's arrays: those of ``mlx.utils.tree_flatten``."""

from collections.abc import Iterator
from typing import Any

from mlx import nn
from mlx.utils import tree_flatten

from seedbed.spec.errors import bad_value
from seedbed.spec.tensors import as_name


def arrays_by_name(tree: Any, prefix: str = "") -> dict[str, Any]:
    """Return the arrays of a tree by their names, such as ``layers.0.weight``, in its order.

    The parameters of a layer that has several places in a module come once, under the first name.

    Args:
        tree: a module, of which the parameters count; or arrays in dicts, lists and tuples.
        prefix: put before each name.

    Raises:
        InvalidTypeError: if the prefix is no string.
        InvalidValueError: if two have the same name.
    """
    prefix = as_name(prefix, field="prefix")
    named: dict[str, Any] = {}
    for path, leaf in _parameters(tree) if isinstance(tree, nn.Module) else tree_flatten(tree):
        name = prefix + path
        if name in named:
            raise bad_value("tree", "one whose arrays have different names", name)
        named[name] = leaf
    return named


def _parameters(module: nn.Module) -> Iterator[tuple[str, Any]]:
    """Yield the path and the value of each parameter, once where layers are shared."""
    modules = dict(module.named_modules())
    seen: set[tuple[int, str]] = set()
    for path, leaf in tree_flatten(module.parameters()):
        owner = path
        while owner not in modules:  # in the end it is the module itself, whose path is empty
            owner = owner.rpartition(".")[0]
        place = id(modules[owner]), path.removeprefix(owner)
        if place not in seen:
            seen.add(place)
            yield path, leaf
