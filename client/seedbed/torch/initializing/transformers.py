"""What models of transformers keep about their initialization, read where a model is one."""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn


def forget_initialized(module: nn.Module) -> None:
    """Let transformers initialize modules that it has initialized before.

    It marks modules, and passes by those that are marked. What it has loaded it marks by tensor,
    and that stays.
    """
    for each in module.modules():
        vars(each).pop("_is_hf_initialized", None)


def tied_followers(module: nn.Module, names: Mapping[int, str]) -> Iterator[tuple[Any, str]]:
    """Yield shared parameters, each with the name of a module whose fills of it do not count.

    transformers initializes a model before it ties weights, so what a follower's module, such as
    the head, fills is then replaced. On the meta device they are tied from the start.
    """
    for each in module.modules():
        tied = getattr(each, "all_tied_weights_keys", None)
        if not isinstance(tied, Mapping):
            continue
        parameters = dict(each.named_parameters(remove_duplicate=False))
        for follower, leader in tied.items():
            path = follower.rpartition(".")[0]
            if parameters.get(follower) is parameters.get(leader) is not None:
                yield parameters[follower], names[id(each.get_submodule(path))]
