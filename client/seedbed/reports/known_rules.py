"""The rules of a model that does not say them itself: a checkpoint, or arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from seedbed.client import Client
from seedbed.manifest import Manifest
from seedbed.reports.subjects import ModelFigures, rule_figures
from seedbed.spec.errors import Words, bad_value
from seedbed.spec.tensors import TensorSpec

MOST_NAMES = 5


def with_rules(model: ModelFigures, manifest: Manifest, client: Client) -> ModelFigures:
    """Return a model's figures with the rules, and exact distributions, of a manifest.

    They count where name and shape are the same; what is not the same is among the facts.

    Args:
        model: its figures.
        manifest: what its tensors were filled by.
        client: describes the manifest.

    Raises:
        InvalidValueError: if the manifest has none of the model's tensors.
    """
    specs = {spec.name: spec for spec in manifest.tensors}
    described = client.describe_all(manifest)
    tensors = [
        replace(each, **rule_figures(spec, described[each.name]))
        if (spec := specs.get(each.name)) is not None and spec.shape == each.shape
        else each
        for each in model.tensors
    ]
    if not any(each.rule for each in tensors):
        names = ", ".join(each.name for each in model.tensors[:3])
        allowed = f"one that has tensors of the model, such as {names}, in the same shapes"
        raise bad_value("manifest", allowed, Words(f"{len(specs):,} others"))
    return ModelFigures(model.title, tuple(tensors), {**model.facts, **_left_out(model, specs)})


def _left_out(model: ModelFigures, specs: Mapping[str, TensorSpec]) -> dict[str, str]:
    """Return what to say where manifest and model are not of the same tensors."""
    here = {each.name: each.shape for each in model.tensors}
    other = [name for name, shape in here.items() if name in specs and specs[name].shape != shape]
    kinds = {
        "in other shapes there": other,
        "not there": [name for name in here if name not in specs],
        "there only": [name for name in specs if name not in here],
    }
    said = [f"{_few(names)} {kind}" for kind, names in kinds.items() if names]
    return {"manifest": "; ".join(said)} if said else {}


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more
