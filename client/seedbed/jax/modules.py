"""Flax nnx's modules among the results of a function: graphs, whose shared parts stay shared."""

import sys
from collections.abc import Callable
from typing import Any

import jax


def split_modules(result: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Return a result as a tree of arrays, and what makes such a result of such a tree.

    Whatever holds no module of nnx is a tree already.
    """
    # Flax is not asked for: whoever has a module has imported it.
    nnx = sys.modules.get("flax.nnx")
    if nnx is None or not any(isinstance(each, nnx.Pytree) for each in _nodes(result, nnx.Pytree)):
        return result, lambda tree: tree
    graph, state = nnx.split(result)
    return state, lambda tree: nnx.merge(graph, tree)


def counts_in(tree: Any) -> set[jax.tree_util.KeyPath]:
    """Return the paths of nnx's counts of drawn keys in a tree."""
    nnx = sys.modules.get("flax.nnx")
    if nnx is None:
        return set()
    nodes = jax.tree_util.tree_leaves_with_path(
        tree, is_leaf=lambda node: isinstance(node, nnx.RngCount)
    )
    return {path for path, node in nodes if isinstance(node, nnx.RngCount)}


def _nodes(tree: Any, kind: type) -> list[Any]:
    nodes: list[Any] = jax.tree_util.tree_leaves(tree, is_leaf=lambda node: isinstance(node, kind))
    return nodes
