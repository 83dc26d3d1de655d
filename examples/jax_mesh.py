"""Fill a sharded model, each device with exactly its part.

    python examples/jax_mesh.py DEVICES [TARGET]

DEVICES is the number of devices of the host, 1, 2, 4 or 8; the digest is the same for all of them.
TARGET is a server, such as 127.0.0.1:50051; without one the embedded engine samples.
"""

import os
import sys
from typing import Any

device_count = int(sys.argv[1])
target = sys.argv[2] if len(sys.argv) > 2 else "embedded:"
# Read when JAX is imported.
os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={device_count}"

import jax  # noqa: E402
from jax.sharding import NamedSharding, PartitionSpec  # noqa: E402

import seedbed as sb  # noqa: E402
import seedbed.jax  # noqa: E402

VOCABULARY, WIDTH, LAYERS = 4000, 256, 4
# The meshes: one axis for parts of the batch, one for parts of the layers.
MESHES = {1: (1, 1), 2: (1, 2), 4: (2, 2), 8: (4, 2)}
RULES: dict[str, Any] = {
    "*/bias": "zeros",
    "*/scale": "ones",
    "embedding": {"class_name": "RandomNormal", "config": {"stddev": 0.02}},
    "*/attention/kernel": "orthogonal",
    "*": "glorot_uniform",
}


def shapes() -> dict[str, jax.ShapeDtypeStruct]:
    """Return the shapes of a small model's parameters; ``jax.eval_shape`` gives any model's."""

    def layer() -> dict[str, dict[str, jax.ShapeDtypeStruct]]:
        return {
            "attention": {"kernel": jax.ShapeDtypeStruct((WIDTH, WIDTH), "bfloat16")},
            "up": {
                "kernel": jax.ShapeDtypeStruct((WIDTH, 4 * WIDTH), "bfloat16"),
                "bias": jax.ShapeDtypeStruct((4 * WIDTH,), "float32"),
            },
            "down": {"kernel": jax.ShapeDtypeStruct((4 * WIDTH, WIDTH), "bfloat16")},
            "norm": {"scale": jax.ShapeDtypeStruct((WIDTH,), "float32")},
        }

    embedding = jax.ShapeDtypeStruct((VOCABULARY, WIDTH), "bfloat16")
    return {"embedding": embedding, **{f"layer{i}": layer() for i in range(LAYERS)}}


def main() -> None:
    """Print the mesh, what one device holds, and the digest."""
    mesh = jax.make_mesh(MESHES[device_count], ("data", "model"))
    model = shapes()
    # Matrices are cut in both directions, vectors in one.
    cuts = {1: PartitionSpec("model"), 2: PartitionSpec("data", "model")}
    shardings = jax.tree.map(lambda leaf: NamedSharding(mesh, cuts[len(leaf.shape)]), model)
    with sb.connect(target) as client:
        params = seedbed.jax.initialize(model, shardings, seed=42, rules=RULES, client=client)
    whole = sum(leaf.nbytes for leaf in jax.tree.leaves(params))
    part = sum(leaf.addressable_shards[0].data.nbytes for leaf in jax.tree.leaves(params))
    print(f"mesh {dict(mesh.shape)}: {part:,} of {whole:,} bytes on a device")
    print(f"digest {seedbed.jax.digest(params)}")


if __name__ == "__main__":
    main()
