"""All parameters of a module, each filled by its name."""

from typing import SupportsIndex, TypeVar

from mlx import nn
from mlx.utils import tree_unflatten

from seedbed.client import Client
from seedbed.defaults import check_client, client_or_default
from seedbed.manifest import Manifest
from seedbed.mlx.arrays import array_of
from seedbed.mlx.names import arrays_by_name
from seedbed.mlx.rules import ParameterRules, manifest_of_arrays
from seedbed.spec.errors import bad_type

ModuleT = TypeVar("ModuleT", bound=nn.Module)


def initialize(
    module: ModuleT,
    *,
    seed: SupportsIndex,
    rules: ParameterRules | None = None,
    prefix: str = "",
    partial: bool = False,
    draw: int = 0,
    client: Client | None = None,
    local: bool = False,
    progress: bool = False,
    timeout_seconds: float | None = None,
) -> ModuleT:
    """Fill every parameter of a module, each by its name, and return the module.

    A parameter's content is a function of the seed, its name, what fills it, its shape and its
    dtype: never of the order of layers.

    Args:
        module: an ``mlx.nn.Module``.
        seed: of every parameter, -2**63 to 2**64 - 1. A seed that a rule's initializer carries does
            not count.
        rules: patterns on names, and what fills the parameters that match, as in a
            :class:`seedbed.Manifest`; the first match counts. Initializers are seedbed's; their
            fans are those of MLX's layout (out, ..., in) unless they name their axes. None leaves a
            parameter as it is.
        prefix: put before each name, for a part of a model that is initialized by itself.
        partial: the module is a part of a model: a rule that matches nothing is for another part,
            and no error. A prefix says the same.
        draw: the n-th use of one seed.
        client: who samples; by default that of :func:`seedbed.get_default_client`.
        local: sample in this process, and compare with the server's digests.
        progress: show a progress bar on standard error.
        timeout_seconds: for the whole fetch; None is no limit.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if a value is not allowed; or naming the parameters that no rule matches,
            and the rules that match no parameter.
        TransportError: if a server's answer does not come; no parameter has changed then.

    Example:
        >>> layer = initialize(nn.Linear(3, 2), seed=1, rules={"bias": "zeros", "*": "he_normal"})
        >>> layer.bias.tolist()
        [0.0, 0.0]
    """
    check_client(client)
    manifest = manifest_of(
        module, seed=seed, rules=rules, prefix=prefix, partial=partial, draw=draw
    )
    arrays = client_or_default(client).sample_all(
        manifest, local=local, progress=progress, timeout_seconds=timeout_seconds
    )
    filled = [
        (spec.name.removeprefix(prefix), array_of(arrays[spec.name], spec.dtype))
        for spec in manifest.tensors
    ]
    module.update(tree_unflatten(filled))
    return module


def manifest_of(
    module: nn.Module,
    *,
    seed: SupportsIndex,
    rules: ParameterRules | None = None,
    prefix: str = "",
    partial: bool = False,
    draw: int = 0,
) -> Manifest:
    """Return the parameters of a module and what :func:`initialize` fills them with.

    Nothing is fetched or changed. ``client.digest_all(manifest_of(...))`` is what :func:`digests`
    will say of the filled module, and ``manifest_of(...).save("model.yaml")`` is a file for
    ``seedbed fetch``.

    Args:
        module: as in :func:`initialize`, like all other arguments.
        seed: likewise.
        rules: likewise.
        prefix: likewise.
        partial: likewise.
        draw: likewise.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if a value is not allowed; or naming the parameters that no rule matches,
            and the rules that match no parameter.
    """
    if not isinstance(module, nn.Module):
        raise bad_type("module", "an mlx.nn.Module", module)
    arrays = arrays_by_name(module, prefix)
    return manifest_of_arrays(arrays, rules, seed=seed, draw=draw, partial=partial or bool(prefix))
