"""The adapters of PEFT, initialized as their configuration says."""

from collections.abc import Callable, Iterator
from typing import Any

from torch import nn

# What LoRA's own function knows; others are computed from the base's weights.
_KNOWN = (True, False, "gaussian")


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
            initialization = _initialization(module, adapter)
            # AdaLoRA is LoRA by its class, and has a function of its own.
            if initialization in _KNOWN and not hasattr(each, "lora_E"):
                _reset(each, adapter, initialization)
            else:
                yield f"{path}: {type(each).__name__} with init_lora_weights={initialization!r}"


def _reset(layer: Any, adapter: str, initialization: Any) -> None:
    """Reset one LoRA adapter of a layer as when it was added."""
    if initialization is False:
        # As layers of torch are when they are made.
        for part in (layer.lora_A, layer.lora_B):
            if adapter in part:
                part[adapter].reset_parameters()
    layer.reset_lora_parameters(adapter, initialization)
    if adapter in layer.lora_magnitude_vector:
        # DoRA makes a new layer of what the base's weights are; its parameter stays the same one.
        made = layer.lora_magnitude_vector[adapter]
        layer.lora_variant[adapter].init(layer, adapter_name=adapter)
        made.weight.copy_(layer.lora_magnitude_vector[adapter].weight)
        layer.lora_magnitude_vector[adapter] = made


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
