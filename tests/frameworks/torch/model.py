"""A small model with all that makes initializing one hard."""

import torch
from torch import nn

import seedbed as sb

WORDS = torch.arange(22).reshape(2, 11) % 11


class Model(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """Uneven widths, a shared weight, a padding row, statistics, a convolution, a recurrence."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 6, padding_idx=7)
        self.up, self.down = nn.Linear(6, 12), nn.Linear(12, 6)
        self.convolution = nn.Conv1d(6, 6, 3, padding=1)
        self.rnn = nn.GRU(6, 6, batch_first=True)
        self.norm = nn.BatchNorm1d(6)
        self.head = nn.Linear(6, 11)
        self.head.weight = self.embedding.weight

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        x = self.embedding(words)
        x = x + self.down(self.up(x).relu())
        x = self.norm(self.convolution(x.transpose(1, 2))).transpose(1, 2)
        return self.head(x + self.rnn(x)[0])


RULES = {
    "convolution.weight": sb.Orthogonal(),
    "up.weight": sb.KaimingNormal(),
    "down.bias": sb.Ones(),
}
