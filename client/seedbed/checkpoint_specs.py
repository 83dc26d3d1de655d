"""The specs of a checkpoint's tensors: names, shapes and dtypes of its files, filled by rules."""

from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from typing import Any, Literal, get_args

from seedbed.checkpoint_files import CheckpointPath, read_headers
from seedbed.checkpoints import Entry
from seedbed.patterns import lines_of_rules
from seedbed.rules import (
    UNSAID,
    Filling,
    InitializerLike,
    Rules,
    pairs_of,
    parse_optional,
    parse_rules,
    refuse,
    settle,
)
from seedbed.spec.errors import InvalidArgumentError, bad_type, bad_value
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import OrthogonalSpec
from seedbed.spec.tensors import TensorSpec

Layout = Literal["torch", "keras", "jax", "mlx"]
"""Whose weights a checkpoint holds: where their inputs and outputs are."""

LAYOUTS: dict[str, FanAxes | None] = {
    "torch": FanAxes(in_axis=1, out_axis=0),
    "mlx": FanAxes(in_axis=-1, out_axis=0),
    # Both are (..., in, out), which needs no axes.
    "keras": None,
    "jax": None,
}


def specs_of_checkpoint(
    path: CheckpointPath,
    rules: Rules[InitializerLike | None],
    *,
    seed: int | None,
    layout: Layout | None,
    dtype: Any,
    fan_axes: FanAxes | None,
    partial: bool,
) -> list[TensorSpec]:
    """Return the specs; arguments and errors are those of ``Manifest.from_safetensors``."""
    # Rules are no option here, so that None is refused.
    pairs = parse_rules("rules", pairs_of("rules", rules), parse_optional)
    _check_layout(layout, fan_axes)
    entries = read_headers(path)
    try:
        fillings: dict[str, Filling | None]
        fillings, faults = settle(
            dict.fromkeys(entries, UNSAID),
            pairs,
            shapes={name: entry.shape for name, entry in entries.items()},
            partial=partial,
        )
        filled = {name: each for name, each in fillings.items() if each is not None}
        if dtype is None:
            faults += _of_other_dtypes(filled, entries)
        if layout is None and fan_axes is None:
            faults += _without_layout(filled, entries)
        refuse(faults)
        return [
            _spec(name, filling, entries[name], seed, layout, dtype, fan_axes)
            for name, filling in filled.items()
        ]
    except InvalidArgumentError as error:
        where = str(path) if isinstance(path, str | PathLike) else ", ".join(map(str, path))
        raise error.within(where) from None


def _spec(
    name: str,
    filling: Filling,
    entry: Entry,
    seed: int | None,
    layout: Layout | None,
    dtype: Any,
    fan_axes: FanAxes | None,
) -> TensorSpec:
    try:
        if layout is not None:
            _check_orthogonal(filling, entry.shape, layout)
            filling = filling.in_layout_of(entry.shape, LAYOUTS[layout])
        elif filling.fan_axes is None and filling.takes_axes:
            filling = replace(filling, fan_axes=fan_axes)
        return TensorSpec(
            name,
            entry.shape,
            entry.dtype if dtype is None else dtype,
            filling,
            seed if filling.seed_bits is None else filling.seed_bits,
        )
    except InvalidArgumentError as error:
        raise error.within(f"tensors.{name}") from None


def _check_orthogonal(filling: Filling, shape: tuple[int, ...], layout: Layout) -> None:
    """Raise where torch flattens other axes of one orthogonal tensor into a matrix than seedbed."""
    spec, axes = filling.spec, filling.fan_axes
    is_one = (
        isinstance(spec, OrthogonalSpec) and spec.blocks == 1 and not (axes and axes.batch_axis)
    )
    if layout == "torch" and is_one and len(shape) > 2:
        allowed = "of two axes for an orthogonal tensor in torch's layout, whose rows are axis 0"
        raise bad_value("shape", allowed, shape)


def _check_layout(layout: object, fan_axes: object) -> None:
    if layout is not None and layout not in get_args(Layout):
        raise bad_value("layout", "one of " + ", ".join(get_args(Layout)), layout)
    if fan_axes is not None and not isinstance(fan_axes, FanAxes):
        raise bad_type("fan_axes", "FanAxes or None", fan_axes)
    if layout is not None and fan_axes is not None:
        raise bad_value("fan_axes", "None where a layout is given", fan_axes)


def _of_other_dtypes(filled: Mapping[str, Filling], entries: Mapping[str, Entry]) -> list[str]:
    """Return a text that names the tensors whose dtypes nothing here makes; none if none is."""
    others = {name: entries[name].dtype_name for name in filled if entries[name].dtype is None}
    if not others:
        return []
    kept = [name for name in entries if name not in others]
    head = (
        "`dtype` must be given for these tensors, whose own seedbed does not make. "
        "Or leave them out, by these rules put first:"
    )
    return ["\n    ".join([head, *lines_of_rules(others, kept, "None")])]


def _without_layout(filled: Mapping[str, Filling], entries: Mapping[str, Entry]) -> list[str]:
    """Return a text that names the tensors whose numbers depend on the layout; none if none do."""
    shapes = {
        name: entries[name].shape
        for name, filling in filled.items()
        if filling.needs_layout and filling.fan_axes is None and len(entries[name].shape) > 1
    }
    if not shapes:
        return []
    others = [name for name in entries if name not in shapes]
    head = (
        f"`layout` must be one of {', '.join(get_args(Layout))}, or `fan_axes` given, here or in "
        "the rules: inputs and outputs decide what fills"
    )
    return ["\n    ".join([head, *lines_of_rules(shapes, others)])]
