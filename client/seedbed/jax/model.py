"""All leaves of a tree, each filled by its name; each device gets its part."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
from jax.sharding import PartitionSpec, Sharding
from numpy.typing import NDArray

from seedbed.client import Client
from seedbed.deadlines import deadline
from seedbed.defaults import client_or_default
from seedbed.jax.arrays import array_of_parts
from seedbed.jax.keys import make_keys
from seedbed.jax.leaves import Leaves, leaves_of
from seedbed.jax.modules import split_modules
from seedbed.jax.names import leaves_by_name
from seedbed.jax.recording import Computed, Content, Full, Keys, Sampled, record
from seedbed.jax.rules import LeafRules, plan_of_leaves
from seedbed.jax.shardings import parts, sharding_or_default
from seedbed.manifest import Manifest
from seedbed.spec.errors import bad_value
from seedbed.spec.slices import TensorSlice, whole

Parts = Mapping[tuple[str, TensorSlice], NDArray[Any]]
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
        abstract_tree: what :func:`record` gives; then the recorded function says what fills the
            leaves that no rule matches. Or a pytree of ``jax.ShapeDtypeStruct`` (or of arrays,
            whose content is not looked at): of ``jax.eval_shape``, of Flax linen's ``init`` under
            it, a module of ``nnx.eval_shape`` or its state.
        sharding_tree: a sharding for all; or a pytree of them, or of PartitionSpecs under
            ``jax.set_mesh``, that is a prefix of the tree; a None in it is the default device. None
            altogether takes each leaf's own sharding.
        seed: of every tensor, -2**63 to 2**64 - 1. A seed that a rule's initializer carries does
            not count.
        rules: patterns on names, and what fills the leaves that match, as in a
            :class:`seedbed.Manifest`; the first match counts. None leaves an array as it is. Keys
            of JAX are made of the seed and their names, and nnx's counts of them are 0.
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
        InvalidValueError: if a value is not allowed; or naming the leaves that nothing fills, those
            whose rule does not say which axes are inputs and outputs, and the rules that match no
            leaf.
        TransportError: if a server's answer does not come.

    Example:
        >>> shapes = {"kernel": (4, 3), "bias": (3,)}
        >>> tree = {name: jax.ShapeDtypeStruct(shapes[name], "float32") for name in shapes}
        >>> filled = initialize(tree, seed=1, rules={"bias": "zeros", "*": "glorot_uniform"})
        >>> filled["kernel"].shape
        (4, 3)
    """
    client = client_or_default(client)
    leaves = leaves_of(abstract_tree, prefix)
    plan = plan_of_leaves(leaves, rules, seed=seed, draw=draw, partial=partial)
    shardings = _shardings(leaves, sharding_tree)
    sampled = _sample(
        client,
        plan.manifest,
        _wanted(plan.contents, leaves.by_name, shardings),
        local=local,
        progress=progress,
        timeout_seconds=timeout_seconds,
    )
    arrays = {
        name: (
            _placed(make_keys(leaf, seed=seed, name=name, draw=draw), shardings[name])
            if isinstance(content, Keys)
            else array_of_parts(leaf.shape, leaf.dtype, shardings[name], _getter(content, sampled))
        )
        for name, content in plan.contents.items()
        for leaf in [leaves.by_name[name]]
    }
    named = leaves_by_name(leaves.tree, prefix)
    structure = jax.tree_util.tree_structure(leaves.tree)
    return leaves.restore(jax.tree_util.tree_unflatten(structure, ({**named, **arrays}).values()))


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
    return plan_of_leaves(
        leaves_of(abstract_tree, prefix), rules, seed=seed, draw=draw, partial=partial
    ).manifest


