"""One transformer in any layout: each rank fetches its own shards, and the digest is the same.

FSDP2 over four processes, then FSDP2 x tensor parallelism as 2 x 2, then one process:

    torchrun --nproc-per-node 4 examples/torch_fsdp2.py
    torchrun --nproc-per-node 4 examples/torch_fsdp2.py --tensor-parallel 2
    python examples/torch_fsdp2.py

Runs on the CPU with gloo. ``$SEEDBED_TARGET`` names a server; without it, the engine in each
process answers.
"""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module
from torch.nn.functional import gelu, scaled_dot_product_attention

import seedbed as sb
import seedbed.torch as sbt

SEED = 42
WORDS, WIDTH, HEADS, LAYERS = 1000, 64, 4, 2
# GPT-2's: projections into the residual stream get less, the deeper the model is. The first pattern
# that fits counts.
RULES = {
    "*norm.weight": sb.Ones(),
    "*.bias": sb.Zeros(),
    "*.down.weight": sb.RandomNormal(stddev=0.02 / (2 * LAYERS) ** 0.5),
    "*.out.weight": sb.RandomNormal(stddev=0.02 / (2 * LAYERS) ** 0.5),
    "*": sb.RandomNormal(stddev=0.02),
}
TENSOR_PARALLEL = {
    "query": ColwiseParallel(),
    "key": ColwiseParallel(),
    "value": ColwiseParallel(),
    "out": RowwiseParallel(),
    "up": ColwiseParallel(),
    "down": RowwiseParallel(),
}


class Block(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """Attention and a feed-forward network, each normalized first and added to its input."""

    def __init__(self) -> None:
        super().__init__()
        self.attention_norm, self.norm = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the stream after this block."""
        normed = self.attention_norm(x)
        # With tensor parallelism, a rank has some of the heads only.
        heads = [
            project(normed).unflatten(-1, (-1, WIDTH // HEADS)).transpose(1, 2)
            for project in (self.query, self.key, self.value)
        ]
        x = x + self.out(
            scaled_dot_product_attention(*heads, is_causal=True).transpose(1, 2).flatten(2)
        )
        return x + self.down(gelu(self.up(self.norm(x))))


class Transformer(nn.Module):  # type: ignore[misc]  # likewise
    """A small decoder; the embedding is also the output's weight."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, WORDS, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        """Return each word's scores."""
        x = self.embedding(words)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def main() -> None:
    """Build the model on the meta device, shard it, fill it, run it once, and print its digest."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--tensor-parallel",
        type=int,
        default=1,
        metavar="N",
        help="processes that share each layer",
    )
    tensor_parallel = parser.parse_args().tensor_parallel
    with process_group() as world_size:
        with torch.device("meta"):
            model = Transformer()
        if world_size:
            mesh = init_device_mesh(
                "cpu",
                (world_size // tensor_parallel, tensor_parallel),
                mesh_dim_names=("data", "tensor"),
            )
            shard(model, mesh)
        # The model's parameters get memory, and each process its part of each; nothing else is
        # fetched.
        sbt.initialize_(model, seed=SEED, rules=RULES)
        report(model, world_size, tensor_parallel)


def shard(model: Transformer, mesh: DeviceMesh) -> None:
    """Shard every block over the mesh: over ``tensor`` by layers, over ``data`` by FSDP."""
    for block in model.blocks:
        if mesh["tensor"].size() > 1:
            parallelize_module(block, mesh["tensor"], TENSOR_PARALLEL)
        fully_shard(block, mesh=mesh["data"])
    fully_shard(model, mesh=mesh["data"])


def report(model: Transformer, world_size: int, tensor_parallel: int) -> None:
    """Print what the ranks hold and the model's digest; rank 0 speaks for all."""
    held = [bytes_held(model)]
    if world_size:
        held *= world_size
        dist.all_gather_object(held, held[0])
    words = torch.arange(12).reshape(2, 6)
    finite = bool(torch.isfinite(model(words)).all())
    digest = sbt.digest(model)
    if world_size and dist.get_rank():
        return
    said = sb.digest_of(
        sb.get_default_client().digest_all(sbt.manifest_of(model, seed=SEED, rules=RULES))
    )
    layout = (
        f"{world_size // tensor_parallel} x {tensor_parallel} processes"
        if world_size
        else "one process, plain"
    )
    print(f"layout: {layout}; its scores are {'finite' if finite else 'NOT FINITE'}")
    print(f"bytes held by each rank: {held}")
    print(f"digest: {digest}")
    print(f"the server's own digest is {'the same' if said == digest else f'ANOTHER ONE: {said}'}")


def bytes_held(model: nn.Module) -> int:
    """Return the size of this rank's part of all parameters."""
    locals_ = (p.to_local() if hasattr(p, "to_local") else p for p in model.parameters())
    return sum(part.numel() * part.element_size() for part in locals_)


@contextmanager
def process_group() -> Iterator[int]:
    """Yield how many processes torchrun has started; 0 if this was not started by it."""
    if "RANK" not in os.environ:
        yield 0
        return
    dist.init_process_group("gloo")
    try:
        yield dist.get_world_size()
    finally:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
