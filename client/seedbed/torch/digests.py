"""The digests of a module's parameters: the same, however it is sharded."""

import torch
from torch import nn

from seedbed.spec.digests import Digest, Digests, digest_bytes, digest_of
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
    """
    parameters = [each for each in named_tensors(module, prefix) if each.kind == "parameter"]
    return Digests({each.name: _digest(each.tensor) for each in parameters})


def digest(module: nn.Module, *, prefix: str = "") -> Digest:
    """Return one digest for all parameters of a module, as :func:`seedbed.digest_of` makes it.

    It is the same whatever the number of processes and the layout. A collective call for DTensors,
    as :func:`digests`, whose arguments it has.
    """
    return digest_of(digests(module, prefix=prefix))


def _digest(tensor: torch.Tensor) -> Digest:
    with torch.no_grad():
        whole = (gathered(tensor) if is_dtensor(tensor) else tensor).detach().cpu().contiguous()
    return digest_bytes(whole.reshape(-1).view(torch.uint8).numpy().data)
