"""What fills each leaf of a tree: the first rule that matches its name, or what was recorded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import jax
import numpy as np

from seedbed.jax.dtypes import check_dtype
from seedbed.jax.keys import is_key
from seedbed.jax.leaves import Leaves
from seedbed.jax.recording import Computed, Content, Full, Keys, Sampled, texts_of_leaves
from seedbed.manifest import Manifest, filled_manifest
from seedbed.rules import (
    UNSAID,
    Filling,
    InitializerLike,
    Rules,
    parse_optional,
    parse_rules,
    refuse,
    settle,
)
from seedbed.spec.dtypes import Dtype, as_dtype
from seedbed.spec.errors import InvalidArgumentError, bad_type
from seedbed.spec.initializers import ZerosSpec

LeafRules = Rules[InitializerLike | None]
"""What fills the leaves: None is nothing."""

Entry = tuple[str, tuple[int, ...], Dtype, Filling]
"""A tensor of a manifest: its name, shape, dtype, and what fills it."""


class Said(Enum):
    """What fills a leaf for which no rule has to say it."""

    RECORDED = auto()
    """What its function does."""
    MADE = auto()
    """Keys are made, and counts of drawn keys begin at 0."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What fills the leaves of a tree."""

    manifest: Manifest
    """The tensors, those of one number everywhere included."""
    contents: Mapping[str, Content]
    """What fills each leaf that is not left as it is, by name."""


def plan_of_leaves(
    leaves: Leaves, rules: LeafRules | None, *, seed: int, draw: int, partial: bool
) -> Plan:
    """Return what fills the leaves of a tree.

    Args:
        leaves: the leaves.
        rules: what fills them; None leaves an array as it is.
        seed: of all of them.
        draw: the n-th use of the seed.
        partial: whether rules may match no leaf.

    Raises:
        InvalidTypeError: if a rule is not one.
        InvalidValueError: if an initializer is not allowed, or cannot fill its leaf, which is
            named; or naming the leaves of which nothing says what fills them, and those without
            content that None would leave as they are.
    """
    decided = _decided(leaves, rules, partial=partial or bool(leaves.prefix))
    recorded = [name for name, said in decided.items() if said is Said.RECORDED]
    contents = leaves.recorded(recorded)
    for name, said in decided.items():
        if isinstance(said, Filling):
            contents[name] = Sampled(name, said.spec, said.fan_axes)
        elif said is Said.MADE:
            form = leaves.by_name[name]
            contents[name] = Keys() if is_key(form) else Full(np.zeros((), form.dtype), ZerosSpec())
    ordered = {name: contents[name] for name in leaves.by_name if name in contents}
    return Plan(filled_manifest(_entries(leaves.by_name, ordered), seed=seed, draw=draw), ordered)


def _decided(
    leaves: Leaves, rules: LeafRules | None, *, partial: bool
) -> dict[str, Filling | Said | None]:
    by_name = leaves.by_name
    made = {name for name, leaf in by_name.items() if is_key(leaf)} | leaves.counts
    default = UNSAID if leaves.recording is None else Said.RECORDED
    decided: dict[str, Filling | Said | None]
    decided, faults = settle(
        {name: Said.MADE if name in made else default for name in by_name},
        parse_rules("rules", rules, parse_optional),
        shapes={name: getattr(leaf, "shape", ()) for name, leaf in by_name.items()},
        empty={
            name for name, leaf in by_name.items() if not isinstance(leaf, (jax.Array, np.ndarray))
        },
        needy="leaf",
        partial=partial,
    )
    # Rules say what fills tensors: a `*` does not mean keys.
    decided.update((name, Said.MADE) for name in made if decided.get(name) is not None)
    refuse([*faults, *_guessed_axes(by_name, decided)])
    return decided


def _guessed_axes(
    leaves: Mapping[str, Any], decided: Mapping[str, Filling | Said | None]
) -> list[str]:
    """Return a text with the leaves whose inputs and outputs an initializer would have to guess."""
    shapes = {name: tuple(getattr(leaf, "shape", ())) for name, leaf in leaves.items()}
    guessed = {
        name: shapes[name]
        for name, said in decided.items()
        if isinstance(said, Filling)
        and said.spec.has_fans
        and said.fan_axes is None
        and len(shapes[name]) != 2
    }
    return texts_of_leaves(_AXES, guessed, decided)


_AXES = """\
`rules` must name the axes of inputs and outputs where a leaf does not have just two, such as
{"class_name": "he_normal", "fan_axes": {"in_axis": -2, "out_axis": -1}} for a convolution's kernel,
or "in_axis": 1, "out_axis": [2, 3], "batch_axis": 0 for stacked layers with heads;
seedbed.jax.record finds them by itself. Complete these and put them first:"""


def _entries(leaves: Mapping[str, Any], contents: Mapping[str, Content]) -> Iterator[Entry]:
    named = set()
    for name, content in contents.items():
        if isinstance(content, Computed):
            for unit, own in content.units.items():
                if own not in named:
                    named.add(own)
                    filling = Filling(unit.initializer, unit.fan_axes)
                    yield own, unit.shape, as_dtype(unit.dtype), filling
        elif isinstance(content, Sampled):
            if content.name not in named:
                named.add(content.name)
                filling = Filling(content.initializer, content.fan_axes)
                yield content.name, *_shape_and_dtype(name, leaves[name]), filling
        elif isinstance(content, Full) and content.initializer is not None:
            yield name, *_shape_and_dtype(name, leaves[name]), Filling(content.initializer)


def _shape_and_dtype(name: str, leaf: Any) -> tuple[tuple[int, ...], Dtype]:
    shape, dtype = getattr(leaf, "shape", None), getattr(leaf, "dtype", None)
    if shape is None or dtype is None:
        raise bad_type(f"abstract_tree[{name!r}]", "a jax.ShapeDtypeStruct", leaf)
    try:
        element = as_dtype(np.dtype(dtype))
        check_dtype(element)
    except InvalidArgumentError as error:
        raise error.within(name) from None
    return tuple(shape), element
