"""All parameters of a module, each filled by its name; each process fills what it holds of them."""

import itertools
from collections.abc import Collection, Mapping
from typing import TypeVar

import torch
from torch import nn

from seedbed.client import Client
from seedbed.deadlines import deadline
from seedbed.defaults import check_client, client_or_default
from seedbed.manifest import Manifest, filled_manifest
from seedbed.rules import Filling
from seedbed.torch.axes import LAYOUT, on_the_wire
from seedbed.torch.initializing.block import followed
from seedbed.torch.initializing.model import Tensors
from seedbed.torch.initializing.own_code import reset_layers, run_own_initialization
from seedbed.torch.initializing.recording import Fetching, Recording
from seedbed.torch.initializing.shadows import shadowed
from seedbed.torch.layout import whole_layout
from seedbed.torch.names import NamedTensor, Rename
from seedbed.torch.rules import BufferRules, Content, ParameterRules, Ruled, refuse_missing, ruled

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
    rename: Rename | None = None,
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
    the module's own code, run as in :func:`seedbed.torch.initializing`: the ``reset_parameters`` of
    its layers, and then what the outermost class with an initialization for all that is inside it
    brings (``initialize_weights``, ``init_weights``, ``_init_weights``). What a constructor does to
    its layers in a loop of its own cannot be seen: give rules for that, or repeat it in a block of
    ``initializing``. An embedding's ``padding_idx`` row becomes zero.

    Parameters and buffers on the meta device get memory first. A parameter that is not trained
    (``requires_grad=False``) and has content stays as it is, and so does what transformers has
    loaded. Buffers that the code does not fill stay, too, unless they were on the meta device.

    Args:
        module: an ``nn.Module``, on any device; ``fully_shard``, ``parallelize_module`` and
            ``distribute_module`` may have been applied to it. Wrappers' own parts of names do not
            count.
        seed: of the whole model, -2**63 to 2**64 - 1. A seed that a rule's initializer carries does
            not count.
        rules: patterns on names and initializers, as in a :class:`seedbed.Manifest`. Fans are those
            of torch's layout (out, in, ...) unless the initializer names its axes. Instead of an
            initializer a function may stand, which returns one, or fills the parameter itself; see
            :data:`seedbed.torch.ParameterRules`. None leaves a parameter as it is, if it is not on
            the meta device.
        buffers: the same for buffers; a function is called with the buffer.
        device: where tensors on the meta device get memory: by default on the CPU, DTensors on
            their mesh's.
        prefix: put before each name, such as ``layers.3.`` for a part of a model that is
            initialized by itself.
        partial: the module is a part of a model: a rule that matches nothing is for another part,
            and no error. A prefix says the same.
        rename: gives each name another, as a function or a mapping: so that an adapter's base, an
            average or a newer version has the names of the original, and its content.
        draw: the n-th use of one seed.
        client: who samples; by default that of :func:`seedbed.get_default_client`.
        local: sample in this process, and compare with the server's digests.
        progress: show a progress bar on standard error.
        timeout_seconds: for the whole fetch; None is no limit.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if a value is not allowed, or a rule matches nothing, before anything is
            changed; if the module's own code cannot be run so; or listing all parameters and
            buffers that nothing fills, before anything is fetched.
        TransportError: if a server's answer does not come; the module is then partly filled.

    Example:
        >>> model = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 10, bias=False))
        >>> initialize_(model, seed=1, rules={"0.*": RandomNormal(stddev=0.02)})
        Sequential(...)
    """
    check_client(client)
    tensors = Tensors(module, prefix, rename)
    said = _ruled(tensors, rules, buffers, seed=seed, draw=draw, partial=partial or bool(prefix))
    client = client_or_default(client)
    remaining = deadline(client.target, timeout_seconds)
    kept = _kept(tensors, said.contents)
    with tensors.with_memory(device):
        recording = tensors.recording(seed, draw, Fetching(client, local, progress, remaining))
        _run(tensors, recording, said, kept, kinds=("parameter", "buffer"))
        recording.settle(tensors.tracked)
    return module


def manifest_of(
    module: nn.Module,
    *,
    seed: int,
    rules: ParameterRules | None = None,
    prefix: str = "",
    partial: bool = False,
    rename: Rename | None = None,
    draw: int = 0,
) -> Manifest:
    """Return the parameters of a module and what :func:`initialize_` fills them with.

    Nothing is fetched or changed. The module may be on the meta device.
    ``client.digest_all(manifest_of(...))`` is what :func:`digests` will say of these parameters of
    the filled module (but for an embedding with a ``padding_idx``, whose row is not zero on the
    wire), and ``manifest_of(...).save("model.yaml")`` is a file for ``seedbed fetch``. Parameters
    whose content the module's code computes are not in it. Orthogonal weights of convolutions are
    in it as matrices.

    Args:
        module: the module.
        seed: as in :func:`initialize_`, like all other arguments.
        rules: likewise.
        prefix: likewise.
        partial: likewise.
        rename: likewise.
        draw: likewise.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if a value is not allowed, a rule matches nothing, or nothing says what
            fills a parameter.
    """
    tensors = Tensors(module, prefix, rename)
    said = _ruled(tensors, rules, None, seed=seed, draw=draw, partial=partial or bool(prefix))
    kept = _kept(tensors, said.contents)
    with shadowed(tensors.module):
        shadows = Tensors(module, prefix, rename)
        recording = shadows.recording(seed, draw, None)
        _run(shadows, recording, said, kept, kinds=("parameter",))
        specs = [each.spec for each in shadows.tracked if each.kind == "parameter" and each.spec]
    return Manifest(specs)


def _kept(tensors: Tensors, contents: Mapping[str, Content | None]) -> set[str]:
    """Return the names of the tensors that the module's own code does not decide."""
    return set(contents) | {each.name for each in tensors.named if tensors.has_content(each)}


