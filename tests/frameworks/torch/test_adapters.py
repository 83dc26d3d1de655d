"""PEFT's adapters: they come out as their configuration says, over the base's own content."""

from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

import seedbed as sb
import seedbed.torch as sbt

BASE = {"net.0.weight": sb.RandomNormal(stddev=3.0)}


class Base(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """A model whose class initializes all linear layers, whatever they are for."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=100.0)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def plain(name: str) -> str:
    return name.removeprefix("base_model.model.").replace(".base_layer", "")


def adapted(*, rules: Any = None, **options: Any) -> Any:
    """Return an adapted model, made on meta and filled as a whole."""
    with torch.device("meta"):
        model = get_peft_model(Base(), LoraConfig(r=2, target_modules=["0"], **options))
    sbt.initialize_(model, seed=1, rename=plain, rules=rules)
    return model.base_model.model.net[0]


def test_an_adapter_is_as_its_configuration_says() -> None:
    base = sbt.initialize_(Base(), seed=1)
    layer = adapted()
    assert torch.equal(layer.base_layer.weight, base.net[0].weight)
    assert (layer.lora_B["default"].weight == 0).all()
    assert 0 < layer.lora_A["default"].weight.abs().max() <= 8**-0.5
    gaussian = adapted(init_lora_weights="gaussian").lora_A["default"].weight
    assert 0.2 < gaussian.std() < 1
    layer = adapted(init_lora_weights=False)
    assert 0 < layer.lora_A["default"].weight.abs().max() <= 8**-0.5
    assert 0.5 < layer.lora_B["default"].weight.abs().max() <= 2**-0.5


def test_magnitudes_follow_from_the_base() -> None:
    layer = adapted(use_dora=True, rules=BASE)
    base = sbt.initialize_(Base(), seed=1, rules=BASE)
    assert torch.equal(layer.base_layer.weight, base.net[0].weight)
    magnitudes = layer.lora_magnitude_vector["default"].weight
    assert torch.allclose(magnitudes, base.net[0].weight.norm(dim=1))


def test_adapters_that_are_computed_otherwise_are_refused() -> None:
    with pytest.raises(sb.InvalidValueError, match="with init_lora_weights='pissa'"):
        adapted(init_lora_weights="pissa")
