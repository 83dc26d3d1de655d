"""All parameters of a module, each filled by its name; each process fills what it holds of them."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import torch
from torch import nn

from seedbed.client import Client
from seedbed.defaults import check_client, client_or_default
from seedbed.manifest import Manifest
from seedbed.rules import Filling
from seedbed.torch.fills import Destination, fill_all
from seedbed.torch.materialize import materialize
from seedbed.torch.names import NamedTensor, named_tensors
from seedbed.torch.rules import (
    BufferRules,
    Content,
    ParameterRules,
    contents_of,
    manifest_of_tensors,
)

ModuleT = TypeVar("ModuleT", bound=nn.Module)


def initialize_(
    module: ModuleT,
    *,
    seed: int,
    rules: ParameterRules | None = None,
    buffers: BufferRules | None = None,
    device: torch.device | str | None = None,
    prefix: str = "",
    partial: bool = False,
    draw: int = 0,
    client: Client | None = None,
    local: bool = False,
    progress: bool = False,
    timeout_seconds: float | None = None,
) -> ModuleT:
    """Fill every parameter of a module, and return the module.

    A parameter's content is a function of the seed, its fully qualified name, what fills it, its
    shape and its dtype: never of the order of layers, of the number of processes, or of how the
    parameter is sharded. Of a DTensor each rank fetches its shard alone. A parameter that several
    layers share is filled once, under its first name.

    What fills a parameter is the first of ``rules`` whose pattern matches its name, and without one
    what the ``reset_parameters`` of its layer in torch.nn would do. An embedding's ``padding_idx``
    row becomes zero either way.

    Parameters and buffers on the meta device get memory first. Buffers whose content is lost there
    are filled by ``buffers``, or like their layer's; running statistics of normalizations begin
    anew wherever they are, as with ``reset_parameters``. All other buffers stay as they are.

    Args:
        module: an ``nn.Module``, on any device; ``fully_shard``, ``parallelize_module`` and
            ``distribute_module`` may have been applied to it. Wrappers' own parts of names do not
            count.
        seed: of the whole model, -2**63 to 2**64 - 1. A seed that a rule's initializer carries does
            not count.
        rules: patterns on names and initializers, as in a :class:`seedbed.Manifest`. Fans are those
            of torch's layout (out, in, ...) unless the initializer names its axes. None leaves a
            parameter as it is, if it is not on the meta device.
        buffers: the same for buffers; instead of an initializer a function may stand, which is
            called with the buffer.
        device: where tensors on the meta device get memory: by default on the CPU, DTensors on
            their mesh's.
        prefix: put before each name, such as ``layers.3.`` for a part of a model that is
            initialized by itself.
        partial: the module is a part of a model: a rule that matches nothing is for another part,
            and no error. A prefix says the same.
        draw: the n-th use of one seed.
        client: who samples; by default that of :func:`seedbed.get_default_client`.
        local: sample in this process, and compare with the server's digests.
        progress: show a progress bar on standard error.
        timeout_seconds: for the whole fetch; None is no limit.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if a value is not allowed; before anything is changed, and naming the
            parameters and buffers for which nothing says what fills them, and the rules that match
            nothing.
        TransportError: if a server's answer does not come; the module is then partly filled.

    Example:
        >>> model = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 10, bias=False))
        >>> initialize_(model, seed=1, rules={"0.*": RandomNormal(stddev=0.02)})
        Sequential(...)
    """
    check_client(client)
    tensors = named_tensors(module, prefix)
    contents = contents_of(tensors, rules, buffers, partial=partial or bool(prefix))
    manifest = manifest_of_tensors(tensors, contents, seed=seed, draw=draw)
    if any(each.tensor.is_meta for each in tensors):
        materialize(module, device)
        # Materializing makes new tensors; what is known about their names is the same.
        tensors = named_tensors(module, prefix)
    fill_all(
        [
            Destination(each.tensor, manifest[each.name], each.zero_row)
            for each in tensors
            if each.name in manifest
        ],
        client_or_default(client),
        local=local,
        progress=progress,
        timeout_seconds=timeout_seconds,
    )
    _call_functions(tensors, contents)
    return module


def manifest_of(
    module: nn.Module,
    *,
    seed: int,
    rules: ParameterRules | None = None,
    prefix: str = "",
    partial: bool = False,
    draw: int = 0,
) -> Manifest:
    """Return the parameters of a module and what :func:`initialize_` fills them with.

    Nothing is fetched or changed. The module may be on the meta device.
    ``client.digest_all(manifest_of(...))`` is what :func:`digests` will say of the filled module
    (but for an embedding with a ``padding_idx``, whose row is not zero on the wire), and
    ``manifest_of(...).save("model.yaml")`` is a file for ``seedbed fetch``. Orthogonal weights of
    convolutions are in it as matrices.

    Args:
        module: the module.
        seed: as in :func:`initialize_`, like all other arguments.
        rules: likewise.
        prefix: likewise.
        partial: likewise.
        draw: likewise.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if a value is not allowed, or nothing says what fills a parameter,
            or a rule matches none.
    """
    parameters = [each for each in named_tensors(module, prefix) if each.kind == "parameter"]
    contents = contents_of(parameters, rules, None, partial=partial or bool(prefix))
    return manifest_of_tensors(parameters, contents, seed=seed, draw=draw)


def _call_functions(tensors: Sequence[NamedTensor], contents: Mapping[str, Content | None]) -> None:
    with torch.no_grad():
        for each in tensors:
            content = contents[each.name]
            if content is not None and not isinstance(content, Filling):
                content(each.tensor)
