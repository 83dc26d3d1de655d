"""The rules of a model that does not say them itself: a checkpoint, or arrays."""

from dataclasses import replace

from seedbed.client import Client
from seedbed.manifest import Manifest
from seedbed.reports.distributions import exact_distribution
from seedbed.reports.figures import initializer_text
from seedbed.reports.subjects import ModelFigures
from seedbed.reports.tensor_figures import TensorFigures
from seedbed.spec.errors import Words, bad_value
from seedbed.spec.info import TensorDescription
from seedbed.spec.tensors import TensorSpec


def with_rules(model: ModelFigures, manifest: Manifest, client: Client) -> ModelFigures:
    """Return a model's figures with the rules, and exact distributions, of a manifest.

    They count where name and shape are the same.

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
        _with_rule(each, spec, described[each.name])
        if (spec := specs.get(each.name)) is not None and spec.shape == each.shape
        else each
        for each in model.tensors
    ]
    if not any(each.rule for each in tensors):
        names = ", ".join(each.name for each in model.tensors[:3])
        allowed = f"one that has tensors of the model, such as {names}, in the same shapes"
        raise bad_value("manifest", allowed, Words(f"{len(specs):,} others"))
    return ModelFigures(model.title, tuple(tensors), model.facts)


def _with_rule(
    tensor: TensorFigures, spec: TensorSpec, description: TensorDescription
) -> TensorFigures:
    return replace(
        tensor,
        rule=initializer_text(spec.initializer),
        seed=spec.seed if spec.initializer.random else None,
        draw=spec.draw if spec.initializer.random else None,
        fan_in=description.fan_in,
        exact=exact_distribution(description),
    )
