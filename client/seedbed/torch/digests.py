"""The digests of a module's parameters: the same, however it is sharded."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from seedbed.spec.digests import Digest, Digests, digest_bytes, digest_of
from seedbed.spec.errors import bad_value
from seedbed.torch.dtensors import gathered, is_dtensor
from seedbed.torch.names import named_tensors


def digests(module: nn.Module, *, prefix: str = "") -> dict[str, Digest]:
    """Return the digest of each parameter's bytes, by name.

    Of a DTensor, they are those of the whole tensor. A collective call for DTensors: every rank
    makes it, for the same module. One whole parameter is in memory at a time. The digests are those
    that a server states for the same tensors; see :func:`seedbed.torch.manifest_of`.

    Args:
        module: the module.
        prefix: put before each name.

    Raises:
        InvalidValueError: if a parameter is sparse, or on the meta device, where it has no bytes.
    """
    return Digests(
        {
            name: digest_bytes(bytes_of(name, parameter).data)
            for name, parameter in parameters_of(module, prefix).items()
        }
    )


def digest(module: nn.Module, *, prefix: str = "") -> Digest:
    """Return one digest for all parameters of a module, as :func:`seedbed.digest_of` makes it.

    It is the same whatever the number of processes and the layout. A collective call for DTensors,
    as :func:`digests`, whose arguments it has.
    """
    return digest_of(digests(module, prefix=prefix))


def parameters_of(module: nn.Module, prefix: str) -> dict[str, torch.Tensor]:
    """Return the parameters of a module by name, each once."""
    return {
        each.name: each.tensor for each in named_tensors(module, prefix) if each.kind == "parameter"
    }


def bytes_of(name: str, parameter: torch.Tensor) -> NDArray[np.uint8]:
    """Return the bytes of a whole parameter, of a DTensor as well."""
    if parameter.is_meta:
        raise bad_value("module", "parameters that have content, not on the meta device", name)
    if parameter.layout is not torch.strided:
        raise bad_value("module", "parameters that are dense, not sparse", name)
    with torch.no_grad():
        whole = gathered(parameter) if is_dtensor(parameter) else parameter
        flat = whole.detach().cpu().contiguous().reshape(-1)
    content: NDArray[np.uint8] = flat.view(torch.uint8).numpy()
    return content