def initializing(
    function: Callable[..., Any],
    *,
    seed: int,
    out_shardings: Any = None,
    rules: LeafRules | None = None,
    prefix: str = "",
    draw: int = 0,
    partial: bool = False,
    client: Client | None = None,
    local: bool = False,
    progress: bool = False,
    timeout_seconds: float | None = None,
) -> Callable[..., Any]:
    """Return a function that makes what another makes, with seedbed's numbers for random ones.

    It stands where ``jax.jit(function, out_shardings=...)`` stands: what it returns is
    ``initialize(record(function, *args, **kwargs), out_shardings, seed=...)``. The function's own
    initializers decide what fills each leaf, and each device gets its part only.

    Args:
        function: makes a model, such as ``module.init`` of Flax linen, or a class of nnx; see
            :func:`record`.
        seed: of every tensor, as in :func:`initialize`, like all that follows.
        out_shardings: the ``sharding_tree`` there.
        rules: likewise.
        prefix: likewise.
        draw: likewise.
        partial: likewise.
        client: likewise.
        local: likewise.
        progress: likewise.
        timeout_seconds: likewise.

    Example:
        >>> def make(key):
        ...     return {"kernel": jax.nn.initializers.he_normal()(key, (4, 3))}
        >>> initializing(make, seed=1)(jax.random.key(0))["kernel"].shape
        (4, 3)
    """

    @functools.wraps(function)
    def initialized(*args: Any, **kwargs: Any) -> Any:
        return initialize(
            record(function, *args, **kwargs),
            out_shardings,
            seed=seed,
            rules=rules,
            prefix=prefix,
            draw=draw,
            partial=partial,
            client=client,
            local=local,
            progress=progress,
            timeout_seconds=timeout_seconds,
        )

    return initialized


def _shardings(leaves: Leaves, sharding_tree: Any) -> dict[str, Sharding | None]:
    """Return the sharding of each leaf, by name."""
    named = leaves_by_name(leaves.tree, leaves.prefix)
    values = list(named.values())
    if sharding_tree is None:
        own = [getattr(leaf, "sharding", None) for leaf in values]
        return dict(zip(named, _fitting(own, values, "abstract_tree"), strict=True))
    sharding_tree, _ = split_modules(sharding_tree)
    try:
        full = jax.tree.broadcast(sharding_tree, leaves.tree, is_leaf=_is_sharding)
    except ValueError as error:
        raise bad_value("sharding_tree", "a prefix of abstract_tree", str(error)) from None
    said = jax.tree_util.tree_leaves(full, is_leaf=_is_sharding)
    return dict(zip(named, _fitting(said, values, "sharding_tree"), strict=True))


def _fitting(values: list[Any], leaves: list[Any], field: str) -> list[Sharding | None]:
    ranks = [len(getattr(leaf, "shape", ())) for leaf in leaves]
    return [
        sharding_or_default(each, rank, field=field)
        for each, rank in zip(values, ranks, strict=True)
    ]


def _is_sharding(value: Any) -> bool:
    return value is None or isinstance(value, (Sharding, PartitionSpec))


def _wanted(
    contents: Mapping[str, Content],
    leaves: Mapping[str, Any],
    shardings: Mapping[str, Sharding | None],
) -> dict[str, list[TensorSlice]]:
    """Return the parts of tensors that this process needs, each once."""
    wanted: dict[str, dict[TensorSlice, None]] = {}
    for name, content in contents.items():
        if isinstance(content, Sampled):
            needed = _parts(leaves[name].shape, shardings[name])
            wanted.setdefault(content.name, {}).update(dict.fromkeys(needed))
        elif isinstance(content, Computed):
            for unit, own in content.units.items():
                wanted.setdefault(own, {})[whole(unit.shape)] = None
    return {name: list(parts) for name, parts in wanted.items()}


def _parts(shape: tuple[int, ...], sharding: Sharding | None) -> list[TensorSlice]:
    return [whole(shape)] if sharding is None else parts(sharding, shape)


def _sample(
    client: Client,
    manifest: Manifest,
    wanted: Mapping[str, list[TensorSlice]],
    *,
    local: bool,
    progress: bool,
    timeout_seconds: float | None,
) -> Parts:
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


def _getter(
    content: Sampled | Full | Computed, sampled: Parts
) -> Callable[[TensorSlice], NDArray[Any]]:
    """Return what gives a part of a leaf."""
    if isinstance(content, Full):
        return content.part
    if isinstance(content, Sampled):
        return lambda part: sampled[content.name, part]
    array = content.array(
        {own: sampled[own, whole(unit.shape)] for unit, own in content.units.items()}
    )
    return lambda part: array[part.index]


def _placed(keys: jax.Array, sharding: Sharding | None) -> jax.Array:
    return keys if sharding is None else jax.device_put(keys, sharding)
