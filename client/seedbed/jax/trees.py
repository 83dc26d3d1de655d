"""A model's parameters, all at once: from the shapes of a tree and rules on names."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from jax.sharding import PartitionSpec, Sharding
from numpy.typing import NDArray

from seedbed.client import Client
from seedbed.jax.arrays import array_of_parts, as_client, check_dtype
from seedbed.jax.names import leaves_by_name
from seedbed.jax.shardings import parts, sharding_or_default
from seedbed.manifest import FORMAT, InitializerLike, Manifest
from seedbed.rules import Rules
from seedbed.spec.errors import bad_type, bad_value
from seedbed.spec.slices import TensorSlice, whole
from seedbed.spec.tensors import TensorSpec

Sampled = Mapping[tuple[str, TensorSlice], NDArray[Any]]
"""What was sampled, by tensor and part."""


def initialize(
    abstract_tree: Any,
    sharding_tree: Any = None,
    *,
    seed: int,
    rules: Rules[InitializerLike],
    client: Client | None = None,
) -> Any:
    """Return a tree of arrays: every leaf filled by its name, and each device with exactly its part.

    A name is the path to the leaf, joined with ``/``, such as ``params/Dense_0/kernel``; with seed,
    shape, dtype and rule it decides the content, which is the same for every sharding, any number
    of processes and devices.

    Args:
        abstract_tree: a pytree of ``jax.ShapeDtypeStruct`` (or of arrays, whose content is not
            looked at): of ``jax.eval_shape``, of Flax linen's ``init`` under it, or the state of
            ``nnx.eval_shape``.
        sharding_tree: a sharding for all; or a pytree of them, or of PartitionSpecs under
            ``jax.set_mesh``, that is a prefix of the tree; a None in it is the default device. None
            altogether takes each leaf's own sharding.
        seed: of every tensor, -2**63 to 2**64 - 1. A seed that a rule's initializer carries does
            not count.
        rules: patterns on names, and what fills the tensors that match; the first match counts. See
            :class:`seedbed.Manifest`.
        client: who samples; by default the one of :func:`seedbed.get_default_client`.

    Raises:
        InvalidTypeError: if a leaf has no shape and dtype; all errors name the leaf.
        InvalidValueError: if no rule matches a name, or a value is not allowed.
        TransportError: if a server's answer does not come.

    Example:
        >>> tree = {"kernel": jax.ShapeDtypeStruct((4, 3), "float32"), "bias": jax.ShapeDtypeStruct((3,), "float32")}
        >>> rules = {"bias": "zeros", "*": "glorot_uniform"}
        >>> {name: leaf.shape for name, leaf in initialize(tree, seed=1, rules=rules).items()}
        {'bias': (3,), 'kernel': (4, 3)}
    """
    leaves = leaves_by_name(abstract_tree)
    manifest = _manifest(leaves, seed, rules)
    shardings = dict(zip(leaves, _shardings(abstract_tree, sharding_tree), strict=True))
    wanted = {spec.name: _parts(spec, shardings[spec.name]) for spec in manifest.tensors}
    sampled = _sample(as_client(client), manifest, wanted)
    arrays = [
        array_of_parts(spec.shape, spec.dtype, shardings[spec.name], _getter(sampled, spec.name))
        for spec in manifest.tensors
    ]
    return jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(abstract_tree), arrays)


def _manifest(leaves: Mapping[str, Any], seed: int, rules: Rules[InitializerLike]) -> Manifest:
    tensors = {}
    for name, leaf in leaves.items():
        shape, dtype = getattr(leaf, "shape", None), getattr(leaf, "dtype", None)
        if shape is None or dtype is None:
            raise bad_type(f"abstract_tree[{name!r}]", "a jax.ShapeDtypeStruct", leaf)
        if jax.dtypes.issubdtype(dtype, jax.dtypes.extended):
            raise bad_value(
                f"abstract_tree[{name!r}]", "of numbers; leave keys out of the tree", str(dtype)
            )
        tensors[name] = {"shape": shape, "dtype": np.dtype(dtype)}
    manifest = Manifest.from_dict(
        {"seedbed_manifest": FORMAT, "seed": seed, "rules": rules, "tensors": tensors}
    )
    for spec in manifest.tensors:
        check_dtype(spec.dtype)
    # A seed that a rule's initializer brings along does not count: the model's counts for all.
    return Manifest(
        TensorSpec(
            spec.name, spec.shape, spec.dtype, spec.initializer, seed, fan_axes=spec.fan_axes
        )
        for spec in manifest.tensors
    )


def _shardings(abstract_tree: Any, sharding_tree: Any) -> list[Sharding | None]:
    """Return the sharding of each leaf in the tree's order."""
    leaves = jax.tree_util.tree_leaves(abstract_tree)
    if sharding_tree is None:
        own = [getattr(leaf, "sharding", None) for leaf in leaves]
        return _fitting(own, leaves, "abstract_tree")
    try:
        full = jax.tree.broadcast(sharding_tree, abstract_tree, is_leaf=_is_sharding)
    except ValueError as error:
        raise bad_value("sharding_tree", "a prefix of abstract_tree", str(error)) from None
    return _fitting(jax.tree_util.tree_leaves(full, is_leaf=_is_sharding), leaves, "sharding_tree")


def _fitting(values: list[Any], leaves: list[Any], field: str) -> list[Sharding | None]:
    ranks = [len(leaf.shape) for leaf in leaves]
    return [
        sharding_or_default(each, rank, field=field)
        for each, rank in zip(values, ranks, strict=True)
    ]


def _is_sharding(value: Any) -> bool:
    return value is None or isinstance(value, (Sharding, PartitionSpec))


def _parts(spec: TensorSpec, sharding: Sharding | None) -> list[TensorSlice]:
    return [whole(spec.shape)] if sharding is None else parts(sharding, spec.shape)


def _sample(client: Client, manifest: Manifest, wanted: Mapping[str, list[TensorSlice]]) -> Sampled:
    """Return all parts of all tensors; each call asks for one part of every tensor that has one left."""
    sampled: dict[tuple[str, TensorSlice], NDArray[Any]] = {}
    for turn in range(max(map(len, wanted.values()), default=0)):
        part_of = {name: parts[turn] for name, parts in wanted.items() if turn < len(parts)}
        now = Manifest(manifest[name] for name in part_of)
        for name, values in client.sample_all(now, slice=part_of).items():
            sampled[name, part_of[name]] = values
    return sampled


def _getter(sampled: Sampled, name: str) -> Callable[[TensorSlice], NDArray[Any]]:
    return lambda part: sampled[name, part]
