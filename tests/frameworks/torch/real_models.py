"""Real models, built from their configurations at small sizes, and what their own code gives them.

    python -m tests.frameworks.torch.real_models [NAME ...]

prints a table: of each parameter and buffer the distribution of the library's own initialization,
and of seedbed's.
"""

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import transformers
from scipy import stats
from torch import nn

import seedbed.torch as sbt

SIZES: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 500,
}
VISION = {"image_size": 32, "patch_size": 8, "num_channels": 3, "num_labels": 500}
# The library's initialization with this many seeds is what ours is compared with.
SEEDS = (1, 2, 3)
# Two-sample Kolmogorov-Smirnov; there are some thousands of tensors in all.
LEAST_P = 1e-7


def _words(model: Any) -> dict[str, torch.Tensor]:
    words = torch.arange(3, 3 + 4 * 24).reshape(4, 24) % model.config.get_text_config().vocab_size
    return {"input_ids": words, "labels": words}


def _images(model: Any) -> dict[str, torch.Tensor]:
    # One image and label says little: its loss depends on a few numbers.
    pixels = torch.rand(64, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return {"pixel_values": pixels, "labels": torch.arange(64)}


def _sound(model: Any) -> dict[str, torch.Tensor]:
    frames = 2 * model.config.max_source_positions
    features = torch.linspace(-1, 1, 2 * model.config.num_mel_bins * frames)
    words = torch.arange(3, 3 + 2 * 8).reshape(2, 8)
    return {
        "input_features": features.reshape(2, model.config.num_mel_bins, frames),
        "decoder_input_ids": words,
        "labels": words,
    }


@dataclass(frozen=True)
class Model:
    """One architecture."""

    kind: str
    """The class of transformers."""
    config: str
    """The class of its configuration."""
    sizes: dict[str, Any]
    """What the configuration says besides, or instead of, ``SIZES``."""
    inputs: Callable[[Any], dict[str, torch.Tensor]] = _words
    """What it is run with."""

    def make(self) -> Any:
        """Build it, on the default device."""
        config = getattr(transformers, self.config)(**self.sizes)
        return getattr(transformers, self.kind)(config)


MODELS = {
    "Llama": Model("LlamaForCausalLM", "LlamaConfig", SIZES),
    "Llama, tied": Model("LlamaForCausalLM", "LlamaConfig", {**SIZES, "tie_word_embeddings": True}),
    "Llama, padded": Model("LlamaForCausalLM", "LlamaConfig", {**SIZES, "pad_token_id": 2}),
    "Qwen3-MoE": Model(
        "Qwen3MoeForCausalLM",
        "Qwen3MoeConfig",
        {**SIZES, "num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 32},
    ),
    "Mixtral": Model(
        "MixtralForCausalLM", "MixtralConfig", {**SIZES, "num_local_experts": 4, "head_dim": 16}
    ),
    "DeepSeek-V3": Model(
        "DeepseekV3ForCausalLM",
        "DeepseekV3Config",
        {
            **SIZES,
            "num_key_value_heads": 4,
            "n_routed_experts": 8,
            "n_group": 2,
            "topk_group": 1,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 32,
            "first_k_dense_replace": 1,
            "q_lora_rank": 16,
            "kv_lora_rank": 16,
            "qk_rope_head_dim": 8,
            "qk_nope_head_dim": 8,
            "v_head_dim": 16,
        },
    ),
    "gpt-oss": Model(
        "GptOssForCausalLM", "GptOssConfig", {**SIZES, "num_local_experts": 4, "head_dim": 16}
    ),
    "Gemma 3": Model("Gemma3ForCausalLM", "Gemma3TextConfig", {**SIZES, "head_dim": 16}),
    "GPT-2": Model(
        "GPT2LMHeadModel",
        "GPT2Config",
        {"n_embd": 64, "n_layer": 2, "n_head": 4, "vocab_size": 500, "n_positions": 64},
    ),
    "BERT": Model("BertForMaskedLM", "BertConfig", SIZES),
    "RoBERTa": Model("RobertaForMaskedLM", "RobertaConfig", SIZES),
    "ModernBERT": Model(
        "ModernBertForMaskedLM",
        "ModernBertConfig",
        {**SIZES, "pad_token_id": 0, "num_hidden_layers": 3},
    ),
    "OPT": Model(
        "OPTForCausalLM",
        "OPTConfig",
        {**SIZES, "ffn_dim": 96, "word_embed_proj_dim": 32, "max_position_embeddings": 64},
    ),
    "T5": Model(
        "T5ForConditionalGeneration",
        "T5Config",
        {"d_model": 64, "d_ff": 96, "d_kv": 16, "num_layers": 2, "num_heads": 4, "vocab_size": 500},
        lambda model: {**_words(model), "decoder_input_ids": _words(model)["labels"]},
    ),
    "BART": Model(
        "BartForConditionalGeneration",
        "BartConfig",
        {
            "d_model": 64,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_ffn_dim": 96,
            "decoder_ffn_dim": 96,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 4,
            "vocab_size": 500,
            "max_position_embeddings": 64,
        },
    ),
    "Whisper": Model(
        "WhisperForConditionalGeneration",
        "WhisperConfig",
        {
            "d_model": 64,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_ffn_dim": 96,
            "decoder_ffn_dim": 96,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 4,
            "vocab_size": 500,
            "max_source_positions": 32,
            "max_target_positions": 32,
            "pad_token_id": 1,
            "bos_token_id": 2,
            "eos_token_id": 2,
            "decoder_start_token_id": 2,
        },
        _sound,
    ),
    "Mamba": Model(
        "MambaForCausalLM",
        "MambaConfig",
        {"hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 500, "state_size": 8},
    ),
    "Mamba2": Model(
        "Mamba2ForCausalLM",
        "Mamba2Config",
        {
            "hidden_size": 64,
            "num_hidden_layers": 2,
            "vocab_size": 500,
            "state_size": 8,
            "num_heads": 8,
            "head_dim": 16,
            "n_groups": 2,
            "chunk_size": 8,
        },
    ),
    "ViT": Model("ViTForImageClassification", "ViTConfig", {**SIZES, **VISION}, _images),
    "DINOv2": Model("Dinov2ForImageClassification", "Dinov2Config", {**SIZES, **VISION}, _images),
    "Swin": Model(
        "SwinForImageClassification",
        "SwinConfig",
        {"embed_dim": 16, "depths": [1, 1], "num_heads": [2, 4], "window_size": 2, **VISION},
        _images,
    ),
    "Wav2Vec2": Model(
        "Wav2Vec2ForCTC",
        "Wav2Vec2Config",
        {**SIZES, "vocab_size": 32, "num_conv_pos_embedding_groups": 4},
        lambda model: {"input_values": torch.linspace(-1, 1, 2 * 4000).reshape(2, 4000)},
    ),
}


@dataclass(frozen=True)
class Row:
    """One tensor: what the library gives it, and what seedbed does."""

    name: str
    shape: tuple[int, ...]
    theirs: str
    ours: str
    is_right: bool


def tensors_of(model: nn.Module) -> dict[str, torch.Tensor]:
    return {
        name: tensor.detach()
        for name, tensor in (*model.named_parameters(), *model.named_buffers())
    }


def rows(make: Callable[[], nn.Module], ours: nn.Module) -> Iterator[Row]:
    """Yield a comparison of each tensor of a model with those of the library's own models."""
    theirs = []
    for seed in SEEDS:
        torch.manual_seed(seed)
        theirs.append(tensors_of(make()))
    found = tensors_of(ours)
    assert list(found) == list(theirs[0])
    for name, tensor in found.items():
        yield _row(name, [each[name] for each in theirs], tensor)


def _row(name: str, theirs: list[torch.Tensor], ours: torch.Tensor) -> Row:
    shape = tuple(ours.shape)
    if all(torch.equal(theirs[0], each) for each in theirs):
        is_right = torch.equal(theirs[0], ours)
        return Row(name, shape, _said(theirs[0]), _said(ours), is_right)
    sample = torch.cat([each.flatten() for each in theirs]).double().numpy()
    other = ours.flatten().double().numpy()
    return Row(name, shape, _said(sample), _said(other), _is_alike(sample, other))


def _is_alike(sample: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> bool:
    p = stats.ks_2samp(sample, other).pvalue
    # A standard deviation of n numbers is off by about one part in sqrt(2 n).
    allowed = 6 * math.sqrt(1 / (2 * len(other)) + 1 / (2 * len(sample)))
    is_as_wide = len(other) < 50 or abs(other.std() / sample.std() - 1) < allowed
    return bool(p > LEAST_P and is_as_wide)


def _said(values: Any) -> str:
    flat = np.asarray(values, dtype=np.float64).reshape(-1)
    if flat.size == 0:
        return "empty"
    if (flat == flat[0]).all():
        return f"constant {flat[0]:.4g}"
    mean, deviation = flat.mean(), flat.std()
    # A uniform's kurtosis is 1.8, a normal's 3, one truncated at two sigma 2.37.
    kurtosis = ((flat - mean) ** 4).mean() / deviation**4
    kinds = {1.8: "uniform", 2.37: "truncated", 3.0: "normal"}
    kind = kinds[min(kinds, key=lambda known: abs(known - kurtosis))] if flat.size > 200 else "-"
    return f"{kind} {mean:+.4f} {deviation:.4f}"


def loss_of(model: Any, inputs: dict[str, torch.Tensor]) -> float:
    """Return a model's loss; without labels, the even distribution's distance from its answers."""
    with torch.no_grad():
        output = model.eval()(**inputs)
    if output.get("loss") is not None:
        return float(output.loss)
    return float(torch.logsumexp(output.logits.float(), -1).mean())


def main(names: list[str]) -> None:
    """Print the table."""
    for name in names or MODELS:
        with torch.device("meta"):
            model = MODELS[name].make()
        with sbt.initializing(model, seed=5):
            model.init_weights()
        sys.stdout.write(f"\n{name}\n")
        for row in rows(MODELS[name].make, model):
            mark = " " if row.is_right else "!"
            shape = "x".join(map(str, row.shape))
            sys.stdout.write(f"{mark} {row.name:70} {shape:14} {row.theirs:28} {row.ours}\n")


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    main(sys.argv[1:])
