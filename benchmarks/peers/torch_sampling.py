"""PyTorch's in-place functions."""

from typing import Any

import torch

from benchmarks.peers.names import DTYPES, ITEM_BYTES, LIMIT, STDDEV, cell
from benchmarks.work import Action


def actions(*, size_bytes: int, threads: int) -> dict[str, Action]:
    """Return what fills memory with each distribution in each dtype."""
    torch.set_num_threads(threads)
    memory = torch.ones(size_bytes, dtype=torch.uint8)
    found: dict[str, Action] = {}
    for dtype in DTYPES:
        out = memory[: size_bytes // ITEM_BYTES[dtype] * ITEM_BYTES[dtype]].view(
            getattr(torch, dtype)
        )
        found |= {cell(name, dtype): action for name, action in _fills(out).items()}
    return found


def _fills(out: Any) -> dict[str, Action]:
    def uniform() -> None:
        out.uniform_(-LIMIT, LIMIT)

    def normal() -> None:
        out.normal_(0.0, STDDEV)

    def truncated_normal() -> None:
        torch.nn.init.trunc_normal_(out, 0.0, STDDEV, -2 * STDDEV, 2 * STDDEV)

    return {"uniform": uniform, "normal": normal, "truncated normal": truncated_normal}
