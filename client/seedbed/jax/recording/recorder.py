"""Recordings: what a function that makes a model would fill each leaf with."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from jax.sharding import NamedSharding, Sharding

from seedbed.jax.keys import is_key, make_keys
from seedbed.jax.modules import split_modules
from seedbed.jax.names import name_of
from seedbed.jax.recording.contents import Content, Findings, contents_of, findings_of
from seedbed.jax.recording.draws import draw_of
from seedbed.jax.recording.fillings import UNCHANGED
from seedbed.jax.recording.programs import Known, Output, Unknown, Value, values_of
from seedbed.spec.errors import bad_value


@dataclass(frozen=True, slots=True)
class Recording:
    """What a function returns, before it is filled. See :func:`record`."""

    tree: Any
    """The arrays as ``jax.ShapeDtypeStruct``, as ``jax.eval_shape`` gives them; of modules of nnx
    their state."""
    restore: Callable[[Any], Any] = field(repr=False)
    """Makes the function's result of such a tree of arrays: puts modules of nnx together."""
    values: Mapping[str, Value] = field(repr=False)
    """What the program computes for each leaf that is an array, by name."""
    findings: Mapping[str, Findings] = field(repr=False)
    """What each of these is by itself."""

    @property
    def shapes(self) -> Any:
        """The function's result with ``jax.ShapeDtypeStruct`` for arrays."""
        return self.restore(self.tree)

    def contents(self, names: Collection[str]) -> dict[str, Content]:
        """Return what the program fills some of the leaves with.

        Raises:
            InvalidValueError: naming the leaves that cannot be filled.
        """
        findings = {name: found for name, found in self.findings.items() if name in names}
        return contents_of(findings, self.values)


def record(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Recording:
    """Return what a function would fill the arrays of its result with; nothing is computed.

    The function is traced, as by ``jax.eval_shape``. Its draws from ``jax.random.normal``,
    ``uniform``, ``truncated_normal`` and ``orthogonal``, and whatever is made of them, such as all
    of ``jax.nn.initializers``, become tensors of seedbed under the names of the leaves that they
    end up in; all else is computed as the function says when the leaves are filled.

    Args:
        function: makes a model, such as ``module.init`` of Flax linen, a class of nnx or Equinox,
            or anything that returns a tree of arrays.
        args: the function's; arrays may be ``jax.ShapeDtypeStruct`` where no leaf depends on their
            content, and keys may be, always. What is not an array is passed as it is.
        kwargs: likewise.

    Raises:
        InvalidValueError: if two leaves have the same name.

    Example:
        >>> init = jax.nn.initializers.he_normal()
        >>> recording = record(lambda key: {"kernel": init(key, (4, 3))}, jax.random.key(0))
        >>> recording.shapes
        {'kernel': ShapeDtypeStruct(shape=(4, 3), dtype=float32)}
    """
    given, structure = jax.tree_util.tree_flatten((args, kwargs))
    traced = [place for place, leaf in enumerate(given) if _is_array(leaf)]
    results: list[tuple[Any, Callable[[Any], Any]]] = []

    def flat(*arrays: Any) -> list[Any]:
        leaves = list(given)
        for place, array in zip(traced, arrays, strict=True):
            leaves[place] = array
        args, kwargs = jax.tree_util.tree_unflatten(structure, leaves)
        results.append(split_modules(function(*args, **kwargs)))
        return [leaf for leaf in jax.tree_util.tree_leaves(results[-1][0]) if _is_array(leaf)]

    program = jax.make_jaxpr(flat)(*(given[place] for place in traced))
    arguments = [_argument(given[place], place) for place in traced]
    computed = iter(zip(values_of(program, arguments), program.out_avals, strict=True))
    tree, restore = results[-1]
    values: dict[str, Value] = {}

    def formed(path: jax.tree_util.KeyPath, leaf: Any) -> Any:
        if not _is_array(leaf):
            return leaf
        name = name_of(path)
        if name in values:
            raise bad_value("tree", "one whose leaves have different names", name)
        values[name], aval = next(computed)
        return _form(values[name], leaf, aval)

    shapes = jax.tree_util.tree_map_with_path(formed, tree)
    findings = {name: findings_of(value) for name, value in values.items()}
    return Recording(shapes, restore, values, findings)


def _argument(leaf: Any, place: int) -> Value:
    if not isinstance(leaf, jax.ShapeDtypeStruct):
        return Known(leaf)
    # Of a key it only counts which others it equals.
    return Known(make_keys(leaf, seed=0, name=str(place))) if is_key(leaf) else Unknown(leaf)


def _form(value: Value, leaf: Any, aval: Any) -> jax.ShapeDtypeStruct:
    # Over axes of type Explicit the sharding is part of the type.
    sharding = aval.sharding if any(aval.sharding.spec) else _constraint(value)
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding)


def _constraint(value: Value) -> Sharding | None:
    """Return the sharding that the program asks for, if it does."""
    while isinstance(value, Output):
        step = value.step
        if step.name == "sharding_constraint":
            return step.params["sharding"]
        if step.name == "shard_map" and draw_of(value) is not None:
            return NamedSharding(step.params["mesh"], step.params["out_specs"][0])
        if step.name in UNCHANGED:
            value = step.operands[value.index]
        elif step.unfolded is not None:
            value = step.unfolded[value.index]
        else:
            return None
    return None


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, (jax.Array, np.ndarray, np.generic, jax.ShapeDtypeStruct))
