"""Without rules, initialize_ fills layers as their own reset_parameters, to the last bit."""

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import seedbed as sb
import seedbed.torch as sbt
from tests.frameworks.torch.recording import RecordingClient, fill_of, told_by_torch


def transformer() -> nn.Module:
    with warnings.catch_warnings():
        # It says that nested tensors would be faster; there are none here.
        warnings.filterwarnings("ignore", "enable_nested_tensor is True", UserWarning)
        return nn.Transformer(6, 2, 1, 1, 8)


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "Linear": lambda: nn.Linear(7, 5),
    "Linear without bias": lambda: nn.Linear(3, 1, bias=False),
    "Bilinear": lambda: nn.Bilinear(3, 4, 5),
    "Conv1d": lambda: nn.Conv1d(4, 6, 3, groups=2),
    "Conv2d": lambda: nn.Conv2d(3, 8, (3, 5)),
    "Conv3d": lambda: nn.Conv3d(2, 3, 2, bias=False),
    "ConvTranspose1d": lambda: nn.ConvTranspose1d(4, 6, 3),
    "ConvTranspose2d": lambda: nn.ConvTranspose2d(4, 6, 3, groups=2),
    "ConvTranspose3d": lambda: nn.ConvTranspose3d(2, 3, (1, 2, 3)),
    "Embedding": lambda: nn.Embedding(9, 4),
    "EmbeddingBag": lambda: nn.EmbeddingBag(9, 4),
    "LayerNorm": lambda: nn.LayerNorm(5),
    "LayerNorm without bias": lambda: nn.LayerNorm((5, 2), bias=False),
    "LayerNorm without anything": lambda: nn.LayerNorm(5, elementwise_affine=False),
    "GroupNorm": lambda: nn.GroupNorm(2, 6),
    "RMSNorm": lambda: nn.RMSNorm(6),
    "BatchNorm1d": lambda: nn.BatchNorm1d(3),
    "BatchNorm2d": lambda: nn.BatchNorm2d(3),
    "BatchNorm3d": lambda: nn.BatchNorm3d(3, affine=False),
    "SyncBatchNorm": lambda: nn.SyncBatchNorm(3),
    "InstanceNorm2d": lambda: nn.InstanceNorm2d(3, affine=True, track_running_stats=True),
    "PReLU": lambda: nn.PReLU(3, init=0.3),
    "RNN": lambda: nn.RNN(3, 5, num_layers=2, bidirectional=True),
    "LSTM": lambda: nn.LSTM(3, 5, proj_size=2),
    "GRU": lambda: nn.GRU(3, 5, bias=False),
    "RNNCell": lambda: nn.RNNCell(3, 5),
    "LSTMCell": lambda: nn.LSTMCell(3, 5),
    "GRUCell": lambda: nn.GRUCell(3, 5),
    "MultiheadAttention": lambda: nn.MultiheadAttention(6, 2),
    "MultiheadAttention of three widths": lambda: nn.MultiheadAttention(
        6, 2, kdim=3, vdim=4, add_bias_kv=True
    ),
    "MultiheadAttention without bias": lambda: nn.MultiheadAttention(6, 2, bias=False),
    "TransformerEncoderLayer": lambda: nn.TransformerEncoderLayer(6, 2, 8),
    "TransformerDecoderLayer": lambda: nn.TransformerDecoderLayer(6, 2, 8),
    "Transformer": transformer,
    "AdaptiveLogSoftmaxWithLoss": lambda: nn.AdaptiveLogSoftmaxWithLoss(16, 12, [4, 8]),
}


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS.keys())
def test_a_layer_gets_what_its_own_reset_gives_it(
    make: Callable[[], nn.Module], client: RecordingClient
) -> None:
    made: list[nn.Module] = []
    told = told_by_torch(lambda: made.append(make()))
    (theirs,) = made
    tensors = {**dict(theirs.named_parameters()), **dict(theirs.named_buffers())}
    expected = {
        name: told[tensor.data_ptr()]
        for name, tensor in tensors.items()
        if tensor.data_ptr() in told
    }
    with torch.device("meta"):
        ours = make()
    with sbt.initializing(ours, seed=1, untouched="defaults") as recorded:
        pass
    found = {spec.name: fill_of(spec, client) for spec in recorded.manifest.tensors}
    assert sbt.digests(sbt.initialize_(make(), seed=1)) == sbt.digests(ours)
    assert {name: found[name] for name in expected} == expected
    # A Transformer copies its layers after their reset; only its weights are written where they are
    # now.
    is_copied = isinstance(theirs, nn.Transformer)
    written = {
        name
        for name, parameter in theirs.named_parameters()
        if parameter.dim() > 1 or not is_copied
    }
    assert written <= set(expected)
    assert {name: tensor.shape for name, tensor in ours.named_parameters()} == {
        name: tensor.shape for name, tensor in theirs.named_parameters()
    }


@pytest.mark.parametrize("kind", [nn.BatchNorm2d, nn.InstanceNorm1d], ids=str)
def test_running_statistics_begin_anew(kind: Any) -> None:
    with torch.device("meta"):
        on_meta = kind(3, affine=True, track_running_stats=True)
    used = kind(3, affine=True, track_running_stats=True)
    for buffer in used.buffers():
        buffer.fill_(7)
    for module in (on_meta, used):
        sbt.initialize_(module, seed=1)
        assert module.running_mean.tolist() == [0, 0, 0]
        assert module.running_var.tolist() == [1, 1, 1]
        assert module.num_batches_tracked.item() == 0
        assert module.num_batches_tracked.dtype is torch.int64


@pytest.mark.parametrize("kind", [nn.Embedding, nn.EmbeddingBag], ids=str)
def test_the_padding_row_of_an_embedding_is_zero(kind: Any) -> None:
    for padding_idx, rules in ((2, None), (-1, {"weight": sb.RandomNormal(stddev=3.0)})):
        module = sbt.initialize_(kind(5, 3, padding_idx=padding_idx), seed=1, rules=rules)
        zero_rows = (module.weight == 0).all(1).tolist()
        assert zero_rows == [row == padding_idx % 5 for row in range(5)]


class OwnReset(nn.Linear):  # type: ignore[misc]  # torch is not installed where types are checked
    def reset_parameters(self) -> None:
        nn.init.zeros_(self.weight)


class Unknown(nn.Module):  # type: ignore[misc]  # likewise
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))


class Derived(nn.Linear):  # type: ignore[misc]  # likewise
    """A layer of torch in all that matters."""


def test_a_layer_with_a_reset_of_its_own_gets_what_that_says() -> None:
    with pytest.raises(sb.InvalidValueError) as caught:
        sbt.initialize_(nn.Sequential(OwnReset(3, 3), Unknown(), nn.Linear(3, 3)), seed=1)
    lines = str(caught.value).split("\n    ")[1:]
    assert [line.split('"')[1] for line in lines] == ["0.bias", "1.scale"]
    sbt.initialize_(nn.Sequential(Derived(3, 3)), seed=1)


def test_the_outer_layer_counts_before_the_inner() -> None:
    # Its biases, though, are those of each layer's own; the attention's are zeros.
    manifest = sbt.manifest_of(transformer(), seed=1)
    kinds = {spec.name: type(spec.initializer).__name__ for spec in manifest.tensors}
    assert kinds["encoder.layers.0.linear1.weight"] == "XavierUniformSpec"
    assert kinds["encoder.layers.0.linear1.bias"] == "RandomUniformSpec"
    assert kinds["encoder.layers.0.self_attn.out_proj.bias"] == "ZerosSpec"
