"""A client that fetches all tensors of a model: by one call, or by one for each."""

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
    longest_axis: int | None,
    elements: int | None,
) -> dict[str, Action]:
    """Return what fetches a model into preallocated arrays.

    Args:
        address: of the server.
        manifest: the file that lists the model's tensors.
        by: what one call fetches.
        longest_axis: what longer axes are cut to.
        elements: what tensors are cut to; None leaves them.
    """
    client = sb.connect(address)

    def cut(spec: sb.TensorSpec) -> sb.TensorSpec:
        shape = tuple(min(length, longest_axis or length) for length in spec.shape)
        if elements is not None:
            shape = (min(math.prod(shape), elements),)
        return dataclasses.replace(spec, shape=shape)

    model = sb.Manifest(map(cut, sb.Manifest.load(manifest).tensors))
    outs = {spec.name: np.ones(spec.shape, spec.dtype.numpy) for spec in model.tensors}

    def together() -> None:
        client.sample_all(model, out=outs)

    def one_by_one() -> None:
        for spec in model.tensors:
            client.sample(spec, out=outs[spec.name])

    return {"fetch all": together if by == "model" else one_by_one}
