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


class OwnCode(nn.Module):  # type: ignore[misc]  # likewise
    """A model whose code does to its parameters all that real models do."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 6, padding_idx=7)
        self.packed = nn.Linear(6, 18)
        self.experts = nn.Parameter(torch.empty(4, 5, 6))
        self.router = nn.Linear(6, 4, bias=False)
        self.steps = nn.Parameter(torch.empty(9))
        self.log = nn.Parameter(torch.empty(7, 3))
        self.out = nn.Linear(6, 11, bias=False)
        self.norm = nn.LayerNorm(6)
        self.register_buffer("angles", torch.empty(3))

    def init_weights(self) -> None:
        nn.init.normal_(self.embedding.weight, std=0.02)
        nn.init.zeros_(self.embedding.weight[7])
        for part in self.packed.weight.chunk(3):
            nn.init.xavier_uniform_(part)
        nn.init.zeros_(self.packed.bias)
        for place, expert in enumerate(self.experts):
            nn.init.trunc_normal_(expert, std=0.02 + place)
        nn.init.kaiming_uniform_(self.router.weight, a=2.0)
        self.steps.copy_(torch.exp(torch.rand(9)))
        self.log.copy_(torch.log(torch.arange(1.0, 4.0)).expand(7, 3))
        nn.init.normal_(self.out.weight)
        self.out.weight.mul_(0.5)
        self.log[1] = torch.arange(3.0)
        self.log[2:4, 1:] = 0.5
        self.out.weight[11:].zero_()
        self.out.weight[2:5].fill_(0.25)
        self.out.weight.narrow(0, 3, 4)[:, 1:].mul_(3.0)
        self.norm.reset_parameters()
        self.angles.copy_(torch.arange(3.0) * 0.1)


RULES = {
    "convolution.weight": sb.Orthogonal(),
    "up.weight": sb.KaimingNormal(),
    "down.bias": sb.Ones(),
}