def _run(
    tensors: Tensors,
    recording: Recording,
    said: Ruled,
    kept: Collection[str],
    *,
    kinds: Collection[str],
) -> None:
    """Run the module's own code, then what rules say.

    Args:
        tensors: of the module.
        recording: of what is done to them.
        said: what the rules say.
        kept: the names of the tensors that the code does not decide.
        kinds: of the tensors that something must fill.

    Raises:
        InvalidValueError: listing those that nothing fills.
    """
    for tracked in tensors.tracked:
        tracked.is_kept = tracked.name in kept
        content = said.contents.get(tracked.name)
        if isinstance(content, Filling):
            # The module's code does not change it, but may read it.
            recording.fill_whole(tracked, content)
    filled = set(tensors.tracked)
    needy = {
        id(tracked.tensor)
        for tracked in tensors.tracked
        if not tracked.is_kept and (tracked.kind == "parameter" or tensors.was_empty(tracked.name))
    }

    def is_open(module: nn.Module) -> bool:
        held = itertools.chain(module.parameters(), module.buffers())
        return any(id(tensor) in needy for tensor in held)

    with followed(tensors.module, tensors.module_names(), recording):
        # As constructors do: the layers first, and then what knows them all.
        reset_layers(tensors.module, is_open)
        for named in tensors.named:
            # A layer that shares an embedding's weight may have filled its padding, too.
            _zero_rows(named)
        run_own_initialization(tensors.module, is_open)
        tensors.adopt(recording)
        for named, tracked in zip(tensors.named, tensors.tracked, strict=True):
            content = said.contents.get(named.name)
            tracked.is_kept = content is None and named.name in kept
            if isinstance(content, Filling):
                if tracked not in filled:
                    recording.fill_whole(tracked, content)
            elif content is not None:
                before = tracked.changes
                content(named.tensor)
                # A function that fills says so by filling.
                if tracked.changes > before:
                    tracked.wrote(whole_layout(tracked.shape))
            if content is not None:
                _zero_rows(named)
        missing = [each for each in tensors.untouched() if each.kind in kinds]
        refuse_missing(missing, tensors.named, said.unmatched)


def _zero_rows(named: NamedTensor) -> None:
    for row in named.zero_rows:
        named.tensor[row].zero_()


def _ruled(
    tensors: Tensors,
    rules: ParameterRules | None,
    buffers: BufferRules | None,
    *,
    seed: int,
    draw: int,
    partial: bool,
) -> Ruled:
    """Return what rules say, after checking all that can be checked while nothing has changed."""
    said = ruled(tensors.named, rules, buffers, aliases=tensors.aliases(), partial=partial)
    filled = []
    for each in tensors.named:
        filling = said.contents.get(each.name)
        if isinstance(filling, Filling):
            shape, filling = on_the_wire(tuple(each.tensor.shape), filling)
            filled.append((each.name, shape, each.tensor.dtype, filling))
    filled_manifest(filled, seed=seed, draw=draw, layout=LAYOUT)
    return said
