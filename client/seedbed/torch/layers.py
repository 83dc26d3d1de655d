"""What torch's own layers fill their parameters and buffers with: what reset_parameters does."""

import math
from collections.abc import Callable, Iterator

from torch import nn

from seedbed.rules import Filling
from seedbed.spec.initializers import (
    ConstantSpec,
    KaimingUniformSpec,
    OnesSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    XavierNormalSpec,
    XavierUniformSpec,
    ZerosSpec,
)

Named = tuple[str, Filling]
"""A tensor's name, seen from the module that has it, and what fills it."""

ZEROS, ONES = Filling(ZerosSpec()), Filling(OnesSpec())


def fillings_of(module: nn.Module) -> Iterator[Named]:
    """Yield what a module's own reset_parameters fills, and how; nothing for unknown layers.

    A class that brings a reset_parameters of its own is none of them, even if it derives from one.
    """
    for kind, method, fillings in _LAYERS:
        if isinstance(module, kind) and getattr(type(module), method, None) is getattr(
            kind, method
        ):
            yield from fillings(module)
            return


def _linear(module: nn.Module) -> Iterator[Named]:
    """Linear and convolutions; U(-1 / sqrt(fan_in), 1 / sqrt(fan_in)) for both weight and bias."""
    yield "weight", Filling(KaimingUniformSpec(math.sqrt(5)))
    shape = module.weight.shape
    yield "bias", _uniform(math.prod(shape[1:]))


def _bilinear(module: nn.Module) -> Iterator[Named]:
    for name in ("weight", "bias"):
        yield name, _uniform(module.weight.shape[1])


def _embedding(module: nn.Module) -> Iterator[Named]:
    del module
    yield "weight", Filling(RandomNormalSpec(0.0, 1.0))


def _norm(module: nn.Module) -> Iterator[Named]:
    del module
    yield "weight", ONES
    yield "bias", ZEROS


def _batch_norm(module: nn.Module) -> Iterator[Named]:
    yield from _norm(module)
    yield "running_mean", ZEROS
    yield "running_var", ONES
    yield "num_batches_tracked", ZEROS


def _prelu(module: nn.Module) -> Iterator[Named]:
    yield "weight", Filling(ConstantSpec(module.init))


def _recurrent(module: nn.Module) -> Iterator[Named]:
    for name, _ in module.named_parameters():
        yield name, _uniform(module.hidden_size)


def _attention(module: nn.Module) -> Iterator[Named]:
    """Whatever of these there is, and the bias of the projection out, a layer of its own."""
    del module
    for name in ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"):
        yield name, Filling(XavierUniformSpec())
    for name in ("in_proj_bias", "out_proj.bias"):
        yield name, ZEROS
    for name in ("bias_k", "bias_v"):
        yield name, Filling(XavierNormalSpec())


def _transformer(module: nn.Module) -> Iterator[Named]:
    """All weights inside, whatever layer they are of."""
    for name, parameter in module.named_parameters():
        if parameter.dim() > 1:
            yield name, Filling(XavierUniformSpec())


def _uniform(fan_in: int) -> Filling:
    bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0.0
    return Filling(RandomUniformSpec(-bound, bound))


_CONVOLUTIONS = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)
_NORMS = (nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
_INSTANCE_NORMS = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)

_LAYERS: tuple[tuple[type[nn.Module], str, Callable[[nn.Module], Iterator[Named]]], ...] = (
    (nn.Linear, "reset_parameters", _linear),
    *((kind, "reset_parameters", _linear) for kind in _CONVOLUTIONS),
    (nn.Bilinear, "reset_parameters", _bilinear),
    (nn.Embedding, "reset_parameters", _embedding),
    (nn.EmbeddingBag, "reset_parameters", _embedding),
    *((kind, "reset_parameters", _norm) for kind in _NORMS),
    *((kind, "reset_parameters", _batch_norm) for kind in (*_BATCH_NORMS, *_INSTANCE_NORMS)),
    (nn.PReLU, "reset_parameters", _prelu),
    (nn.RNNBase, "reset_parameters", _recurrent),
    (nn.RNNCellBase, "reset_parameters", _recurrent),
    (nn.MultiheadAttention, "_reset_parameters", _attention),
    (nn.Transformer, "_reset_parameters", _transformer),
)
"""The layers, each with the method whose distributions it follows. The first that fits counts."""


def padding_row(module: nn.Module, name: str) -> int | None:
    """Return which row of a module's tensor stays zero, or None: an embedding's ``padding_idx``."""
    if (
        name == "weight"
        and isinstance(module, (nn.Embedding, nn.EmbeddingBag))
        and module.padding_idx is not None
    ):
        return int(module.padding_idx)
    return None
