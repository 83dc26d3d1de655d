"""What fills each leaf of a tree: the first rule that matches its name."""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from seedbed.jax.dtypes import check_dtype
from seedbed.manifest import Manifest, filled_manifest
from seedbed.rules import (
    UNSAID,
    Filling,
    InitializerLike,
    Rules,
    decide,
    parse_optional,
    parse_rules,
)
from seedbed.spec.dtypes import Dtype, as_dtype
from seedbed.spec.errors import InvalidArgumentError, bad_type, bad_value

LeafRules = Rules[InitializerLike | None]
"""What fills the leaves: None is nothing."""


def manifest_of_leaves(
    leaves: Mapping[str, Any],
    rules: LeafRules | None,
    *,
    seed: int,
    draw: int,
    partial: bool,
) -> Manifest:
    """Return what is asked for: the leaves that an initializer fills.

    Args:
        leaves: all leaves, by name.
        rules: what fills them; None leaves an array as it is.
        seed: of all of them.
        draw: the n-th use of the seed.
        partial: whether rules may match no leaf.

    Raises:
        InvalidTypeError: if a rule is none.
        InvalidValueError: if an initializer is not allowed, or cannot fill its leaf, which is
            named; or naming the leaves that no rule matches, and those without content that None
            would leave as they are, and the rules that match no leaf.
    """
    fillings: dict[str, Filling | None] = decide(
        dict.fromkeys(leaves, UNSAID),
        parse_rules("rules", rules, parse_optional),
        shapes={name: getattr(leaf, "shape", ()) for name, leaf in leaves.items()},
        empty={
            name for name, leaf in leaves.items() if not isinstance(leaf, (jax.Array, np.ndarray))
        },
        needy="leaf",
        partial=partial,
    )
    return filled_manifest(
        (
            (name, *_shape_and_dtype(name, leaves[name]), filling)
            for name, filling in fillings.items()
            if filling is not None
        ),
        seed=seed,
        draw=draw,
    )


def _shape_and_dtype(name: str, leaf: Any) -> tuple[tuple[int, ...], Dtype]:
    shape, dtype = getattr(leaf, "shape", None), getattr(leaf, "dtype", None)
    if shape is None or dtype is None:
        raise bad_type(f"abstract_tree[{name!r}]", "a jax.ShapeDtypeStruct", leaf)
    if jax.dtypes.issubdtype(dtype, jax.dtypes.extended):
        raise bad_value(
            f"abstract_tree[{name!r}]", "of numbers; leave keys out of the tree", str(dtype)
        )
    try:
        element = as_dtype(np.dtype(dtype))
        check_dtype(element)
    except InvalidArgumentError as error:
        raise error.within(name) from None
    return tuple(shape), element
