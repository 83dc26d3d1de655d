"""How all parameters of a module are filled, each by its name, each process what it holds of them."""

from typing import TypeVar

import torch
from torch import nn

from seedbed.client import Client
from seedbed.defaults import get_default_client
from seedbed.manifest import Manifest
from seedbed.spec.errors import bad_type
from seedbed.spec.seeds import as_draw, as_seed
from seedbed.torch.fills import Fill, fill_all
from seedbed.torch.materialize import materialize
from seedbed.torch.recipes import Recipe
from seedbed.torch.rules import BufferRules, Decision, ParameterRules, decide
from seedbed.torch.tensors import NamedTensor, named_tensors

ModuleT = TypeVar("ModuleT", bound=nn.Module)


def initialize_(
    module: ModuleT,
    *,
    seed: int,
    rules: ParameterRules | None = None,
    buffers: BufferRules | None = None,
    device: torch.device | str | None = None,
    prefix: str = "",
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
        draw: the n-th use of one seed.
        client: who samples; by default that of :func:`seedbed.get_default_client`.
        local: sample in this process, and compare with the server's digests.
        progress: show a progress bar on standard error.
        timeout_seconds: for the whole fetch; None is no limit.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if a value is not allowed; before anything is changed, and naming the
            parameters or buffers for which nothing says what fills them.
        TransportError: if a server's answer does not come; the module is then partly filled.

    Example:
        >>> model = torch.nn.Sequential(torch.nn.Embedding(10, 4), torch.nn.Linear(4, 10, bias=False))
        >>> initialize_(model, seed=1, rules={"0.*": {"class_name": "RandomNormal", "config": {"stddev": 0.02}}})
        Sequential(...)
    """
    if client is not None and not isinstance(client, Client):
        raise bad_type("client", "a Client or None", client)
    decisions = _decisions(named_tensors(module, prefix), seed, rules, buffers, draw)
    if any(decision.named.tensor.is_meta for decision in decisions):
        materialize(module, device)
        # Materializing makes new tensors; what is known about them is the same.
        decisions = [
            Decision(named, decision.content)
            for named, decision in zip(named_tensors(module, prefix), decisions, strict=True)
        ]
    fill_all(
        _fills(decisions, seed, draw),
        get_default_client() if client is None else client,
        local=local,
        progress=progress,
        timeout_seconds=timeout_seconds,
    )
    _call_functions(decisions)
    return module


def manifest_of(
    module: nn.Module,
    *,
    seed: int,
    rules: ParameterRules | None = None,
    prefix: str = "",
    draw: int = 0,
) -> Manifest:
    """Return the parameters of a module and what :func:`initialize_` fills them with; nothing is fetched or changed.

    The module may be on the meta device. ``client.digest_all(manifest_of(...))`` is what
    :func:`digests` will say of the filled module (but for an embedding with a ``padding_idx``,
    whose row is not zero on the wire), and ``manifest_of(...).save("model.yaml")`` is a file for
    ``seedbed fetch``. Orthogonal weights of convolutions are in it as matrices.

    Args:
        module: the module.
        seed: as in :func:`initialize_`, like all other arguments.
        rules: likewise.
        prefix: likewise.
        draw: likewise.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if a value is not allowed, or nothing says what fills a parameter.
    """
    parameters = [each for each in named_tensors(module, prefix) if each.kind == "parameter"]
    decisions = _decisions(parameters, seed, rules, None, draw)
    specs = (decision.spec(seed, draw) for decision in decisions)
    return Manifest(spec for spec in specs if spec is not None)


def _decisions(
    tensors: list[NamedTensor],
    seed: int,
    rules: ParameterRules | None,
    buffers: BufferRules | None,
    draw: int,
) -> list[Decision]:
    as_seed(seed)
    as_draw(draw)
    decisions = decide(tensors, rules, buffers)
    for decision in decisions:
        decision.spec(seed, draw)  # raises where an initializer cannot fill its tensor
    return decisions


def _fills(decisions: list[Decision], seed: int, draw: int) -> list[Fill]:
    fills = []
    for decision in decisions:
        spec = decision.spec(seed, draw)
        if spec is not None:
            fills.append(Fill(decision.named.tensor, spec, decision.named.zero_row))
    return fills


def _call_functions(decisions: list[Decision]) -> None:
    with torch.no_grad():
        for decision in decisions:
            if decision.content is not None and not isinstance(decision.content, Recipe):
                decision.content(decision.named.tensor)
