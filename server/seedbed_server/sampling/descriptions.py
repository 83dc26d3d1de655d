"""Descriptions of plans, for a dry run, and of the initializers."""

import dataclasses
from typing import Any

from seedbed.spec.fans import fans_of
from seedbed.spec.info import InitializerInfo, InitializerParameter, TensorDescription
from seedbed.spec.initializers import INITIALIZERS, InitializerSpec, parameters
from seedbed_server.backends.rules import (
    Diagonal,
    Fill,
    Normal,
    Orthogonal,
    Sparse,
    Stft,
    Uniform,
)
from seedbed_server.sampling.sampler import SamplePlan


def describe(plan: SamplePlan, max_chunk_bytes: int) -> TensorDescription:
    """Return what a plan's tensor would be, sent in chunks of this size."""
    spec = plan.request.spec
    cost = plan.cost
    fans = fans_of(spec.shape, spec.fan_axes) if spec.initializer.has_fans else None
    return TensorDescription(
        name=spec.name,
        shape=plan.request.shape,
        dtype=spec.dtype,
        size_bytes=plan.size_bytes,
        chunk_count=plan.chunk_count(max_chunk_bytes),
        fan_in=fans.fan_in if fans else None,
        fan_out=fans.fan_out if fans else None,
        sampled_elements=cost.sampled_elements,
        working_bytes=cost.working_bytes,
        **_figures(plan),  # type: ignore[arg-type]  # each figure goes to the field of its name
    )


def _figures(plan: SamplePlan) -> dict[str, object]:
    match plan.rule:
        case Fill(value):
            return {"distribution": "constant", "value": value}
        case Diagonal(value):
            return {"distribution": "diagonal", "value": value}
        case Uniform(minval, maxval):
            return {"distribution": "uniform", "minval": minval, "maxval": maxval}
        case Normal(mean, stddev, lower, upper):
            figures: dict[str, object] = {
                "distribution": "untruncated_normal",
                "mean": mean,
                "stddev": stddev,
            }
            if (lower, upper) != (float("-inf"), float("inf")):
                figures |= {"distribution": "truncated_normal", "lower": lower, "upper": upper}
            return figures
        case Sparse(stddev, zeros) if not zeros:
            return {"distribution": "untruncated_normal", "mean": 0.0, "stddev": stddev}
        case Sparse(stddev, zeros) as rule:
            return {
                "distribution": "sparse",
                "stddev": stddev,
                "zeros_per_line": zeros,
                "line_length": rule.line_elements,
            }
        case Orthogonal(gain, grid):
            return {
                "distribution": "orthogonal",
                "gain": gain,
                "rows": grid.rows,
                "columns": grid.columns,
            }
        case Stft():
            return {}


def catalogue() -> list[InitializerInfo]:
    """Return every initializer, sorted by name."""
    return [_info(spec) for spec in sorted(INITIALIZERS.values(), key=lambda spec: spec.name())]


def _type_name(field: dataclasses.Field[Any]) -> str:
    if field.metadata["choices"]:
        return "string"
    # A type, no string.
    return {bool: "boolean", int: "integer"}.get(field.type, "float")  # type: ignore[arg-type]


def _info(spec: type[InitializerSpec]) -> InitializerInfo:
    return InitializerInfo(
        name=spec.name(),
        field=spec.field_name(),
        aliases=spec.aliases,
        description=" ".join((spec.__doc__ or "").split()),
        parameters=tuple(
            InitializerParameter(
                name=field.name,
                type=_type_name(field),
                default=field.default,  # type: ignore[arg-type]  # every parameter has one
                choices=field.metadata["choices"],
                description=field.metadata["description"],
            )
            for field in parameters(spec)
        ),
        dtypes=spec.dtypes,
        random=spec.random,
    )
