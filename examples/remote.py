"""Fetch one rank's rows of a tensor from a server.

    python examples/remote.py 127.0.0.1:50051 RANK WORLD_SIZE

The digest is that of the whole tensor, the same on every rank.
"""

import sys

import seedbed as sb

target, rank, world_size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
spec = sb.TensorSpec("wte", (50257, 768), "bfloat16", sb.RandomNormal(stddev=0.02), seed=7)

with sb.connect(target) as client:
    rows = client.sample(spec, slice=sb.shard(rank, world_size, axis=0))
    print(f"rank {rank} of {world_size}: {rows.shape} of {spec.shape}, {client.digest(spec)}")
