"""One process of a job: fills a sharded tree and prints the digest of each of its parts.

XLA_FLAGS=--xla_force_host_platform_device_count=2 python rank.py RANK COUNT COORDINATOR TARGET
"""

import json
import sys
from typing import Any

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

import seedbed as sb
import seedbed.jax

SEED = 9
RULES = {"bias": "zeros", "*": "glorot_uniform"}
SHAPES = {"kernel": (64, 32), "embedding": (128, 8), "bias": (32,)}
CUTS = {"kernel": PartitionSpec("x", "y"), "embedding": PartitionSpec("x"), "bias": PartitionSpec()}

MADE_CUTS = {
    "weight": PartitionSpec("x", "y"),
    "steps": PartitionSpec("x"),
    "scale": PartitionSpec("x"),
}


def make(key: Any) -> dict[str, Any]:
    """Return tensors that are drawn, computed of what is drawn, and full of one number."""
    return {
        "weight": jax.random.normal(key, (64, 32)) * 0.5,
        "steps": jax.numpy.exp(jax.random.uniform(key, (8,))),
        "scale": jax.numpy.ones(16),
    }


def main(rank: int, count: int, coordinator: str, target: str) -> None:
    """Print a line of JSON for each part on a device of this process."""
    jax.distributed.initialize(coordinator, count, rank)
    mesh = jax.make_mesh((count, 2), ("x", "y"))
    forms = {name: jax.ShapeDtypeStruct(shape, "float32") for name, shape in SHAPES.items()}
    shardings = {name: NamedSharding(mesh, cut) for name, cut in CUTS.items()}
    with sb.connect(target) as client:
        params = seedbed.jax.initialize(forms, shardings, seed=SEED, rules=RULES, client=client)
        cuts = {name: NamedSharding(mesh, cut) for name, cut in MADE_CUTS.items()}
        filled = seedbed.jax.initializing(make, seed=SEED, out_shardings=cuts, client=client)
        params.update(filled(jax.random.key(0)))
    for name, leaf in params.items():
        for shard in leaf.addressable_shards:
            starts = [
                each.indices(length)[0]
                for each, length in zip(shard.index, leaf.shape, strict=True)
            ]
            values = np.asarray(shard.data)
            digest = str(sb.digest_bytes(values.tobytes()))
            print(json.dumps([name, starts, list(values.shape), digest]), flush=True)
    try:
        seedbed.jax.digest(params)
    except sb.InvalidValueError as error:
        print(json.dumps(str(error)), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
