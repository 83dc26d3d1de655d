"""All leaves of a tree, each filled by its name; each device gets its part."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
from jax.sharding import PartitionSpec, Sharding
from numpy.typing import NDArray

from seedbed.client import Client
from seedbed.deadlines import deadline
from seedbed.defaults import client_or_default
from seedbed.jax.arrays import array_of_parts
from seedbed.jax.names import leaves_by_name
from seedbed.jax.rules import LeafRules, manifest_of_leaves
from seedbed.jax.shardings import parts, sharding_or_default
from seedbed.manifest import Manifest
from seedbed.spec.errors import bad_value
from seedbed.spec.slices import TensorSlice, whole
from seedbed.spec.tensors import TensorSpec

Sampled = Mapping[tuple[str, TensorSlice], NDArray[Any]]
"""What was sampled, by tensor and part."""


def initialize(
    abstract_tree: Any,
    sharding_tree: Any = None,
    *,
    seed: int,
    rules: LeafRules | None = None,
    prefix: str = "",
    partial: bool = False,
    draw: int = 0,
    client: Client | None = None,
    local: bool = False,
    progress: bool = False,
    timeout_seconds: float | None = None,
) -> Any:
    """Return a tree of arrays: every leaf filled by its name, and each device with its part only.

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
        rules: patterns on names, and what fills the leaves that match, as in a
            :class:`seedbed.Manifest`; the first match counts. None leaves an array as it is.
        prefix: put before each name, for a part of a model that is initialized by itself.
        partial: the tree is a part of a model: a rule that matches nothing is for another part,
            and no error. A prefix says the same.
        draw: the n-th use of one seed.
        client: who samples; by default that of :func:`seedbed.get_default_client`.
        local: sample in this process, and compare with the server's digests.
        progress: show a progress bar on standard error.
        timeout_seconds: for the whole fetch; None is no limit.

    Raises:
        InvalidTypeError: if a leaf has no shape and dtype; all errors name the leaf.
        InvalidValueError: if a value is not allowed; or naming the leaves that no rule matches,
            and the rules that match no leaf.
        TransportError: if a server's answer does not come.

    Example:
        >>> shapes = {"kernel": (4, 3), "bias": (3,)}
        >>> tree = {name: jax.ShapeDtypeStruct(shapes[name], "float32") for name in shapes}
        >>> filled = initialize(tree, seed=1, rules={"bias": "zeros", "*": "glorot_uniform"})
        >>> filled["kernel"].shape
        (4, 3)
    """
    client = client_or_default(client)
    leaves = leaves_by_name(abstract_tree, prefix)
    manifest = manifest_of_leaves(
        leaves, rules, seed=seed, draw=draw, partial=partial or bool(prefix)
    )
    shardings = dict(zip(leaves, _shardings(abstract_tree, sharding_tree), strict=True))
    wanted = {spec.name: _parts(spec, shardings[spec.name]) for spec in manifest.tensors}
    sampled = _sample(
        client,
        manifest,
        wanted,
        local=local,
        progress=progress,
        timeout_seconds=timeout_seconds,
    )
    arrays = {
        spec.name: array_of_parts(
            spec.shape, spec.dtype, shardings[spec.name], _getter(sampled, spec.name)
        )
        for spec in manifest.tensors
    }
    return jax.tree_util.tree_unflatten(
        jax.tree_util.tree_structure(abstract_tree), ({**leaves, **arrays}).values()
    )


def manifest_of(
    abstract_tree: Any,
    *,
    seed: int,
    rules: LeafRules | None = None,
    prefix: str = "",
    partial: bool = False,
    draw: int = 0,
) -> Manifest:
    """Return the leaves of a tree and what :func:`initialize` fills them with; nothing is fetched.

    ``client.digest_all(manifest_of(...))`` is what :func:`digests` will say of the filled tree, and
    ``manifest_of(...).save("model.yaml")`` is a file for ``seedbed fetch``.

    Args:
        abstract_tree: as in :func:`initialize`, like all other arguments.
        seed: likewise.
        rules: likewise.
        prefix: likewise.
        partial: likewise.
        draw: likewise.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if a value is not allowed; or naming the leaves that no rule matches,
            and the rules that match no leaf.
    """
    leaves = leaves_by_name(abstract_tree, prefix)
    return manifest_of_leaves(leaves, rules, seed=seed, draw=draw, partial=partial or bool(prefix))


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


def _sample(
    client: Client,
    manifest: Manifest,
    wanted: Mapping[str, list[TensorSlice]],
    *,
    local: bool,
    progress: bool,
    timeout_seconds: float | None,
) -> Sampled:
    """Return all parts of all tensors; each call asks for a part of all that have one left."""
    remaining = deadline(client.target, timeout_seconds)
    sampled: dict[tuple[str, TensorSlice], NDArray[Any]] = {}
    for turn in range(max(map(len, wanted.values()), default=0)):
        part_of = {name: parts[turn] for name, parts in wanted.items() if turn < len(parts)}
        now = Manifest(manifest[name] for name in part_of)
        arrays = client.sample_all(
            now, slice=part_of, local=local, progress=progress, timeout_seconds=remaining()
        )
        for name, values in arrays.items():
            sampled[name, part_of[name]] = values
    return sampled


def _getter(sampled: Sampled, name: str) -> Callable[[TensorSlice], NDArray[Any]]:
    return lambda part: sampled[name, part]
