"""A Flax nnx model, filled without ever holding a parameter twice: python examples/flax_nnx.py [DEVICES].

The same digest is printed for 1, 2, 4 or 8 devices of the host.
"""

import os
import sys

device_count = int(sys.argv[1]) if len(sys.argv) > 1 else 1
os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={device_count}"  # read when JAX is imported

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from flax import nnx  # noqa: E402
from jax.sharding import NamedSharding, PartitionSpec  # noqa: E402

import seedbed.jax  # noqa: E402

RULES = {"*/bias": "zeros", "*/scale": "ones", "*/kernel": "lecun_normal"}


class Block(nnx.Module):
    """A normalized layer of a network."""

    def __init__(self, width: int, *, rngs: nnx.Rngs) -> None:
        self.norm = nnx.LayerNorm(width, rngs=rngs)
        # An initializer of seedbed in the place of one of jax.nn.initializers: used when the layer is made.
        self.linear = nnx.Linear(width, width, kernel_init=seedbed.jax.initializers.he_normal(), rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Return the next layer's input."""
        return x + nnx.relu(self.linear(self.norm(x)))


class Net(nnx.Module):
    """Four blocks."""

    def __init__(self, width: int, *, rngs: nnx.Rngs) -> None:
        self.blocks = nnx.List([Block(width, rngs=rngs) for _ in range(4)])

    def __call__(self, x: jax.Array) -> jax.Array:
        """Return the network's output."""
        for block in self.blocks:
            x = block(x)
        return x


def main() -> None:
    """Print a parameter's layout, the digest of all, and that the model runs."""
    # Only shapes: nothing is sampled, and nothing is allocated.
    graph, abstract = nnx.split(nnx.eval_shape(lambda: Net(64, rngs=nnx.Rngs(0))))
    mesh = jax.make_mesh((device_count,), ("x",))
    shardings = jax.tree.map(lambda leaf: NamedSharding(mesh, PartitionSpec("x")), abstract)
    state = seedbed.jax.initialize(abstract, shardings, seed=42, rules=RULES)
    model = nnx.merge(graph, state)
    kernel = model.blocks[0].linear.kernel[...]
    print(f"blocks/0/linear/kernel: {kernel.addressable_shards[0].data.shape} of {kernel.shape} on a device")
    print(f"digest {seedbed.jax.digest(state)}")
    print(f"output {model(jnp.ones((2, 64))).shape}")


if __name__ == "__main__":
    main()
