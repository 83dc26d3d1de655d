"""The adapters of PEFT, initialized as their configuration says."""

from collections.abc import Callable, Iterator
from typing import Any

from torch import nn


def reset_adapters(module: nn.Module, is_open: Callable[[nn.Module], bool]) -> Iterator[str]:
    """Reset the LoRA layers in a module; yield other adapters, whose reset is not known.

    Args:
        module: the module; it need have no adapters.
        is_open: whether a module has a tensor whose content its code may decide.
    """
    for path, each in module.named_modules():
        if not _is_adapter(each) or not is_open(each):
            continue
        if not hasattr(each, "reset_lora_parameters"):
            yield f"{path}: {type(each).__name__}"
            continue
        for adapter in (*each.lora_A, *each.lora_embedding_A):
            each.reset_lora_parameters(adapter, _initialization(module, adapter))


def _is_adapter(module: nn.Module) -> bool:
    return any(
        kind.__module__.startswith("peft.") and kind.__name__ == "BaseTunerLayer"
        for kind in type(module).__mro__
    )


def _initialization(module: nn.Module, adapter: str) -> Any:
    """Return how a LoRA adapter's configuration wants it; PEFT's own default without one."""
    for each in module.modules():
        configs = getattr(each, "peft_config", None)
        if isinstance(configs, dict) and adapter in configs:
            return configs[adapter].init_lora_weights
    return True
