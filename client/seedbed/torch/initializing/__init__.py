"""A module's own initialization code, run with seedbed's numbers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, get_args

import torch
from torch import nn

from seedbed.client import Client
from seedbed.deadlines import deadline
from seedbed.defaults import check_client, client_or_default
from seedbed.patterns import lines_of_rules
from seedbed.spec.errors import InvalidValueError, bad_value
from seedbed.spec.seeds import as_draw, as_seed
from seedbed.torch.initializing.block import followed
from seedbed.torch.initializing.model import Tensors
from seedbed.torch.initializing.own_code import reset_layers
from seedbed.torch.initializing.recorded import Recorded
from seedbed.torch.initializing.recording import Fetching
from seedbed.torch.names import NamedTensor, Rename

Untouched = Literal["error", "keep", "defaults"]


@contextmanager
def initializing(
    module: nn.Module,
    *,
    seed: int,
    untouched: Untouched = "error",
    device: torch.device | str | None = None,
    prefix: str = "",
    rename: Rename | None = None,
    draw: int = 0,
    client: Client | None = None,
    local: bool = False,
    progress: bool = False,
    timeout_seconds: float | None = None,
) -> Iterator[Recorded]:
    """Run a module's own initialization code inside, with seedbed's numbers in it.

    What is on the meta device gets memory. Then any code may run: ``model.init_weights()``,
    ``model.apply(function)``, assignments, computations. Where it draws random numbers
    (``torch.nn.init``, ``Tensor.normal_`` and ``uniform_``, ``torch.randn``, ``rand``, ``normal``
    and their like), it gets seedbed's: under the name of the parameter or buffer that it fills, or
    of the module whose code makes a tensor. Their generators do not matter. So each tensor's
    content follows from the seed, its name, and what the code does, whatever the layout; of a
    DTensor each process fetches what it holds.

    - A part of a tensor, such as ``weight[:n].normal_()``, gets its elements by their places in the
      whole. Where a tensor is filled several times, the last fill counts.
    - What fills a tensor is fetched when the block ends, all in one call, or as soon as something
      reads it.
    - What is computed and copied to a DTensor is computed whole by every process, and each keeps
      its part.
    - A parametrized tensor, as under ``weight_norm``, is what its layer's reset makes it, and what
      it is computed from follows. What code writes to it later is forgotten, as in torch, with a
      warning.
    - No gradients are recorded inside.

    Args:
        module: an ``nn.Module``, as in :func:`seedbed.torch.initialize_`.
        seed: of the whole model, -2**63 to 2**64 - 1.
        untouched: what happens to a parameter, or to a buffer on the meta device, that the code
            does not fill: ``error``; ``keep`` for those that had content before; ``defaults`` runs
            the ``reset_parameters`` of all layers first.
        device: where tensors on the meta device get memory: by default on the CPU, DTensors on
            their mesh's.
        prefix: put before each name, for a part of a model.
        rename: gives each name another, as a function or a mapping: so that an adapter's base, an
            average or a newer version has the names of the original, and its content.
        draw: the n-th use of one seed.
        client: who samples; by default that of :func:`seedbed.get_default_client`.
        local: sample in this process, and compare with the server's digests.
        progress: show a progress bar on standard error.
        timeout_seconds: for all fetches, counted from the start; None is no limit.

    Yields:
        What was done, for ``recorded.manifest`` and ``recorded.rules`` after the block.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if a value is not allowed; if the code draws random numbers that seedbed
            does not have, such as a permutation; and at the end of the block, listing what nothing
            has filled.
        TransportError: if a server's answer does not come; the module is then partly filled.

    Example:
        >>> with torch.device("meta"):
        ...     model = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8))
        >>> with initializing(model, seed=1):
        ...     for layer in model:
        ...         layer.reset_parameters()
        >>> model[0].weight.shape
        torch.Size([8, 4])
    """
    check_client(client)
    as_seed(seed), as_draw(draw)
    if untouched not in get_args(Untouched):
        raise bad_value("untouched", f"one of {', '.join(get_args(Untouched))}", untouched)
    client = client_or_default(client)
    tensors = Tensors(module, prefix, rename)
    remaining = deadline(client.target, timeout_seconds)
    recorded = Recorded()
    with tensors.with_memory(device):
        recording = tensors.recording(seed, draw, Fetching(client, local, progress, remaining))
        with followed(tensors.module, tensors.module_names(), recording):
            if untouched == "defaults":
                reset_layers(tensors.module)
            yield recorded
            tensors.adopt(recording)
            _refuse(list(tensors.untouched(keeps_content=untouched == "keep")), tensors.named)
        # What code has put elsewhere than into the module is random numbers, too.
        recording.settle([*tensors.tracked, *recording.temporaries.pending()])
    recorded.complete(tensors.tracked)


def _refuse(missing: Sequence[NamedTensor], tensors: Sequence[NamedTensor]) -> None:
    if not missing:
        return
    shapes = {each.name: tuple(each.tensor.shape) for each in missing}
    others = [each.name for each in tensors if each.name not in shapes]
    head = (
        "`module` must be filled by the code in the block, or by untouched='defaults' for what "
        "layers reset. This is not, or not all of it:"
    )
    lines = "\n    ".join([head, *lines_of_rules(shapes, others)])
    raise InvalidValueError(lines, field="module")
