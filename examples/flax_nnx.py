"""A Flax nnx layer with a seedbed initializer, and a sharded model filled by names.

    python examples/flax_nnx.py N

N is the number of devices of the host, 1, 2, 4 or 8; the digests are the same for all of them.
"""

import os
import sys

device_count = int(sys.argv[1])
# Read when JAX is imported.
os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={device_count}"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from flax import nnx  # noqa: E402
from jax.sharding import AxisType, NamedSharding, PartitionSpec  # noqa: E402

import seedbed.jax  # noqa: E402
from seedbed.jax import initializers  # noqa: E402

RULES = {"*/bias": "zeros", "*/scale": "ones", "*/kernel": "lecun_normal"}


class Block(nnx.Module):  # type: ignore[misc]  # Any where Flax is not installed
    """A normalized layer of a network."""

    def __init__(self, width: int, *, rngs: nnx.Rngs) -> None:
        self.norm = nnx.LayerNorm(width, rngs=rngs)
        self.linear = nnx.Linear(width, width, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Return the next layer's input."""
        return x + nnx.relu(self.linear(self.norm(x)))


class Net(nnx.Module):  # type: ignore[misc]  # Any where Flax is not installed
    """Four blocks."""

    def __init__(self, width: int, *, rngs: nnx.Rngs) -> None:
        self.blocks = nnx.List([Block(width, rngs=rngs) for _ in range(4)])

    def __call__(self, x: jax.Array) -> jax.Array:
        """Return the network's output."""
        for block in self.blocks:
            x = block(x)
        return x


def main() -> None:
    """Print digests of a layer and a model, the model's layout, and the shape of its output."""
    # An initializer in the place of one of jax.nn.initializers: the layer's key is the seed.
    layer = nnx.Linear(64, 64, kernel_init=initializers.he_normal(), rngs=nnx.Rngs(0))
    print(f"layer {seedbed.jax.digest(nnx.state(layer))}")

    # A whole model by its parameters' names. Only shapes at first: nothing is sampled, and nothing
    # is allocated.
    graph, abstract = nnx.split(nnx.eval_shape(lambda: Net(64, rngs=nnx.Rngs(0))))
    mesh = jax.make_mesh((device_count,), ("x",), axis_types=(AxisType.Auto,))
    state = seedbed.jax.initialize(
        abstract, NamedSharding(mesh, PartitionSpec("x")), seed=42, rules=RULES
    )
    print(f"model {seedbed.jax.digest(state)}")
    model = nnx.merge(graph, state)
    kernel = model.blocks[0].linear.kernel[...]
    part = kernel.addressable_shards[0].data
    print(f"blocks/0/linear/kernel: {part.shape} of {kernel.shape} on a device")
    print(f"output {model(jnp.ones((2, 64))).shape}")


if __name__ == "__main__":
    main()
