"""What a model's own initialization costs with seedbed's numbers: a billion parameters, FSDP2.

    python -m benchmarks.initializing [--processes 4] [--rounds 3] [--layers 16]

Every rank builds a transformer on the meta device, shards it with its fellows, and then

- runs its init_weights() in a block of ``seedbed.torch.initializing``,
- or has it filled by the same rules, written by hand, by ``initialize_``,
- or runs its init_weights() as it is, with torch's own numbers for the shards.

Those take turns; a time is that of the slowest rank, from the sharded model on meta to its content.
Each process samples with the embedded engine, whose kernels are compiled before. Beside them stands
what a single process needs for the whole model with torch's own numbers.
"""

import argparse
import gc
import math
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

import seedbed as sb
import seedbed.torch as sbt

WIDTH, HIDDEN, WORDS = 2048, 8192, 32_000


class Block(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """A layer of Llama's shape, initialized as torchtitan's is."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.std = 0.02 / math.sqrt(2 * (depth + 1))
        self.attention_norm, self.norm = nn.RMSNorm(WIDTH), nn.RMSNorm(WIDTH)
        self.wq, self.wk, self.wv, self.wo = (_linear(WIDTH, WIDTH) for _ in range(4))
        self.w1, self.w2, self.w3 = (
            _linear(WIDTH, HIDDEN),
            _linear(HIDDEN, WIDTH),
            _linear(WIDTH, HIDDEN),
        )

    def init_weights(self) -> None:
        """Fill it."""
        self.attention_norm.reset_parameters()
        self.norm.reset_parameters()
        for linear in (self.wq, self.wk, self.wv, self.w1):
            nn.init.trunc_normal_(linear.weight, std=0.02)
        for linear in (self.wo, self.w2, self.w3):
            nn.init.trunc_normal_(linear.weight, std=self.std)


class Transformer(nn.Module):  # type: ignore[misc]  # likewise
    """A transformer of Llama's shape."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, WIDTH)
        self.layers = nn.ModuleList(Block(depth) for depth in range(layers))
        self.norm, self.output = nn.RMSNorm(WIDTH), _linear(WIDTH, WORDS)

    def init_weights(self) -> None:
        """Fill all of it."""
        nn.init.normal_(self.embedding.weight)
        for layer in self.layers:
            layer.init_weights()
        self.norm.reset_parameters()
        nn.init.trunc_normal_(self.output.weight, std=WIDTH**-0.5)


def rules(layers: int) -> dict[str, sb.Initializer]:
    """Return what init_weights() does, written by hand."""
    written: dict[str, sb.Initializer] = {
        "embedding.weight": sb.RandomNormal(stddev=1.0),
        "output.weight": _truncated(WIDTH**-0.5),
        "*norm.weight": sb.Ones(),
        "layers.*.w[qkv1].weight": _truncated(0.02),
    }
    for depth in range(layers):
        written[f"layers.{depth}.w[o23].weight"] = _truncated(0.02 / math.sqrt(2 * (depth + 1)))
    return written


def _truncated(std: float) -> sb.Initializer:
    """Return torchtitan's: the bounds are 2 in absolute numbers, many standard deviations."""
    return sb.TruncatedNormal(stddev=std, lower=-2 / std, upper=2 / std)


def own_code(model: Transformer) -> None:
    """Run its code with seedbed's numbers."""
    with sbt.initializing(model, seed=1):
        model.init_weights()


def by_rules(model: Transformer) -> None:
    """Fill it by rules."""
    sbt.initialize_(model, seed=1, rules=rules(len(model.layers)))


def by_torch(model: Transformer) -> None:
    """Run its code with torch's numbers."""
    model.to_empty(device="cpu")
    with torch.no_grad():
        model.init_weights()


WAYS: dict[str, Callable[[Transformer], None]] = {
    "own code": own_code,
    "rules": by_rules,
    "torch": by_torch,
}


def run(rank: int, processes: int, folder: str, rounds: int, layers: int) -> None:
    """Be one rank."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/ranks", rank=rank, world_size=processes
    )
    sb.set_default_client(sb.connect("embedded:"))
    own_code(_sharded(processes, 0))
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    digests: dict[str, str] = {}
    for turn in range(rounds):
        for way in list(WAYS)[turn % len(WAYS) :] + list(WAYS)[: turn % len(WAYS)]:
            model = _sharded(processes, layers)
            dist.barrier()
            start = time.perf_counter()
            WAYS[way](model)
            dist.barrier()
            seconds[way].append(time.perf_counter() - start)
            if way != "torch" and turn == 0:
                digests[way] = str(sbt.digest(model))
            # Sharded modules refer to themselves.
            del model
            gc.collect()
    if rank == 0:
        if digests["own code"] != digests["rules"]:
            sys.exit(f"the code and the rules differ: {digests}")
        _report(seconds)
    dist.destroy_process_group()


def _report(seconds: dict[str, list[float]]) -> None:
    for way, taken in seconds.items():
        ratios = [mine / rules for mine, rules in zip(taken, seconds["rules"], strict=True)]
        sys.stdout.write(
            f"{way:16} {statistics.median(taken):7.2f} s ({min(taken):.2f} to {max(taken):.2f}), "
            f"{statistics.median(ratios):.2f} of rules ({min(ratios):.2f} to {max(ratios):.2f})\n"
        )


def _sharded(processes: int, layers: int) -> Transformer:
    with torch.device("meta"):
        model = Transformer(layers)
    mesh = init_device_mesh("cpu", (processes,))
    for layer in model.layers:
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)
    return model


def _linear(inputs: int, outputs: int) -> nn.Linear:
    return nn.Linear(inputs, outputs, bias=False)


def main(arguments: Any = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--layers", type=int, default=16)
    options = parser.parse_args(arguments)
    with torch.device("meta"):
        count = sum(each.numel() for each in Transformer(options.layers).parameters())
    sys.stdout.write(f"{count / 1e9:.2f} billion parameters, {options.processes} processes\n")
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.start_processes(
            run,
            (options.processes, folder, options.rounds, options.layers),
            nprocs=options.processes,
            start_method="fork",
        )
    with torch.device("meta"):
        whole = Transformer(options.layers)
    start = time.perf_counter()
    by_torch(whole)
    sys.stdout.write(f"torch, one process {time.perf_counter() - start:.2f} s\n")


if __name__ == "__main__":
    main()
