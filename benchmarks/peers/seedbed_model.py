"""A client that fetches a model cut small: by one call, or by one for each tensor."""

import dataclasses
import math
from typing import Literal

import numpy as np

import seedbed as sb
from benchmarks.work import Action


def actions(
    *,
    address: str,
    manifest: str,
    by: Literal["model", "tensor"],
    elements: int,
) -> dict[str, Action]:
    """Return what fetches a model into preallocated arrays.

    Args:
        address: of the server.
        manifest: the file that lists the model's tensors.
        by: what one call fetches.
        elements: what tensors are cut to.
    """
    client = sb.connect(address)

    def cut(spec: sb.TensorSpec) -> sb.TensorSpec:
        return dataclasses.replace(spec, shape=(min(math.prod(spec.shape), elements),))

    model = sb.Manifest(map(cut, sb.Manifest.load(manifest).tensors))
    outs = {spec.name: np.ones(spec.shape, spec.dtype.numpy) for spec in model.tensors}

    def together() -> None:
        client.sample_all(model, out=outs)

    def one_by_one() -> None:
        for spec in model.tensors:
            client.sample(spec, out=outs[spec.name])

    return {"fetch all": together if by == "model" else one_by_one}
